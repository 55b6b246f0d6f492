"""Many identities in one request, each answered for itself (contract: identities.md 3.8)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.request import Request

from identity.api import credentials
from identity.api.drafts import Draft
from identity.api.operator import Undecodable, object_of, only, text
from identity.errors import BadRequest, Conflict, Malformed, Problem
from identity.identities import services
from identity.identities.models import Identity
from identity.ids import parse_uuid

MOST, MOST_TO_HASH = 1000, 200
Outcome = Identity | Problem | None  # of one item: what shall be or is stored, what is wrong, or nothing asked for


def create(request: Request) -> list[dict[str, Any] | None]:
    """Create what can be created, and say of each item what came of it.

    Raises:
        Undecodable: The body is not what is documented.
        BadRequest: There is too much of it, or a state, a hash or an import cannot be used: then nothing is created.
        Conflict: There was something to create, and all of it is taken.
    """
    items = _items(request)
    drafts = [_draft(item) for item in items]
    if sum(credentials.PLAIN in draft.imported.get("password", {}) for draft in drafts if draft) > MOST_TO_HASH:
        raise BadRequest(f"At most {MOST_TO_HASH} passwords are hashed in one request.")
    for draft in drafts:
        if draft:
            credentials.hash_plain(draft.imported)
    outcomes = [_proposed(draft) for draft in drafts]
    wanted = [outcome for outcome in outcomes if isinstance(outcome, Identity)]
    if taken := _store(wanted):
        if len(taken) == len(wanted):
            raise Conflict("Somebody has these identifiers, addresses or external ids already.")
        outcomes = [taken.get(outcome.pk, outcome) if isinstance(outcome, Identity) else outcome for outcome in outcomes]
    return [_answer(item, outcome) for item, outcome in zip(items, outcomes, strict=True)]


def _items(request: Request) -> list[dict[str, Any]]:
    try:
        body = object_of(request)
        only(body, frozenset(("identities",)))
        items = body.get("identities") or []
        if not isinstance(items, list):
            raise Malformed('"identities" is not a list.')
        if len(items) <= MOST:
            for item in items:
                _require_item(item)
    except Malformed as problem:
        raise Undecodable(problem.title) from problem
    if len(items) > MOST:
        raise BadRequest(f"At most {MOST} identities are created in one request.")
    return items


def _require_item(item: Any) -> None:
    if not isinstance(item, dict) or not isinstance(item.get("create"), dict | None):
        raise Malformed('An item is an object with a member "create".')
    only(item, frozenset(("create", "patch_id")))
    if text(item, "patch_id") and parse_uuid(item["patch_id"]) is None:
        raise Malformed('"patch_id" is not a UUID.')


def _draft(item: dict[str, Any]) -> Draft | None:
    try:
        return Draft.of(item["create"]) if item.get("create") is not None else None
    except Malformed as problem:
        raise Undecodable(problem.title) from problem


def _proposed(draft: Draft | None) -> Outcome:
    try:
        return draft.propose() if draft else None
    except BadRequest as problem:
        return problem


def _store(identities: list[Identity]) -> dict[Any, Problem]:
    """Store all, or one by one if somebody has what one of them wants. Returns what was wrong, by key."""
    if not identities:
        return {}
    try:
        with transaction.atomic():
            services.create_all(identities)
        return {}
    except services.Taken:
        return _store_each(identities)


def _store_each(identities: list[Identity]) -> dict[Any, Problem]:
    taken: dict[Any, Problem] = {}
    with transaction.atomic():
        for identity in identities:
            try:
                with transaction.atomic():
                    services.create(identity)
            except services.Taken:
                taken[identity.pk] = Conflict()
    return taken


def _answer(item: dict[str, Any], outcome: Outcome) -> dict[str, Any] | None:
    if outcome is None:
        return None
    mark = {"patch_id": item["patch_id"].lower()} if item.get("patch_id") else {}
    if isinstance(outcome, Identity):
        return {"action": "create", "identity": str(outcome.pk)} | mark
    return {"action": "error", "error": outcome.as_dict()} | mark
