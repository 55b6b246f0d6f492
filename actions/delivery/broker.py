"""The broker that wakes Celery workers up, where there is one. The outbox table is the truth: what a broker loses is found again."""

from __future__ import annotations

import logging
import time
import uuid

from celery import current_app
from kombu.exceptions import OperationalError

from actions.delivery.models import Delivery
from identity import config
from identity.config import Config

log = logging.getLogger("vestibule.deliveries")
TASK = "deliver"
WEBHOOKS, MESSAGES = QUEUES = "webhooks", "messages"
AWAY = 5.0  # seconds in which a broker that could not be reached is not tried again

_away_until = 0.0


@config.per_config
def url(c: Config) -> str:
    """Return the Celery broker's address, "" when deliveries are made by a process of `serve` itself."""
    return str(c.get("deliveries.broker_url") or "")


def queue_of(channel: str) -> str:
    return WEBHOOKS if channel == Delivery.WEBHOOK else MESSAGES


def waiting(queue: str) -> int:
    """Return how many messages the broker holds in a queue that nobody has taken yet."""
    with current_app.connection_for_write() as held:
        try:
            return int(held.default_channel.queue_declare(queue, passive=True).message_count)
        except held.channel_errors:  # there is no such queue yet
            return 0


def wake(id: uuid.UUID, queue: str) -> None:
    """Tell the broker, whose queues keep webhooks and messages apart.

    If it cannot be reached the sweeper finds the row. Whoever waits for an answer waits for one attempt to reach it, not for each.
    """
    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        current_app.send_task(TASK, [str(id)], queue=queue, retry=False)
    except (OperationalError, OSError) as error:
        _away_until = time.monotonic() + AWAY
        log.warning("the broker could not be told of delivery %s, the sweeper will find it: %s", id, error)
