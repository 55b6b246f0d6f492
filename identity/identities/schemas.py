"""The JSON Schemas of traits: load and check them, validate traits, read the extension keywords (contract: identities.md 2)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jsonschema_rs

from identity import conf, config
from identity.config import Config, ConfigError, Fault, sources
from identity.errors import BadRequest, InvalidConfiguration
from identity.identities import normalize
from identity.identities.formats import FORMATS

EXTENSION = "ory.sh/kratos"
BRANCHES = ("allOf", "anyOf", "oneOf")
BRANCH = ("if", "then", "else", "not")
MAX_DEPTH = 32


@dataclass(frozen=True)
class TraitError:
    """One thing that is wrong with traits. `path` leads to it from the document's root: ("traits", "name", "first")."""

    keyword: str
    path: tuple[str | int, ...]
    schema_path: tuple[str | int, ...]
    message: str
    parameters: dict[str, Any]
    value: Any

    def __str__(self) -> str:
        return f"I[#{_pointer(self.path)}] S[#{_pointer(self.schema_path)}] {self.message}"


class InvalidTraits(BadRequest):
    """The traits do not fit their schema; `errors` says where. For operators it is a 400, flows turn it into messages."""

    def __init__(self, errors: list[TraitError]) -> None:
        super().__init__("The traits do not fit their schema:\n" + "\n".join(str(error) for error in errors))
        self.errors = errors


@dataclass
class Collected:
    """What the extension keywords found in one traits document, normalised, without doubles, in order."""

    identifiers: dict[str, list[str]] = field(default_factory=dict)  # credential type -> identifiers
    code_addresses: list[dict[str, str]] = field(default_factory=list)  # [{channel, address}]
    verifiable: list[tuple[str, str]] = field(default_factory=list)  # (via, value)
    recovery: list[tuple[str, str]] = field(default_factory=list)
    totp_account: str = ""
    passkey_name: str = ""
    numbers: list[tuple[Any, Any, str]] = field(default_factory=list)  # where a phone number stands, and how E.164 spells it

    def respell(self) -> None:
        """Rewrite the phone numbers of the traits to E.164 in place."""
        for holder, key, number in self.numbers:
            holder[key] = number


@dataclass(frozen=True)
class Leaf:
    """A trait that a form can ask for: its dotted name below the document's root, its schema, whether it must be given."""

    name: str  # "traits.name.first"
    schema: dict[str, Any]
    required: bool

    @property
    def extension(self) -> dict[str, Any]:
        found = self.schema.get(EXTENSION)
        return found if isinstance(found, dict) else {}


class Schema:
    """One identity schema."""

    def __init__(self, id: str, document: dict[str, Any], selectable: bool = False) -> None:
        self.id, self.document, self.selectable = id, document, selectable
        self._extended: dict[int, bool] = {}  # by the identity of a part of the document, which stays as it is

    @cached_property
    def url(self) -> str:
        return conf.public_url("/schemas/" + base64.urlsafe_b64encode(self.id.encode()).decode().rstrip("="))

    @cached_property
    def validator(self) -> jsonschema_rs.Draft7Validator:
        return jsonschema_rs.Draft7Validator(
            {key: value for key, value in self.document.items() if key != "$id"},
            formats=FORMATS,
            validate_formats=True,
            retriever=_retrieve,
            pattern_options=jsonschema_rs.RegexOptions(),
        )

    def errors(self, traits: Any) -> list[TraitError]:
        """Return what is wrong, one entry for each cause."""
        return [_error(error) for error in self.validator.iter_errors({"traits": traits})]

    @cached_property
    def leaves(self) -> list[Leaf]:
        """The traits a form asks for, in the document's order: scalars and lists of scalars (contract: methods.md 1.4)."""
        found: dict[str, Leaf] = {}
        for leaf in self._leaves(self.document.get("properties", {}).get("traits", {}), "traits", False, 0):
            known = found.get(leaf.name)
            if known is None or (leaf.required and not known.required):
                found[leaf.name] = leaf
        return list(found.values())

    def _leaves(self, schema: Any, name: str, required: bool, depth: int) -> Iterator[Leaf]:
        schema = self._resolve(schema)
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return
        needed = schema.get("required", [])
        properties = schema.get("properties")
        if isinstance(properties, dict):
            for key, below in properties.items():
                yield from self._leaves(below, f"{name}.{key}", key in needed, depth + 1)
        elif _is_leaf(schema, self._resolve):
            yield Leaf(name, schema, required)
        for branch in _branches(schema):
            yield from self._leaves(branch, name, required, depth + 1)

    def _resolve(self, schema: Any) -> Any:
        """Follow `$ref` inside the document; what lies outside is the validator's business."""
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, dict) or not str(schema.get("$ref", "")).startswith("#"):
                return schema
            target: Any = self.document
            for part in schema["$ref"].lstrip("#").strip("/").split("/"):
                if part:
                    target = target.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
            schema = target
        return {}

    @cached_property
    def identifier_titles(self) -> list[tuple[str, str]]:
        """(dotted name, title) of each trait that can be typed to say who one is."""
        return [
            (leaf.name, str(leaf.schema.get("title") or "")) for leaf in self.leaves if _identifies(leaf.extension.get("credentials") or {})
        ]

    def collect(self, traits: dict[str, Any]) -> Collected:
        """Return what the extension keywords find in valid *traits*."""
        found = Collected()
        holder = {"traits": traits}
        self._collect(self.document.get("properties", {}).get("traits", {}), holder, "traits", found, 0)
        found.identifiers = {type: list(dict.fromkeys(names)) for type, names in found.identifiers.items()}
        found.verifiable, found.recovery = list(dict.fromkeys(found.verifiable)), list(dict.fromkeys(found.recovery))
        found.code_addresses = [dict(pairs) for pairs in dict.fromkeys(tuple(entry.items()) for entry in found.code_addresses)]
        return found

    def identifiers_of(self, type: str, traits: dict[str, Any]) -> list[str]:
        """Return the identifiers that *traits* hold for a credential type."""
        return self.collect(traits).identifiers.get(type, [])

    def _collect(self, schema: Any, holder: Any, key: Any, found: Collected, depth: int) -> None:
        schema = self._resolve(schema)
        if depth > MAX_DEPTH or not self._is_extended(schema):
            return
        value = holder[key]
        if isinstance(schema.get(EXTENSION), dict) and isinstance(value, str | int | float) and not isinstance(value, bool):
            _read_extension(schema, holder, key, found)
        if isinstance(value, dict):
            for name, below in (schema.get("properties") or {}).items():
                if name in value:
                    self._collect(below, value, name, found, depth + 1)
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            for index in range(len(value)):
                self._collect(schema["items"], value, index, found, depth + 1)
        for branch in _branches(schema):
            self._collect(branch, holder, key, found, depth + 1)

    def _is_extended(self, schema: Any) -> bool:
        """Whether an extension keyword stands in a part of the document, below it, or in what it refers to. Looked for once."""
        known = self._extended.get(id(schema))
        if known is None:
            known = self._extended[id(schema)] = self._holds_extension(schema)
        return known

    def _holds_extension(self, schema: Any) -> bool:
        seen: set[int] = set()
        waiting = [schema]
        while waiting:
            part = self._resolve(waiting.pop())
            if not isinstance(part, dict) or id(part) in seen:
                continue
            if EXTENSION in part:
                return True
            seen.add(id(part))
            waiting += [*(part.get("properties") or {}).values(), part.get("items"), *_branches(part)]
        return False


def _branches(schema: dict[str, Any]) -> Iterator[Any]:
    for keyword in BRANCHES:
        yield from schema.get(keyword) or ()
    for keyword in BRANCH:
        if isinstance(schema.get(keyword), dict):
            yield schema[keyword]


def _is_leaf(schema: dict[str, Any], resolve: Callable[[Any], Any]) -> bool:
    kind = schema.get("type")
    if kind == "array":
        items = resolve(schema.get("items"))
        return not isinstance(items, dict) or items.get("type") not in ("object", "array")
    return kind in ("string", "number", "integer", "boolean") or (
        kind is None and ("enum" in schema or "const" in schema or "format" in schema)
    )


def _identifies(credentials: dict[str, Any]) -> bool:
    return (
        any((credentials.get(type) or {}).get("identifier") for type in ("password", "webauthn", "code"))
        or bool((credentials.get("passkey") or {}).get("display_name"))
        or bool((credentials.get("totp") or {}).get("account_name"))
    )


def _read_extension(schema: dict[str, Any], holder: Any, key: Any, found: Collected) -> None:
    extension, value = schema[EXTENSION], str(holder[key])
    credentials = extension.get("credentials") or {}
    vias = {(extension.get(use) or {}).get("via") for use in ("verification", "recovery")} | {(credentials.get("code") or {}).get("via")}
    if "sms" in vias and (number := normalize.phone(value)):
        found.numbers.append((holder, key, number))
        value = number
    for type in ("password", "webauthn"):
        if (credentials.get(type) or {}).get("identifier"):
            found.identifiers.setdefault(type, []).append(normalize.identifier(value))
    code = credentials.get("code") or {}
    if code.get("identifier"):
        found.identifiers.setdefault("code", []).append(normalize.identifier(value))
        found.code_addresses.append({"channel": code.get("via", "email"), "address": normalize.identifier(value)})
    if (credentials.get("totp") or {}).get("account_name"):
        found.totp_account = value
    if (credentials.get("passkey") or {}).get("display_name"):
        found.passkey_name = found.passkey_name or value
    for use, addresses in (("verification", found.verifiable), ("recovery", found.recovery)):
        via = (extension.get(use) or {}).get("via")
        if via and value.strip():
            addresses.append((via, normalize.identifier(value)))


def _pointer(path: Iterable[str | int]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _error(error: jsonschema_rs.ValidationError) -> TraitError:
    return TraitError(
        keyword=error.kind.name,
        path=tuple(error.instance_path),
        schema_path=tuple(error.schema_path),
        message=error.message,
        parameters=error.kind.as_dict(),
        value=error.instance,
    )


def _retrieve(uri: str) -> Any:
    if config.current().get("security.disallow_ref_in_identity_schemas") and not uri.startswith("base64://"):
        raise ValueError(f"references to {uri.split(':', 1)[0]}: are switched off by security.disallow_ref_in_identity_schemas")
    return json.loads(sources.read(uri))


def _load(entry: dict[str, Any]) -> Schema:
    document = json.loads(sources.read(entry["url"]))
    if not isinstance(document, dict):
        raise ValueError("an identity schema is a JSON object")
    traits = (document.get("properties") or {}).get("traits")
    if not isinstance(traits, dict) or not traits.get("properties") or traits.get("type", "object") != "object":
        raise ValueError("an identity schema describes `properties.traits`, an object with at least one property")
    schema = Schema(entry["id"], document, bool(entry.get("selfservice_selectable")))
    schema.validator  # noqa: B018  compiling it finds broken patterns and references
    return schema


@config.per_config
def _known(c: Config) -> dict[str, Schema | Exception]:
    """Every schema of the configuration by id; one that cannot be loaded is kept as its error, so that it breaks only its own people."""
    found: dict[str, Schema | Exception] = {}
    for entry in c.get("identity.schemas") or ():
        try:
            found[entry["id"]] = _load(entry)
        except (ValueError, OSError) as error:
            found[entry["id"]] = error
    return found


def all_schemas() -> list[Schema]:
    """Return every schema in the configuration's order. Raises InvalidConfiguration when one cannot be read."""
    return [get_readable(id) for id in _known()]


def default_id() -> str:
    return str(config.current().get("identity.default_schema_id"))


def find(id: str) -> Schema | None:
    found = _known().get(id)
    return found if isinstance(found, Schema) else None


def get(id: str) -> Schema:
    """Return the schema that somebody named; "" is the default one. Raises BadRequest when there is none."""
    id = id or default_id()
    if id not in _known():
        raise BadRequest(f'There is no identity schema "{id}".')
    return get_readable(id)


def get_readable(id: str) -> Schema:
    """Return the schema of an identity that exists. Raises InvalidConfiguration: the configuration must still have it."""
    found = _known().get(id)
    if isinstance(found, Schema):
        return found
    raise InvalidConfiguration(f'The identity schema "{id}" cannot be used: {found or "the configuration no longer lists it"}.')


def url_of(id: str) -> str:
    schema = find(id)
    return schema.url if schema else conf.public_url("/schemas/" + base64.urlsafe_b64encode(id.encode()).decode().rstrip("="))


def selectable(id: str) -> Schema:
    """Return the schema that a person may choose for their flow. Raises BadRequest."""
    schema = get(id)
    if schema.id != default_id() and not schema.selectable:
        raise BadRequest(f'The identity schema "{id}" cannot be chosen.')
    return schema


def check(c: Config) -> Iterable[Fault]:
    """The configuration's schemas must load, and the default one must be among them."""
    ids = []
    for index, entry in enumerate(c.get("identity.schemas") or ()):
        ids.append(entry["id"])
        try:
            _load(entry)
        except (ValueError, OSError, ConfigError) as error:
            yield Fault(f"identity.schemas.{index}", f'the schema "{entry["id"]}" cannot be used: {error}', isinstance(error, OSError))
    if c.get("identity.default_schema_id") not in ids:
        yield Fault("identity.default_schema_id", f'"{c.get("identity.default_schema_id")}" is not one of the schemas: {", ".join(ids)}')


def is_known(id: str) -> bool:
    return (id or default_id()) in _known()
