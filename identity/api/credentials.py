"""Credentials as operators handle them: imported with an identity, shown on demand, taken away (contract: identities.md 1.4, 3.1, 3.7)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeGuard

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request

from identity.api.operator import OperatorView, only, text
from identity.credentials import password, sealing, webauthn
from identity.credentials.models import Credential
from identity.errors import BadRequest, Malformed, NotFound
from identity.http.views import no_content
from identity.identities import services
from identity.identities.models import Identity
from identity.ids import parse_uuid
from identity.sessions import aal

SHOWABLE = frozenset(
    ("password", "oidc", "saml", "totp", "lookup_secret", "webauthn", "code", "link_recovery", "code_recovery", "deviceauthn", "passkey")
)
Config = dict[str, Any]
Import = dict[str, Config]  # credential type -> config, checked, in the form in which it is stored but for a password in clear
PLAIN = "password"  # member of an import that waits to be hashed


def asked_for(request: Request) -> frozenset[str]:
    """Return the types whose config is to be shown (`include_credential`). Raises BadRequest."""
    wanted = frozenset(request.query_params.getlist("include_credential"))
    if unknown := wanted - SHOWABLE:
        raise BadRequest(f'There is no credential type "{min(unknown)}".')
    return wanted


def view(credential: Credential, *, opened: bool = False) -> dict[str, Any]:
    """What is seen of a credential; its config only when it is *opened*."""
    from_rows = {"version": credential.version, "created_at": credential.created_at, "updated_at": credential.updated_at}
    config = {"config": sealing.for_operators(credential.type, credential.config)} if opened else {}
    return {"type": credential.type, "identifiers": sorted(credential.names)} | config | from_rows


# -- import


def read(value: Any, *, strict: bool) -> Import:
    """Return what shall be imported, checked; nothing is hashed yet. *strict*: an unknown member is an error.

    Raises:
        Malformed: It is not what is documented.
        BadRequest: A hash, a key or a provider cannot be used.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed('"credentials" is not an object.')
    if strict:
        only(value, frozenset(READERS), "credentials.")
    return {
        type: READERS[type](_config(type, wrapped, strict)) for type, wrapped in value.items() if type in READERS and wrapped is not None
    }


def _config(type: str, wrapped: Any, strict: bool) -> Config:
    if not isinstance(wrapped, dict):
        raise Malformed(f'"credentials.{type}" is not an object.')
    config = wrapped.get("config")
    if config is None:
        config = {}
    if not isinstance(config, dict):
        raise Malformed(f'"credentials.{type}.config" is not an object.')
    if strict:
        only(wrapped, frozenset(("config",)), f"credentials.{type}.")
        only(config, MEMBERS[type], f"credentials.{type}.config.")
    return config


def _password(config: Config) -> Config:
    if config.get("use_password_migration_hook") is True:
        return {"use_password_migration_hook": True}
    if plain := text(config, "password"):
        return {PLAIN: plain}
    stored = text(config, "hashed_password")
    if not stored:
        raise BadRequest("A password is imported in clear, as a hash, or with the migration hook.")
    if not password.is_known_hash(stored):
        raise BadRequest("This kind of password hash cannot be checked here, or it is too expensive.")
    return {"hashed_password": stored}


def hash_plain(wanted: Import) -> None:
    """Hash the password that was given in clear; slow, so never inside a transaction. Raises PasswordTooLong, ServiceUnavailable."""
    if plain := wanted.get("password", {}).pop(PLAIN, None):
        wanted["password"] = {"hashed_password": password.make_hash(plain)}


def _providers(config: Config) -> Config:
    return {"providers": [_provider(entry) for entry in _objects(config, "providers")]}


def _provider(entry: Config) -> Config:
    stored: Config = dict.fromkeys(sealing.TOKENS, "") | {"subject": text(entry, "subject"), "provider": text(entry, "provider")}
    if not stored["subject"] or not stored["provider"]:
        raise BadRequest("A provider's account has a provider and a subject.")
    if organization := text(entry, "organization"):
        if parse_uuid(organization) is None:
            raise BadRequest("The organization of a provider's account is not a UUID.")
        stored["organization"] = organization
    if entry.get("use_auto_link") is True:
        stored["use_auto_link"] = True
    return stored


def _saml(config: Config) -> Config:
    return {
        "providers": [
            {name: value for name, value in entry.items() if name != "use_auto_link"} for entry in _providers(config)["providers"]
        ]
    }


def _totp(config: Config) -> Config:
    if not (url := text(config, "totp_url")):
        raise BadRequest("An authenticator is imported by its otpauth:// address.")
    return {"totp_url": url}


def _lookup_secret(config: Config) -> Config:
    return {"recovery_codes": [{"code": _code(entry), "used_at": text(entry, "used_at") or None} for entry in _objects(config, "codes")]}


def _code(entry: Config) -> str:
    if not (code := text(entry, "code")):
        raise BadRequest("A lookup code is empty.")
    return code


def _webauthn(config: Config) -> Config:
    handle = text(config, "user_handle")
    _decoded(handle)
    return {"credentials": [_key(entry) for entry in _objects(config, "credentials")], "user_handle": handle}


def _passkey(config: Config) -> Config:
    stored = _webauthn(config)
    if not stored["user_handle"] or not stored["credentials"]:
        raise BadRequest("A passkey is imported with its user handle and at least one key.")
    return stored


def _key(entry: Config) -> Config:
    if not text(entry, "id") or not text(entry, "public_key"):
        raise BadRequest("A key has an id and a public key.")
    _decoded(entry["id"])
    _decoded(entry["public_key"])
    if webauthn.find_key(entry) is None:
        raise BadRequest("A key has members of the wrong type.")
    return entry


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("Keys and handles are standard base64.") from error


def _objects(config: Config, name: str) -> list[Config]:
    found = config.get(name)
    if found is None:
        return []
    if not _are_objects(found):
        raise Malformed(f'"{name}" is not a list of objects.')
    return found


READERS: dict[str, Callable[[Config], Config]] = {
    "password": _password,
    "oidc": _providers,
    "saml": _saml,
    "totp": _totp,
    "lookup_secret": _lookup_secret,
    "webauthn": _webauthn,
    "passkey": _passkey,
}
MEMBERS = {
    "password": frozenset(("password", "hashed_password", "use_password_migration_hook")),
    "oidc": frozenset(("providers",)),
    "saml": frozenset(("providers",)),
    "totp": frozenset(("totp_url",)),
    "lookup_secret": frozenset(("codes",)),
    "webauthn": frozenset(("credentials", "user_handle")),
    "passkey": frozenset(("credentials", "user_handle")),
}
REPLACED = ("password", "totp")  # the others grow
LISTS = {"oidc": "providers", "saml": "providers", "lookup_secret": "recovery_codes", "webauthn": "credentials", "passkey": "credentials"}


def put(identity: Identity, wanted: Import) -> None:
    """Lay an import over what the identity has; `services.derive` has to follow. Types that are not in it stay."""
    for type, config in wanted.items():
        credential = identity.credential(type) or services.new_credential(identity, type)
        credential.config = sealing.seal(type, config if type in REPLACED else _grown(type, sealing.open(type, credential.config), config))
        credential.names = _names(identity, credential)


def _grown(type: str, old: Config, new: Config) -> Config:
    """Return both lists as one; of two entries that mean the same the new one counts."""
    name = LISTS[type]
    entries = {_same(type, entry): entry for entry in (*old.get(name, ()), *new[name])}
    return {**old, **new, name: list(entries.values())}


def _same(type: str, entry: Config) -> Any:
    if type in ("oidc", "saml"):
        return subject_of(entry)
    return entry.get("code" if type == "lookup_secret" else "id")


def subject_of(entry: Config) -> str:
    """Return the identifier of a provider's account."""
    return f"{entry.get('provider')}:{entry.get('subject')}"


def _names(identity: Identity, credential: Credential) -> list[str]:
    if credential.type in ("oidc", "saml"):
        return sorted(subject_of(entry) for entry in credential.config["providers"])
    if credential.type in ("totp", "lookup_secret"):
        return [str(identity.id)]
    if credential.type == "passkey":
        return sorted({*credential.names, handle_name(credential.config["user_handle"])})
    return credential.names


def handle_name(encoded: str) -> str:
    """Return the identifier that a user handle (base64) makes: its bytes as text, or as they were sent when they are no text."""
    try:
        name = _decoded(encoded).decode()
    except UnicodeDecodeError:
        return encoded
    return encoded if "\x00" in name else name


def take_over(identity: Identity, wanted: Any, before: dict[str, Any]) -> None:
    """Let the credentials become what a patched document says of them. Raises BadRequest."""
    if not isinstance(wanted, dict):
        raise BadRequest("`credentials` is an object.")
    for type in set(before) - set(wanted):
        del identity.factors[type]
    for type, seen in wanted.items():
        if seen == before.get(type):
            continue
        config, names = (seen.get("config"), seen.get("identifiers")) if isinstance(seen, dict) else (None, None)
        if type not in SHOWABLE or not _is_sound(config or {}) or not _are_names(names):
            raise BadRequest(f'"{type}" is not a credential.')
        credential = identity.credential(type) or services.new_credential(identity, type)
        credential.config, credential.names = sealing.seal(type, config or {}), sorted(set(names or ()))


def _is_sound(config: Any) -> bool:
    """Whether every list and every secret of a config has the type with which it is read; what they hold is the operator's business."""
    return (
        isinstance(config, dict)
        and all(isinstance(config.get(name, ""), str) for name in ("totp_url", "hashed_password", "user_handle"))
        and all(_are_entries(config.get(name, [])) for name in ("addresses", *LISTS.values()))
    )


def _are_entries(found: Any) -> bool:
    named = ("id", "public_key", "code", "provider", "subject", "address", "channel")
    return _are_objects(found) and all(isinstance(entry.get(name, ""), str) for entry in found for name in named)


def _are_objects(found: Any) -> TypeGuard[list[Config]]:
    return isinstance(found, list) and all(isinstance(entry, dict) for entry in found)


def _are_names(names: Any) -> bool:
    return names is None or (isinstance(names, list) and all(isinstance(name, str) for name in names))


# -- removal


class OneCredential(OperatorView):
    """DELETE /identities/{id}/credentials/{type}: take a way to sign in away, as long as another stays."""

    def delete(self, request: Request, id: str, type: str) -> HttpResponse:
        with transaction.atomic():
            before = services.lock(parse_uuid(id))
            after = services.revise(before)
            remove(after, type, request.query_params.get("identifier", ""))
            after.available_aal = aal.available(after)
            services.update(before, after)
        return no_content()


def remove(identity: Identity, type: str, identifier: str) -> None:
    """Take a credential, or the one of its entries that *identifier* names, from an identity that is only proposed.

    Raises:
        NotFound: There is no such credential, or no such entry.
        BadRequest: It cannot be taken away, or is the last way to sign in.
    """
    credential = identity.credential(type)
    if credential is None:
        raise NotFound("The identity has no such credential.")
    if type in ("totp", "lookup_secret"):
        del identity.factors[type]
    elif type == "webauthn":
        _keep_passwordless(identity, credential)
    elif type == "password":
        _require_another(identity)
        credential.config = {}
    elif type in ("oidc", "saml"):
        _require_another(identity)
        _remove_provider(identity, credential, identifier)
    else:
        raise BadRequest("Credentials of this type cannot be deleted.")


def _require_another(identity: Identity) -> None:
    if aal.first_factors(identity) < 2:
        raise BadRequest("This is the last way to sign in.")


def _keep_passwordless(identity: Identity, credential: Credential) -> None:
    """Second factors go; what signs in by itself stays."""
    kept = [key for key in credential.config.get("credentials", []) if key.get("is_passwordless")]
    if kept:
        credential.config = {**credential.config, "credentials": kept}
    else:
        del identity.factors["webauthn"]


def _remove_provider(identity: Identity, credential: Credential, identifier: str) -> None:
    if not identifier:
        raise BadRequest("`identifier` says which account: provider:subject.")
    providers = credential.config.get("providers", [])
    kept = [entry for entry in providers if subject_of(entry) != identifier]
    if len(kept) == len(providers):
        raise NotFound("The identity has no such account.")
    credential.config, credential.names = (
        {**credential.config, "providers": kept},
        [name for name in credential.names if name != identifier],
    )
    if not kept:
        del identity.factors[credential.type]
