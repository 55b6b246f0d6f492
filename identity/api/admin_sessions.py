"""Sessions as operators see, prolong and end them (contract: identities.md 3.9)."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from identity import conf
from identity.api import pagination, representations
from identity.api.operator import OperatorView, flag, object_of
from identity.api.pagination import NEWEST, Moment
from identity.errors import BadRequest, Malformed, NotFound
from identity.http import listener
from identity.http.views import json_response, no_content
from identity.ids import parse_uuid
from identity.sessions import services
from identity.sessions.models import Session

PAGE, LONGEST = 250, 1000
MOST_IDS, AT_ONCE = 500, 5000  # ids in one request, rows of one wildcard call
EVERYBODY = "*"
EXPANDABLE = frozenset(("identity", "devices"))


def _id(text: str) -> uuid.UUID:
    """Raises Malformed."""
    found = parse_uuid(text)
    if found is None:
        raise Malformed("That is not a UUID.")
    return found


def _expanded(request: Request) -> frozenset[str]:
    """Return what shall be shown beside the session itself. Raises BadRequest."""
    wanted = frozenset(name.lower() for name in request.query_params.getlist("expand"))
    if wanted - EXPANDABLE:
        raise BadRequest("`expand` is identity or devices.")
    return wanted


def _filtered(rows: QuerySet[Session], active: bool | None) -> QuerySet[Session]:
    if active is None:
        return rows
    return rows.filter(services.live()) if active else rows.exclude(services.live())


def _listed(session: Session, expanded: frozenset[str], hidden_devices: list[Any] | None) -> dict[str, Any]:
    """Return a session as lists show it: its person without addresses, which would cost two queries more."""
    session.identity.verifiable, session.identity.recovery = [], []
    return _view(session, expanded, hidden_devices)


def _view(session: Session, expanded: frozenset[str], hidden_devices: list[Any] | None) -> dict[str, Any]:
    seen = representations.session(session, admin=True, with_identity="identity" in expanded)
    if "devices" not in expanded:
        seen["devices"] = hidden_devices
    return seen


class Sessions(OperatorView):
    """GET /sessions: all of them, newest first. POST: end or forget many. DELETE belongs to the public listener."""

    def get(self, request: Request) -> HttpResponse:
        active, expanded = flag(request, "active"), _expanded(request)
        size = pagination.size_of(request._request, PAGE, LONGEST, Malformed)
        rows = _after(_filtered(Session.objects.select_related("identity"), active), request.query_params.get("page_token", ""))
        found = list(rows.order_by("-created_at", "-id")[: size + 1])
        response = json_response([_listed(row, expanded, None) for row in found[:size]])
        following = Moment(found[size - 1].created_at, found[size - 1].id).token() if len(found) > size else None
        pagination.announce_keys(response, request._request, size, NEWEST.token(), following)
        return response

    def post(self, request: Request) -> HttpResponse:
        body = object_of(request)
        action, rows, is_wildcard = body.get("action"), *_chosen(body)
        if action == "disable":
            processed = services.end(_some(rows.filter(active=True)) if is_wildcard else rows)
        elif action == "delete":
            processed = services.remove(_some(rows) if is_wildcard else rows)
        else:
            raise BadRequest("`action` is disable or delete.")
        return json_response({"processed": processed, "more": is_wildcard and processed == AT_ONCE})

    def delete(self, request: Request) -> HttpResponse:
        return listener.to_public(request._request)


def _after(rows: QuerySet[Session], token: str) -> QuerySet[Session]:
    if not token:
        return rows
    try:
        last = Moment.of(token)
    except ValueError as error:
        raise Malformed("This page token did not come from here.") from error
    return rows.filter(Q(created_at__lt=last.at) | Q(created_at=last.at, id__lt=last.id), created_at__lte=last.at)


def _chosen(body: dict[str, Any]) -> tuple[QuerySet[Session], bool]:
    """Return the sessions that a bulk request means, and whether they are simply all. Raises BadRequest."""
    lists = {name: body.get(name) or [] for name in ("identities", "sessions")}
    if not all(isinstance(ids, list) for ids in lists.values()) or bool(lists["identities"]) == bool(lists["sessions"]):
        raise BadRequest("Exactly one of `identities` and `sessions` is a list of ids.")
    if lists["identities"] == [EVERYBODY]:
        return Session.objects.all(), True
    name = "identities" if lists["identities"] else "sessions"
    ids = [found for id in lists[name] if (found := parse_uuid(id))]
    if len(ids) < len(lists[name]) or len(ids) > MOST_IDS:
        raise BadRequest(f"`{name}` are at most {MOST_IDS} UUIDs.")
    return (Session.objects.filter(identity_id__in=ids) if name == "identities" else Session.objects.filter(pk__in=ids)), False


def _some(rows: QuerySet[Session]) -> QuerySet[Session]:
    return Session.objects.filter(pk__in=rows.order_by("pk").values("pk")[:AT_ONCE])


class OneSession(OperatorView):
    """GET /sessions/{id}. DELETE: end it; its row stays."""

    def get(self, request: Request, id: str) -> HttpResponse:
        wanted, expanded = _id(id), _expanded(request)
        session = Session.objects.select_related("identity").filter(pk=wanted).first()
        if session is None:
            raise NotFound
        return json_response(_view(session, expanded, []))

    def delete(self, request: Request, id: str) -> HttpResponse:
        session = Session.objects.filter(pk=_id(id)).first()
        if session is None:
            raise NotFound
        services.revoke(session)
        return HttpResponse(status=204, content_type="application/json")  # upstream names a type for nothing


class Extend(OperatorView):
    """PATCH /sessions/{id}/extend: prolong it, if it is near enough to its end."""

    def patch(self, request: Request, id: str) -> HttpResponse:
        wanted = _id(id)
        with transaction.atomic():
            session = Session.objects.select_for_update(of=("self",)).select_related("identity").filter(pk=wanted).first()
            if session is None:
                raise NotFound
            services.extend(session)
        if conf.sessions().faster_extend:
            return no_content()
        return json_response(representations.session(session) | {"devices": []})


class SessionsOfIdentity(OperatorView):
    """GET /identities/{id}/sessions: one person's sessions, newest first. DELETE: forget them for good."""

    def get(self, request: Request, id: str) -> HttpResponse:
        rows = _filtered(Session.objects.filter(identity_id=_id(id)), flag(request, "active"))
        page = pagination.Mixed.of(request._request)
        found = page.rows(rows.select_related("identity").order_by("-created_at", "-id"))
        response = json_response([_listed(row, EXPANDABLE, []) for row in found])
        page.announce(response, request._request)
        return response

    def delete(self, request: Request, id: str) -> HttpResponse:
        if not services.remove(Session.objects.filter(identity_id=_id(id))):
            raise NotFound
        return no_content()
