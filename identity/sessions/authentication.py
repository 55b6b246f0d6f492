"""Find the session that a request carries (contract: flows.md 12.1).

The first credential that is present decides: X-Session-Token, then the session cookie, then a bearer token. A wrong one
does not fall back to the next.
"""

from __future__ import annotations

from django.http import HttpRequest

from identity import conf
from identity.errors import SessionAAL2Required
from identity.http import cookies, problems
from identity.sessions import aal, services
from identity.sessions.models import Session

HIGHEST = "highest_available"
_UNKNOWN = object()


def token_of(request: HttpRequest) -> str | None:
    """Return the session token that the request carries, or None when it carries none that could be one."""
    if header := request.META.get("HTTP_X_SESSION_TOKEN"):
        return str(header)
    if sealed := request.COOKIES.get(conf.cookies().session_name):
        held = cookies.read_session(sealed)
        return held[0] if held else None
    return bearer_of(request)


def is_by_token(request: HttpRequest) -> bool:
    """Whether the session comes by a header, not by the cookie."""
    return bool(request.META.get("HTTP_X_SESSION_TOKEN")) or conf.cookies().session_name not in request.COOKIES


def bearer_of(request: HttpRequest) -> str | None:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def has_credential(request: HttpRequest) -> bool:
    return bool(request.META.get("HTTP_X_SESSION_TOKEN") or request.COOKIES.get(conf.cookies().session_name) or bearer_of(request))


def session_of(request: HttpRequest, *, whole: bool = False) -> Session | None:
    """Return the live session of this request with its identity, or None. Looked up once per request; *whole*: see `find_by_token`."""
    found = getattr(request, "vestibule_session", _UNKNOWN)
    if found is _UNKNOWN:
        token = token_of(request)
        found = services.find_by_token(token, whole=whole) if token else None
        request.vestibule_session = found  # type: ignore[attr-defined]
    return found  # type: ignore[return-value]


def require_aal(session: Session, rule: str, redirect_to: str) -> None:
    """Refuse a session that is below what *rule* asks for: "aal1", "aal2" or "highest_available" of its identity.

    Raises:
        SessionAAL2Required: with `redirect_browser_to`, where the second factor is asked for.
    """
    if rule == aal.AAL1 or session.aal == aal.AAL2:
        return
    if rule == HIGHEST and session.identity.available_aal != aal.AAL2:
        return
    raise SessionAAL2Required(
        "The account has a second factor that was not used in this session.",
        details={"redirect_browser_to": redirect_to},
        extra={"redirect_browser_to": redirect_to},
    )


def step_up_url(**query: str) -> str:
    """Return where a browser is sent to use its second factor."""
    return problems.with_query(conf.public_url("/self-service/login/browser"), aal="aal2", **query)
