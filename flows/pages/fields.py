"""One node of a flow as a page draws it: what it is, what it says, and what it holds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Node = dict[str, Any]

APART = frozenset(("oidc", "saml"))  # providers need nothing that is typed here
REMOVALS = frozenset(("webauthn_remove", "passkey_remove", "unlink"))
BUTTONS = frozenset(("submit", "button"))
TEMPLATES = frozenset(("input", "text", "img", "a", "script", "div"))
WIDGETS = {"hidden": "hidden", "submit": "submit", "button": "submit", "checkbox": "checkbox"}

AUTOCOMPLETE = {
    "identifier": "username",
    "password": "current-password",
    "totp_code": "one-time-code",
    "code": "one-time-code",
    "lookup_secret": "off",
    "email": "email",
    "recovery_confirm_address": "email",
    "traits.username": "username",
    "traits.name": "name",
    "traits.name.first": "given-name",
    "traits.name.last": "family-name",
    "traits.first_name": "given-name",
    "traits.last_name": "family-name",
    "traits.phone": "tel",
}
CODES = frozenset(("totp_code", "code"))
NAMES = {"identifier": "Email or username", "totp_code": "Code", "lookup_secret": "Backup code", "method": "Continue", "screen": "Back"}


@dataclass(frozen=True)
class Field:
    """One node, and how it stands on this page."""

    node: Node
    id: str
    autofocus: bool = False
    look: str = ""  # of buttons: primary, secondary, quiet or danger
    skips_validation: bool = False

    # -- what it is

    @property
    def attributes(self) -> dict[str, Any]:
        held: dict[str, Any] = self.node["attributes"]
        return held

    @property
    def type(self) -> str:
        return str(self.node["type"])

    @property
    def kind(self) -> str:
        """The type of an input; a date with a time is typed as text, since a browser's own widget drops the time zone."""
        kind = str(self.attributes.get("type") or "text")
        return "text" if kind == "datetime-local" else kind

    @property
    def name(self) -> str:
        return str(self.attributes.get("name") or self.attributes.get("id") or "")

    @property
    def group(self) -> str:
        return str(self.node.get("group") or "default")

    @property
    def template(self) -> str:
        return f"flows/nodes/{self.type}.html" if self.type in TEMPLATES else "flows/nodes/unknown.html"

    @property
    def widget_template(self) -> str:
        """The file that draws an input of this kind; any text is drawn by input_text.html."""
        widget = "select" if self.options and not self.is_hidden else WIDGETS.get(self.kind, "text")
        return f"flows/nodes/input_{widget}.html"

    @property
    def is_input(self) -> bool:
        return self.type == "input"

    @property
    def is_hidden(self) -> bool:
        return self.is_input and self.kind == "hidden"

    @property
    def is_button(self) -> bool:
        return self.is_input and self.kind in BUTTONS

    @property
    def is_typed(self) -> bool:
        """Whether somebody writes into it."""
        return self.is_input and self.kind not in ("hidden", "checkbox") and not self.is_button and not self.options

    @property
    def is_removal(self) -> bool:
        return self.is_button and self.name in REMOVALS

    # -- what it says

    @property
    def label_id(self) -> int:
        return int(self._label.get("id") or 0)

    @property
    def _label(self) -> dict[str, Any]:
        return (self.node.get("meta") or {}).get("label") or {}

    @property
    def label(self) -> str:
        return str(self._label.get("text") or "") or readable(self.name)

    @property
    def provider(self) -> str:
        """The provider's name on a button that leads to one, else ""."""
        return str(self.context.get("provider") or "") if self.group in APART else ""

    @property
    def context(self) -> dict[str, Any]:
        return self._label.get("context") or {}

    @property
    def thing(self) -> str:
        """What a removal takes away, in a word."""
        return str(self.context.get("display_name") or self.context.get("provider") or "") or self.label

    @property
    def added_at(self) -> datetime | None:
        try:
            return datetime.fromisoformat(str(self.context.get("added_at")).replace("Z", "+00:00"))
        except ValueError:
            return None

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.node.get("messages") or ())

    @property
    def is_invalid(self) -> bool:
        return any(message.get("type") == "error" for message in self.messages)

    @property
    def hint(self) -> str:
        if self.attributes.get("type") == "datetime-local":
            return "Date and time with time zone, such as 2026-01-31T09:30:00Z"
        return ""

    @property
    def described_by(self) -> str:
        """The ids of what explains the field."""
        ids = ([f"{self.id}-hint"] if self.hint else []) + [f"{self.id}-message-{i}" for i, _ in enumerate(self.messages, 1)]
        return " ".join(ids)

    # -- what it holds

    @property
    def value(self) -> str:
        return as_text(self.attributes.get("value"))

    @property
    def is_checked(self) -> bool:
        return self.attributes.get("value") in (True, "true", "on", 1)

    @property
    def options(self) -> list[tuple[str, bool]]:
        """Each choice, and whether it is the present one."""
        offered = [as_text(option.get("value")) for option in self.attributes.get("options") or ()]
        return [(option, option == self.value) for option in offered]

    @property
    def has_choice(self) -> bool:
        return any(chosen for _, chosen in self.options)

    @property
    def autocomplete(self) -> str:
        given = str(self.attributes.get("autocomplete") or "")
        return given or AUTOCOMPLETE.get(self.name, "")

    @property
    def inputmode(self) -> str:
        """Which keyboard a phone shows."""
        if self.name in CODES:
            return "numeric"
        if self.kind == "number":
            return "decimal"
        return "email" if self.name == "identifier" and str(self.context.get("name", "")).endswith("email") else ""

    @property
    def is_code(self) -> bool:
        return self.name in CODES

    @property
    def is_verbatim(self) -> bool:
        """Whether a phone shall leave alone what is typed: no capital at the start, no correction."""
        return self.is_code or self.name in ("identifier", "lookup_secret", "traits.username") or self.kind in ("email", "url")

    @property
    def source(self) -> str:
        """Where an image comes from: inline or over HTTPS."""
        src = str(self.attributes.get("src") or "")
        return src if src.startswith(("data:image/", "https://", "http://", "/")) else ""

    @property
    def href(self) -> str:
        """Where a link leads; what would run a script leads nowhere."""
        url = str(self.attributes.get("href") or "")
        scheme = re.match(r"[\s\x00-\x1f]*([^/?#:]*):", url)
        return "" if scheme and re.sub(r"[\s\x00-\x1f]", "", scheme[1]).lower() in ("javascript", "data", "vbscript") else url

    @property
    def text(self) -> dict[str, Any]:
        """The message of a text node."""
        held = self.attributes.get("text")
        return held if isinstance(held, dict) else {}

    @property
    def data(self) -> list[tuple[str, str]]:
        """The data-* attributes of a div."""
        held = self.attributes.get("data") or {}
        return [(str(key), as_text(value)) for key, value in held.items() if re.fullmatch(r"[a-z0-9-]+", str(key))]

    @property
    def secrets(self) -> list[dict[str, Any]]:
        """Backup codes: `text`, and `used` when one is spent."""
        listed = (self.text.get("context") or {}).get("secrets") or ()
        return [{"text": str(one.get("text", "")), "used": "used_at" in (one.get("context") or {})} for one in listed]


def as_text(value: Any) -> str:
    """Return a JSON value as a form sends it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def readable(name: str) -> str:
    """Return a label for a field that has none: "traits.name.first" -> "First name"."""
    if name in NAMES:
        return NAMES[name]
    parts = [_words(part) for part in name.removeprefix("traits.").split(".") if part]
    if not parts:
        return "Field"
    words = parts[-1]
    if len(parts) > 1:
        words += " name" if parts[-2] == "name" else f" ({parts[-2]})"
    return words[:1].upper() + words[1:]


def _words(part: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", part).replace("_", " ").replace("-", " ").strip().lower()
