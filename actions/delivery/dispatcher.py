"""The embedded worker: claims what is due and runs the task on a few threads. `serve` keeps one of it when there is no broker."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import psycopg
from django.db import close_old_connections, connection
from django.db.utils import DatabaseError
from django.utils import timezone

from actions.delivery import outbox, tasks
from actions.delivery.models import Delivery
from identity import config

log = logging.getLogger("vestibule.deliveries")
POLL = 0.2  # seconds between two looks where the database cannot call us (SQLite)
LONGEST_SLEEP = 1.0  # seconds, where it can
AFTER_TROUBLE = 1.0  # seconds


class Dispatcher:
    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._threads = int(config.current().get("deliveries.threads"))
        self._executor = ThreadPoolExecutor(self._threads, "deliver")
        self._busy: dict[uuid.UUID, Future[None]] = {}
        self._listener: psycopg.Connection | None = None

    def run(self) -> None:
        """Deliver until `stopping` is set; then let what was begun come to its end."""
        while not self.stopping.is_set():
            try:
                config.refresh()
                if not self._hand_out():
                    self._sleep()
            except (DatabaseError, psycopg.Error):
                log.exception("the database cannot be asked for deliveries; trying again")
                self._drop_listener()
                close_old_connections()
                self.stopping.wait(AFTER_TROUBLE)
        self._executor.shutdown(wait=True)

    def _hand_out(self) -> int:
        """Give free threads something to do. Returns how many got something."""
        self._busy = {id: future for id, future in self._busy.items() if not future.done()}
        free = self._threads - len(self._busy)
        if free <= 0:
            time.sleep(0.005)
            return 1
        ids = outbox.due(free * 2, frozenset(self._busy))[:free]
        for id in ids:
            self._busy[id] = self._executor.submit(_deliver, id)
        return len(ids)

    def _sleep(self) -> None:
        """Wait until there may be something new: a notification, or the time of the next attempt."""
        seconds = min(_until_next(), LONGEST_SLEEP if connection.vendor == "postgresql" else POLL)
        if connection.vendor != "postgresql":
            self.stopping.wait(seconds)
            return
        if self._listener is None:
            self._listener = _listen()
            return  # what came before we listened is looked for once more
        for _ in self._listener.notifies(timeout=seconds, stop_after=1):
            pass

    def _drop_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def _until_next() -> float:
    next_due: datetime | None = (
        Delivery.objects.filter(status=Delivery.QUEUED, lease_until=None).order_by("due_at").values_list("due_at", flat=True).first()
    )
    return max(0.01, (next_due - timezone.now()).total_seconds()) if next_due else LONGEST_SLEEP


def _deliver(id: uuid.UUID) -> None:
    try:
        tasks.deliver(str(id))
    except Exception:
        log.exception("delivery %s could not be tried; its lease will end", id)
        connection.close()


def _listen() -> psycopg.Connection:
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    listener = psycopg.connect(autocommit=True, **wanted)
    listener.execute(f"LISTEN {outbox.CHANNEL}")
    return listener
