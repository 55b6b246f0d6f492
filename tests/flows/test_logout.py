"""An app gives its token back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from identity.identities.models import Identity
from identity.sessions import services as sessions
from identity.sessions.models import Session
from tests.factor_journeys import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Identity:
    return make_person("ada@example.org")


def sign_in(identity: Identity) -> str:
    opened = sessions.issue(identity, [sessions.proof("password", "aal1")])
    sessions.save(opened)
    return opened.token


def give_back(token: Any) -> int:
    answer = Client().delete("/self-service/logout/api", {"session_token": token}, content_type="application/json")
    return int(answer.status_code)


def test_it_ends_this_session_and_no_other(ada: Identity) -> None:
    token, other = sign_in(ada), sign_in(ada)

    assert give_back(token) == 204

    assert sessions.find_by_token(token) is None
    assert sessions.find_by_token(other) is not None


def test_it_takes_one_statement(ada: Identity) -> None:
    token = sign_in(ada)

    with CaptureQueriesContext(connection) as captured:
        give_back(token)

    assert [query["sql"].split()[0] for query in captured.captured_queries] == ["UPDATE"]


def test_a_token_that_was_given_back_before_is_fine(ada: Identity) -> None:
    token = sign_in(ada)

    assert [give_back(token), give_back(token)] == [204, 204]


@pytest.mark.parametrize("token", ["", "ory_st_" + "a" * 32, "%", "\x00", "x" * 100_000, None, 5, ["a"], {"in": "a"}])
def test_what_never_opened_anything_is_refused(ada: Identity, token: object) -> None:
    sign_in(ada)

    assert give_back(token) == 403
    assert Session.objects.filter(active=True).count() == 1
