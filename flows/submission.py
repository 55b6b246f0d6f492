"""What a person sent, in any of the accepted encodings (contract: flows.md 1.6, methods.md 1.6)."""

from __future__ import annotations

import re
from typing import Any

import orjson
from django.http import HttpRequest, QueryDict

from flows.errors import InvalidSubmission
from flows.models import Flow
from flows.ui import messages
from flows.visit import Visit
from identity.db import values
from identity.errors import BadRequest
from identity.http import bodies, facts
from identity.identities.schemas import Schema
from identity.sessions.models import Session


class Submission:
    """The fields of one submission to one flow. Methods see this, never the request.

    `fields` holds what was sent by name. Forms have texts only, dotted names for what lies deeper, and no empty values;
    JSON has values of any type, nested or dotted.
    """

    def __init__(self, visit: Visit, flow: Flow, fields: dict[str, Any], is_form: bool) -> None:
        self.visit, self.flow, self.fields, self.is_form = visit, flow, fields, is_form
        self.is_proved = False  # the secret was right; what is refused now is refused for another reason

    @property
    def session(self) -> Session | None:
        return self.visit.session

    @property
    def method(self) -> str:
        return self.text("method")

    def has(self, name: str) -> bool:
        return name in self.fields

    def text(self, name: str) -> str:
        """Return a field as text; "" when it was not sent. A value of another type is spelled as JSON."""
        value = self.fields.get(name, "")
        if isinstance(value, str):
            return value
        return "" if value is None else orjson.dumps(value).decode()

    def flag(self, name: str) -> bool:
        """Return a field as a yes or no; anything else is a no."""
        return facts.truth(self.text(name)) is True

    def require(self, *names: str) -> None:
        """Raises InvalidSubmission with a message at each field that is missing."""
        if missing := [messages.required(name.rsplit(".", 1)[-1]).on(name) for name in names if not self.text(name)]:
            raise InvalidSubmission(*missing)

    def traits(self, schema: Schema) -> Any:
        """Return the traits that were sent: nested, dotted, or as JSON text; texts of a form are read as their schema's types.

        Raises:
            BadRequest: JSON text that is no JSON, or traits that cannot be kept.
        """
        sent = self.fields.get("traits", {})
        if isinstance(sent, str):
            sent = bodies.parse_json(sent.encode())
        traits: Any = sent if not isinstance(sent, dict) else dict(sent)
        kinds = {leaf.name: leaf.schema for leaf in schema.leaves}
        for name, value in self.fields.items():
            if name.startswith("traits.") and isinstance(traits, dict):
                _put(traits, name.split(".")[1:], _cast(value, kinds.get(name, {})) if self.is_form else value)
        return values.storable(traits)

    def legible_traits(self, schema: Schema) -> Any:
        """Return the traits that were sent, as far as they can be read: what a form shows again."""
        try:
            return self.traits(schema)
        except BadRequest:
            return {}

    @property
    def transient_payload(self) -> dict[str, Any]:
        """Return what the application passes through to hooks. Raises InvalidSubmission when it is no object."""
        sent = self.fields.get("transient_payload", {})
        if isinstance(sent, str):
            sent = values.storable(bodies.parse_json(sent.encode())) if sent else {}
        if not isinstance(sent, dict):
            raise InvalidSubmission(messages.wrong_type(["object"], messages.json_type(sent)).on("transient_payload"))
        return sent


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        below = target.setdefault(part, {})
        if not isinstance(below, dict):
            return
        target = below
    target[path[-1]] = value


def _cast(value: Any, schema: dict[str, Any]) -> Any:
    """Read a form's text as the type that its schema names; what does not fit stays text and fails validation."""
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items") if isinstance(schema.get("items"), dict) else {}
        return [_cast(each, items) for each in (value if isinstance(value, list) else [value])]  # type: ignore[arg-type]
    if isinstance(value, list):
        value = value[-1] if kind == "boolean" else value[0]  # a hidden "false" before a ticked box
    if kind == "boolean":
        return {"true": True, "on": True, "1": True, "false": False, "0": False}.get(str(value).lower(), value)
    if kind in ("integer", "number"):
        number = _number(str(value))
        return value if number is None or (kind == "integer" and number != int(number)) else number
    return value


NUMBER = re.compile(r"[+-]?(\d+)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
LONGEST_NUMBER = 40  # characters


def _number(text: str) -> int | float | None:
    """Return the number that *text* spells in digits; None when it spells none, or one that cannot be kept."""
    text = text.strip()
    if len(text) > LONGEST_NUMBER or not NUMBER.fullmatch(text):
        return None
    number = float(text) if set(text) & set(".eE") else int(text)
    return number if values.is_storable_number(number) else None


def decode(visit: Visit, flow: Flow) -> Submission:
    """Read the body of a submission. Raises BadRequest for what is no form and no JSON object."""
    request = visit.request
    if request.method == "GET":
        return Submission(visit, flow, values.storable(_form_fields(request.GET)), is_form=True)
    kind = bodies.content_type(request)
    if kind == bodies.JSON:
        return Submission(visit, flow, values.storable(bodies.json_object(request)), is_form=False)
    if kind in (bodies.FORM, bodies.MULTIPART):
        return _form(visit, flow, request)
    raise BadRequest("Send a form, or JSON as application/json.")


def _form(visit: Visit, flow: Flow, request: HttpRequest) -> Submission:
    fields = values.storable(_form_fields(bodies.form(request)))
    if not fields and not request.META.get("CONTENT_LENGTH", "0").strip("0"):
        raise BadRequest("The form is empty.")
    return Submission(visit, flow, fields, is_form=True)


def _form_fields(sent: QueryDict) -> dict[str, Any]:
    """Return each field that is not empty; one that was sent several times as a list, except where one text is asked for."""
    fields: dict[str, Any] = {}
    for name, texts in sent.lists():
        kept = [value for value in texts if value != ""]
        if kept:
            fields[name] = kept if len(kept) > 1 and name.startswith("traits.") else kept[0]
    return fields
