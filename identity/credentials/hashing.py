"""Where passwords are hashed: on a few threads, of lower priority than those that answer requests.

All processes of a server together hash on as many cores as the machine has, whichever of them the sign-ins reach. Who
waits too long for a turn is told to come back. So neither memory nor the answers of others suffer from a flood of sign-ins.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from identity.errors import ServiceUnavailable

T = TypeVar("T")

PATIENCE = 8.0  # seconds that a sign-in waits for its turn
PLACES = "VESTIBULE_HASHING"  # names a folder that the processes of a server share: a file for each hash at the same time


def cores() -> int:
    return max(1, os.cpu_count() or 1)


def provide_places(folder: str) -> None:
    """Make a place for each core in *folder*, for this process and those that it starts."""
    for number in range(cores()):
        (Path(folder) / str(number)).touch(0o600)
    os.environ[PLACES] = folder


class Places:
    """The places as one thread sees them. Who holds the lock of a file has its place; the kernel takes it back from the dead.

    A lock belongs to an open file, not to a process (flock(2)), so each thread opens the files for itself. Where nothing is
    shared, or somebody tidied it away, a process has only its own threads to count.
    """

    def __init__(self, first: int) -> None:
        folder = Path(os.environ.get(PLACES) or "/nowhere")
        found = sorted(folder.iterdir(), key=lambda path: int(path.name)) if folder.is_dir() else []
        first %= len(found) or 1
        self._files = [os.open(path, os.O_RDWR | os.O_CLOEXEC) for path in (*found[first:], *found[:first])]

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place: any that is free, else the first when its turn comes."""
        if not self._files:
            yield
            return
        held = next((file for file in self._files if _is_taken(file)), None)
        if held is None:
            held = self._files[0]
            fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(held, fcntl.LOCK_UN)


def _is_taken(file: int) -> bool:
    """Whether the lock was free, and is ours now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Hashing:
    """A bounded number of threads. They are started at first need, so that a forked process has its own."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._local = threading.local()
        self._executor: concurrent.futures.ThreadPoolExecutor | None = None
        self._started = 0

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of *work*. Raises ServiceUnavailable when it is not its turn in time."""
        with self._lock:
            if self._executor is None:
                self._executor = concurrent.futures.ThreadPoolExecutor(cores(), "hash", initializer=self._begin)
            executor = self._executor
        turn = executor.submit(self._in_place, work)
        try:
            return turn.result(timeout=PATIENCE)
        except concurrent.futures.TimeoutError as late:
            turn.cancel()
            raise ServiceUnavailable("Too many people are signing in right now.") from late

    def _begin(self) -> None:
        with self._lock:
            number, self._started = self._started, self._started + 1
        self._local.places = Places(number)
        with contextlib.suppress(OSError, AttributeError):  # a thread's niceness is its own on Linux
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)

    def _in_place(self, work: Callable[[], T]) -> T:
        places: Places = self._local.places
        with places.one():
            return work()


hashing = Hashing()
