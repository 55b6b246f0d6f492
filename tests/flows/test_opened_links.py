"""Who sees a flow once its mailed link was opened: everybody who can read the mail, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actions.delivery import outbox
from actions.delivery.models import Delivery
from flows.kind import KINDS
from identity import config
from identity.identities.models import Identity, VerifiableAddress
from identity.sessions.models import Session
from tests.factor_journeys import App, Flow, Page, configuration, make_person, said, value
from tests.server import merged

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"


@pytest.fixture(params=["recovery", "verification"])
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    flow = {"enabled": True, "use": "link"}
    more = {"methods": {"link": {"enabled": True}}, "flows": {"recovery": flow, "verification": flow}}
    with config.override(merged(configuration(), {"selfservice": more})):
        yield request.param


@pytest.fixture
def ada(kind: str) -> Identity:
    return make_person(ADA)


@pytest.fixture(params=[App, Page])
def beginner(request: pytest.FixtureRequest) -> App:
    """Whoever typed Ada's address. Perhaps it was her."""
    client: App = request.param()
    return client


@pytest.fixture
def flow(beginner: App, kind: str, ada: Identity) -> Flow:
    flow = beginner.start(kind)
    assert beginner.submit(flow, method="link", email=ADA).status_code == 200
    return flow


def mailed(kind: str) -> str:
    data = outbox.content_of(Delivery.objects.filter(target=ADA).latest("created_at", "id"))["data"]
    return str(dict(data)[f"{kind}_url"])


def follows(browser: App, url: str) -> Flow:
    """Open a link as somebody who reads the mail does, and return the page that it leads to."""
    answer = browser.client.get("/" + url.split("/", 3)[3])
    assert answer.status_code == 303
    return seen_by(browser, url.split("/")[4].partition("?")[0], answer["Location"].rpartition("flow=")[2])


def seen_by(browser: App, kind: str, id: str) -> Flow:
    return dict(browser.client.get(f"/self-service/{kind}/flows", {"id": id}, HTTP_ACCEPT="application/json").json())


def press(browser: App, page: Flow) -> Any:
    return browser.submit(page, method="link", token=value(page, "token"))


def is_done(kind: str) -> bool:
    return Session.objects.exists() if kind == "recovery" else VerifiableAddress.objects.get(value=ADA).verified


def test_a_link_that_a_scanner_opens_later_still_works_where_it_was_opened_first(kind: str, flow: Flow) -> None:
    ada, scanner = Page(), Page()
    page = follows(ada, mailed(kind))
    follows(scanner, mailed(kind))

    press(ada, page)

    assert is_done(kind)


def test_only_the_first_click_counts(kind: str, flow: Flow) -> None:
    phone, computer = Page(), Page()
    on_phone, on_computer = follows(phone, mailed(kind)), follows(computer, mailed(kind))
    press(phone, on_phone)

    answer = press(computer, on_computer)

    assert answer.status_code in (303, 410), "to a new form"
    assert Session.objects.count() == (1 if kind == "recovery" else 0)


def test_who_began_it_does_not_see_what_was_mailed(kind: str, flow: Flow, beginner: App) -> None:
    follows(Page(), mailed(kind))

    seen = seen_by(beginner, kind, flow["id"])

    assert seen["error"]["code"] == 403
    assert beginner.submit(flow, method="link", token="").status_code == 403
    assert not is_done(kind)


def test_a_link_of_ones_own_making_shows_nothing_but_itself(kind: str, flow: Flow, beginner: App) -> None:
    """Else who began the flow could wait in it for the real one."""
    eve, ada = Page(), Page()
    made_up = mailed(kind).rpartition("=")[0] + "=" + "x" * 32
    for waiting in (beginner, eve):
        waiting.client.get("/" + made_up.split("/", 3)[3])

    follows(ada, mailed(kind))

    for waiting in (beginner, eve):
        assert seen_by(waiting, kind, flow["id"])["error"]["code"] == 403
    follows(eve, made_up)
    assert value(seen_by(eve, kind, flow["id"]), "token") == "x" * 32
    assert seen_by(ada, kind, flow["id"])["error"]["code"] == 403


def test_what_was_opened_does_not_rest_in_the_open(kind: str, flow: Flow) -> None:
    """Scanners open links that nobody follows: whoever gets hold of the rows later must not find one that still works."""
    page = follows(Page(), mailed(kind))

    [row] = KINDS[kind].model.objects.values()

    assert value(page, "token") in mailed(kind)
    assert value(page, "token") not in str(row)


def test_who_began_it_sees_how_it_ended(kind: str, flow: Flow, beginner: App) -> None:
    ada = Page()
    press(ada, follows(ada, mailed(kind)))

    seen = seen_by(beginner, kind, flow["id"])

    assert seen["state"] == "passed_challenge"
    if kind == "verification":
        assert said(seen) == [1080002]


JSON = {"HTTP_ACCEPT": "application/json"}


def attacks(kind: str, id: str) -> list[tuple[str, dict[str, Any]]]:
    """Requests that come to the flow itself, and name it as well as they can."""
    return [
        ("get", {"path": f"/self-service/{kind}?flow={id}", **JSON}),
        ("get", {"path": f"/self-service/{kind}?flow={id}&code=000000", **JSON}),
        ("post", {"path": f"/self-service/{kind}?flow={id}", "data": "{", "content_type": "application/json"}),
        ("post", {"path": f"/self-service/{kind}?flow={id}", "data": "x", "content_type": "text/x", **JSON}),
        (
            "post",
            {"path": f"/self-service/{kind}?flow={id}", "data": {"method": "link", "code": "000000"}, "content_type": "application/json"},
        ),
        ("post", {"path": f"/self-service/{kind}?flow={id}", "data": {"method": "link", "token": ""}, "content_type": "application/json"}),
        ("post", {"path": f"/self-service/{kind}?flow={id}", "data": {"method": "link"}, "content_type": "application/json"}),
    ]


@pytest.mark.parametrize("number", range(7))
def test_no_other_way_to_the_flow_shows_what_was_mailed(kind: str, flow: Flow, beginner: App, number: int) -> None:
    scanner, eve = Page(), Page()
    token = value(follows(scanner, mailed(kind)), "token")
    verb, request = attacks(kind, flow["id"])[number]

    for visitor in (beginner, eve):
        answer = getattr(visitor.client, verb)(**request)
        assert token not in answer.content.decode()
        assert token not in str(seen_by(visitor, kind, flow["id"]))

    assert value(seen_by(scanner, kind, flow["id"]), "token") == token
    assert not is_done(kind)


def test_a_code_that_an_opened_link_filled_in_is_shown_to_nobody_else() -> None:
    flows = {"verification": {"enabled": True, "use": "code"}}
    with config.override(merged(configuration(), {"selfservice": {"flows": flows}})):
        make_person(ADA)
        eve, scanner = Page(), Page()
        flow = eve.start("verification")
        eve.submit(flow, method="code", email=ADA)
        code = value(follows(scanner, mailed("verification")), "code")

        answer = eve.client.post(
            f"/self-service/verification?flow={flow['id']}", {"method": "code", "code": "000000"}, content_type="application/json", **JSON
        )

        assert code
        assert code not in answer.content.decode()
        eve.client.get(f"/self-service/verification?flow={flow['id']}&code=111111")
        assert code not in str(seen_by(eve, "verification", flow["id"]))


def test_a_form_that_somebody_has_begun_to_fill_in_is_not_shown_to_who_sends_nonsense() -> None:
    with config.override(configuration()):
        ada, eve = Page(), Page()
        flow = ada.start("registration")
        ada.submit(flow, method="password", password="short", **{"traits.email": ADA})

        for answer in (
            eve.client.get(f"/self-service/registration?flow={flow['id']}", **JSON),
            eve.client.post(f"/self-service/registration?flow={flow['id']}", "{", content_type="application/json"),
        ):
            assert answer.status_code == 403
            assert ADA not in answer.content.decode()


@pytest.mark.parametrize("fields", [{"method": "link"}, {}])
def test_a_page_that_cannot_send_the_token_may_press_the_button(kind: str, flow: Flow, fields: dict[str, str]) -> None:
    """The models of the API's document have no field for it: clients made from them leave it out."""
    if kind == "verification" and not fields:
        fields = {"method": "link"}  # it says so in any case
    ada = Page()
    page = follows(ada, mailed(kind))

    ada.submit(page, **fields)

    assert is_done(kind)


def test_the_token_may_stand_in_the_address(kind: str, flow: Flow) -> None:
    ada = Page()
    page = follows(ada, mailed(kind))
    token = value(page, "token")
    page["ui"]["action"] += f"&token={token}"

    ada.submit(page, method="link")

    assert is_done(kind)


@pytest.mark.parametrize("kind", ["recovery"], indirect=True)
@pytest.mark.parametrize("beginner", [Page], indirect=True)
def test_who_began_it_is_led_to_a_new_form_once_it_was_used_elsewhere(kind: str, flow: Flow, beginner: App) -> None:
    ada = Page()
    press(ada, follows(ada, mailed(kind)))

    answer = beginner.submit(seen_by(beginner, kind, flow["id"]), method="link")

    new = seen_by(beginner, kind, answer["Location"].rpartition("=")[2])
    assert new["id"] != flow["id"]
    assert said(new) == [4060001]
    assert Session.objects.count() == 1
