"""Figures of the requests that were answered, for Prometheus (contract: identities.md 6.7). Counted by route, never by address."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

REQUESTS = Counter("http_requests", "Requests that were answered.", ("code", "method", "endpoint"))
SECONDS = Histogram("http_requests_duration_seconds", "Time until an answer was ready.", ("method", "endpoint"))

GROUP = re.compile(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)|<[^>]+>")
NOISE = re.compile(r"\(\?:[^()]*\)\??|[\^$]")
UNKNOWN = "unknown"
VERBS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


@lru_cache(maxsize=512)
def endpoint(route: str) -> str:
    """Return a route with every placeholder as {param}: ^admin/identities/(?P<id>[^/]+)$ -> /admin/identities/{param}."""
    return "/" + NOISE.sub("", GROUP.sub("{param}", route)).lstrip("/")


def count(method: str, code: int, route: str, seconds: float) -> None:
    requests, durations = _figures(method if method in VERBS else UNKNOWN, code, route)
    requests.inc()
    durations.observe(seconds)


@lru_cache(maxsize=4096)
def _figures(method: str, code: int, route: str) -> tuple[Counter, Histogram]:
    """Return what to count by these labels: looking them up costs more than counting."""
    return REQUESTS.labels(code, method, route), SECONDS.labels(method, route)


class MetricsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        found = request.resolver_match
        count(
            request.META["REQUEST_METHOD"], response.status_code, endpoint(found.route) if found else UNKNOWN, time.perf_counter() - began
        )
        return response
