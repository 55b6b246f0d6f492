"""One attempt at one delivery: claim, send, write down what came of it."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from actions.delivery import outbox, schedule
from actions.delivery.channels import email, sms, webhook
from actions.delivery.models import Delivery, DeliveryAttempt
from identity.db import rows

log = logging.getLogger("vestibule.deliveries")
EXCERPT = 1000  # characters of an answer that are kept


@dataclass(frozen=True)
class Result:
    """What one attempt came to. `final`: trying again would not help."""

    error: str = ""
    status: int | None = None
    answer: str = ""
    final: bool = False


CHANNELS = {Delivery.WEBHOOK: webhook.send, Delivery.EMAIL: email.send, Delivery.SMS: sms.send}


def attempt(id: uuid.UUID) -> bool:
    """Try to send one delivery. Returns whether it was this call's to try."""
    delivery = outbox.claim(id)
    if delivery is not None:
        send(delivery)
    return delivery is not None


def send(delivery: Delivery) -> None:
    """Make the attempt that *delivery* was claimed for."""
    started, clock = timezone.now(), time.monotonic()
    try:
        error, status, answer, final = CHANNELS[delivery.channel](delivery)
        result = Result(error, status, answer[:EXCERPT], final)
    except Exception:
        log.exception("delivery %s failed on our side", delivery.id)
        result = Result("an error of ours, see the log")
    _write_down(delivery, result, started, int((time.monotonic() - clock) * 1000))


def _write_down(delivery: Delivery, result: Result, started: datetime, took_ms: int) -> None:
    now, claim = timezone.now(), {"pk": delivery.pk, "lease_until": delivery.lease_until}
    delivery.lease_until, delivery.updated_at = None, now
    if not result.error:
        delivery.status = Delivery.SENT
        if not keeps_content(delivery):
            delivery.content = ""
    else:
        wait = None if result.final else schedule.wait_after(delivery.channel, delivery.attempts)
        if wait is None:
            delivery.status = Delivery.ABANDONED
            log.error("delivery %s (%s) was given up after %d attempts: %s", delivery.id, delivery, delivery.attempts, result.error)
        else:
            delivery.due_at = now + wait
    attempt = DeliveryAttempt(
        delivery=delivery,
        number=delivery.attempts,
        started_at=started,
        took_ms=took_ms,
        answer_status=result.status,
        answer=result.answer.replace("\x00", ""),
        error=result.error,
    )
    with transaction.atomic():
        rows.insert([attempt])
        new = {name: getattr(delivery, name) for name in ("status", "content", "due_at", "lease_until", "updated_at")}
        if not rows.update(Delivery, claim, new):  # it took longer than its lease: what came of another claim stays
            log.warning("delivery %s was tried by somebody else before this attempt ended", delivery.id)


def keeps_content(delivery: Delivery) -> bool:
    """Whether what was sent stays readable: webhooks, to be sent again; messages hold codes, so only the development mailbox keeps them."""
    return delivery.channel == Delivery.WEBHOOK or email.keeps_mail()
