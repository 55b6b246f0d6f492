"""Getting back in: guesses, codes and links that die, and what a stranger cannot learn or bend."""

from __future__ import annotations

import base64
import concurrent.futures
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from actions.delivery import outbox
from actions.delivery.models import Delivery
from flows import codes, conf
from flows.models import Code, RecoveryFlow
from flows.recovery import Recovery
from identity import config
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions.models import Session
from tests.factor_journeys import App, Flow, Page, configuration, make_person, said, value
from tests.server import merged

pytestmark = pytest.mark.django_db
ADA, NOBODY = "ada@example.org", "nobody@example.org"
CODE, LINK = {"use": "code"}, {"use": "link"}


def settings(**recovery: Any) -> dict[str, Any]:
    methods = {"link": {"enabled": True}, "code": {"enabled": True}}
    return merged(configuration(), {"selfservice": {"flows": {"recovery": {"enabled": True, **recovery}}, "methods": methods}})


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override(settings(**CODE)):
        yield


@pytest.fixture
def by_link() -> Iterator[None]:
    with config.override(settings(**LINK)):
        yield


@pytest.fixture
def ada() -> Identity:
    return make_person(ADA)


@pytest.fixture(params=[App, Page])
def visitor(request: pytest.FixtureRequest, ada: Identity) -> App:
    person: App = request.param()
    return person


def ask(visitor: App, address: str = ADA, method: str = "code") -> Flow:
    flow = visitor.start("recovery")
    answer = visitor.submit(flow, method=method, email=address)
    assert answer.status_code == 200, answer.content
    return flow


def mailed(address: str = ADA) -> dict[str, Any]:
    delivery = Delivery.objects.filter(target=address).exclude(status=Delivery.WITHHELD).latest("created_at", "id")
    return dict(outbox.content_of(delivery)["data"])


def code_to(address: str = ADA) -> str:
    return str(mailed(address)["recovery_code"])


def others_of(code: str, count: int) -> list[str]:
    return [f"{number:06d}" for number in range(count + 1) if f"{number:06d}" != code][:count]


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    def one(call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            connections.close_all()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, calls))


# -- guesses


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_guesses_at_once_only_the_budget_is_looked_at(ada: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = ask(App())
    looked: list[str] = []
    spend = codes.spend
    monkeypatch.setattr(codes, "spend", lambda *given, **more: (looked.append(given[1]), spend(*given, **more))[1])
    guesses = others_of(code_to(), 100)

    at_once([lambda guess=guess: App().submit(flow, method="code", code=guess) for guess in guesses])  # type: ignore[misc]

    assert len(looked) <= conf.codes().max_submissions
    assert RecoveryFlow.objects.get(pk=flow["id"]).submissions <= conf.codes().max_submissions


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_that_send_the_right_code_one_gets_in(ada: Identity) -> None:
    with config.override({"selfservice": {"methods": {"code": {"config": {"max_submissions": 255}}}}}):
        flow, code = ask(App()), code_to()

        at_once([lambda: App().submit(flow, method="code", code=code) for _ in range(100)])

    assert Session.objects.count() == 1


def test_a_new_code_does_not_renew_the_budget(visitor: App) -> None:
    flow = ask(visitor)
    for guess in others_of(code_to(), conf.codes().max_submissions):
        visitor.submit(flow, method="code", code=guess)
    visitor.submit(flow, method="code", email=ADA)

    visitor.submit(flow, method="code", code=code_to())

    assert not Session.objects.exists()


# -- what a code opens


def test_a_code_lets_in_whom_it_was_sent_to(visitor: App, ada: Identity) -> None:
    flow = ask(visitor)

    answer = visitor.submit(flow, method="code", code=code_to())

    assert answer.status_code == 422, answer.content
    assert Session.objects.get().identity_id == ada.pk
    assert Identity.objects.get().verifiable[0].verified


def test_a_code_works_once(visitor: App) -> None:
    flow, code = ask(visitor), code_to()
    visitor.submit(flow, method="code", code=code)

    App().submit(flow, method="code", code=code)

    assert Session.objects.count() == 1


def test_a_code_works_in_its_own_flow_only(visitor: App) -> None:
    ask(visitor)
    code = code_to()
    other = ask(visitor, NOBODY)

    assert said(visitor.submit(other, method="code", code=code).json()) == [4060006]
    assert not Session.objects.exists()


def test_a_code_is_void_when_the_flow_asks_for_one_to_another_address(visitor: App) -> None:
    flow, code = ask(visitor), code_to()
    visitor.submit(flow, method="code", email=NOBODY)

    assert said(visitor.submit(flow, method="code", code=code).json()) == [4060006]
    assert not Session.objects.exists()


@pytest.mark.parametrize("method", ["code", "link"])
def test_what_was_mailed_dies_with_a_new_password(visitor: App, ada: Identity, method: str) -> None:
    with config.override(settings(use=method)):
        flow, signed_in = ask(visitor, method=method), App(ada)
        held = mailed()
        signed_in.submit(signed_in.start("settings"), method="password", password="a-Horse-of-another-8-colour")
        before = Session.objects.count()

        if method == "code":
            visitor.submit(flow, method="code", code=held["recovery_code"])
        else:
            opened(held["recovery_url"])

    assert Session.objects.count() == before


@pytest.mark.parametrize("method", ["code", "link"])
def test_what_was_mailed_dies_with_its_address(visitor: App, ada: Identity, method: str) -> None:
    with config.override(settings(use=method)):
        flow = ask(visitor, method=method)
        held = mailed()
        ada.recovery_rows.update(value="ada@example.net")

        if method == "code":
            visitor.submit(flow, method="code", code=held["recovery_code"])
        else:
            opened(held["recovery_url"])

    assert not Session.objects.exists()


def test_nobody_gets_in_as_somebody_who_is_switched_off(visitor: App, ada: Identity) -> None:
    flow, code = ask(visitor), code_to()
    Identity.objects.update(state=Identity.INACTIVE)

    visitor.submit(flow, method="code", code=code)

    assert not Session.objects.exists()


def test_codes_and_tokens_do_not_rest_in_the_open(visitor: App) -> None:
    ask(visitor)
    code = code_to()

    assert code not in str(list(Code.objects.values()))
    assert code not in str(list(Delivery.objects.values()))


def test_a_submission_for_no_method_does_not_end_the_flow(visitor: App) -> None:
    flow = visitor.start("recovery")
    refused = visitor.submit(flow, email=ADA)
    assert (refused.status_code, said(refused.json()), refused.json()["active"]) == (400, [4010005], "default")

    answer = visitor.submit(flow, method="code", email=ADA)

    assert (answer.status_code, answer.json()["active"]) == (200, "code")


# -- links


def opened(url: str) -> Page:
    """Open a mailed link in another browser, and press the button of the page that it leads to."""
    browser = Page()
    answer = browser.client.get("/" + url.split("/", 3)[3])
    assert answer.status_code == 303, answer.content
    flow = browser.client.get("/self-service/recovery/flows", {"id": answer["Location"].rpartition("flow=")[2]}).json()
    if any(node["attributes"].get("name") == "token" for node in flow["ui"]["nodes"]):
        browser.submit(flow, method="link", token=value(flow, "token"))
    return browser


@pytest.mark.usefixtures("by_link")
def test_opening_a_link_spends_nothing(visitor: App) -> None:
    ask(visitor, method="link")
    path = "/" + mailed()["recovery_url"].split("/", 3)[3]
    for _ in range(3):
        Client().get(path)
        Client().head(path)
    assert not Session.objects.exists()

    opened(mailed()["recovery_url"])

    assert Session.objects.count() == 1


@pytest.mark.usefixtures("by_link")
def test_a_link_works_once(visitor: App) -> None:
    ask(visitor, method="link")
    url = mailed()["recovery_url"]

    opened(url)
    opened(url)

    assert Session.objects.count() == 1


@pytest.mark.usefixtures("by_link")
def test_a_links_token_works_in_its_own_flow_only(visitor: App) -> None:
    ask(visitor, method="link")
    token = mailed()["recovery_url"].rpartition("token=")[2]
    other = ask(visitor, NOBODY, method="link")

    opened(f"http://testserver/self-service/recovery?flow={other['id']}&token={token}")

    assert not Session.objects.exists()


@pytest.mark.parametrize("method", ["code", "link"])
def test_a_request_cannot_bend_what_is_mailed(ada: Identity, method: str) -> None:
    poison = {"HTTP_HOST": "evil.example", "HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PROTO": "gopher"}
    with config.override(settings(use=method)):
        app = App(headers=poison)
        flow = app.start("recovery")
        app.submit(flow, method=method, email=ADA)

    content = outbox.content_of(Delivery.objects.get(target=ADA))
    assert "evil.example" not in content["subject"] + content["body"] + content["html_body"]
    assert "evil.example" not in content["data"]["recovery_url"]


# -- what a stranger can learn


def shape(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: shape(below) for name, below in body.items()}
    return [shape(below) for below in body] if isinstance(body, list) else type(body).__name__


def seen(address: str, method: str, kind: type[App]) -> tuple[Any, ...]:
    """Return all that an answer about *address* shows, and how many statements of each kind it took."""
    visitor = kind()
    flow = visitor.start("recovery")
    with CaptureQueriesContext(connection) as queries:
        answer = visitor.submit(flow, method=method, email=address)
    headers = {name for name, _ in answer.items()}
    kinds = sorted(query["sql"].split(" ", 1)[0] for query in queries)
    texts = [message["text"] for message in answer.json()["ui"]["messages"]]
    return answer.status_code, headers, shape(answer.json()), said(answer.json()), texts, kinds


@pytest.mark.parametrize("kind", [App, Page])
@pytest.mark.parametrize("method", ["code", "link"])
@pytest.mark.parametrize("notices", [False, True])
def test_it_does_not_tell_whether_an_address_is_known(ada: Identity, method: str, kind: type[App], notices: bool) -> None:
    with config.override(settings(use=method, notify_unknown_recipients=notices)):
        seen(ADA, method, kind)  # whatever is prepared once

        assert seen(ADA, method, kind) == seen(NOBODY, method, kind)


@pytest.mark.parametrize("address", [ADA, NOBODY])
def test_no_answer_comes_sooner_than_any_would(ada: Identity, address: str) -> None:
    """Timings are compared by hand; that the difference is slept over is not."""
    visitor = App()
    flow = visitor.start("recovery")
    began = time.monotonic()
    visitor.submit(flow, method="code", email=address)

    assert time.monotonic() - began >= Recovery.takes_at_least > 0


def test_a_message_for_nobody_is_as_long_as_one_for_somebody_with_an_address_alone(ada: Identity) -> None:
    for address in (ADA, "eve" + ADA[3:]):
        ask(App(), address)

    kept = [outbox.content_of(delivery)["data"]["identity"] for delivery in Delivery.objects.order_by("created_at", "id")]
    assert kept[0].keys() == kept[1].keys()
    assert abs(len(orjson.dumps(kept[0])) - len(orjson.dumps(kept[1]))) < 64


def test_it_mails_nothing_to_the_unknown(visitor: App) -> None:
    ask(visitor, NOBODY)

    assert not Delivery.objects.filter(target=NOBODY).exclude(status=Delivery.WITHHELD).exists()


# -- choosing the address

BACKUP = "backup@example.net"
SCHEMA = {
    "type": "object",
    "properties": {
        "traits": {
            "type": "object",
            "properties": {
                name: {"type": "string", "format": "email", "ory.sh/kratos": {"recovery": {"via": "email"}}} for name in ("email", "backup")
            },
        }
    },
}


@pytest.fixture
def lets_choose() -> Iterator[None]:
    url = "base64://" + base64.b64encode(orjson.dumps(SCHEMA)).decode()
    flag = {"feature_flags": {"choose_recovery_address": True}, "identity": {"schemas": [{"id": "default", "url": url}]}}
    with config.override(merged(settings(**CODE), flag)):
        yield


@pytest.fixture
def bea(lets_choose: None) -> Identity:
    identity = services.propose("", {"email": ADA, "backup": BACKUP})
    services.derive(identity)
    services.create(identity)
    return identity


def choices(flow: Flow) -> dict[str, str]:
    """Return the value of each button by its words."""
    found = [node for node in flow["ui"]["nodes"] if node["attributes"].get("name") == "recovery_select_address"]
    return {node["meta"]["label"]["text"]: node["attributes"]["value"] for node in found}


@pytest.mark.parametrize("kind", [App, Page])
def test_who_knows_one_address_sees_the_other_masked_and_has_to_type_it(bea: Identity, kind: type[App]) -> None:
    visitor = kind()
    flow = visitor.submit(visitor.start("recovery"), recovery_address=ADA).json()
    assert BACKUP not in str(flow)
    chosen = choices(flow)["ba****@example.net"]

    flow = visitor.submit(flow, recovery_address=ADA, recovery_select_address=chosen).json()
    assert (said(flow), BACKUP in str(flow)) == ([1060005], False)
    flow = visitor.submit(flow, recovery_address=ADA, recovery_confirm_address="guess@example.net").json()
    assert said(flow) == [1060004]
    assert not Delivery.objects.exclude(status=Delivery.WITHHELD).exists()

    flow = visitor.submit(flow, recovery_address=ADA, recovery_confirm_address=BACKUP).json()
    answer = visitor.submit(flow, recovery_address=ADA, code=code_to(BACKUP))
    assert answer.status_code == 422
    assert Session.objects.get().identity_id == bea.pk


def test_a_flow_keeps_the_way_in_which_it_was_begun(bea: Identity) -> None:
    visitor = App()
    flow = visitor.start("recovery")
    with config.override({"feature_flags": {"choose_recovery_address": False}}):
        assert said(visitor.submit(flow, recovery_address=NOBODY).json()) == [1060004]
        assert visitor.start("recovery")["state"] == "choose_method"


def test_one_address_and_none_look_alike(bea: Identity) -> None:
    services.create(propose_one("one@example.org"))

    def look(address: str) -> tuple[Any, ...]:
        visitor = App()
        flow = visitor.start("recovery")
        with CaptureQueriesContext(connection) as queries:
            answer = visitor.submit(flow, recovery_address=address)
        return answer.status_code, shape(answer.json()), sorted(query["sql"].split(" ", 1)[0] for query in queries)

    look("one@example.org")
    assert look("one@example.org") == look("no@example.org")


def propose_one(address: str) -> Identity:
    identity = services.propose("", {"email": address})
    services.derive(identity)
    return identity


def test_guesses_are_counted_when_an_address_is_chosen_too(bea: Identity) -> None:
    visitor = App()
    flow = visitor.submit(visitor.start("recovery"), recovery_address=ADA).json()
    flow = visitor.submit(flow, recovery_address=ADA, recovery_select_address=choices(flow)["ad****@example.org"]).json()
    for guess in others_of(code_to(), conf.codes().max_submissions):
        visitor.submit(flow, recovery_address=ADA, code=guess)
    visitor.submit(flow, recovery_address=ADA, recovery_confirm_address=ADA)

    visitor.submit(flow, recovery_address=ADA, code=code_to())

    assert not Session.objects.exists()
