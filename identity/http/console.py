"""Middleware for the console, on its paths of the admin listener only: Django's, and a guard of ours before them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotFound
from django.middleware.csrf import CsrfViewMiddleware

from identity.http import listener
from identity.http.scoped import where

log = logging.getLogger("vestibule.console")
POLICY = "frame-ancestors 'none'; base-uri 'self'; object-src 'none'; form-action 'self'"  # its pages have scripts of their own
ODD = (ValidationError, OverflowError, DataError, InvalidPage)
KEY = re.compile(r"[0-9]{1,18}|[0-9a-fA-F-]{32,36}")  # of a row
SEARCH = "q"  # our pages' own, which takes anything


class Guard:
    """Keeps the console out of other pages' frames, and answers what its pages were never meant to be asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/console/r/"):  # Django's way from a row to its page; ours have none
            response: HttpResponse = HttpResponseNotFound("There is no such page.\n", content_type="text/plain; charset=utf-8")
        elif "\0" in request.path or _has_nul(request) or not all(map(KEY.fullmatch, _chosen(request))):
            response = _bad_request()
        else:
            response = self.get_response(request)
        response["X-Frame-Options"] = "DENY"
        response["Content-Security-Policy"] = POLICY
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Its views take ids and page numbers for what they should be, and pass them on."""
        if not isinstance(error, ODD):
            return None
        log.warning("the console was asked for something odd", exc_info=error)
        return _bad_request()


def _chosen(request: HttpRequest) -> list[str]:
    return request.POST.getlist("_selected_action") if request.method == "POST" else []


def _has_nul(request: HttpRequest) -> bool:
    sent = [request.GET, request.POST] if request.method == "POST" else [request.GET]
    return any("\0" in text for values in sent for name, several in values.lists() for text in (name, *map(str, several)) if name != SEARCH)


def _bad_request() -> HttpResponse:
    return HttpResponseBadRequest("This cannot be shown. Please go back.\n", content_type="text/plain; charset=utf-8")


def _is_console(request: HttpRequest) -> bool:
    return request.path.startswith("/console") and listener.of(request) == listener.ADMIN


guard = where(_is_console, Guard)
sessions = where(_is_console, SessionMiddleware)
csrf = where(_is_console, CsrfViewMiddleware)
users = where(_is_console, AuthenticationMiddleware)
messages = where(_is_console, MessageMiddleware)
