"""An operator lets somebody back in: codes and links that are handed over (contract: identities.md 3.10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from actions.delivery.models import Delivery
from flows.models import Code, RecoveryFlow
from identity import config
from identity.ids import uuid7
from tests.factor_journeys import Flow, Page, configuration, make_person, value
from tests.identity.conftest import Operator
from tests.server import merged

pytestmark = pytest.mark.django_db

METHODS = {"link": {"enabled": True}, "code": {"enabled": True}}
BOTH = ["code", "link"]


def settings(**methods: Any) -> dict[str, Any]:
    return merged(configuration(), {"selfservice": {"flows": {"recovery": {"enabled": True}}, "methods": METHODS | methods}})


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override(settings()):
        yield


def made(by: str, **body: Any) -> Any:
    return Operator().post(f"/admin/recovery/{by}", body)


def query(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query)[name][0]


def shown(visitor: Page, url: str) -> Flow:
    """Open the page that an address leads to."""
    found = visitor.client.get("/self-service/recovery/flows", {"id": query(url, "flow")}, HTTP_ACCEPT="application/json")
    assert found.status_code == 200, found.content
    return dict(found.json())


def is_signed_in(visitor: Page) -> bool:
    return bool(visitor.client.get("/sessions/whoami").status_code == 200)


def test_a_code_lets_its_person_in_once_and_nothing_is_sent() -> None:
    ada = make_person("ada@example.org")
    handed = made("code", identity_id=str(ada.id)).json()
    visitors = Page(), Page()
    flows = [shown(visitor, handed["recovery_link"]) for visitor in visitors]

    for visitor, flow in zip(visitors, flows, strict=True):
        fields = {"method": "code", "code": handed["recovery_code"]}  # the form has no csrf_token: it was begun in no browser
        visitor.client.post("/" + flow["ui"]["action"].split("/", 3)[3], fields, "application/json")

    assert [is_signed_in(visitor) for visitor in visitors] == [True, False]
    assert not Delivery.objects.exists()


def test_a_link_lets_its_person_in_after_one_click_once() -> None:
    ada = make_person("ada@example.org")
    link = made("link", identity_id=str(ada.id), expires_in="1h30m").json()["recovery_link"]
    visitors = Page(), Page()
    flows = [shown(visitor, visitor.client.get("/" + link.split("/", 3)[3])["Location"]) for visitor in visitors]

    assert [is_signed_in(visitor) for visitor in visitors] == [False, False]
    for visitor, flow in zip(visitors, flows, strict=True):
        visitor.submit(flow, method="link", token=value(flow, "token"))
    assert [is_signed_in(visitor) for visitor in visitors] == [True, False]


@pytest.mark.parametrize("by", BOTH)
@pytest.mark.parametrize(
    "body",
    [
        {"identity_id": "not-a-uuid"},
        {"identity_id": "a\x00b"},
        {"expires_in": "soon"},
        {"expires_in": "-1h"},
        {"expires_in": "0s"},
        {"expires_in": "1" * 5000},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_a_reason_and_nothing_is_kept(by: str, body: dict[str, Any]) -> None:
    ada = make_person("ada@example.org")

    answer = made(by, **{"identity_id": str(ada.id), **body})

    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["reason"]
    assert not RecoveryFlow.objects.exists()
    assert not Code.objects.exists()


@pytest.mark.parametrize("by", BOTH)
@pytest.mark.parametrize(("body", "kind"), [("[]", "application/json"), ("{", "application/json"), ("identity_id=1", "text/plain")])
def test_a_body_that_is_no_object_is_refused_with_a_reason(by: str, body: str, kind: str) -> None:
    answer = Operator().post(f"/admin/recovery/{by}", body, content_type=kind)

    assert (answer.status_code, bool(answer.json()["error"]["reason"])) == (400, True)


def test_nobody_is_let_in_who_does_not_exist() -> None:
    nobody = str(uuid7())

    assert made("code", identity_id=nobody).status_code == 404
    assert made("link", identity_id=nobody).status_code == 400  # as upstream
    assert not RecoveryFlow.objects.exists()


@pytest.mark.parametrize("by", BOTH)
def test_a_method_that_is_off_hands_out_nothing(by: str) -> None:
    ada = make_person("ada@example.org")

    with config.override(settings(**{by: {"enabled": False}})):
        assert made(by, identity_id=str(ada.id)).status_code == 404


def test_the_public_does_not_reach_it() -> None:
    answer = Client().post("/admin/recovery/code", {"identity_id": str(uuid7())}, content_type="application/json")

    assert answer.status_code == 307
    assert urlsplit(answer["Location"]).port != 80
    assert not RecoveryFlow.objects.exists()
