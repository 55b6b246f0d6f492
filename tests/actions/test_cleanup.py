"""manage.py cleanup deletes what is over, and nothing else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.delivery.models import Delivery, DeliveryAttempt, DevRequest
from flows.models import Code, LoginFlow, ParkedSubmission, PendingChange, SettingsFlow, TokenExchange, VerificationFlow
from identity.credentials.models import GuessCount
from identity.http.models import ParkedError
from identity.identities.models import Identity
from identity.ids import oldest_uuid7
from identity.sessions.models import Session
from tests.factor_journeys import make_person

pytestmark = pytest.mark.django_db
OLD, YOUNG = timedelta(days=40), timedelta(hours=1)
MODELS: list[Any] = [
    *(LoginFlow, SettingsFlow, VerificationFlow, Code, ParkedSubmission, PendingChange, TokenExchange),
    *(Session, ParkedError, GuessCount, Delivery, DeliveryAttempt, DevRequest),
]


@pytest.fixture
def ada() -> Identity:
    return make_person("ada@example.org")


def leave(ada: Identity, age: timedelta, status: str = Delivery.SENT) -> Delivery:
    """Leave a row of everything behind that was over so long ago."""
    at = timezone.now() - age
    LoginFlow.objects.create(request_url="http://localhost/", expires_at=at)
    flow = SettingsFlow.objects.create(request_url="http://localhost/", expires_at=at, identity=ada)
    proof = VerificationFlow.objects.create(request_url="http://localhost/", expires_at=at)
    session = Session.objects.create(identity=ada, token_hash=str(age), expires_at=at, issued_at=at, authenticated_at=at)
    PendingChange.objects.all().delete()
    PendingChange.objects.create(
        identity=ada, session=session, settings_flow=flow, verification_flow=proof, via="email", address="x", traits=""
    )
    Code.objects.create(flow_id=proof.pk, purpose="verification", via="email", address="x", code_hash="x", expires_at=at)
    ParkedSubmission.objects.create(flow=flow, identity=ada, payload="", expires_at=at)
    TokenExchange.objects.create(kind="login", flow_id=proof.pk, init_hash=str(age), expires_at=at)
    ParkedError.objects.create(error={}, created_at=at)
    GuessCount.objects.create(identity=ada, factor=str(age), device="", last_at=at, wrong=1)
    DevRequest.objects.create(name="x", method="POST", at=at)
    made = Delivery.objects.create(pk=key(at), channel="email", status=status, message_id=str(age) + status, content="", created_at=at)
    DeliveryAttempt.objects.create(delivery=made, number=1, started_at=at)
    return made


def key(at: Any) -> Any:
    return uuid.UUID(int=oldest_uuid7(at).int | uuid.uuid4().int >> 64)


def clean(*arguments: str) -> str:
    out = StringIO()
    call_command("cleanup", *arguments, stdout=out)
    return out.getvalue()


def left() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in MODELS}


def test_it_deletes_what_is_over(ada: Identity) -> None:
    leave(ada, OLD)

    clean()

    assert not any(left().values())
    assert Identity.objects.exists()


def test_it_keeps_what_ended_a_short_while_ago_and_what_lives(ada: Identity) -> None:
    for age in (YOUNG, -YOUNG):
        leave(ada, age)
    before = left()

    clean()

    assert left() == before


def test_keep_last_says_how_long_ago(ada: Identity) -> None:
    leave(ada, timedelta(hours=3))

    clean("--keep-last", "2h", "--keep-sent", "2h")

    assert {name for name, count in left().items() if count} == {"GuessCount"}  # kept for a day longer


def test_what_was_given_up_or_waits_stays(ada: Identity) -> None:
    for status in (Delivery.ABANDONED, Delivery.QUEUED):
        Delivery.objects.create(pk=key(timezone.now() - OLD), channel="webhook", status=status, message_id=status, content="x")

    clean()

    assert Delivery.objects.count() == 2


def test_what_an_inbox_got_within_the_hour_stays_counted(ada: Identity) -> None:
    leave(ada, timedelta(minutes=30))

    clean("--keep-sent", "0s")

    assert Delivery.objects.count() == 1


def test_it_works_in_batches(ada: Identity) -> None:
    for _ in range(25):
        LoginFlow.objects.create(request_url="http://localhost/", expires_at=timezone.now() - OLD)

    with CaptureQueriesContext(connection) as queries:
        said = clean("--batch-size", "10")

    assert "25 login flows" in said
    assert sum(query["sql"].startswith('DELETE FROM "flows_loginflow"') for query in queries) == 3


@pytest.mark.parametrize("wrong", [("--keep-last", "soon"), ("--batch-size", "0")])
def test_a_wrong_argument_is_said(wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        clean(*wrong)
