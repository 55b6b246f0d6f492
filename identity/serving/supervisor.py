"""Keeps the processes of one server running: two listeners and, without a broker, the dispatcher.

`manage.py serve` checks everything first and then becomes this program (exec). It imports all that a server needs, once,
and forks the others: they share that memory, and one that died is back at once. It holds no thread and no connection.

    python -m identity.serving.supervisor '<JSON: [{"name": ..., "run": ..., "arguments": [...]}, ...]>'

SIGTERM and SIGINT let requests come to their end; SIGHUP makes every process read the configuration anew.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.core.management import call_command
from setproctitle import setproctitle

from identity import rsgi  # noqa: F401  all that the listeners serve, before anything is forked
from identity.cores import SHARED
from identity.serving import listen, process

DRAIN = 25.0  # seconds until what still runs is killed
HEALTHY = 5.0  # seconds after which a process counts as started
MAX_EARLY_DEATHS = 3
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
PROGRAMS: dict[str, Callable[..., object]] = {"listen": listen.main, "command": call_command}


@dataclass
class Child:
    name: str
    run: Callable[[], object]
    id: int = 0  # of its process; 0: there is none
    started: float = 0.0
    early_deaths: int = 0

    def start(self) -> None:
        self.started, parent = time.monotonic(), os.getpid()
        self.id = os.fork()
        if not self.id:
            self._live(parent)

    def _live(self, parent: int) -> None:
        """Be that process, to its end."""
        status = 1
        try:
            setproctitle(f"vestibule {self.name}")
            signal.pthread_sigmask(signal.SIG_UNBLOCK, set(WATCHED) - {signal.SIGINT})  # Ctrl-C reaches all at once; one acts on it
            process.die_with_parent(parent)
            self.run()
            status = 0
        except BaseException:  # whatever it is, it ends this process and not the program that forked it
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def ended(self) -> int | None:
        """Return what its process ended with (negative: a signal), None while it runs."""
        id, status = os.waitpid(self.id, os.WNOHANG)
        if not id:
            return None
        self.id = 0
        return os.waitstatus_to_exitcode(status)

    def tell(self, signum: int) -> None:
        if self.id:
            os.kill(self.id, signum)


@dataclass
class Supervisor:
    children: list[Child]
    stopping: bool = field(default=False)

    def run(self) -> int:
        """Returns the exit status: 1 when a process could not be kept running."""
        for child in self.children:
            child.start()
        while True:
            signum = signal.sigwait(WATCHED)
            if signum in (signal.SIGTERM, signal.SIGINT):
                self.stop()
                return 0
            if signum == signal.SIGHUP:
                touch()
            if signum == signal.SIGCHLD and not self._mend():
                self.stop()
                return 1

    def _mend(self) -> bool:
        """Start again what has died. Returns False when something dies as soon as it starts, again and again."""
        for child in self.children:
            if not child.id or (status := child.ended()) is None:
                continue
            early = time.monotonic() - child.started < HEALTHY
            child.early_deaths = child.early_deaths + 1 if early else 0
            print(f"vestibule: {child.name} ended with {status}", file=sys.stderr, flush=True)  # noqa: T201
            if child.early_deaths >= MAX_EARLY_DEATHS:
                return False
            if early:
                time.sleep(0.3 * child.early_deaths)
            child.start()
        return True

    def stop(self) -> None:
        """Let every process come to its end; kill what takes too long."""
        for child in self.children:
            child.tell(signal.SIGTERM)
        until = time.monotonic() + DRAIN
        while self._is_any_left() and (left := until - time.monotonic()) > 0:
            signal.sigtimedwait((signal.SIGCHLD,), left)
        for child in self.children:
            if child.id:
                child.tell(signal.SIGKILL)
                os.waitpid(child.id, 0)

    def _is_any_left(self) -> bool:
        running = [child for child in self.children if child.id and child.ended() is None]
        return bool(running)


def settle() -> None:
    """Lay what was imported where no collector will write, so that the pages stay shared."""
    gc.collect()
    gc.freeze()


def touch() -> None:
    """Change the stamp that every process looks at, beside those of the configuration files."""
    if path := os.environ.get("VESTIBULE_RELOAD"):
        with open(path, "w") as file:
            file.write(str(time.time_ns()))


def tidy() -> None:
    """Remove what the processes shared while they ran."""
    if path := os.environ.get("VESTIBULE_RELOAD"):
        os.unlink(path)
    for name in ("PROMETHEUS_MULTIPROC_DIR", SHARED):
        if folder := os.environ.get(name):
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    setproctitle("vestibule serve")
    settle()
    wanted = json.loads(sys.argv[1])
    children = [Child(each["name"], partial(PROGRAMS[each["run"]], *each["arguments"])) for each in wanted]
    status = Supervisor(children).run()
    tidy()
    raise SystemExit(status)


if __name__ == "__main__":
    main()
