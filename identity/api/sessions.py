"""A person's own sessions (contract: flows.md 12.4, 12.5)."""

from __future__ import annotations

import uuid
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from identity import conf
from identity.api import pagination, representations
from identity.errors import Malformed, Unauthorized
from identity.http import cookies
from identity.http.negotiation import JSON
from identity.http.views import JSONView, json_response
from identity.ids import parse_uuid
from identity.sessions import authentication, services
from identity.sessions.models import Session


def current(request: HttpRequest) -> Session:
    """Return the session of this request. Raises Unauthorized."""
    session = authentication.session_of(request)
    if session is None:
        raise Unauthorized("There is no active session in this request.")
    return session


class WhoAmI(JSONView):
    """/sessions/whoami, by any verb: who is signed in here.

    The same answer as identity/api/whoami.py gives before the framework is reached; that one leaves to this view what it
    does not know: tokens as JWT, other verbs.
    """

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        request.method = "GET"
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def get(self, request: HttpRequest) -> HttpResponse:
        session = current(request)
        authentication.require_aal(session, conf.sessions().whoami_aal, authentication.step_up_url())
        response = json_response(representations.session(session))
        response["X-Kratos-Authenticated-Identity-Id"] = str(session.identity_id)
        cache_for(response, session)
        prolong_cookie(request, response, session)
        return response

    def problem(self, request: HttpRequest, problem: Exception) -> HttpResponse:
        response = super().problem(request, problem)  # type: ignore[arg-type]
        if isinstance(problem, Unauthorized) and conf.sessions().cacheable and not authentication.has_credential(request):
            response["Ory-Session-Cache-For"] = "60"
        return response


def cache_for(response: HttpResponse, session: Session) -> None:
    """Tell a gateway for how many seconds it may keep the answer (feature_flags.cacheable_sessions)."""
    rules = conf.sessions()
    if rules.cacheable:
        left = session.expires_at - timezone.now()
        response["Ory-Session-Cache-For"] = str(max(0, int(min(left, rules.cacheable_max_age or left).total_seconds())))


def prolong_cookie(request: HttpRequest, response: HttpResponse, session: Session) -> None:
    """Send the cookie anew when the session was prolonged since; only to the browser that holds it."""
    if request.META.get("HTTP_X_SESSION_TOKEN"):
        return
    held = cookies.read_session(request.COOKIES.get(conf.cookies().session_name, ""))
    if held and session.expires_at.timestamp() > held[1] + 1:
        cookies.set_session_token(response, held[0], session.expires_at)


class MySessions(JSONView):
    """GET /sessions: the person's other sessions. DELETE /sessions: end them."""

    http_method_names = ["get", "head", "delete"]

    def get(self, request: HttpRequest) -> HttpResponse:
        mine = current(request)
        authentication.require_aal(mine, conf.sessions().whoami_aal, authentication.step_up_url())
        page = pagination.Mixed.of(request)
        rows = page.read(partial(services.others, mine), partial(services.count_others, mine))
        response = json_response(representations.sessions_of(mine.identity, rows))
        page.announce(response, request)
        return response

    def delete(self, request: HttpRequest) -> HttpResponse:
        mine = current(request)
        authentication.require_aal(mine, conf.sessions().whoami_aal, authentication.step_up_url())
        return json_response({"count": services.revoke_others(mine.identity, keep=mine)})


class MySession(JSONView):
    """DELETE /sessions/{id}: end one of the person's other sessions."""

    http_method_names = ["delete"]

    def delete(self, request: HttpRequest, id: str) -> HttpResponse:
        mine = current(request)
        wanted = parse_uuid(id)
        if wanted is None:
            raise Malformed("That is not the id of a session.")
        if wanted == mine.id:
            raise Malformed("The current session ends by signing out.")
        _revoke_own(mine, wanted)
        return HttpResponse(status=204, content_type=JSON)


def _revoke_own(mine: Session, wanted: uuid.UUID) -> None:
    """End it if it is theirs; who asks for another's learns nothing."""
    for row in Session.objects.filter(pk=wanted, identity_id=mine.identity_id, active=True):
        services.revoke(row)
