"""What a request says about where it came from."""

from __future__ import annotations

import ipaddress
import uuid
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.http.request import HttpHeaders

from identity import conf

DEVICE_TEXT = 512  # characters


def url(request: HttpRequest) -> str:
    """Return the absolute URL that was asked for, as the person's browser saw it: X-Forwarded-Host and -Proto count here.

    Shown in `request_url` and to hooks, never used to build a link. A host that makes no URL is replaced by the configured one.
    """
    base = urlsplit(conf.listeners().public)
    host = request.META.get("HTTP_X_FORWARDED_HOST") or request.META.get("HTTP_HOST") or base.netloc
    scheme = request.META.get("HTTP_X_FORWARDED_PROTO") or base.scheme
    if not _is_host(host):
        host = base.netloc
    if scheme not in ("http", "https"):
        scheme = base.scheme
    query = request.META.get("QUERY_STRING", "")
    return f"{scheme}://{host}{request.path}" + (f"?{query}" if query else "")


def _is_host(text: str) -> bool:
    if not text or any(c in text for c in " ,/\\?#@\r\n<>\"'"):
        return False
    try:
        split = urlsplit("//" + text)
        return bool(split.hostname) and (split.port is None or split.port > 0)
    except ValueError:
        return False


def address(request: HttpRequest) -> str:
    """Return the client's network address, as the proxy in front tells it, else the peer's (contract: flows.md 12.3)."""
    for name in ("HTTP_TRUE_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_X_REAL_IP"):
        if request.META.get(name):
            return str(request.META[name])[:64]
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if _is_public(hop.strip()):
            return str(hop.strip())
    peer, port = request.META.get("REMOTE_ADDR", ""), request.META.get("REMOTE_PORT", "")
    return f"{peer}:{port}" if port and ":" not in peer else peer


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def device(request: HttpRequest) -> dict[str, Any]:
    """Return the device entry of a session that is issued to this request."""
    city, country = request.META.get("HTTP_CF_IPCITY", ""), request.META.get("HTTP_CF_IPCOUNTRY", "")
    return {
        "id": str(uuid.uuid4()),
        "ip_address": address(request),
        "user_agent": request.META.get("HTTP_USER_AGENT", "")[:DEVICE_TEXT],
        "location": ", ".join(part for part in (city, country) if part)[:DEVICE_TEXT],
    }


@lru_cache(maxsize=512)
def _header_name(key: str) -> str | None:
    return HttpHeaders.parse_header_name(key)


def headers(request: HttpRequest) -> dict[str, list[str]]:
    """Return the request's headers, canonical name to values."""
    return {name: [value] for key, value in request.META.items() if (name := _header_name(key))}


def foreign_cookies(request: HttpRequest) -> dict[str, str]:
    """Return the request's cookies without our own: a hook has no business with what opens a session."""
    return {name: value for name, value in request.COOKIES.items() if not is_ours(name)}


def is_ours(cookie: str) -> bool:
    return cookie == conf.cookies().session_name or cookie.startswith("csrf_token_") or cookie == "ory_kratos_continuity"


def truth(text: str | None) -> bool | None:
    """Return the boolean that a query parameter spells, or None when it spells none (contract: identities.md 0.8)."""
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    return None
