"""What a form is made of (contract: methods.md 1.1-1.3). A node is a JSON object: it rests in the flow's row as it is sent."""

from __future__ import annotations

from typing import Any

import orjson

from flows.ui.messages import Message
from identity import crypto

Node = dict[str, Any]
CSRF = "csrf_token"
SEALED = "sealed"


def _node(type: str, group: str, attributes: dict[str, Any], label: Message | None) -> Node:
    return {
        "type": type,
        "group": group,
        "attributes": {**attributes, "node_type": type},
        "messages": [],
        "meta": {"label": label.as_dict()} if label else {},
    }


def field(name: str, group: str, type: str = "text", *, label: Message | None = None, disabled: bool = False, **attributes: Any) -> Node:
    """Return an input; attributes that are None are left out."""
    given = {key: value for key, value in attributes.items() if value is not None}
    return _node("input", group, {"name": name, "type": type, **given, "disabled": disabled}, label)


def hidden(name: str, group: str, value: Any, **attributes: Any) -> Node:
    return field(name, group, "hidden", value=value, **attributes)


def submit(name: str, group: str, value: str, label: Message) -> Node:
    return field(name, group, "submit", value=value, label=label)


def image(id: str, group: str, src: str, *, width: int, height: int, label: Message) -> Node:
    return _node("img", group, {"src": src, "id": id, "width": width, "height": height}, label)


def text(id: str, group: str, message: Message, label: Message | None = None) -> Node:
    return _node("text", group, {"text": message.as_dict(), "id": id}, label)


def script(id: str, group: str, **attributes: Any) -> Node:
    return _node("script", group, {**attributes, "id": id}, None)


def anchor(id: str, group: str, href: str, title: Message) -> Node:
    return _node("a", group, {"href": href, "title": title.as_dict(), "id": id}, title)


def sealed(node: Node, name: str) -> Node:
    """Return the node with the attribute *name* encrypted: a secret that is shown to its person must not rest in the flow's row."""
    kept = {key: value for key, value in node["attributes"].items() if key != name}
    secret = crypto.encrypt(orjson.dumps({name: node["attributes"][name]}).decode())
    return {**node, "attributes": {**kept, SEALED: secret}}


def shown(node: Node, *, secrets: bool) -> Node:
    """Return the node as it is sent: with its secret to the person, without it to anybody else, such as a hook."""
    if SEALED not in node["attributes"]:
        return node
    held = {key: value for key, value in node["attributes"].items() if key != SEALED}
    opened = orjson.loads(crypto.decrypt(node["attributes"][SEALED]) or "{}") if secrets else {}
    return {**node, "attributes": {**held, **opened}}


def csrf() -> Node:
    """Return the field that carries the anti-forgery token; its value is filled in when the flow is shown."""
    return field(CSRF, "default", "hidden", value="", required=True)


def name_of(node: Node) -> str:
    attributes = node["attributes"]
    return str(attributes.get("name") or attributes.get("id"))
