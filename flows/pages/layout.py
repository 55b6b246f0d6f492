"""From a flow as clients see it to what a page draws: sections of forms of fields.

Every form carries the hidden fields that all methods share (the token first). Beyond that:

- Settings: one section per group, with its own form. What can be removed stands in a form of its own, so that Enter in
  a text field never presses a "Remove" button.
- Elsewhere, fields that several methods share (who one is) are drawn once: one form holds them and every method's
  buttons. Without such fields each method has its own form, and "or" between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

Node = dict[str, Any]

SHARED = ("default", "identifier_first")
ORDER = ("password", "identifier_first", "totp", "code", "link", "passkey", "webauthn", "lookup_secret", "oidc", "profile")
SETTINGS_ORDER = ("default", "profile", "password", "totp", "lookup_secret", "passkey", "webauthn", "oidc", "code")
APART = frozenset(("oidc", "saml"))  # providers need nothing that is typed here

RESENDS = 1070008
RESEND = frozenset((1070007, RESENDS))  # labels of buttons that must work while a field is still empty
OIDC_CONTINUE = 1040003
BACK = frozenset((1040008, 1060007))
INSTRUCTIONS = frozenset(  # messages that say what to do on this page: they stand under its heading
    (1010003, 1010004, 1010012, 1010014, 1010025, 1040005, 1040009, 1060002, 1060003, 1060004, 1060005, 1060006, 1080001, 1080003, 1080004)
)
AT_FIELD = {  # messages about the whole form that speak of one field: they stand there, where whoever typed into it looks
    4000008: "totp_code",
    4000012: "lookup_secret",
    4000016: "lookup_secret",
    4010008: "code",
    4040003: "code",
    4060006: "code",
    4070006: "code",
}
KEY_NAME = "webauthn_register_displayname"
REMOVALS = frozenset(("webauthn_remove", "passkey_remove", "unlink"))
DESTRUCTIVE = REMOVALS | {"totp_unlink", "lookup_secret_disable"}
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


@dataclass(frozen=True)
class Form:
    id: str
    action: str
    method: str
    hidden: list[Field] = field(default_factory=list)
    main: list[Field] = field(default_factory=list)  # fields, then the button that Enter presses
    more: list[Field] = field(default_factory=list)  # other ways, below "or"
    quiet: list[Field] = field(default_factory=list)  # send again, go back
    removals: list[Field] = field(default_factory=list)  # one row each
    follows_or: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to see: its fields wait for a script."""
        return not (self.main or self.more or self.quiet or self.removals)

    @property
    def needs_form(self) -> bool:
        """Whether something can be sent; a lone link is no form."""
        return any(part.is_input for part in (*self.main, *self.more, *self.quiet, *self.removals)) or self.is_silent

    @property
    def is_typed_into(self) -> bool:
        return any(part.is_typed for part in self.main)

    @property
    def lacks_username(self) -> bool:
        """Whether a password is typed here without the name that it belongs to, which password managers look for."""
        seen = (*self.main, *self.more)
        return any(part.kind == "password" for part in seen) and not any(part.is_typed and part.kind != "password" for part in seen)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What is said of fields that nobody sees."""
        return [message for part in self.hidden for message in part.messages]


@dataclass(frozen=True)
class Section:
    group: str
    forms: list[Form]


@dataclass(frozen=True)
class Layout:
    sections: list[Section]
    messages: list[dict[str, Any]]
    instructions: list[dict[str, Any]]
    scripts: list[Field]
    identifier: str = ""  # who is signing in, when that is settled
    username: str = ""  # whose password is typed here, for password managers

    @cached_property
    def has_errors(self) -> bool:
        said = [*self.messages, *(m for s in self.sections for f in s.forms for part in _parts(f) for m in part.messages)]
        return any(message.get("type") == "error" for message in said)

    @cached_property
    def was_opened(self) -> bool:
        """Whether somebody came here by a mailed link, and one click is left to do."""
        return any(part.name == "token" for section in self.sections for form in section.forms for part in form.hidden)

    @cached_property
    def is_empty(self) -> bool:
        return all(form.is_silent for section in self.sections for form in section.forms)


def _parts(form: Form) -> list[Field]:
    return [*form.hidden, *form.main, *form.more, *form.quiet, *form.removals]


def of(kind: str, flow: dict[str, Any]) -> Layout:
    """Return the page of a flow of this kind."""
    ui = flow["ui"]
    fields = [Field(node, f"f{i}-{re.sub(r'[^A-Za-z0-9_-]', '-', _name(node))}") for i, node in enumerate(ui.get("nodes") or (), 1)]
    scripts = [part for part in fields if part.type == "script"]
    drawn = [_resending(part) if _waits_for_a_link(flow) else part for part in fields if part.type != "script"]
    frame = Form("", str(ui.get("action") or ""), str(ui.get("method") or "post").lower())
    drawn, said = _said_at_fields(drawn, list(ui.get("messages") or ()))
    sections = _by_group(frame, drawn) if kind == "settings" else [Section("", _journey(frame, drawn))]
    identifier = next((part.value for part in drawn if part.is_hidden and part.name == "identifier" and part.value), "")
    return Layout(
        _focused(sections, anywhere=kind != "settings"),
        [message for message in said if not _instructs(message)],
        [message for message in said if _instructs(message)],
        scripts,
        identifier,
        identifier or next((part.value for part in drawn if part.autocomplete in ("email", "username") and part.value), ""),
    )


def _said_at_fields(fields: list[Field], said: list[dict[str, Any]]) -> tuple[list[Field], list[dict[str, Any]]]:
    """Return the fields with what is said of each, and what is left to be said of the form."""
    typed = {part.name for part in fields if part.is_typed}
    at = {name: [message for message in said if AT_FIELD.get(message.get("id", 0)) == name] for name in typed}
    told = [replace(part, node={**part.node, "messages": [*part.messages, *at.get(part.name, ())]}) for part in fields]
    return told, [message for message in said if AT_FIELD.get(message.get("id", 0)) not in typed]


def _waits_for_a_link(flow: dict[str, Any]) -> bool:
    has_token = any(_name(node) == "token" for node in flow["ui"].get("nodes") or ())
    return flow.get("state") == "sent_email" and flow.get("active") == "link" and not has_token


def _resending(part: Field) -> Field:
    """Call the button by what it does now: who reads "Continue" presses it, and gets a second mail instead of looking for the first."""
    if not part.is_button:
        return part
    return replace(part, node=part.node | {"meta": {"label": {"id": RESENDS, "text": "Send the link again", "type": "info"}}})


def _instructs(message: dict[str, Any]) -> bool:
    return message.get("id") in INSTRUCTIONS and message.get("type") != "error"


def _name(node: Node) -> str:
    attributes = node["attributes"]
    return str(attributes.get("name") or attributes.get("id") or "")


def _by_group(frame: Form, fields: list[Field]) -> list[Section]:
    shared = [part for part in fields if part.is_hidden and part.group == "default"]
    rest = [part for part in fields if part not in shared]
    return [Section(group, _settings_forms(frame, group, shared, parts)) for group, parts in _grouped(rest, SETTINGS_ORDER)]


def _settings_forms(frame: Form, group: str, shared: list[Field], parts: list[Field]) -> list[Form]:
    removals = [replace(part, look="danger", skips_validation=True) for part in parts if part.is_removal]
    others = [_needed(part) if part.name == KEY_NAME else part for part in parts if not part.is_removal]
    forms = []
    if removals:
        forms.append(replace(frame, id=f"{group}-remove", hidden=shared, removals=removals))
    if others:
        forms.append(_form(replace(frame, id=group), shared, others, []))
    return forms


def _needed(part: Field) -> Field:
    """Return a field that may not stay empty. The name of a key is one that the form does not call so, yet it is refused without."""
    return replace(part, node={**part.node, "attributes": {**part.attributes, "required": True}})


def _journey(frame: Form, fields: list[Field]) -> list[Form]:
    shared = [part for part in fields if part.group in SHARED]
    groups = _grouped([part for part in fields if part.group not in SHARED], ORDER)
    visible = [part for part in shared if not part.is_hidden]
    if not visible:
        return _with_or(_one_primary([_form(replace(frame, id=group), shared, parts, []) for group, parts in groups]))
    together = [(group, parts) for group, parts in groups if not _stands_apart(group, parts)] or groups
    apart = [(group, parts) for group, parts in groups if (group, parts) not in together]
    first = next((parts for _, parts in together if any(part.is_button for part in parts)), [])
    if any(part.is_button for part in visible):
        first = []
    hidden = [part for part in shared if part.is_hidden]
    main = [part for part in fields if part in visible or part in first]
    more = [part for _, parts in together if parts is not first for part in parts]
    providers = [_form(replace(frame, id=group), hidden, parts, []) for group, parts in apart]
    return _with_or([_form(replace(frame, id="main"), hidden, main, more), *providers])


def _stands_apart(group: str, parts: list[Field]) -> bool:
    return group in APART and not any(part.label_id == OIDC_CONTINUE for part in parts)


def _grouped(fields: Iterable[Field], order: tuple[str, ...]) -> list[tuple[str, list[Field]]]:
    groups: dict[str, list[Field]] = {}
    for part in fields:
        groups.setdefault(part.group, []).append(part)
    return sorted(groups.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))


def _form(frame: Form, hidden: list[Field], main: list[Field], more: list[Field]) -> Form:
    """Sort fields into a form, and give each button its look: one is primary, and Enter presses it."""
    hidden = [*hidden, *(part for part in (*main, *more) if part.is_hidden and part not in hidden)]
    seen = [part for part in main if not part.is_hidden]
    quiet = [replace(part, look="quiet", skips_validation=True) for part in (*seen, *more) if _is_quiet(part)]
    buttons = [part for part in seen if part.is_button and not _is_quiet(part)]
    looks = _looks(buttons)
    return replace(
        frame,
        hidden=hidden,
        main=[part for part in seen if not part.is_button] + looks,
        more=[replace(part, look="secondary", skips_validation=True) for part in more if not part.is_hidden and not _is_quiet(part)],
        quiet=quiet,
    )


def _looks(buttons: list[Field]) -> list[Field]:
    if len(buttons) > 1 and all(part.group in APART or part.name == buttons[0].name for part in buttons):
        return [replace(part, look="secondary") for part in buttons]  # a choice among equals
    ordered = sorted(buttons, key=lambda part: part.name in DESTRUCTIVE)
    return [replace(part, look=_look(part, place), skips_validation=place > 0) for place, part in enumerate(ordered)]


def _look(part: Field, place: int) -> str:
    if part.name in DESTRUCTIVE:
        return "danger"
    return "secondary" if place or _stands_apart(part.group, [part]) else "primary"


def _one_primary(forms: list[Form]) -> list[Form]:
    """Leave the first form its primary button; the other ways are quieter."""
    return [
        form if i == 0 else replace(form, main=[replace(part, look="secondary") if part.look == "primary" else part for part in form.main])
        for i, form in enumerate(forms)
    ]


def _is_quiet(part: Field) -> bool:
    return part.is_button and (part.label_id in RESEND or part.label_id in BACK)


def _with_or(forms: list[Form]) -> list[Form]:
    """Put "or" between forms that can be seen; a row of buttons needs it once."""
    placed: list[Form] = []
    before: Form | None = None
    for form in forms:
        is_seen = bool(form.main or form.more)
        is_apart = before is not None and not before.more and (form.is_typed_into or before.is_typed_into)
        placed.append(replace(form, follows_or=is_seen and is_apart))
        before = form if is_seen else before
    return placed


def _focused(sections: list[Section], *, anywhere: bool) -> list[Section]:
    """Put the cursor into the first field that is wrong, else into the first that is empty; on a long page only for what is wrong."""
    parts = [part for section in sections for form in section.forms for part in (*form.main, *form.more)]
    wanted = next((part for part in parts if part.is_invalid and part.is_input and not part.is_button), None)
    if wanted is None and anywhere:
        wanted = next((part for part in parts if part.is_typed and not part.value), None)
    if wanted is None:
        return sections
    chosen = wanted.id

    def focus(fields: list[Field]) -> list[Field]:
        return [replace(part, autofocus=True) if part.id == chosen else part for part in fields]

    def focus_in(form: Form) -> Form:
        return replace(form, main=focus(form.main), more=focus(form.more))

    return [replace(section, forms=[focus_in(form) for form in section.forms]) for section in sections]


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
