"""From a flow as clients see it to what a page draws: sections of forms of fields.

Every form carries the hidden fields that all methods share (the token first). Beyond that:

- Settings: one section per group, with its own form. What can be removed stands in a form of its own, so that Enter in
  a text field never presses a "Remove" button.
- Elsewhere, fields that several methods share (who one is) are drawn once: one form holds them and every method's
  buttons. Without such fields each method has its own form, and "or" between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from flows.pages.fields import APART, REMOVALS, Field, Node

SHARED = ("default", "identifier_first")
ORDER = ("password", "identifier_first", "totp", "code", "link", "passkey", "webauthn", "lookup_secret", "oidc", "profile")
SETTINGS_ORDER = ("default", "profile", "password", "totp", "lookup_secret", "passkey", "webauthn", "oidc", "code")
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
FACTORS = frozenset(("totp_unlink", "lookup_secret_disable", "webauthn_remove"))  # buttons that take a second factor away
DESTRUCTIVE = REMOVALS | {"totp_unlink", "lookup_secret_disable"}


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

    def last_factor(self, *, are_keys_factors: bool = True) -> str:
        """Return the group whose button would take away the only second factor, "" when there are more or none.

        Security keys are none where they stand in for a password.
        """
        names = FACTORS if are_keys_factors else FACTORS - {"webauthn_remove"}
        parts = [part for section in self.sections for form in section.forms for part in _parts(form) if part.name in names]
        return parts[0].group if len(parts) == 1 else ""

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
