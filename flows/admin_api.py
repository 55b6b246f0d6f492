"""Letting somebody back in on their behalf: codes and links that an operator hands over (contract: identities.md 3.10)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from flows import codes, conf, letters, states
from flows.methods.code import CodeMethod
from flows.methods.link import LinkMethod
from flows.models import Flow, RecoveryFlow
from flows.ui import container
from identity.api.operator import OperatorView, object_of, text
from identity.errors import BadRequest, Malformed, NotFound
from identity.http import bodies, facts, problems, return_to
from identity.identities.models import Identity
from identity.ids import parse_uuid
from identity.sessions.services import rfc3339

GO_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h))+")
PIECE = re.compile(r"([0-9]+(?:\.[0-9]*)?)(ns|us|µs|ms|s|m|h)")
SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST = timedelta(days=365)


def lifespan_of(body: dict[str, Any], default: timedelta) -> timedelta:
    """Return `expires_in`, a duration such as 1h30m or 1.5h. Raises BadRequest."""
    asked = text(body, "expires_in")
    if not asked:
        return default
    if not GO_DURATION.fullmatch(asked):
        raise BadRequest(f'"expires_in" is no duration: {asked[:50]}.')
    lifespan = timedelta(seconds=min(sum(float(number) * SECONDS[unit] for number, unit in PIECE.findall(asked)), LONGEST.total_seconds()))
    if not lifespan:
        raise BadRequest('"expires_in" has to be longer than nothing.')
    return lifespan


def _body(request: Request) -> dict[str, Any]:
    """Raises BadRequest; here with a `reason`, as upstream."""
    if bodies.content_type(request._request) != bodies.JSON:
        raise BadRequest("Send JSON as application/json.")
    try:
        return object_of(request)
    except Malformed as malformed:
        raise BadRequest(malformed.title) from malformed


def _identity(body: dict[str, Any]) -> Identity | None:
    asked = text(body, "identity_id")
    key = parse_uuid(asked)
    if asked and key is None:
        raise BadRequest('"identity_id" is not a UUID.')
    return Identity.objects.filter(pk=key).first() if key else None


def _flow(request: HttpRequest, kind: str, method: str, lifespan: timedelta) -> RecoveryFlow:
    """Return a recovery flow that was begun for somebody, not stored. Raises ReturnToForbidden."""
    wanted = request.GET.get("return_to", "")
    return_to.resolve(wanted, return_to.default())
    now = timezone.now()
    return RecoveryFlow(
        type=kind,
        state=states.SENT_EMAIL,
        active=method,
        request_url=facts.url(request),
        internal={"operators": True},
        issued_at=now,
        expires_at=now + lifespan,
    )


class RecoveryCode(OperatorView):
    """POST /admin/recovery/code: a code, and the page that asks for it. Nothing is sent."""

    http_method_names = ["post"]

    def post(self, request: Request) -> Response:
        _require("code")
        body = _body(request)
        kind = text(body, "flow_type") or Flow.BROWSER
        if kind not in (Flow.BROWSER, Flow.API):
            raise BadRequest('"flow_type" is browser or api.')
        lifespan = lifespan_of(body, conf.codes().lifespan)
        flow = _flow(request._request, kind, "code", lifespan)
        identity = _identity(body)
        if identity is None:
            raise NotFound("There is no such identity.")
        form = [node for node in CodeMethod().recovery_code_nodes() if node["attributes"]["type"] != "hidden"]
        container.put(flow, form)
        with transaction.atomic():
            flow.save(force_insert=True)
            code = codes.issue(flow, "", "", identity, lifespan=lifespan, operators=True)
        link = problems.with_query(conf.flow("recovery").ui_url, flow=str(flow.id))
        return Response({"recovery_link": link, "recovery_code": code, "expires_at": rfc3339(flow.expires_at)}, status=201)


class RecoveryLink(OperatorView):
    """POST /admin/recovery/link: an address that lets somebody in, once, after one click. Nothing is sent."""

    http_method_names = ["post"]

    def post(self, request: Request) -> Response:
        _require("link")
        body = _body(request)
        lifespan = lifespan_of(body, conf.link_lifespan())
        flow = _flow(request._request, Flow.BROWSER, "link", lifespan)
        identity = _identity(body)
        if identity is None:
            raise BadRequest("There is no such identity.")
        container.put(flow, LinkMethod().recovery_nodes(flow))
        with transaction.atomic():
            flow.save(force_insert=True)
            token = codes.issue_link(flow, "", "", identity, lifespan=lifespan, operators=True)
        return Response({"recovery_link": letters.link_url(flow, token), "expires_at": rfc3339(flow.expires_at)})


def _require(method: str) -> None:
    """Raises NotFound."""
    if not conf.is_method_enabled(method):
        raise NotFound(f"The method {method} is switched off.")
