"""Where passwords are hashed: on a few threads, of lower priority than those that answer requests.

All processes of a server together hash on as many cores as the machine has, whichever of them the sign-ins reach. Who
waits too long for a turn is told to come back. So neither memory nor the answers of others suffer from a flood of sign-ins.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable
from typing import TypeVar

from identity import cores
from identity.errors import ServiceUnavailable

T = TypeVar("T")

PATIENCE = 8.0  # seconds that a sign-in waits for its turn


class Hashing:
    """A bounded number of threads. They are started at first need, so that a forked process has its own."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._local = threading.local()
        self._executor: concurrent.futures.ThreadPoolExecutor | None = None

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of *work*. Raises ServiceUnavailable when it is not its turn in time, or finds no memory."""
        with self._lock:
            if self._executor is None:
                self._executor = concurrent.futures.ThreadPoolExecutor(cores.count(), "hash", initializer=self._begin)
            executor = self._executor
        turn = executor.submit(self._in_place, work)
        try:
            return turn.result(timeout=PATIENCE)
        except concurrent.futures.TimeoutError as late:
            turn.cancel()
            raise ServiceUnavailable("Too many people are signing in right now.") from late
        except MemoryError as full:
            raise ServiceUnavailable("Too many people are signing in right now.") from full

    def _begin(self) -> None:
        self._local.places = cores.Places()
        with contextlib.suppress(OSError, AttributeError):  # a thread's niceness is its own on Linux
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)

    def _in_place(self, work: Callable[[], T]) -> T:
        places: cores.Places = self._local.places
        with places.one():
            return work()


hashing = Hashing()
