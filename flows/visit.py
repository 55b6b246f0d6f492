"""One request to a flow, as the flow sees it: who asks, from where, and for what kind of answer (contract: flows.md 0)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from flows.hooks import RequestFacts
from flows.models import Flow
from identity.http import csrf, facts, negotiation
from identity.sessions import authentication
from identity.sessions.models import Session

BROWSER, API = "browser", "api"


@dataclass
class Visit:
    """`type` is "api" for an app and "browser" for everybody else. It comes from the start's URL, later from the flow."""

    request: HttpRequest
    type: str = BROWSER

    @cached_property
    def session(self) -> Session | None:
        return authentication.session_of(self.request, whole=True)

    @property
    def is_api(self) -> bool:
        return self.type == API

    @cached_property
    def is_json(self) -> bool:
        """Whether a program reads the answer: an app, a page's script, or whoever sent JSON."""
        return negotiation.is_json(self.request)

    @cached_property
    def accepts_json(self) -> bool:
        return negotiation.accepts_json(self.request)

    @property
    def answers_json(self) -> bool:
        """Whether this visitor reads JSON whatever happens: apps always do."""
        return self.is_api or self.is_json

    @cached_property
    def url(self) -> str:
        return facts.url(self.request)

    @cached_property
    def facts(self) -> RequestFacts:
        return RequestFacts(self.request.method or "GET", self.url, facts.headers(self.request), facts.foreign_cookies(self.request))

    @cached_property
    def told_headers(self) -> dict[str, list[str]]:
        """The headers that a message's channel may see; the courier filters them."""
        return facts.headers(self.request)

    def query(self, name: str) -> str:
        """Return a query parameter; absent and empty are the same."""
        return self.request.GET.get(name, "")

    def device(self) -> dict[str, Any]:
        return facts.device(self.request)

    def csrf_secret(self) -> str:
        """Return the secret of this browser; "" for an app."""
        return "" if self.is_api else csrf.ensure_secret(self.request)

    def renew_csrf(self, flow: Flow | None = None) -> None:
        """Give this browser a new secret; what *flow* begins for the person from now on is bound to it."""
        if self.is_api:
            return
        secret = csrf.rotate(self.request)
        if flow is not None:
            flow.csrf_hash = csrf.fingerprint(secret)
