"""The embedded worker: claims what is due and sends it on a few threads. `serve` keeps one of it when there is no broker."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import psycopg
from django.db import close_old_connections, connection
from django.db.utils import DatabaseError

from actions.delivery import outbox, sending
from actions.delivery.models import Delivery
from identity import config

log = logging.getLogger("vestibule.deliveries")
POLL = 0.2  # seconds between two looks where the database cannot call us (SQLite)
LONGEST_SLEEP = 1.0  # seconds, where it can; what is tried again may be as late as that
AFTER_TROUBLE = 1.0  # seconds
FOR_MESSAGES = 4  # one thread of so many is kept for mail and text messages


class Dispatcher:
    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._threads = int(config.current().get("deliveries.threads"))
        self._executor = ThreadPoolExecutor(self._threads, "deliver")
        self._busy: set[Future[None]] = set()
        self._hooks: set[Future[None]] = set()  # those of them that deliver webhooks
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

    def _hand_out(self) -> bool:
        """Give free threads something to do. Returns whether there may be more."""
        self._busy = {future for future in self._busy if not future.done()}
        free = self._threads - len(self._busy)
        if free <= 0:
            wait(self._busy, timeout=LONGEST_SLEEP, return_when=FIRST_COMPLETED)
            return True
        most = min(free, self._room_for_webhooks())
        claimed = outbox.claim_due(most)
        may_be_more = len(claimed) == most
        if may_be_more and most < free:
            claimed += outbox.claim_messages_due(free - most)
        for delivery in claimed:
            self._begin(delivery)
        if not claimed and most == 0:
            wait(self._hooks, timeout=LONGEST_SLEEP, return_when=FIRST_COMPLETED)
        return may_be_more

    def _room_for_webhooks(self) -> int:
        """Return how many threads may take a webhook: a receiver that has stalled holds up webhooks, and no mail."""
        self._hooks &= self._busy
        return max(0, self._threads - self._threads // FOR_MESSAGES - len(self._hooks))

    def _begin(self, delivery: Delivery) -> None:
        future = self._executor.submit(_deliver, delivery)
        self._busy.add(future)
        if delivery.channel == Delivery.WEBHOOK:
            self._hooks.add(future)

    def _sleep(self) -> None:
        """Wait until there may be something new: a notification, or some time."""
        if connection.vendor != "postgresql":
            self.stopping.wait(POLL)
        elif self._listener is None:
            self._listener = _listen()  # what came before we listened is looked for once more
        else:
            for _ in self._listener.notifies(timeout=LONGEST_SLEEP, stop_after=1):
                pass

    def _drop_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def _deliver(delivery: Delivery) -> None:
    try:
        sending.send(delivery)
    except Exception:
        log.exception("delivery %s could not be tried; its lease will end", delivery.id)
        connection.close()


def _listen() -> psycopg.Connection:
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    listener = psycopg.connect(autocommit=True, **wanted)
    listener.execute(f"LISTEN {outbox.CHANNEL}")
    return listener
