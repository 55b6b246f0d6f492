"""Work on the form that a flow carries: `flow.ui` is `{"nodes": [...], "messages": [...]}`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flows.models import Flow
from flows.ui import nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node

ORDER = {
    "login": ("oidc", "default", "identifier_first", "webauthn", "passkey", "code", "password", "totp", "lookup_secret"),
    "registration": ("oidc", "default", "webauthn", "passkey", "code", "password", "profile"),
    "settings": ("default", "profile", "password", "oidc", "lookup_secret", "webauthn", "passkey", "totp"),
}
RANKS = {kind: {group: rank for rank, group in enumerate(groups)} for kind, groups in ORDER.items()}


def build(flow: Flow, form: Iterable[Node], messages: Iterable[Message] = ()) -> None:
    """Give the flow a form: groups in their order, the token first, submit buttons last in their group.

    Several methods may ask for the same thing, such as the identifier: it stands once, as the last of them wants it.
    """
    nodes_once = sorted(_once(form), key=lambda node: _rank(flow.kind, node))
    flow.ui = {"nodes": nodes_once, "messages": [message.as_dict() for message in messages]}


def _once(form: Iterable[Node]) -> list[Node]:
    kept: dict[Any, Node] = {}
    for index, node in enumerate(form):
        is_button = node["attributes"].get("type") == "submit"
        kept[index if is_button else nodes.name_of(node)] = node
    return list(kept.values())


def replace_group(flow: Flow, group: str, form: Iterable[Node]) -> None:
    """Put other fields in the place of those of one group."""
    kept = [node for node in flow.ui["nodes"] if node["group"] != group]
    flow.ui["nodes"] = sorted([*kept, *form], key=lambda node: _rank(flow.kind, node))


def put(flow: Flow, form: Iterable[Node], messages: Iterable[Message] = ()) -> None:
    """Give the flow a form in just this order."""
    flow.ui = {"nodes": list(form), "messages": [message.as_dict() for message in messages]}


def _rank(kind: str, node: Node) -> tuple[int, int, int]:
    ranks, attributes = RANKS.get(kind, {}), node["attributes"]
    group = ranks.get(node["group"], len(ranks))
    return (0 if attributes.get("name") == nodes.CSRF else 1, group, 1 if attributes.get("type") == "submit" else 0)


def find(flow: Flow, name: str) -> Node | None:
    return next((node for node in flow.ui["nodes"] if nodes.name_of(node) == name), None)


def forget_messages(flow: Flow) -> None:
    flow.ui["messages"] = []
    for node in flow.ui["nodes"]:
        node["messages"] = []


def say(flow: Flow, messages: Iterable[Message]) -> None:
    """Put each message where it belongs. A field that is not on the form is put there to carry its message (contract: actions.md 2.8)."""
    for message in messages:
        if not message.at:
            flow.ui["messages"].append(message.as_dict())
            continue
        node = find(flow, message.at)
        if node is None:
            node = nodes.field(message.at, "default")
            flow.ui["nodes"].append(node)
        node["messages"].append(message.as_dict())


def set_value(flow: Flow, name: str, value: Any) -> None:
    """Put a value into a field, if the form has it."""
    node = find(flow, name)
    if node is not None and node["type"] == "input":
        if value is None:
            node["attributes"].pop("value", None)
        else:
            node["attributes"]["value"] = value


def set_traits(flow: Flow, traits: Any, *, replaces: bool = False) -> None:
    """Show *traits* in the fields of the form that ask for them; where they *replace* others, those are gone from the form, too."""
    held = flatten(traits, "traits")
    for node in flow.ui["nodes"]:
        name = nodes.name_of(node)
        if replaces and name.startswith("traits.") and name not in held:
            node["attributes"].pop("value", None)
        if name in held and not isinstance(held[name], list | dict):
            node["attributes"]["value"] = held[name]


def flatten(value: Any, name: str) -> dict[str, Any]:
    """Return the leaves of a document by dotted name: {"traits.name.first": "Ada"}."""
    if not isinstance(value, dict):
        return {name: value}
    return {key: leaf for part, below in value.items() for key, leaf in flatten(below, f"{name}.{part}").items()}
