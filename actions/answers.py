"""What a webhook answered, read with care (contract: actions.md 2.8, 4.10, 4.11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import orjson

from flows.errors import InvalidSubmission
from flows.hooks import HookContext
from flows.ui.messages import Message
from identity.db import values
from identity.errors import BadRequest
from identity.identities import services
from identity.identities.models import Identity

STATES = (Identity.ACTIVE, Identity.INACTIVE)
TYPES = ("error", "info", "success")
KINDS: Mapping[str, tuple[type, ...]] = {
    "schema_id": (str,),
    "state": (str,),
    "verifiable_addresses": (list,),
    "recovery_addresses": (list,),
    "external_id": (str, type(None)),
}


class Refusal(InvalidSubmission):
    """A hook said no. `raw` is what it said, as it said it."""

    def __init__(self, messages: list[Message], raw: list[dict[str, Any]]) -> None:
        super().__init__(*messages)
        self.raw = raw


def refusal(body: bytes) -> Refusal | None:
    """Return the refusal that an error's body holds, None when it holds none that can be read."""
    try:
        said = values.storable(orjson.loads(body))
    except (orjson.JSONDecodeError, BadRequest):
        return None
    groups = said.get("messages") if isinstance(said, dict) else None
    if not isinstance(groups, list) or not groups:
        return None
    messages: list[Message] = []
    for group in groups:
        if not isinstance(group, dict):
            return None
        at, said_there = node_name(str(group.get("instance_ptr") or "")), group.get("messages") or []
        if not isinstance(said_there, list):
            return None
        for entry in said_there:
            if not isinstance(entry, dict) or isinstance(entry.get("id"), bool) or not isinstance(entry.get("id"), int):
                return None
            messages.append(_message(entry, at))
    return Refusal(messages, groups)


def _message(entry: dict[str, Any], at: str) -> Message:
    kind = str(entry.get("type") or "")
    context = entry.get("context")
    return Message(
        entry["id"], str(entry.get("text") or ""), kind if kind in TYPES else "info", context if isinstance(context, dict) else {}, at
    )


def node_name(pointer: str) -> str:
    """Return the node that a JSON pointer names: "#/traits/name/first" -> "traits.name.first"; "" is the whole form."""
    path = pointer.removeprefix("#").removeprefix("/")
    if not path:
        return ""
    return ".".join(unquote(part.replace("~1", "/").replace("~0", "~")).replace(".", "\\.") for part in path.split("/"))


def identity_of(body: bytes) -> dict[str, Any] | None:
    """Return the `identity` of a 200 answer, None when there is none. Raises ValueError for what is no such document."""
    try:
        said = values.storable(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise ValueError("it is not JSON") from error
    except BadRequest as error:
        raise ValueError(f"it cannot be kept: {error}") from error
    if not isinstance(said, dict):
        raise ValueError("it is not a JSON object")
    identity = said.get("identity")
    if identity is None:
        return None
    if not isinstance(identity, dict):
        raise ValueError("`identity` is not an object")
    for name, kinds in KINDS.items():
        if name in identity and identity[name] is not None and not isinstance(identity[name], kinds):
            raise ValueError(f"`identity.{name}` has the wrong type")
    if identity.get("state") and identity["state"] not in STATES:
        raise ValueError("`identity.state` is neither active nor inactive")
    for name in ("verifiable_addresses", "recovery_addresses"):
        if not all(_is_address(entry) for entry in identity.get(name) or ()):
            raise ValueError(f"`identity.{name}` holds what is no address")
    return identity


def _is_address(entry: Any) -> bool:
    """Whether an entry says of an address what can be stored: {via, value, verified?, status?, verified_at?}."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("value"), str)
        and isinstance(entry.get("via", ""), str)
        and isinstance(entry.get("verified") or False, bool)
        and (entry.get("status") or "") in ("", "pending", "sent", "completed")
        and (entry.get("verified_at") is None or _is_moment(entry["verified_at"]))
    )


def _is_moment(text: Any) -> bool:
    """Whether *text* is a moment with a time zone (RFC 3339)."""
    try:
        found = datetime.fromisoformat(text)
        found.astimezone(UTC)  # in a year that can be kept
    except (ValueError, TypeError, OverflowError):
        return False
    return found.tzinfo is not None


def apply(context: HookContext, said: dict[str, Any]) -> None:
    """Change the proposed identity as a hook said: each member that is there replaces the old value.

    Raises:
        BadRequest: It names a schema that does not exist.
        InvalidTraits: The traits do not fit.
    """
    identity = context.identity
    assert identity is not None
    if said.get("schema_id"):
        identity.schema_id = said["schema_id"]
    if said.get("state"):
        identity.state = said["state"]
    if "traits" in said:
        identity.traits = said["traits"]
    for name in ("metadata_public", "metadata_admin"):
        if name in said:
            setattr(identity, name, said[name])
    if "external_id" in said:
        identity.external_id = said["external_id"] or None
    services.derive(identity, said.get("verifiable_addresses") or ())
