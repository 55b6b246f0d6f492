"""A small load: some connections, each asking again as soon as it was answered."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Figure:
    """Answers per second, and milliseconds at the median and at the 99th percentile; `errors` were not counted."""

    rate: float
    p50: float
    p99: float
    errors: int


class Connection:
    """One connection that is kept open."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._http = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body)
        more = {"Content-Type": "application/json"} if sent else {}
        self._http.request(method, path, sent, {"Accept": "application/json", **more, **(headers or {})})
        answer = self._http.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else None


Journey = Callable[[Connection], bool]


def run(base: str, journey: Journey, connections: int, seconds: float) -> Figure:
    """Return how *journey* fares, which says whether it was answered as it should be."""
    return alternately({"": (base, journey)}, connections, seconds, 1)[""]


def alternately(journeys: dict[str, tuple[str, Journey]], connections: int, seconds: float, rounds: int) -> dict[str, Figure]:
    """Return how several journeys fare, taken in turns, for *seconds* each: what changes on the machine changes for all of them."""
    samples = {name: _Samples() for name in journeys}
    for _ in range(rounds):
        for name, (base, journey) in journeys.items():
            samples[name].take(base, journey, connections, seconds / rounds)
    return {name: taken.figure() for name, taken in samples.items()}


@dataclass
class _Samples:
    took: list[float] = field(default_factory=list)  # milliseconds
    errors: int = 0
    spent: float = 0.0  # seconds

    def take(self, base: str, journey: Journey, connections: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        lock = threading.Lock()

        def work() -> None:
            connection, mine, wrong = Connection(base), [], 0
            while time.monotonic() < end:
                began = time.perf_counter()
                if journey(connection):
                    mine.append((time.perf_counter() - began) * 1000)
                else:
                    wrong += 1
            with lock:
                self.took.extend(mine)
                self.errors += wrong

        began = time.monotonic()
        threads = [threading.Thread(target=work) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.spent += time.monotonic() - began

    def figure(self) -> Figure:
        if not self.took:
            return Figure(0.0, 0.0, 0.0, self.errors)
        took = sorted(self.took)
        return Figure(len(took) / self.spent, statistics.median(took), took[int(len(took) * 0.99)], self.errors)
