"""Messages and deliveries as operators see them (contract: identities.md 3.11; deliveries are our own)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from actions.delivery import outbox
from actions.delivery.models import Delivery, DeliveryAttempt
from identity import conf
from identity.api import pagination
from identity.api.operator import OperatorView, Undecodable
from identity.api.representations import moment
from identity.errors import BadRequest, Conflict, Malformed, NotFound, Problem
from identity.http.views import json_response
from identity.ids import parse_uuid

MESSAGES = (Delivery.EMAIL, Delivery.SMS)
PROCESSING = "processing"
STATUSES = (Delivery.QUEUED, PROCESSING, Delivery.SENT, Delivery.ABANDONED)
CHANNELS = (Delivery.WEBHOOK, *MESSAGES)
HIDDEN = "<hidden outside of development mode>"
FIRST = uuid.UUID(int=2**128 - 1)  # after every key: lists are newest first


def _shown() -> QuerySet[Delivery]:
    """Every delivery but those that were made for nobody."""
    return Delivery.objects.exclude(status=Delivery.WITHHELD)


def status_of(delivery: Delivery) -> str:
    """Return the status as operators know it: a row that somebody has claimed is being processed."""
    claimed = delivery.status == Delivery.QUEUED and delivery.lease_until is not None and delivery.lease_until > timezone.now()
    return PROCESSING if claimed else delivery.status


def _in_status(rows: QuerySet[Delivery], status: str) -> QuerySet[Delivery]:
    """Raises BadRequest for a status that there is not."""
    if status not in STATUSES:
        raise BadRequest(f"`status` is one of {', '.join(STATUSES)}.")
    claimed = Q(status=Delivery.QUEUED, lease_until__gt=timezone.now())
    if status == PROCESSING:
        return rows.filter(claimed)
    return rows.filter(status=status).exclude(claimed) if status == Delivery.QUEUED else rows.filter(status=status)


def _page(
    rows: QuerySet[Delivery], token: str, size: int, read: Callable[[str], uuid.UUID | None], refuse: Callable[[str], Problem]
) -> tuple[list[Delivery], uuid.UUID | None]:
    """Return one page, newest first, and the key after which the next one begins."""
    if token:
        try:
            last = read(token)
        except ValueError:
            last = None
        if last is None:
            raise refuse("This page token did not come from here, or is too old.")
        rows = rows.filter(pk__lt=last)
    found = list(rows.order_by("-pk")[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None


def _exactly(rows: QuerySet[Delivery], column: str, value: str) -> QuerySet[Delivery]:
    return rows.none() if "\x00" in value else rows.filter(**{column: value})


# -- messages


class Messages(OperatorView):
    """GET /courier/messages: what was or will be sent to people."""

    def get(self, request: Request) -> HttpResponse:
        query, rows = request.query_params, _shown().filter(channel__in=MESSAGES)
        size = pagination.size_of(request._request, 10, 500, Undecodable)
        if status := query.get("status"):
            rows = _in_status(rows, status)
        if recipient := query.get("recipient"):
            rows = _exactly(rows, "target", recipient)
        found, following = _page(rows, query.get("page_token", ""), size, pagination.unsealed, Malformed)
        response = json_response([message(row) for row in found])
        pagination.announce_keys(
            response, request._request, size, pagination.sealed(FIRST), pagination.sealed(following) if following else None
        )
        return response


class OneMessage(OperatorView):
    """GET /courier/messages/{id}: one message with its attempts."""

    def get(self, request: Request, id: str) -> HttpResponse:
        found = _find(id, _shown().filter(channel__in=MESSAGES))
        attempts = [_dispatch(row) for row in reversed(found.tries.all())]
        return json_response(message(found) | ({"dispatches": attempts} if attempts else {}))


def _find(id: str, rows: QuerySet[Delivery]) -> Delivery:
    """Return a delivery with its attempts. Raises Malformed, NotFound."""
    wanted = parse_uuid(id)
    if wanted is None:
        raise Malformed("That is not a UUID.")
    found = rows.filter(pk=wanted).prefetch_related(Prefetch("tries", DeliveryAttempt.objects.order_by("started_at"))).first()
    if found is None:
        raise NotFound
    return found


def message(delivery: Delivery) -> dict[str, Any]:
    """What is seen of a message. What it says may be a code, so only a development server shows it."""
    content = outbox.content_of(delivery) if conf.is_dev() else {"body": HIDDEN, "subject": HIDDEN}
    return {
        "id": str(delivery.id),
        "status": status_of(delivery),
        "type": delivery.channel,
        "recipient": delivery.target,
        "body": content.get("body", ""),
        "subject": content.get("subject", ""),
        "template_type": delivery.subject,
        "channel": delivery.channel,
        "send_count": delivery.attempts,
        "created_at": moment(delivery.created_at),
        "updated_at": moment(delivery.updated_at),
    }


def _dispatch(attempt: DeliveryAttempt) -> dict[str, Any]:
    at = moment(attempt.started_at)
    seen = {"id": str(attempt.id), "message_id": str(attempt.delivery_id), "status": "success" if attempt.is_success else "failed"}
    error = {} if attempt.is_success else {"error": {"code": 500, "status": "Internal Server Error", "message": attempt.error}}
    return seen | error | {"created_at": at, "updated_at": at}


# -- deliveries


class Deliveries(OperatorView):
    """GET /deliveries: webhooks and messages, newest first."""

    def get(self, request: Request) -> HttpResponse:
        query, rows = request.query_params, _shown().defer("content")
        size = pagination.size_of(request._request, 250, 500)
        if status := query.get("status"):
            rows = _in_status(rows, status)
        if channel := query.get("channel"):
            if channel not in CHANNELS:
                raise BadRequest(f"`channel` is one of {', '.join(CHANNELS)}.")
            rows = rows.filter(channel=channel)
        if hook := query.get("hook"):
            rows = _exactly(rows, "hook", hook)
        found, following = _page(rows, query.get("page_token", ""), size, parse_uuid, BadRequest)
        response = json_response([delivery(row) for row in found])
        pagination.announce_keys(response, request._request, size, str(FIRST), str(following) if following else None)
        return response


class OneDelivery(OperatorView):
    """GET /deliveries/{id}: one delivery with its attempts."""

    def get(self, request: Request, id: str) -> HttpResponse:
        found = _find(id, _shown().defer("content"))
        return json_response(delivery(found) | {"attempts": [_attempt(row) for row in found.tries.all()]})


class Replay(OperatorView):
    """POST /deliveries/{id}/replay: send it again."""

    def post(self, request: Request, id: str) -> HttpResponse:
        found = _find(id, _shown())
        if not outbox.requeue(Delivery.objects.filter(pk=found.pk)):
            raise Conflict("It was sent, and what it said is not kept.")
        found.refresh_from_db()
        return json_response(delivery(found), 202)


def delivery(row: Delivery) -> dict[str, Any]:
    """What is seen of a delivery; never what it says."""
    return {
        "id": str(row.id),
        "channel": row.channel,
        "status": status_of(row),
        "message_id": row.message_id,
        "subject": row.subject,
        "target": row.target,
        "hook": row.hook,
        "flow_id": str(row.flow_id) if row.flow_id else None,
        "identity_id": str(row.identity_id) if row.identity_id else None,
        "attempt_count": row.attempts,
        "due_at": moment(row.due_at),
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }


def _attempt(row: DeliveryAttempt) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "number": row.number,
        "started_at": moment(row.started_at),
        "took_ms": row.took_ms,
        "answer_status": row.answer_status,
        "answer": row.answer,
        "error": row.error,
    }
