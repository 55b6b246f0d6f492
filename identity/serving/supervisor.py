"""Keeps the processes of one server running: two listeners and, without a broker, the dispatcher.

`manage.py serve` checks everything first and then becomes this program (exec), which imports next to nothing, so that
the process that lives longest is the smallest.

    python -m identity.serving.supervisor '<JSON: [{"name": ..., "command": [...]}, ...]>'

SIGTERM and SIGINT let requests come to their end; SIGHUP makes every process read the configuration anew.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

DRAIN = 25.0  # seconds until what still runs is killed
HEALTHY = 5.0  # seconds after which a process counts as started
MAX_EARLY_DEATHS = 3
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass
class Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    early_deaths: int = 0

    def start(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        environment = {**os.environ, "VESTIBULE_ROLE": self.name}
        self.process, self.started = subprocess.Popen(self.command, env=environment), time.monotonic()  # noqa: S603  our own
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)

    def tell(self, signum: int) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signum)


@dataclass
class Supervisor:
    children: list[Child]
    stopping: bool = field(default=False)

    def run(self) -> int:
        """Returns the exit status: 1 when a process could not be kept running."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
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
            if child.process is None or child.process.poll() is None:
                continue
            early = time.monotonic() - child.started < HEALTHY
            child.early_deaths = child.early_deaths + 1 if early else 0
            print(f"vestibule: {child.name} ended with {child.process.returncode}", file=sys.stderr, flush=True)  # noqa: T201
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
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def touch() -> None:
    """Change the stamp that every process looks at, beside those of the configuration files."""
    if path := os.environ.get("VESTIBULE_RELOAD"):
        with open(path, "w") as file:
            file.write(str(time.time_ns()))


def tidy() -> None:
    """Remove what the processes shared while they ran."""
    if path := os.environ.get("VESTIBULE_RELOAD"):
        os.unlink(path)
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    children = [Child(entry["name"], entry["command"]) for entry in json.loads(sys.argv[1])]
    status = Supervisor(children).run()
    tidy()
    raise SystemExit(status)


if __name__ == "__main__":
    main()
