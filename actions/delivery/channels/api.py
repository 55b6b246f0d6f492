"""Deliver a message through somebody's HTTP API (contract: identities.md 5.6)."""

from __future__ import annotations

from typing import Any

from actions import rendering
from actions.delivery.models import Delivery
from identity.http import outgoing

TIMEOUT = 10.0  # seconds
FALLBACK = (
    "recipient", "template_type", "to", "recovery_code", "recovery_url", "verification_url", "verification_code", "subject", "body",
)  # fmt: skip


def send(request: dict[str, Any], delivery: Delivery, content: dict[str, Any]) -> tuple[str, int | None, str, bool]:
    """Return (error, status, answer, whether trying again is useless)."""
    if not request.get("url"):
        return "no channel is configured for this message", None, "", False
    told = {
        "recipient": delivery.target,
        "subject": content["subject"],
        "body": content["body"],
        "template_type": delivery.subject,
        "template_data": content["data"],
        "message_type": delivery.channel,
        "request_headers": content["request_headers"],
    } | ({"html_body": content["html_body"]} if content.get("html_body") else {})
    headers = {str(name): str(value) for name, value in (request.get("headers") or {}).items()}
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "") or headers.setdefault(
        "Content-Type", rendering.JSON
    )
    try:
        body = rendering.render(request["body"], kind, told) if request.get("body") else rendering.encode(_fallback(told), kind)
        if body is None:
            return "", None, "called off by its template", False
        headers = rendering.authorized(headers, request.get("auth"))
        answer = outgoing.request(request.get("method") or "POST", request["url"], headers=headers, body=body, timeout=TIMEOUT)
    except (rendering.RenderingFailed, outgoing.OutgoingError) as error:
        return str(error), None, "", False
    said = answer.body[:1000].decode("utf-8", "replace")
    return ("" if 200 <= answer.status < 300 else f"status {answer.status}"), answer.status, said, False


def _fallback(told: dict[str, Any]) -> dict[str, Any]:
    known = told["template_data"] | told | {"to": told["recipient"]}
    return {name: known.get(name) for name in FALLBACK}
