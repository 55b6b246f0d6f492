"""From an identity schema to the fields of a form (contract: methods.md 1.4)."""

from __future__ import annotations

from typing import Any

from flows.ui import messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity.identities.schemas import Leaf, Schema

TYPES = {"number": "number", "integer": "number", "boolean": "checkbox"}
FORMATS = {"email": "email", "tel": "tel", "uri": "url", "date": "date", "date-time": "datetime-local"}
MAX_OPTIONS = 500


def fields(schema: Schema, group: str, values: Any = None) -> list[Node]:
    """Return one field for each trait, with its value from *values* where there is one."""
    return [_field(leaf, group, _value(values, leaf.name)) for leaf in schema.leaves if not isinstance(leaf.schema.get("type"), list)]


def _field(leaf: Leaf, group: str, value: Any) -> Node:
    schema = leaf.schema
    format = str(schema.get("format", ""))
    kind = TYPES.get(str(schema.get("type"))) or FORMATS.get(format, "text")
    options = schema.get("enum")
    return nodes.field(
        leaf.name,
        group,
        kind,
        value=value,
        required=True if leaf.required else None,
        autocomplete=format if format in ("email", "tel") else None,
        pattern=schema.get("pattern"),
        options=[{"value": option} for option in options[:MAX_OPTIONS]] if isinstance(options, list) else None,
        label=messages.trait_label(leaf.name, str(schema["title"])) if schema.get("title") else None,
    )


def _value(values: Any, name: str) -> Any:
    for part in name.split(".")[1:]:
        values = values.get(part) if isinstance(values, dict) else None
    return None if isinstance(values, dict | list) else values


def identifier_label(schema: Schema) -> Message:
    """Return the label of the field that asks who one is: the trait's title if there is just one such trait."""
    titles = schema.identifier_titles
    if len(titles) == 1 and titles[0][1]:
        return messages.trait_label(*titles[0])
    return messages.identifier_label()
