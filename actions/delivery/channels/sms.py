"""Deliver a text message through the HTTP API of `courier.channels`."""

from __future__ import annotations

from actions.delivery import outbox
from actions.delivery.channels import api
from actions.delivery.models import Delivery
from identity import config


def send(delivery: Delivery) -> tuple[str, int | None, str, bool]:
    """Return (error, status, answer, whether trying again is useless)."""
    content = outbox.content_of(delivery)
    if not content:
        return "its content cannot be opened: was a cipher secret removed?", None, "", True
    channels = config.current().get("courier.channels") or ()
    request = next((channel.get("request_config") or {} for channel in channels if channel.get("id") == "sms"), {})
    return api.send(request, delivery, content)
