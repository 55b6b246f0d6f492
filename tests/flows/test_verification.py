"""Proving an address: guesses, codes and links that die, and what a stranger cannot learn or bend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from actions.delivery import outbox
from actions.delivery.models import Delivery
from flows import codes, conf
from flows.models import VerificationFlow
from identity import config
from identity.identities.models import Identity, VerifiableAddress
from identity.sessions.models import Session
from tests.factor_journeys import App, Flow, Page, configuration, make_person, said, value
from tests.flows.test_recovery import at_once, others_of, shape
from tests.server import merged

pytestmark = pytest.mark.django_db
ADA, EVE, NOBODY = "ada@example.org", "eve@example.org", "nobody@example.org"


def settings(**verification: Any) -> dict[str, Any]:
    methods = {"link": {"enabled": True}, "code": {"enabled": True}}
    flows = {"verification": {"enabled": True, **verification}}
    return merged(configuration(), {"selfservice": {"flows": flows, "methods": methods}})


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override(settings(use="code")):
        yield


@pytest.fixture
def by_link() -> Iterator[None]:
    with config.override(settings(use="link")):
        yield


@pytest.fixture
def ada() -> Identity:
    return make_person(ADA)


@pytest.fixture(params=[App, Page])
def visitor(request: pytest.FixtureRequest, ada: Identity) -> App:
    person: App = request.param()
    return person


def ask(visitor: App, address: str = ADA, method: str = "code") -> Flow:
    flow = visitor.start("verification")
    answer = visitor.submit(flow, method=method, email=address)
    assert answer.status_code == 200, answer.content
    return flow


def mailed(address: str = ADA) -> dict[str, Any]:
    delivery = Delivery.objects.filter(target=address).exclude(status=Delivery.WITHHELD).latest("created_at", "id")
    return dict(outbox.content_of(delivery)["data"])


def code_to(address: str = ADA) -> str:
    return str(mailed(address)["verification_code"])


def is_verified(address: str = ADA) -> bool:
    return VerifiableAddress.objects.get(value=address).verified


# -- guesses


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_guesses_at_once_only_the_budget_is_looked_at(ada: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = ask(App())
    looked: list[str] = []
    spend = codes.spend
    monkeypatch.setattr(codes, "spend", lambda *given, **more: (looked.append(given[1]), spend(*given, **more))[1])

    at_once([lambda guess=guess: App().submit(flow, method="code", code=guess) for guess in others_of(code_to(), 100)])  # type: ignore[misc]

    assert len(looked) <= conf.codes().max_submissions
    assert VerificationFlow.objects.get(pk=flow["id"]).submissions <= conf.codes().max_submissions


def test_a_new_code_does_not_renew_the_budget(visitor: App) -> None:
    flow = ask(visitor)
    for guess in others_of(code_to(), conf.codes().max_submissions):
        visitor.submit(flow, method="code", code=guess)
    visitor.submit(flow, method="code", email=ADA)

    visitor.submit(flow, method="code", code=code_to())

    assert not is_verified()


# -- what a code proves


def test_a_code_proves_the_address_that_it_was_sent_to(visitor: App) -> None:
    flow = ask(visitor)

    answer = visitor.submit(flow, method="code", code=code_to())

    assert said(answer.json()) == [1080002]
    assert is_verified()
    assert not Session.objects.exists()


def test_a_code_works_once(visitor: App) -> None:
    flow, code = ask(visitor), code_to()
    visitor.submit(flow, method="code", code=code)
    VerifiableAddress.objects.update(verified=False)

    visitor.submit(flow, method="code", code=code)

    assert not is_verified()


def test_a_code_works_in_its_own_flow_only(visitor: App) -> None:
    ask(visitor)
    other = visitor.start("verification")

    assert said(visitor.submit(other, method="code", code=code_to()).json()) == [4070006]
    assert not is_verified()


def test_a_code_for_ones_own_address_proves_no_other(visitor: App) -> None:
    make_person(EVE)
    flow = ask(visitor, EVE)
    visitor.submit(flow, method="code", email=ADA)

    visitor.submit(flow, method="code", code=code_to(EVE))

    assert not is_verified(ADA)
    assert not is_verified(EVE)


def test_a_code_proves_nothing_once_the_address_is_gone(visitor: App, ada: Identity) -> None:
    flow, code = ask(visitor), code_to()
    ada.verifiable_rows.update(value="ada@example.net")

    assert said(visitor.submit(flow, method="code", code=code).json()) == [4070006]
    assert not is_verified("ada@example.net")


def test_a_code_that_was_filled_in_does_not_rest_in_the_open(visitor: App) -> None:
    ask(visitor)
    Client().get("/" + mailed()["verification_url"].split("/", 3)[3])

    [row] = VerificationFlow.objects.values()

    assert code_to() not in str(row)


def test_opening_the_link_of_a_code_only_fills_it_in(visitor: App) -> None:
    ask(visitor)
    browser = Page()

    answer = browser.client.get("/" + mailed()["verification_url"].split("/", 3)[3])

    flow = browser.client.get("/self-service/verification/flows", {"id": answer["Location"].rpartition("flow=")[2]}).json()
    assert value(flow, "code") == code_to()
    assert not is_verified()


# -- links


def opened(url: str) -> None:
    """Open a mailed link in another browser, and press the button of the page that it leads to."""
    browser = Page()
    answer = browser.client.get("/" + url.split("/", 3)[3])
    assert answer.status_code == 303, answer.content
    flow = browser.client.get("/self-service/verification/flows", {"id": answer["Location"].rpartition("flow=")[2]}).json()
    if any(node["attributes"].get("name") == "token" for node in flow["ui"]["nodes"]):
        browser.submit(flow, method="link", token=value(flow, "token"))


@pytest.mark.usefixtures("by_link")
def test_opening_a_link_spends_nothing(visitor: App) -> None:
    ask(visitor, method="link")
    path = "/" + mailed()["verification_url"].split("/", 3)[3]
    for _ in range(3):
        Client().get(path)
        Client().head(path)
    assert not is_verified()

    opened(mailed()["verification_url"])

    assert is_verified()


@pytest.mark.usefixtures("by_link")
def test_a_link_works_once(visitor: App) -> None:
    ask(visitor, method="link")
    opened(mailed()["verification_url"])
    VerifiableAddress.objects.update(verified=False)

    opened(mailed()["verification_url"])

    assert not is_verified()


@pytest.mark.usefixtures("by_link")
def test_a_links_token_works_in_its_own_flow_only(visitor: App) -> None:
    ask(visitor, method="link")
    token = mailed()["verification_url"].rpartition("token=")[2]
    other = ask(visitor, NOBODY, method="link")

    opened(f"http://testserver/self-service/verification?flow={other['id']}&token={token}")

    assert not is_verified()


@pytest.mark.parametrize("method", ["code", "link"])
def test_a_request_cannot_bend_what_is_mailed(ada: Identity, method: str) -> None:
    poison = {"HTTP_HOST": "evil.example", "HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PROTO": "gopher"}
    with config.override(settings(use=method)):
        app = App(headers=poison)
        app.submit(app.start("verification"), method=method, email=ADA)

    content = outbox.content_of(Delivery.objects.get(target=ADA))
    assert "evil.example" not in content["subject"] + content["body"] + content["html_body"]
    assert "evil.example" not in content["data"]["verification_url"]


# -- what a stranger can learn


def seen(address: str, method: str, kind: type[App]) -> tuple[Any, ...]:
    visitor = kind()
    flow = visitor.start("verification")
    with CaptureQueriesContext(connection) as queries:
        answer = visitor.submit(flow, method=method, email=address)
    headers = {name for name, _ in answer.items()}
    texts = [message["text"] for message in answer.json()["ui"]["messages"]]
    return answer.status_code, headers, shape(answer.json()), texts, sorted(query["sql"].split(" ", 1)[0] for query in queries)


@pytest.mark.parametrize("kind", [App, Page])
@pytest.mark.parametrize("method", ["code", "link"])
@pytest.mark.parametrize("notices", [False, True])
def test_it_does_not_tell_whether_an_address_is_known(ada: Identity, method: str, kind: type[App], notices: bool) -> None:
    with config.override(settings(use=method, notify_unknown_recipients=notices)):
        seen(ADA, method, kind)

        assert seen(ADA, method, kind) == seen(NOBODY, method, kind)


def test_it_does_not_tell_whether_a_phone_number_is_known(ada: Identity) -> None:
    ada.verifiable_rows.update(via="sms", value="+4915112345678")
    seen("+4915112345678", "code", App)

    assert seen("+4915112345678", "code", App) == seen("+4915100000000", "code", App)
