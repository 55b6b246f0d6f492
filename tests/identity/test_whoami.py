"""The fast answer of /sessions/whoami: the view's, word for word, from one statement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from identity import config
from identity.api import whoami
from identity.identities import services
from identity.sessions import services as sessions
from identity.sessions.models import Session
from tests import short_way

pytestmark = pytest.mark.django_db

ADDRESS = 'ada+"verified_at":null@example.org'


@pytest.fixture
def opened() -> sessions.OpenedSession:
    """Ada's session; her traits hold what a careless JSON builder would trip over."""
    identity = services.propose("", {"email": "ada@example.org", "name": {"first": '", "verified_at" : null', "last": "Ünïcødé\\"}})
    identity.metadata_public = {"plan": [1, 2.5, None, True], "text": "</script>"}
    services.derive(identity)
    services.create(identity)
    fresh = sessions.issue(
        identity, [sessions.proof("password", "aal1")], {"id": "1", "ip_address": "::1", "user_agent": "x", "location": ""}
    )
    sessions.save(fresh)
    return fresh


def fast(token: str = "", query: str = "", **more: str) -> dict[str, Any] | None:
    """Return the fast answer, None where it leaves the request to the view."""
    answer = short_way.ask(whoami.SHORTCUTS, whoami.PATH, query, **(({"HTTP_X_SESSION_TOKEN": token} if token else {}) | more))
    return json.loads(answer[2]) if answer and answer[0] == 200 else None


def test_it_says_what_the_view_says(opened: sessions.OpenedSession) -> None:
    seen = Client().get(whoami.PATH, headers={"Authorization": f"Bearer {opened.token}"}).json()

    assert fast(opened.token) == seen
    assert seen["identity"]["traits"]["name"]["first"] == '", "verified_at" : null'


def test_it_says_when_an_address_was_verified(opened: sessions.OpenedSession) -> None:
    services.prove_address(opened.session.identity, "email", "ada@example.org")

    seen = fast(opened.token)

    assert seen is not None
    assert seen["identity"]["verifiable_addresses"][0]["verified_at"].endswith("Z")
    assert seen == Client().get(whoami.PATH, headers={"Authorization": f"Bearer {opened.token}"}).json()


def test_it_asks_the_database_once(opened: sessions.OpenedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    if connection.vendor == "sqlite":
        connection.connection.set_trace_callback(asked.append)
        assert fast(opened.token)
        connection.connection.set_trace_callback(None)
        assert len(asked) == 1


@pytest.mark.parametrize("why", ["revoked", "expired", "inactive"])
def test_it_leaves_a_dead_session_to_the_view(opened: sessions.OpenedSession, why: str) -> None:
    if why == "revoked":
        sessions.revoke(opened.session)
    elif why == "expired":
        Session.objects.update(expires_at=timezone.now())
    else:
        identity = opened.session.identity
        identity.state = "inactive"
        identity.save()

    assert fast(opened.token) is None
    assert Client().get(whoami.PATH, headers={"X-Session-Token": opened.token}).status_code == 401


def test_it_leaves_a_session_below_its_level_to_the_view(opened: sessions.OpenedSession) -> None:
    identity = opened.session.identity
    identity.available_aal = "aal2"
    identity.save()

    with config.override({"session": {"whoami": {"required_aal": "highest_available"}}}):
        assert fast(opened.token) is None
        answer = Client().get(whoami.PATH, headers={"X-Session-Token": opened.token})
    assert answer.status_code == 403
    assert answer.json()["error"]["id"] == "session_aal2_required"


@pytest.mark.parametrize(
    "more",
    [
        {"REQUEST_METHOD": "POST"},
        {"query": "tokenize_as=x"},
        {"HTTP_ORIGIN": "https://app.example.org"},
        {"HTTP_AUTHORIZATION": "Bearer x"},
        {"HTTP_COOKIE": "ory_kratos_session=forged; ;=;x"},
        {"HTTP_X_SESSION_TOKEN": "ory_st_" + "x" * 500},
        {"HTTP_X_SESSION_TOKEN": "ory_st_' OR 1=1 --"},
    ],
    ids=str,
)
def test_it_leaves_what_it_does_not_know_to_the_view(more: dict[str, str]) -> None:
    assert fast(**more) is None
