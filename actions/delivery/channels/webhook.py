"""Deliver a webhook whose answer nobody waits for."""

from __future__ import annotations

import uuid

from django.utils import timezone

from actions import config as hooks
from actions.delivery import outbox, signing
from actions.delivery.models import Delivery
from identity.http import outgoing

GONE = 410  # the receiver wants nothing more (Standard Webhooks)
TIMEOUT = 30.0  # seconds


def send(delivery: Delivery) -> tuple[str, int | None, str, bool]:
    """Return (error, status, answer, whether trying again is useless)."""
    content = outbox.content_of(delivery)
    if not content:
        return "its content cannot be opened: was a cipher secret removed?", None, "", True
    body, config = content["body"].encode(), hooks.config_at(delivery.hook)
    headers = content["headers"] | signing.headers(config.get("signing"), delivery.message_id, timezone.now(), body)
    if config.get("emit_analytics_event", True):
        headers |= {"Ory-Webhook-Request-ID": str(uuid.uuid4()), "Ory-Webhook-Trigger-ID": str(delivery.id)}
    try:
        answer = outgoing.request(content["method"], content["url"], headers=headers, body=body, timeout=TIMEOUT)
    except outgoing.OutgoingError as error:
        return str(error), None, "", False
    said = answer.body[:1000].decode("utf-8", "replace")
    if 200 <= answer.status < 400:
        return "", answer.status, said, False
    return f"status {answer.status}", answer.status, said, answer.status == GONE
