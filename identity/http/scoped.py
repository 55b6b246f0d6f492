"""Middleware that works on some paths only: what the console needs costs nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corsheaders.middleware import CorsMiddleware
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

from identity.http import listener
from identity.http.csrf import CSRFMiddleware

Rule = Callable[[HttpRequest], bool]
HOOKS = ("process_view", "process_exception")  # of a middleware, beside its call


def where(rule: Rule, middleware: Any) -> type:
    """Return *middleware* for the requests that *rule* admits; others pass it by."""

    class Scoped(middleware):  # type: ignore[misc]  # a subclass, so that Django's own checks find what they look for
        def __call__(self, request: HttpRequest) -> HttpResponse:
            if not rule(request):
                return self.get_response(request)  # type: ignore[no-any-return]
            return super().__call__(request)  # type: ignore[no-any-return]

    for name in HOOKS:
        if inherited := getattr(middleware, name, None):
            setattr(Scoped, name, _where(rule, inherited))
    return Scoped


def _where(rule: Rule, inherited: Callable[..., Any]) -> Callable[..., Any]:
    def hook(self: Any, request: HttpRequest, *args: Any) -> Any:
        return inherited(self, request, *args) if rule(request) else None

    return hook


def _is_page(request: HttpRequest) -> bool:
    return request.path.startswith("/ui/")


def _is_static(request: HttpRequest) -> bool:
    return request.path.startswith("/static/")


def _is_public(request: HttpRequest) -> bool:
    return listener.of(request) == listener.PUBLIC


static_files = where(_is_static, WhiteNoiseMiddleware)
pages_policy = where(_is_page, CSPMiddleware)
foreign_pages = where(listener.has_callers_elsewhere, CorsMiddleware)
public_csrf = where(_is_public, CSRFMiddleware)
