"""When the next attempt is due (contract: actions.md 9.20)."""

from __future__ import annotations

import random
from datetime import timedelta

from identity import config
from identity.config import Config, units

JITTER = 0.2
MESSAGE_WAITS = (1, 5, 30, 120, 600, 1800)  # seconds between the attempts of a message


@config.per_config
def _webhook_waits(c: Config) -> tuple[float, ...]:
    return tuple(units.duration(wait).total_seconds() for wait in c.get("deliveries.schedule") or ())


@config.per_config
def _message_attempts(c: Config) -> int:
    return int(c.get("courier.message_retries")) + 1


def wait_after(channel: str, attempts: int) -> timedelta | None:
    """Return how long to wait after that many attempts, None when it is given up. Up to 20 % are added by chance."""
    if channel == "webhook":
        waits = _webhook_waits()
        if attempts > len(waits):
            return None
        seconds = waits[attempts - 1]
    else:
        if attempts >= _message_attempts():
            return None
        seconds = float(MESSAGE_WAITS[min(attempts, len(MESSAGE_WAITS)) - 1])
    return timedelta(seconds=seconds * (1 + JITTER * random.random()))  # noqa: S311  spreads load, guards nothing
