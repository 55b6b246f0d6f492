"""JSON Patch as far as operators may use it: `add`, `remove` and `replace` (RFC 6902; contract: identities.md 3.5)."""

from __future__ import annotations

from typing import Any

from identity.errors import BadRequest

OPERATIONS = ("add", "remove", "replace")
DENIED = (["id"], ["statechangedat"], ["credentials"])  # as they are written
SEALED = (["credentials", "oidc"], ["credentials", "saml"])  # and everything below


def apply(document: dict[str, Any], operations: Any) -> None:
    """Change *document* in place, all operations in order.

    More is forgiven than the RFC does: `replace` of a missing member adds it, `add` makes missing parents.

    Raises:
        BadRequest: An operation is not one, may not be done, or leads nowhere.
    """
    if not isinstance(operations, list):
        raise BadRequest("A patch is a list of operations.")
    for operation in operations:
        if not isinstance(operation, dict) or operation.get("op") not in OPERATIONS:
            raise BadRequest("An operation is `add`, `remove` or `replace`.")
        path = _parts(operation.get("path"))
        _require_allowed(path, operation)
        if operation["op"] == "remove":
            _remove(document, path)
        elif "value" not in operation:
            raise BadRequest(f"`{operation['op']}` needs a value.")
        else:
            _put(document, path, operation["value"], inserts=operation["op"] == "add")


def _parts(pointer: Any) -> list[str]:
    """Return the parts of a JSON pointer (RFC 6901)."""
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        raise BadRequest("The path of an operation is a JSON pointer such as /traits/email.")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def _require_allowed(path: list[str], operation: dict[str, Any]) -> None:
    spelled = [part.lower() for part in path]
    if spelled in DENIED or spelled[:2] in SEALED:
        raise BadRequest(f"{operation['path']} cannot be patched.")
    if len(path) == 2 and spelled[0] == "credentials" and operation["op"] != "remove":
        value = operation.get("value")
        if not isinstance(value, dict) or value.get("type") != path[1]:
            raise BadRequest("The `type` of a credential is the name under which it stands.")


def _put(document: dict[str, Any], path: list[str], value: Any, *, inserts: bool) -> None:
    at: Any = document
    for part in path[:-1]:
        at = _below(at, part, make=inserts)
    last = path[-1]
    if isinstance(at, dict):
        at[last] = value
    elif isinstance(at, list) and inserts:
        at.insert(len(at) if last == "-" else _index(last, len(at)), value)
    elif isinstance(at, list):
        at[_index(last, len(at) - 1)] = value
    else:
        raise BadRequest(f"There is nothing at {_pointer(path)}.")


def _remove(document: dict[str, Any], path: list[str]) -> None:
    at: Any = document
    for part in path[:-1]:
        at = _below(at, part, make=False)
    if isinstance(at, list):
        del at[_index(path[-1], len(at) - 1)]
    elif isinstance(at, dict) and path[-1] in at:
        del at[path[-1]]
    else:
        raise BadRequest(f"There is nothing at {_pointer(path)}.")


def _below(at: Any, part: str, *, make: bool) -> Any:
    if isinstance(at, list):
        return at[_index(part, len(at) - 1)]
    if not isinstance(at, dict):
        raise BadRequest(f'There is nothing below "{part}".')
    if at.get(part) is None:
        if not make:
            raise BadRequest(f'There is no "{part}".')
        at[part] = {}
    return at[part]


def _index(part: str, last: int) -> int:
    if not part.isascii() or not part.isdigit() or len(part) > 9 or int(part) > last:
        raise BadRequest(f'A list has no place "{part[:40]}".')
    return int(part)


def _pointer(path: list[str]) -> str:
    return "/" + "/".join(path)[:200]
