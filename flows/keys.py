"""What the forms of security keys and passkeys have in common: the script, and the buttons that call it (contract: methods.md 7.3, 8)."""

from __future__ import annotations

import base64
import functools
import hashlib
import uuid
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

import orjson

from flows.errors import InvalidSubmission
from flows.models import Flow, LoginFlow
from flows.ui import nodes, traits
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity import conf
from identity.conf import RelyingParty
from identity.credentials import webauthn
from identity.credentials.webauthn import Ceremony, Key
from identity.identities import schemas
from identity.identities.models import Identity

SCRIPT = Path(__file__).parent / "static/vestibule/webauthn.js"
SCRIPT_PATH = "/.well-known/ory/webauthn.js"


@functools.cache
def script_bytes() -> bytes:
    return SCRIPT.read_bytes()


@functools.cache
def integrity() -> str:
    """Return what a browser checks the script against before it runs it (W3C Subresource Integrity)."""
    return "sha512-" + base64.b64encode(hashlib.sha512(script_bytes()).digest()).decode()


def script() -> Node:
    """Return the node that loads the script. Its group is `webauthn` for passkeys, too: pages look for it there."""
    attributes: dict[str, Any] = {
        "src": conf.public_url(SCRIPT_PATH),
        "async": True,
        "referrerpolicy": "no-referrer",
        "crossorigin": "anonymous",
        "integrity": integrity(),
        "type": "text/javascript",
        "nonce": str(uuid.uuid4()),
    }
    return nodes.script("webauthn_script", "webauthn", **attributes)


def as_text(options: dict[str, Any]) -> str:
    return orjson.dumps(options).decode()


def button(name: str, group: str, function: str, label: Message, flow: Flow, *, value: str | None = None, argument: str = "") -> Node:
    """Return a button that calls a function of the script. Apps have no page that could run the call itself."""
    call = f"window.{function}({argument})" if flow.is_browser else None
    return nodes.field(name, group, "button", label=label, value=value, onclick=call, onclickTrigger=function)


def identifier(flow: LoginFlow) -> Node:
    """Return the field that asks who somebody is; browsers offer what they have for the site when it is entered."""
    label = traits.identifier_label(schemas.get(flow.identity_schema))
    return nodes.field("identifier", "default", value="", required=True, autocomplete="username webauthn", label=label)


def remove_buttons(name: str, group: str, message: int, keys: Iterable[Key], needed: Container[bytes]) -> list[Node]:
    """Return one button for each key, in the order of their ids. Those that are *needed* to sign in cannot be pressed."""
    return [
        nodes.field(name, group, "submit", value=key.hex_id, label=remove_label(message, key), disabled=key.id in needed)
        for key in sorted(keys, key=lambda key: key.id)
    ]


def remove_label(message: int, key: Key) -> Message:
    called = key.display_name or "unnamed"
    added_at = key.added_at or "1970-01-01T00:00:00Z"
    context = {"display_name": called, "added_at": added_at, "added_at_unix": key.added_at_unix}
    return Message(message, f'Remove "{called}"', "info", context)


# -- what a flow remembers


def ceremony(flow: Flow, method: str) -> Ceremony | None:
    """Return what this flow asked for, or None."""
    held = flow.internal.get(method)
    return Ceremony.from_dict(held) if held else None


def made(flow: Flow, method: str, answer: str, *, rp: RelyingParty, display_name: str, is_passwordless: bool, what: str) -> Key:
    """Return the key that a browser made for this flow. Raises InvalidSubmission."""
    asked = ceremony(flow, method)
    try:
        read = webauthn.read_registration(answer)
    except webauthn.Malformed as error:
        raise InvalidSubmission(malformed(what)) from error
    if asked is None:
        raise InvalidSubmission(not_made(what))
    try:
        return webauthn.register(ceremony=asked, rp=rp, answer=read, display_name=display_name, is_passwordless=is_passwordless)
    except webauthn.CeremonyFailed as failure:
        raise InvalidSubmission(not_made(what)) from failure


def is_added(type: str, before: Identity, after: Identity) -> bool:
    """Whether a change gave the identity a key of this type."""
    old, new = ({key.id for key in webauthn.keys_of(identity.credential(type))} for identity in (before, after))
    return bool(new - old)


# words


def malformed(what: str) -> Message:
    reason = f"Your browser's answer about the {what} could not be read. Please try again."
    return Message(4000001, reason, context={"reason": reason})


def refused(what: str) -> Message:
    return Message(4000043, f"This {what} could not be checked. Please try again, or use another one.")


def not_made(what: str) -> Message:
    reason = f"The new {what} could not be checked. Please load the page again and try once more."
    return Message(4000001, reason, context={"reason": reason})


def is_known(what: str) -> Message:
    reason = f"This {what} is set up already."
    return Message(4000001, reason, context={"reason": reason})


def not_yours(what: str) -> Message:
    reason = f"There is no such {what}. It may have been removed already."
    return Message(4000001, reason, context={"reason": reason})


def last_way_in() -> Message:
    reason = "This is the last way to sign in to your account. Set up another one first."
    return Message(4000001, reason, context={"reason": reason})
