"""Signing out (contract: flows.md 13)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from flows import conf, present
from flows.visit import API, Visit
from identity import conf as identity_conf
from identity.errors import BadRequest, Forbidden, Problem, SessionInactive
from identity.http import bodies, cookies, negotiation, problems, return_to
from identity.http.views import JSONView, json_response, no_content
from identity.sessions import authentication
from identity.sessions import services as sessions


class LogoutLink(JSONView):
    """GET /self-service/logout/browser: the address that signs this browser out."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        session = authentication.session_of(request)
        if session is None:
            raise SessionInactive("Nobody is signed in here.")
        wanted = request.GET.get("return_to", "")
        return_to.resolve(wanted, _default())
        token = sessions.logout_token(session)
        url = problems.with_query(
            identity_conf.public_url("/self-service/logout"), token=token, **({"return_to": wanted} if wanted else {})
        )
        return json_response({"logout_url": url, "logout_token": token})

    def problem(self, request: HttpRequest, problem: Problem) -> HttpResponse:
        return present.problem(Visit(request), problem)


def _default() -> str:
    return conf.logout_url() or return_to.default()


class Logout(JSONView):
    """GET /self-service/logout?token=: sign out, and go where one wanted to go."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        if not token:
            raise BadRequest("The address lacks its token.")
        session = authentication.session_of(request)
        if session is None:
            raise SessionInactive("Nobody is signed in here.")
        if not sessions.is_logout_token(session, token):
            raise Forbidden("The token does not belong to this session.")
        sessions.revoke(session)
        visit = Visit(request)
        visit.renew_csrf()
        try:
            goes_to = return_to.resolve(request.GET.get("return_to", ""), _default())
        except Problem as problem:  # signed out all the same
            return self._signed_out(present.problem(visit, problem))
        return self._signed_out(no_content() if negotiation.is_json(request) else problems.redirect(request, goes_to))

    def _signed_out(self, response: HttpResponse) -> HttpResponse:
        cookies.clear_session(response)
        if conf.clears_browser_data() and identity_conf.listeners().public.startswith("https://"):
            response["Clear-Site-Data"] = '"cookies", "storage", "cache"'
        return response

    def problem(self, request: HttpRequest, problem: Problem) -> HttpResponse:
        return present.problem(Visit(request), problem)


class LogoutApp(JSONView):
    """DELETE /self-service/logout/api: an app gives its token back. One that was given back before is fine too."""

    http_method_names = ["delete"]

    def delete(self, request: HttpRequest) -> HttpResponse:
        token: Any = bodies.json_object(request).get("session_token")
        if not isinstance(token, str) or not token or not sessions.revoke_by_token(token):
            raise Forbidden("There is no such session.")
        return no_content()

    def problem(self, request: HttpRequest, problem: Problem) -> HttpResponse:
        return present.problem(Visit(request, API), problem)
