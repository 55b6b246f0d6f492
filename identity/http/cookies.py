"""Our cookies: the session, the CSRF secret, and the pointer to a parked submission (contract: flows.md 5 and 12.2)."""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from identity import conf, config, crypto
from identity.config import Config
from identity.ids import alphanumeric
from identity.sessions.services import OpenedSession

YEAR = 365 * 24 * 3600  # seconds
CONTINUITY = "ory_kratos_continuity"
CONTINUITY_AGE = 30 * 60  # seconds; what it points at may live shorter


@config.per_config
def csrf_name(_: Config) -> str:
    return "csrf_token_" + hashlib.sha256(conf.listeners().public_as_written.encode()).hexdigest()


def set_session(response: HttpResponse, opened: OpenedSession) -> None:
    set_session_token(response, opened.token, opened.session.expires_at)


def set_session_token(response: HttpResponse, token: str, expires_at: datetime) -> None:
    """Hand the browser its session: the token, sealed, with when it ends and a nonce that makes each value new."""
    rules = conf.cookies()
    sealed = crypto.seal_cookie(orjson.dumps({"t": token, "e": expires_at.timestamp(), "n": alphanumeric(8)}))
    response.set_cookie(
        rules.session_name,
        sealed,
        max_age=max(0, int((expires_at - timezone.now()).total_seconds())) if rules.persistent else None,
        domain=rules.session_domain or None,
        path=rules.session_path,
        secure=rules.session_secure,
        httponly=True,
        samesite=rules.session_same_site,  # type: ignore[arg-type]  # one of Lax, Strict, None: checked with the configuration
    )


def read_session(value: str) -> tuple[str, float] | None:
    """Return (token, unix seconds of its end) that a session cookie holds, or None when it is not one of ours."""
    plain = crypto.open_cookie(value)
    if plain is None:
        return None
    held = orjson.loads(plain)
    return held["t"], held["e"]


def clear_session(response: HttpResponse) -> None:
    rules = conf.cookies()
    _clear(response, rules.session_name, rules.session_domain, rules.session_path, rules.session_secure, rules.session_same_site)


def _clear(response: HttpResponse, name: str, domain: str, path: str, secure: bool, same_site: str) -> None:
    response.set_cookie(
        name,
        "gone",
        max_age=0,
        domain=domain or None,
        path=path,
        secure=secure,
        httponly=True,
        samesite=same_site,  # type: ignore[arg-type]
    )


def set_csrf(response: HttpResponse, secret: str) -> None:
    rules = conf.cookies()
    response.set_cookie(
        csrf_name(),
        secret,
        max_age=YEAR,
        domain=rules.domain or None,
        path=rules.path,
        secure=rules.secure,
        httponly=True,
        samesite=rules.same_site,  # type: ignore[arg-type]
    )


def set_continuity(request: HttpRequest, response: HttpResponse, purpose: str, value: str) -> None:
    """Let the browser carry *value* until it comes back, beside what it carries for other purposes."""
    rules = conf.cookies()
    carried = _carried(request) | {purpose: value}
    response.set_cookie(
        CONTINUITY,
        crypto.seal_state(orjson.dumps(carried)),
        max_age=CONTINUITY_AGE,
        domain=rules.domain or None,
        path=rules.path,
        secure=rules.secure,
        httponly=True,
        samesite="Lax",
    )


def read_continuity(request: HttpRequest, purpose: str) -> str | None:
    return _carried(request).get(purpose)


def _carried(request: HttpRequest) -> dict[str, str]:
    plain = crypto.open_state(request.COOKIES.get(CONTINUITY, ""))
    held = orjson.loads(plain) if plain else {}
    return {name: value for name, value in held.items() if isinstance(value, str)}


def clear_continuity(response: HttpResponse) -> None:
    rules = conf.cookies()
    _clear(response, CONTINUITY, rules.domain, rules.path, rules.secure, "Lax")
