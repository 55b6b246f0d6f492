"""Forms come back from the browser that was given them (double submit of a masked secret; contract: flows.md 5).

The browser keeps a secret in a cookie. Forms carry it masked: 32 random bytes, then the secret combined with them, so
that no two pages hold the same text (BREACH). Flows remember a hash of the secret they were begun with.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Collection

from django.http import HttpRequest, HttpResponse

from identity.errors import CSRFViolation
from identity.http import bodies, cookies, problems

SECRET = 32  # bytes
SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
EXEMPT = re.compile(
    r"/self-service/[^/]+/api$|/self-service/(login|registration|settings|recovery|verification)$|/self-service/logout/api$"
    r"|/self-service/methods/oidc/callback(/|$)|/self-service/login/test$|/sessions($|/)|/schemas/"
    r"|/(admin/)?(identities|recovery/(code|link)|courier)($|/)|/health/|/version$|/metrics|/\.well-known/|/ui/|/static/"
)


def new_secret() -> str:
    return base64.b64encode(os.urandom(SECRET)).decode()


def _bytes(text: str | None, length: int) -> bytes | None:
    try:
        raw = base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == length else None


def secret_of(request: HttpRequest) -> str | None:
    """Return the secret that this browser keeps, if it is one."""
    value = request.COOKIES.get(cookies.csrf_name())
    return value if _bytes(value, SECRET) else None


def ensure_secret(request: HttpRequest) -> str:
    """Return this browser's secret, a new one if it has none; the middleware sends a new one along with the answer."""
    fresh: str | None = getattr(request, "csrf_fresh", None)
    return fresh or secret_of(request) or rotate(request)


def rotate(request: HttpRequest) -> str:
    """Give this browser a new secret: who was shown the old one before a sign-in cannot use it afterwards."""
    secret = new_secret()
    request.csrf_fresh = secret  # type: ignore[attr-defined]
    return secret


def mask(secret: str) -> str:
    raw, pad = _bytes(secret, SECRET), os.urandom(SECRET)
    if raw is None:
        return ""
    return base64.b64encode(pad + bytes(a ^ b for a, b in zip(pad, raw, strict=True))).decode()


def fits(token: str | None, secret: str) -> bool:
    """Whether *token*, masked or bare, is this secret."""
    raw = _bytes(secret, SECRET)
    masked = _bytes(token, 2 * SECRET)
    if raw is None:
        return False
    sent = bytes(a ^ b for a, b in zip(masked[:SECRET], masked[SECRET:], strict=True)) if masked else _bytes(token, SECRET)
    return sent is not None and hmac.compare_digest(raw, sent)


def fingerprint(secret: str) -> str:
    """Return what a flow remembers of the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def violation(request: HttpRequest, token: str | None) -> CSRFViolation:
    """Return the refusal, with what went wrong for who builds a UI."""
    if not request.META.get("HTTP_COOKIE"):
        why, hint = "The request has no Cookie header.", "Send cookies along, and use one host name for server and UI."
    elif not secret_of(request):
        why, hint = "The request has cookies, but not the CSRF cookie.", "Was it set for another domain, or removed?"
    elif not token and bodies.content_type(request) != bodies.JSON:
        why, hint = "", "Send the value of the form's csrf_token field along."
    else:
        why, hint = "csrf_token does not belong to the CSRF cookie.", "Was the form made for another browser, or before a sign-in?"
    return CSRFViolation(hint, details={**({"reject_reason": why} if why else {}), "hint": hint, "docs": "docs/flows.md"})


def check(request: HttpRequest, token: str | None, fingerprints: Collection[str]) -> None:
    """Refuse a submission that does not come from a browser with one of these *fingerprints*. Raises CSRFViolation."""
    secret = secret_of(request)
    if secret is None or not fits(token, secret) or not belongs(request, fingerprints):
        raise violation(request, token)


def belongs(request: HttpRequest, fingerprints: Collection[str]) -> bool:
    """Whether this browser is one of those that a flow remembers."""
    secret = secret_of(request)
    return secret is not None and any(hmac.compare_digest(fingerprint(secret), known) for known in fingerprints)


class CSRFMiddleware:
    """Refuses unsafe requests without their token on every path that does not check by itself; sends new secrets along."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        exempt = EXEMPT.match(request.path) is not None
        if not exempt and request.method not in SAFE:
            token = request.META.get("HTTP_X_CSRF_TOKEN") or bodies.form_field(request, "csrf_token")
            secret = secret_of(request)
            if secret is None or not fits(token, secret):
                return problems.as_json(request, violation(request, token))
        response = self.get_response(request)
        if exempt:
            _send_along(request, response)
        else:
            hand_out(request, response)
        return response


def hand_out(request: HttpRequest, response: HttpResponse) -> None:
    """See that the browser that gets this answer has a secret."""
    if secret_of(request) is None:
        ensure_secret(request)
    _send_along(request, response)


def _send_along(request: HttpRequest, response: HttpResponse) -> None:
    if fresh := getattr(request, "csrf_fresh", None):
        cookies.set_csrf(response, fresh)
