"""The cores that this server may use, and how its processes take turns on them: by locks on files that all of them can open."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

SHARED = "VESTIBULE_CORES"  # names a folder that the processes of a server share: a file for each core
CGROUPS = Path("/sys/fs/cgroup")


def count() -> int:
    """Return how many cores this server has: those it may run on, or the time of as many as its container is given."""
    return max(1, math.ceil(min(_allowed(), _quota())))


def _allowed() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quota(own: str = "/proc/self/cgroup") -> float:
    """Return the limit of the control groups that this process is in, in cores: of version 2, and of version 1 where `cpu` is there."""
    limits = [math.inf]
    with contextlib.suppress(OSError):
        for line in Path(own).read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            group = Path(path.strip("/"))
            for at in (group, *group.parents):  # a container may see no more than the last of them
                if not controllers:
                    limits.append(_limit(CGROUPS / at))
                elif "cpu" in controllers.split(","):
                    limits.append(_limit_of_version_1(CGROUPS / "cpu" / at))
    return min(limits)


def _limit(group: Path) -> float:
    with contextlib.suppress(OSError, ValueError):
        time, period = (group / "cpu.max").read_text().split()
        return int(time) / int(period)
    return math.inf


def _limit_of_version_1(group: Path) -> float:
    with contextlib.suppress(OSError, ValueError):
        time, period = (int((group / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        if time > 0 and period > 0:
            return time / period
    return math.inf


def provide(folder: str) -> None:
    """Make a place for each core in *folder*, for this process and those that it starts."""
    for number in range(count()):
        Path(folder, str(number)).touch(0o600)
    os.environ[SHARED] = folder


class Places:
    """The places as one thread sees them. Who holds the lock of a file has its place; the kernel takes it back from the dead.

    A lock belongs to an open file, not to a process (flock(2)), so each thread opens the files for itself. Where nothing is
    shared, or somebody tidied it away, a process has only its own threads to count.
    """

    near: ClassVar[int] = 0  # what a thread of this process held last

    def __init__(self) -> None:
        folder = Path(os.environ.get(SHARED) or "/nowhere")
        found = sorted(folder.iterdir(), key=lambda path: int(path.name)) if folder.is_dir() else []
        self._files = [os.open(path, os.O_RDWR | os.O_CLOEXEC) for path in found]

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place: the one that is near when it is free, else any that is, else the near one when its turn comes.

        So each of several busy processes comes to keep to a place of its own. Who waits does so for the near one, and does not see that
        another has become free meanwhile; it is a hash at most.
        """
        if not self._files:
            yield
            return
        near = Places.near % len(self._files)
        number = next((number for number in (near, *range(len(self._files))) if _is_taken(self._files[number])), None)
        if number is None:
            fcntl.flock(self._files[near], fcntl.LOCK_EX)
            number = near
        Places.near = number
        try:
            yield
        finally:
            fcntl.flock(self._files[number], fcntl.LOCK_UN)


def _is_taken(file: int) -> bool:
    """Whether the lock was free, and is ours now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
