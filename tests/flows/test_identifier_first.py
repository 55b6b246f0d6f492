"""Signing in in two steps: who one is, then how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from identity import config
from identity.identities.models import Identity
from tests import mailbox
from tests.factor_journeys import App, Flow, Page, configuration, make_person, names, node, said, value

pytestmark = pytest.mark.django_db
ADA, NOBODY = "ada@example.org", "nobody@example.org"
CODE = {"code": {"enabled": True, "passwordless_enabled": True}}


def configured(*, mitigate: bool = False, **methods: Any) -> dict[str, Any]:
    made = configuration(**methods)
    made["selfservice"]["flows"]["login"] = {"style": "identifier_first"}
    made["security"] = {"account_enumeration": {"mitigate": mitigate}}
    return made


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> Iterator[None]:
    settings.COURIER = "tests.mailbox"
    mailbox.sent.clear()
    with config.override(configured()):
        yield


@pytest.fixture
def ada() -> Identity:
    return make_person(ADA)


@pytest.fixture(params=[App, Page])
def kind(request: pytest.FixtureRequest) -> type[App]:
    return request.param  # type: ignore[no-any-return]


def ways_of(flow: Flow) -> list[str]:
    return [each["attributes"]["value"] for each in flow["ui"]["nodes"] if each["attributes"].get("name") == "method"]


def second_step(who: App, identifier: str) -> Flow:
    return dict(who.submit(who.start("login"), method="identifier_first", identifier=identifier).json())


def test_it_asks_for_the_identifier_alone(kind: type[App]) -> None:
    flow = kind().start("login")

    assert ways_of(flow) == ["identifier_first"]
    assert "password" not in names(flow)


@pytest.mark.usefixtures("ada")
def test_it_offers_what_the_account_has(kind: type[App]) -> None:
    flow = second_step(kind(), ADA)

    assert (flow["active"], ways_of(flow), said(flow)) == ("identifier_first", ["password"], [])
    assert (node(flow, "identifier")["attributes"]["type"], value(flow, "identifier")) == ("hidden", ADA)
    assert "passkey_login_trigger" not in names(flow)


def test_it_says_that_it_knows_nobody(kind: type[App]) -> None:
    flow = second_step(kind(), NOBODY)

    assert said(flow, "identifier") == [4000037]
    assert ways_of(flow) == ["identifier_first"]


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("methods", [{}, CODE])
def test_mitigated_a_stranger_sees_what_everybody_sees(kind: type[App], methods: dict[str, Any]) -> None:
    with config.override(configured(mitigate=True, **methods)):
        known, unknown = (second_step(kind(), identifier) for identifier in (ADA, NOBODY))

    assert (names(known), ways_of(known), said(known)) == (names(unknown), ways_of(unknown), said(unknown))
    assert {"password", "passkey_login_trigger"} <= names(known)
    assert mailbox.sent == []


def test_a_code_that_is_the_only_way_in_is_sent_at_once(kind: type[App], ada: Identity) -> None:
    ada.factors["password"].config = {}
    ada.factors["password"].save()
    with config.override(configured(**CODE)):
        who = kind()
        flow = second_step(who, ADA)

        assert (flow["state"], said(flow)) == ("sent_email", [1010014])
        response = who.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(ADA))
        assert response.status_code == 200


@pytest.mark.usefixtures("ada")
def test_a_code_beside_another_way_in_waits_for_a_click() -> None:
    with config.override(configured(**CODE)):
        flow = second_step(App(), ADA)

    assert sorted(ways_of(flow)) == ["code", "password"]
    assert mailbox.sent == []


def test_it_has_no_place_where_somebody_is_known(ada: Identity) -> None:
    flow = App(ada).start("login", refresh="true")

    assert "identifier_first" not in ways_of(flow)


def test_it_takes_nothing_where_it_is_not_the_style() -> None:
    with config.override({"selfservice": {"flows": {"login": {"style": "unified"}}}}):
        who = App()

        assert said(who.submit(who.start("login"), method="identifier_first", identifier=ADA).json()) == [4010002]
