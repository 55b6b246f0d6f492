"""Three views serve every flow: start it, fetch it, submit it."""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from flows import conf, engine, present
from flows.errors import FlowDisabled, FlowRefused, MethodOff
from flows.kind import FlowKind
from flows.outcome import Elsewhere
from flows.visit import BROWSER, Visit
from identity.errors import NotFound, Problem, Unauthorized
from identity.http import problems
from identity.http.models import ParkedError
from identity.http.views import JSONView, json_response
from identity.ids import parse_uuid


class FlowView(JSONView):
    """`kind` is given by urls.py, one route per flow; as_view() needs the name."""

    kind: FlowKind[Any] = None  # type: ignore[assignment]
    type = BROWSER

    def problem(self, request: HttpRequest, problem: Problem) -> HttpResponse:
        return present.problem(Visit(request, self.type), problem)


class CreateFlow(FlowView):
    """GET /self-service/<flow>/browser or /api."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        visit = Visit(request, self.type)
        try:
            return present.started(visit, self.kind.open(visit))
        except Problem as problem:
            return present.problem(visit, problem, always_json=self.kind.tells_in_json and not isinstance(problem, MethodOff | FlowRefused))


class GetFlow(FlowView):
    """GET /self-service/<flow>/flows?id=: errors are JSON for every client, but for what is switched off and who is not signed in.

    When all goes well fetching.py has answered before.
    """

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        visit = Visit(request)
        try:
            return present.fetched(visit, self.kind.fetch(visit))
        except Unauthorized as problem:
            if visit.is_json or self.kind.name != "settings":
                return present.problem(visit, problem, always_json=True)
            return present.submitted(visit, Elsewhere(conf.flow("login").ui_url, 302))
        except Problem as problem:
            return present.problem(visit, problem, always_json=not isinstance(problem, FlowDisabled | MethodOff))


class SubmitFlow(FlowView):
    """POST /self-service/<flow>?flow=: one submission, by one method. GET resumes what waited (contract: flows.md 4)."""

    http_method_names = ["get", "post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self._answered(Visit(request))
        if (left := began + self.kind.takes_at_least - time.monotonic()) > 0:
            time.sleep(left)
        return response

    def _answered(self, visit: Visit) -> HttpResponse:
        try:
            return present.submitted(visit, engine.submit(visit, self.kind))
        except Problem as problem:
            return present.problem(visit, problem)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.post(request)


class Errors(JSONView):
    """GET /self-service/errors?id=: what ended a browser's request."""

    http_method_names = ["get", "head"]
    SAMPLE = "stub:500"

    def get(self, request: HttpRequest) -> HttpResponse:
        id = request.GET.get("error") or request.GET.get("id", "")
        if id == self.SAMPLE:
            now = timezone.now()
            return json_response(
                {"id": str(uuid.uuid4()), "error": Problem("This is an example.").as_dict(), "created_at": now, "updated_at": now}
            )
        key = parse_uuid(id)
        parked = ParkedError.objects.filter(pk=key).first() if key else None
        if parked is None:
            raise NotFound
        return json_response(
            {"id": str(parked.id), "error": parked.error, "created_at": parked.created_at, "updated_at": parked.updated_at}
        )


class ChangePassword(JSONView):
    """GET /.well-known/change-password: where a password manager sends its person (W3C, A Well-Known URL for Changing Passwords)."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return problems.redirect(request, conf.flow("settings").ui_url)
