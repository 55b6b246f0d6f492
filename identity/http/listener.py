"""Two listeners, one program: which of them a request came in by decides which paths exist (design: processes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.utils.html import format_html

from identity import conf, config
from identity.config import Config
from identity.http.return_to import host_fits

LISTENER = "vestibule.listener"  # of the WSGI environment: "public" or "admin", set by identity/wsgi.py
PUBLIC, ADMIN = "public", "admin"
NOT_CACHED = "private, no-cache, no-store, must-revalidate"


class TemporaryRedirect(HttpResponseRedirectBase):
    """307: there, with the same method and body."""

    status_code = 307


def of(request: HttpRequest) -> str:
    return str(request.META.get(LISTENER, PUBLIC))


class ListenerMiddleware:
    """Takes over a changed configuration, and chooses the listener's paths."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        config.refresh()
        if of(request) == ADMIN:
            request.urlconf = "identity.admin_urls"
        response = _clean(request) if "//" in request.path else self.get_response(request)
        if request.method == "GET":
            response.setdefault("Cache-Control", NOT_CACHED)
        if request.method == "OPTIONS":
            _narrow_preflight(request, response)
        return response


def _clean(request: HttpRequest) -> HttpResponse:
    path = "/" + "/".join(part for part in request.path.split("/") if part)
    query = request.META.get("QUERY_STRING", "")
    return TemporaryRedirect(path + (f"?{query}" if query else ""))


def _narrow_preflight(request: HttpRequest, response: HttpResponse) -> None:
    """Answer a preflight with what it asked for, not with all that could be asked for; with nothing for a foreign origin."""
    if "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in request.META or not has_callers_elsewhere(request):
        return
    response.status_code, response.content = 204, b""
    del response["Content-Type"]
    for allowed, wanted in (("Methods", "METHOD"), ("Headers", "HEADERS")):
        name = f"Access-Control-Allow-{allowed}"
        if name in response:
            known = {entry.strip().lower() for entry in response[name].split(",")}
            asked = [entry.strip() for entry in request.META.get(f"HTTP_ACCESS_CONTROL_REQUEST_{wanted}", "").split(",")]
            response[name] = ", ".join(entry for entry in asked if entry.lower() in known)


@config.per_config
def _origins(c: Config) -> tuple[str, ...] | None:
    """The origins whose pages may call us, None when CORS is off."""
    if not c.get("serve.public.cors.enabled"):
        return None
    return tuple(str(origin).lower() for origin in c.get("serve.public.cors.allowed_origins") or ("*",))


def has_callers_elsewhere(request: HttpRequest) -> bool:
    """Whether pages of other origins may call at all."""
    return _origins() is not None and of(request) == PUBLIC


def is_origin_allowed(sender: object, request: HttpRequest, **kwargs: Any) -> bool:
    """Whether a page of the request's Origin may read our answers (receiver of corsheaders' signal; contract: identities.md 6.5)."""
    origin = request.META.get("HTTP_ORIGIN", "").lower()
    scheme, _, host = origin.partition("://")
    for entry in _origins() or ():
        entry_scheme, _, entry_host = entry.partition("://")
        if entry in ("*", origin) or (entry_scheme == scheme and host_fits(entry_host, host)):
            return True
    return False


def to_public(request: HttpRequest) -> HttpResponse:
    """Send a request for a public path to the public listener."""
    path = request.path.removeprefix("/admin")
    query = request.META.get("QUERY_STRING", "")
    return _elsewhere(request, conf.listeners().public + path + (f"?{query}" if query else ""))


def to_admin(request: HttpRequest) -> HttpResponse:
    """Send a request for an operator's path to the admin listener."""
    path = request.path if request.path.startswith("/admin/") else "/admin" + request.path
    query = request.META.get("QUERY_STRING", "")
    return _elsewhere(request, conf.listeners().admin + path + (f"?{query}" if query else ""))


def _elsewhere(request: HttpRequest, url: str) -> HttpResponse:
    response = TemporaryRedirect(url)
    if request.method == "GET":
        response.content = format_html('<a href="{}">It is over there.</a>\n', url)
    else:
        del response["Content-Type"]
    return response
