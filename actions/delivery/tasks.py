"""The one unit of asynchronous work. Tasks take ids, not objects, and are safe to run twice."""

from __future__ import annotations

import logging
import threading
import uuid

from celery import shared_task

from actions.delivery import broker, outbox, sending
from identity import config

log = logging.getLogger("vestibule.deliveries")
OVERDUE = 5.0  # seconds between two looks of the sweeper
BATCH = 500  # messages that the sweeper lets a queue hold


@shared_task(name=broker.TASK, acks_late=True, reject_on_worker_lost=True)  # type: ignore[untyped-decorator]  # Celery has no types
def deliver(row_id: str) -> None:
    """Try to send one delivery. A row that is not due, or that another worker has, is left alone."""
    config.refresh()
    sending.attempt(uuid.UUID(row_id))


def sweep(stop: threading.Event) -> None:
    """Tell the broker of what is due and was not picked up, until *stop* is set."""
    while not stop.wait(OVERDUE):
        try:
            config.refresh()
            tell()
        except Exception:
            log.exception("the sweeper could not look for overdue deliveries; it tries again")


def tell() -> None:
    """Tell the broker of what is due, up to as many as a queue shall hold: most of it may be in there already."""
    for queue in broker.QUEUES:
        room = BATCH - broker.waiting(queue)
        for id in outbox.due(room, queue) if room > 0 else ():
            broker.wake(id, queue)
