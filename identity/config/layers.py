"""Where values come from: defaults, then files in their order, then the environment (contract: config.md 1)."""

from __future__ import annotations

import itertools
import json
import os
import socket
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from identity.config.faults import ConfigError
from identity.config.nodes import NOTHING, Flag, Items, Later, Node, Section, Table
from identity.config.schema import TREE

PERSON = "file://" + str(Path(__file__).with_name("person.schema.json"))  # of the embedded default
OWN_SECRET = os.urandom(32).hex()  # of a process that was given none by `serve` either
GENERIC = frozenset(("config", "help", "version", "revision"))  # names that other programs set in the environment, too


class HalfWritten(Exception):
    """A file was caught while somebody writes it."""


def read_file(path: Path) -> dict[str, Any]:
    """Return what a configuration file holds. Raises ConfigError, HalfWritten."""
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8.") from error
    if not text.strip():
        raise HalfWritten(path)
    try:
        held = _parse(path, text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(held, dict):
        raise ConfigError(f"{path}: holds no mapping.")
    return held


def _parse(path: Path, text: str) -> Any:
    match path.suffix.lower():
        case ".yaml" | ".yml":
            return yaml.load(text, Loader=yaml.CSafeLoader)
        case ".json":
            return json.loads(text)
        case ".toml":
            return tomllib.loads(text)
    raise ValueError("the file's name must end in .yml, .yaml, .json or .toml")


def merge(below: Any, above: Any) -> Any:
    """Return *above* laid over *below*: mappings merge deeply, everything else is replaced."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = dict(below)
    for name, value in above.items():
        if value is None and name in below:
            continue  # "courier:" with nothing below it says nothing
        merged[name] = merge(below[name], value) if name in below else value
    return merged


def from_environment(environ: Mapping[str, str]) -> Iterator[tuple[list[str | int], Any]]:
    """Yield (path, value) of each variable that names a key: its dotted path in capitals, with "_" for ".".

    Raises ConfigError for a value that its key cannot have.
    """
    for name in sorted(environ):
        words = name.lower().split("_")
        if not environ[name] or name == "DSN" or (words[0] in GENERIC and len(words) == 1):
            continue
        for path, node in _keys(TREE, words):
            try:
                yield path, node.from_text(environ[name])
            except ValueError as error:
                if len(path) == 1 and isinstance(node, Flag):
                    continue  # DEV=1.2 is some other program's
                raise ConfigError(f"{'.'.join(map(str, path))}: the environment variable {name} cannot be used: {error}") from error
            break


def _keys(node: Node, words: list[str]) -> Iterator[tuple[list[str | int], Node]]:
    """Yield the key that *words* spell below *node*."""
    if isinstance(node, Later):
        node = node.node
    if not words:
        yield [], node
        return
    if isinstance(node, Section):
        for key, below in node.keys.items():
            spelled = key.split("_")
            if words[: len(spelled)] == spelled:
                for path, found in _keys(below, words[len(spelled) :]):
                    yield [key, *path], found
    if isinstance(node, Items) and words[0].isdigit():
        for path, found in _keys(node.of, words[1:]):
            yield [int(words[0]), *path], found
    if isinstance(node, Table):
        yield ["_".join(words)], node.of


def place(tree: dict[str, Any], path: Sequence[str | int], value: Any) -> None:
    """Put *value* into *tree*; lists are merged by index, a new index appends."""
    holder: Any = tree
    for step, following in itertools.pairwise(path):
        holder = _below(holder, step, [] if isinstance(following, int) else {})
    if isinstance(holder, list) and isinstance(path[-1], int):
        _below(holder, path[-1], value)
        holder[min(path[-1], len(holder) - 1)] = value
    else:
        holder[path[-1]] = value


def _below(holder: Any, step: str | int, empty: Any) -> Any:
    if isinstance(holder, list) and isinstance(step, int):
        if step >= len(holder):
            holder.append(empty)
            return holder[-1]
        return holder[step]
    if not isinstance(holder.get(step), type(empty)):
        holder[step] = empty
    return holder[step]


def gather(paths: Sequence[Path], environ: Mapping[str, str], dev: bool) -> dict[str, Any]:
    """Return the values that were given, by files and environment, without defaults. Raises ConfigError, HalfWritten."""
    given: dict[str, Any] = {}
    for path in paths:
        given = merge(given, read_file(path))
    given = json.loads(json.dumps(given, default=str))  # YAML's dates become text; nothing is shared with an anchor
    for path_, value in from_environment(environ):
        place(given, path_, value)
    if dsn := environ.get("DSN"):
        given["dsn"] = dsn
    if dev:
        given["dev"] = True
    _rename(given)
    return given


def _rename(given: dict[str, Any]) -> None:
    """Read old names as what they are called now."""
    service = given.get("selfservice")
    if isinstance(service, dict):
        old = service.get("whitelisted_return_urls") or service.get("whitelisted_return_to_urls")
        if old and "allowed_return_urls" not in service:
            service["allowed_return_urls"] = old
    identity = given.get("identity")
    if isinstance(identity, dict) and identity.get("default_schema_url") and not identity.get("schemas"):
        identity["schemas"] = [{"id": "default", "url": identity["default_schema_url"]}]
        identity.setdefault("default_schema_id", "default")


def complete(given: dict[str, Any], environ: Mapping[str, str], embedded: bool) -> dict[str, Any]:
    """Return *given* with every default. *embedded*: there is no file, so nothing is required of one."""
    tree: dict[str, Any] = merge(TREE.defaults(), given)
    dev = bool(tree.get("dev"))
    for name in ("public", "admin"):
        listener = tree["serve"][name]
        if not listener.get("base_url"):
            listener["base_url"] = (
                f"{'http' if dev or name == 'admin' else 'https'}://{_visible(listener['host'], dev)}:{listener['port']}/"
            )
    service, base = tree["selfservice"], str(tree["serve"]["public"]["base_url"]).rstrip("/")
    if embedded:
        service.setdefault("default_browser_return_url", f"{base}/ui/welcome")
        tree["identity"].setdefault("schemas", [{"id": "default", "url": PERSON}])
    for flow, rules in service["flows"].items():
        if flow != "logout" and isinstance(rules, dict) and not rules.get("ui_url"):
            rules["ui_url"] = f"{base}/ui/{flow}"
    totp = service["methods"].get("totp") or {}
    if isinstance(totp.get("config"), dict):
        totp["config"].setdefault("issuer", base.split("://", 1)[-1].split(":")[0])
    secrets = tree["secrets"]
    if not secrets.get("default") and not secrets.get("cookie"):
        secrets["default"] = [environ.get("VESTIBULE_SECRET") or OWN_SECRET]
    if tree.get("log", {}).get("level") == "warn":
        tree["log"]["level"] = "warning"
    return tree


def _visible(host: str, dev: bool) -> str:
    """Return the name under which browsers find a listener."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared with, not bound to
        return "127.0.0.1" if dev else socket.gethostname()
    return "localhost" if host.startswith("unix:") else host


def environment() -> Mapping[str, str]:
    return os.environ


__all__ = ["NOTHING", "HalfWritten", "complete", "environment", "gather"]
