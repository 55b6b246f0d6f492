"""A small load: some connections, each asking again as soon as it was answered."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
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


def run(base: str, journey: Callable[[Connection], bool], connections: int, seconds: float) -> Figure:
    """Return how *journey* fares, which says whether it was answered as it should be."""
    took: list[float] = []
    errors = [0]
    end = time.monotonic() + seconds

    def work() -> None:
        connection, mine = Connection(base), []
        while time.monotonic() < end:
            began = time.perf_counter()
            if journey(connection):
                mine.append((time.perf_counter() - began) * 1000)
            else:
                errors[0] += 1
        took.extend(mine)

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.monotonic() - began
    took.sort()
    if not took:
        return Figure(0.0, 0.0, 0.0, errors[0])
    return Figure(len(took) / spent, statistics.median(took), took[int(len(took) * 0.99)], errors[0])
