"""Identities as operators create, read, replace, patch and delete them (contract: identities.md 3.1 to 3.6)."""

from __future__ import annotations

import copy
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from rest_framework.request import Request

from identity import conf
from identity.api import batch, credentials, drafts, listing, pagination, patching, representations
from identity.api.drafts import Draft
from identity.api.operator import OperatorView, body_of, object_of, text
from identity.errors import BadRequest, Conflict, Malformed, NotFound
from identity.http import bodies
from identity.http.views import json_response, no_content
from identity.identities import services
from identity.identities.models import Identity
from identity.ids import parse_uuid

PAGE, LONGEST, MOST_IDS = 250, 500, 500
FIRST = "00000000-0000-0000-0000-000000000000"
FILTERS = ("ids", "credentials_identifier", "preview_credentials_identifier_similar", "organization_id")


class Identities(OperatorView):
    """GET /identities: find. POST: create one. PATCH: create many."""

    def get(self, request: Request) -> HttpResponse:
        opened = credentials.asked_for(request)
        query, search = request.query_params, search_of(request.query_params)
        shown = bool(opened or query.get("credentials_identifier") or query.get("preview_credentials_identifier_similar"))
        numbered = pagination.Numbered.of(request._request)
        if search is None:  # an identifier that nobody can have
            found, response = [], json_response([])
        elif numbered:
            found = listing.find(search, numbered.size, numbered.offset, credentials=shown, opened=opened)
            response = json_response(found)
        else:
            return _by_key(request._request, search, shown, opened)
        (numbered or pagination.Numbered(0, PAGE)).announce(
            response, request._request, len(found) if query.get("credentials_identifier") else listing.count()
        )
        return response

    def post(self, request: Request) -> HttpResponse:
        draft = Draft.of(object_of(request))
        credentials.hash_plain(draft.imported)
        identity = draft.propose()
        try:
            with transaction.atomic():
                services.create(identity)
        except services.Taken as taken:
            raise Conflict("Somebody has this identifier, address or external id already.") from taken
        response = json_response(view(identity, omits_unset=True), 201)
        response["Location"] = f"{conf.listeners().admin}/identities/{identity.id}"
        return response

    def patch(self, request: Request) -> HttpResponse:
        return json_response({"identities": batch.create(request)})


def search_of(query: QueryDict) -> listing.Search | None:
    """Return the search that the query asks for, None for one that finds nobody. Raises BadRequest."""
    given = [name for name in FILTERS if query.get(name)]
    if len(given) > 1:
        raise BadRequest(f"These cannot be combined: {', '.join(given)}.")
    search = listing.Search()
    if "ids" in given:
        ids = {parse_uuid(id) for id in query.getlist("ids")}
        if None in ids or len(query.getlist("ids")) > MOST_IDS:
            raise BadRequest(f"`ids` are at most {MOST_IDS} UUIDs.")
        search.by_ids([id for id in ids if id is not None])
    elif "organization_id" in given:
        organization = parse_uuid(query.get("organization_id"))
        if organization is None:
            raise BadRequest("`organization_id` is not a UUID.")
        search.by_organization(organization)
    elif given:
        typed = query.get(given[0], "")
        if "\x00" in typed:
            return None
        (search.by_identifier if given[0] == "credentials_identifier" else search.by_beginning)(typed)
    return search


def _by_key(request: HttpRequest, search: listing.Search, shown: bool, opened: frozenset[str]) -> HttpResponse:
    size = pagination.size_of(request, PAGE, LONGEST)
    if token := request.GET.get("page_token"):
        last = parse_uuid(token)
        if last is None:
            raise BadRequest("This page token did not come from here.")
        search.after(last)
    found = listing.find(search, size + 1, credentials=shown, opened=opened)
    page = found[:size]
    response = json_response(page)
    pagination.announce_keys(response, request, size, FIRST, page[-1]["id"] if len(found) > size else None)
    return response


def view(identity: Identity, *, omits_unset: bool) -> dict[str, Any]:
    """What is answered to a write: all credentials, no config; an unset `metadata_admin` is left out of some answers."""
    identity.verifiable.sort(key=lambda row: row.id)
    identity.recovery.sort(key=lambda row: row.id)
    seen = representations.identity(identity, admin=True)
    seen["credentials"] = {type: _dated(credentials.view(row)) for type, row in sorted(identity.factors.items())}
    if omits_unset and identity.metadata_admin is None:
        del seen["metadata_admin"]
    return seen


def _dated(seen: dict[str, Any]) -> dict[str, Any]:
    return seen | {name: representations.moment(seen[name]) for name in ("created_at", "updated_at")}


class OneIdentity(OperatorView):
    """GET, PUT, PATCH, DELETE /identities/{id}. What is no UUID is nobody's id."""

    def get(self, request: Request, id: str) -> HttpResponse:
        opened, wanted = credentials.asked_for(request), parse_uuid(id)
        search = listing.Search()
        if wanted is None:
            raise NotFound
        search.by_ids([wanted])
        return _one(search, opened)

    def put(self, request: Request, id: str) -> HttpResponse:
        if bodies.content_type(request._request) != bodies.JSON:
            raise BadRequest("The Content-Type of this request is application/json.")
        try:
            body = object_of(request)
        except Malformed as problem:
            raise BadRequest(problem.title) from problem
        imported = credentials.read(body.get("credentials"), strict=False)
        schema_id, state, traits = text(body, "schema_id"), drafts.state(body), drafts.traits(body)
        external_id = drafts.external_id(body)
        credentials.hash_plain(imported)
        with transaction.atomic():
            before = services.lock(parse_uuid(id))
            after = services.revise(before)
            after.schema_id, after.state, after.traits = schema_id or before.schema_id, state or before.state, traits
            after.metadata_public, after.metadata_admin = body.get("metadata_public"), body.get("metadata_admin")
            after.external_id = external_id
            credentials.put(after, imported)
            services.derive(after)
            _update(before, after)
        return json_response(view(after, omits_unset=True))

    def patch(self, request: Request, id: str) -> HttpResponse:
        try:
            operations = body_of(request)
        except Malformed as problem:
            raise BadRequest(problem.title) from problem
        with transaction.atomic():
            before = services.lock(parse_uuid(id))
            after = services.revise(before)
            document = _patchable(before)
            patching.apply(document, operations)
            _take_over(after, document, _patchable(before))
            _update(before, after)
        return json_response(view(after, omits_unset="metadata_admin" not in document))

    def delete(self, request: Request, id: str) -> HttpResponse:
        with transaction.atomic():
            services.delete(services.lock(parse_uuid(id)))
        return no_content()


class ByExternalID(OperatorView):
    """GET /identities/by/external/{id}."""

    def get(self, request: Request, external_id: str) -> HttpResponse:
        opened = credentials.asked_for(request)
        if not external_id:
            raise BadRequest("The external id is empty.")
        if "\x00" in external_id:
            raise NotFound
        search = listing.Search()
        search.by_external_id(external_id)
        return _one(search, opened)


def _one(search: listing.Search, opened: frozenset[str]) -> HttpResponse:
    found = listing.find(search, 1, credentials=True, opened=opened)
    if not found:
        raise NotFound
    return json_response(found[0])


def _update(before: Identity, after: Identity) -> None:
    try:
        services.update(before, after)
    except services.Taken as taken:
        raise Conflict from taken


def _patchable(identity: Identity) -> dict[str, Any]:
    """Return the document that a patch works on: all that an operator sees, with every credential opened."""
    document = representations.identity(identity, admin=True)
    document["credentials"] = {type: _dated(credentials.view(row, opened=True)) for type, row in identity.factors.items()}
    return copy.deepcopy(document)


def _take_over(identity: Identity, document: dict[str, Any], before: dict[str, Any]) -> None:
    """Let *identity* become what a patched document says; computed and unknown members have no effect. Raises BadRequest."""
    if not drafts.state(document):
        raise BadRequest("`state` is active or inactive.")
    identity.schema_id, identity.state, identity.traits = text(document, "schema_id"), text(document, "state"), drafts.traits(document)
    identity.metadata_public, identity.metadata_admin = document.get("metadata_public"), document.get("metadata_admin")
    identity.external_id, identity.organization_id = drafts.external_id(document), drafts.organization_id(document)
    if document.get("state_changed_at") != before.get("state_changed_at"):
        identity.state_changed_at = drafts.moment(document, "state_changed_at")
    old = before.get("verifiable_addresses", [])
    drafts.addresses(document, "verifiable_addresses")
    changed = [entry for entry in document.get("verifiable_addresses") or [] if entry not in old]
    credentials.take_over(identity, document.get("credentials"), before["credentials"])
    services.derive(identity, [drafts.address(entry) for entry in changed])
