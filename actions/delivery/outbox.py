"""The outbox: what has to be sent is recorded with the change that it tells of, and claimed by one worker at a time.

A wake-up can be lost; the row cannot. A claim is a lease: if its holder dies the row is free again when the lease ends.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from actions.delivery import broker
from actions.delivery.models import Delivery
from identity import crypto
from identity.db import rows
from identity.ids import uuid7

LEASE = timedelta(seconds=40)  # longer than the longest attempt
CHANNEL = "vestibule_deliveries"  # of PostgreSQL's NOTIFY


def enqueue_web_hook(
    message_id: str, hook: str, trigger: str, request: dict[str, Any], *, flow_id: uuid.UUID | None, identity_id: uuid.UUID | None
) -> Delivery:
    """Record a webhook with the caller's transaction. *request*: {url, method, headers, body}."""
    return _enqueue(
        Delivery(
            channel=Delivery.WEBHOOK,
            message_id=message_id,
            content=_sealed(request),
            target=_without_secrets(request["url"]),
            subject=trigger,
            hook=hook,
            flow_id=flow_id,
            identity_id=identity_id,
        )
    )


def _without_secrets(url: str) -> str:
    """Return an address to show: without what may be a secret, the user and the query. What is sent to is sealed in the content."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def enqueue_message(channel: str, to: str, template: str, content: dict[str, Any], *, is_withheld: bool = False) -> Delivery:
    """Record a message to a person with the caller's transaction. *content*: see actions/courier.py.

    One that is *withheld* is never sent nor shown: it makes an unknown address cost as much time as a known one.
    """
    return _enqueue(
        Delivery(
            channel=channel,
            status=Delivery.WITHHELD if is_withheld else Delivery.QUEUED,
            message_id=f"msg_{uuid7().hex}",
            content=_sealed(content),
            target=to[:400],
            subject=template,
        )
    )


def _sealed(content: dict[str, Any]) -> str:
    return crypto.encrypt(orjson.dumps(content).decode())


def content_of(delivery: Delivery) -> dict[str, Any]:
    """Return what is to be sent; {} when it was blanked or its secret is gone."""
    opened: dict[str, Any] = orjson.loads(crypto.decrypt(delivery.content) or "{}")
    return opened


def _enqueue(delivery: Delivery) -> Delivery:
    rows.insert_by_the_end([delivery])
    if broker.url():
        transaction.on_commit(lambda: broker.wake(delivery.pk, broker.queue_of(delivery.channel)))
    elif connection.vendor == "postgresql":
        rows.run_by_the_end(f"NOTIFY {CHANNEL}")  # heard when the transaction commits
    return delivery


def due(limit: int, queue: str = "") -> list[uuid.UUID]:
    """Return rows that may be claimed now, the longest overdue first; of one queue, or of all."""
    at = connection.ops.adapt_datetimefield_value(timezone.now())
    return [row.pk for row in Delivery.objects.raw(_due(_OF[queue]), [at, at, limit])]


def claim(id: uuid.UUID) -> Delivery | None:
    """Return the row for one attempt, None when somebody else has it or it is not due."""
    return next(iter(_claimed("AND id = %s", [id])), None)


def claim_due(limit: int) -> list[Delivery]:
    """Return up to *limit* rows for one attempt each, the longest overdue first; nobody else gets them while the lease lasts."""
    return _claimed("", [], limit)


def claim_messages_due(limit: int) -> list[Delivery]:
    """As `claim_due`, without webhooks: mail and text messages, whose senders do not depend on strangers' servers."""
    return _claimed(_OF[broker.MESSAGES], [], limit)


def _claimed(which: str, values: list[Any], limit: int = 1) -> list[Delivery]:
    """Claim rows in one statement that returns them; what another worker looks at this very moment is passed over."""
    if limit <= 0:
        return []
    now = timezone.now()
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    statement = _CLAIM.format(due=_due(which), lock=lock, columns=rows.columns(Delivery))
    return rows.returned(Delivery, statement, [now, now, *values, limit, now + LEASE, now])


_OF = {"": "", broker.WEBHOOKS: "AND channel = 'webhook'", broker.MESSAGES: "AND channel <> 'webhook'"}


def _due(which: str = "") -> str:
    return f"""
SELECT id FROM actions_delivery
WHERE status = 'queued' AND due_at <= %s AND (lease_until IS NULL OR lease_until < %s) {which}
ORDER BY due_at LIMIT %s"""  # noqa: S608  *which* is ours


# materialized: joined to the table the planner may look for rows anew for each it finds, and claim more than the limit
_CLAIM = """
WITH due AS MATERIALIZED ({due} {lock})
UPDATE actions_delivery SET lease_until = %s, attempts = attempts + 1, updated_at = %s
WHERE id IN (SELECT id FROM due) RETURNING {columns}
"""


def requeue(chosen: QuerySet[Delivery]) -> int:
    """Send again: what was abandoned, or is waiting, is due now. Returns how many.

    What was sent and blanked cannot be; what is being sent at this moment is not sent a second time beside that.
    """
    now = timezone.now()
    found = list(chosen.values_list("pk", "channel"))
    resting = Delivery.objects.exclude(content="").exclude(lease_until__gt=now)
    count = resting.filter(pk__in=[id for id, _ in found]).update(
        status=Delivery.QUEUED, due_at=now, lease_until=None, attempts=0, updated_at=now
    )
    if broker.url():
        for id, channel in found:
            broker.wake(id, broker.queue_of(channel))
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    return count
