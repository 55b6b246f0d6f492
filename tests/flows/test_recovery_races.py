"""What becomes of a recovery when its account changes between the spent link and the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actions.delivery import outbox
from actions.delivery.models import Delivery
from flows import recovery
from identity import config
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import services as sessions
from identity.sessions.models import Session
from tests.factor_journeys import Page, configuration, make_person, said
from tests.server import merged

pytestmark = pytest.mark.django_db
ADA, NEW = "ada@example.org", "new@example.org"


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    more = {"methods": {"code": {"enabled": True}}, "flows": {"recovery": {"enabled": True, "use": "code"}}}
    with config.override(merged(configuration(), {"selfservice": more})):
        yield


@pytest.fixture
def ada() -> Identity:
    return make_person(ADA)


def changed(ada: Identity, change: Callable[[Identity], object]) -> None:
    before = Identity.objects.get(pk=ada.pk)
    after = services.revise(before)
    change(after)
    services.derive(after)
    services.update(before, after)


def new_password(after: Identity) -> None:
    services.put_credential(after, "password", {"hashed_password": "$2a$04$" + "a" * 53}, [ADA])


def new_address(after: Identity) -> None:
    after.traits = {"email": NEW}


def closed(after: Identity) -> None:
    after.state = Identity.INACTIVE


@pytest.mark.parametrize(("change", "id"), [(new_password, 4060006), (new_address, 4060006), (closed, 4010011)])
def test_it_opens_nothing_once_the_account_has_changed(
    ada: Identity, monkeypatch: pytest.MonkeyPatch, change: Callable[[Identity], object], id: int
) -> None:
    owner, visitor = Page(ada), Page()
    flow = visitor.start("recovery")
    flow = dict(visitor.submit(flow, method="code", email=ADA).json())
    code = outbox.content_of(Delivery.objects.latest("created_at", "id"))["data"]["recovery_code"]
    real = sessions.issue

    def issue(*arguments: Any, **more: Any) -> Any:
        """The code is spent, the session is not stored yet."""
        monkeypatch.setattr(recovery.sessions, "issue", real)
        changed(ada, change)
        return real(*arguments, **more)

    monkeypatch.setattr(recovery.sessions, "issue", issue)
    answer = visitor.submit(flow, method="code", code=code)

    new = visitor.client.get("/self-service/recovery/flows", {"id": answer["Location"].rpartition("=")[2]}, HTTP_ACCEPT="application/json")
    assert said(new.json()) == [id]
    assert [session.pk for session in Session.objects.filter(active=True)] == [owner.stored_session().pk]
