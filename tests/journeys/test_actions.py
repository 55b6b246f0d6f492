"""Actions around the flows, as operators configure them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients import PASSWORD, Browser, Client, messages_of, new_address, value_of
from tests.receiver import Receiver, Says
from tests.server import Server


def web_hook(hooks: Receiver, name: str, **config: Any) -> dict[str, Any]:
    return {"hook": "web_hook", "config": {"url": f"{hooks.url}/{name}", "method": "POST", **config}}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def example(request: pytest.FixtureRequest, receiver: Receiver) -> Iterator[Server]:
    """The example of precedence: hook_1 before login, hook_2 after login, hook_3 after login by password; the same for settings."""
    flows = {
        "login": {
            "before": {"hooks": [web_hook(receiver, "hook_1")]},
            "after": {"hooks": [web_hook(receiver, "hook_2")], "password": {"hooks": [web_hook(receiver, "hook_3")]}},
        },
        "settings": {"after": {"hooks": [web_hook(receiver, "settings")], "profile": {"hooks": [web_hook(receiver, "profile")]}}},
    }
    dsn = request.getfixturevalue("postgres") if request.param == "postgres" else ""
    with Server({"selfservice": {"flows": flows}}, dsn) as running:
        yield running


@pytest.fixture
def told(receiver: Receiver) -> Receiver:
    receiver.clear()
    return receiver


def test_it_runs_the_hook_before_a_login_of_any_client(example: Server, told: Receiver, client_type: type[Client]) -> None:
    client_type(example.public).begin("login")

    assert told.paths() == ["/hook_1"]


def test_it_runs_nothing_more_after_a_wrong_password(example: Server, told: Receiver, client_type: type[Client]) -> None:
    client_type(example.public).login(new_address(), "not-The-Password")

    assert told.paths() == ["/hook_1"]


def test_it_runs_the_list_of_the_method_instead_of_the_default_one(example: Server, told: Receiver, client_type: type[Client]) -> None:
    address = new_address()
    client_type(example.public).register(address)
    told.clear()
    who = client_type(example.public)

    assert who.succeeded(who.login(address))
    assert told.paths() == ["/hook_1", "/hook_3"]


def test_it_runs_the_list_again_when_the_person_confirms_who_they_are(example: Server, told: Receiver, client_type: type[Client]) -> None:
    who, address = client_type(example.public), new_address()
    who.register(address)
    told.clear()

    who.login(address, refresh="true")

    assert told.paths() == ["/hook_1", "/hook_3"]


def test_it_runs_the_profiles_list_for_the_profile_and_the_default_one_for_the_password(
    example: Server, told: Receiver, client_type: type[Client]
) -> None:
    who, address = client_type(example.public), new_address()
    who.register(address)
    told.clear()

    who.send(who.begin("settings"), {"method": "profile", "traits": {"email": address}})
    assert told.paths() == ["/profile"]
    who.send(who.begin("settings"), {"method": "password", "password": "another-Horse-8-battery"})
    assert told.paths() == ["/profile", "/settings"]


def test_it_sends_a_documented_body_without_a_template(example: Server, told: Receiver, client_type: type[Client]) -> None:
    who = client_type(example.public)
    flow = who.begin("login")

    assert told.log[0].body == {"trigger": "login.before", "flow": {"id": flow["id"], "type": who.kind}}
    assert told.log[0].headers["webhook-id"].startswith("msg_")


# -- hooks that refuse


REFUSAL = {"messages": [{"instance_ptr": "#/traits/email", "messages": [{"id": 1234, "text": "Not this one.", "type": "error"}]}]}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def guarded(request: pytest.FixtureRequest, receiver: Receiver) -> Iterator[Server]:
    """Registration asks a hook that may refuse or change who signs up."""
    asks = web_hook(receiver, "ask", response={"parse": True}, body="base64://ZnVuY3Rpb24oY3R4KSBjdHg=")
    flows = {"registration": {"after": {"password": {"hooks": [asks, {"hook": "session"}]}}}}
    dsn = request.getfixturevalue("postgres") if request.param == "postgres" else ""
    with Server({"selfservice": {"flows": flows}}, dsn) as running:
        yield running


def test_it_leaves_nothing_of_a_registration_that_a_hook_refuses(guarded: Server, told: Receiver, client_type: type[Client]) -> None:
    told.on("/ask", lambda got: Says(403, REFUSAL) if got.body["identity"]["traits"]["email"].startswith("blocked") else Says())
    who, good = client_type(guarded.public), new_address()
    flow = who.begin("registration")
    sent = {"method": "password", "password": PASSWORD, "traits": {"email": "blocked" + good}}

    refused = who.shown("registration", who.send(flow, sent))

    field = next(node for node in refused["ui"]["nodes"] if node["attributes"].get("name") == "traits.email")
    assert [message["id"] for message in field["messages"]] == [1234]
    assert messages_of(refused) == [1234]
    assert value_of(refused, "traits.email") == "blocked" + good
    assert not who.is_signed_in()
    assert (
        who.request(
            "GET", f"{guarded.admin}/admin/identities", params={"credentials_identifier": "blocked" + good}, headers={"X-Session-Token": ""}
        ).json()
        == []
    )

    answer = who.send(refused, {**sent, "traits": {"email": good}})
    assert who.succeeded(answer), answer.text
    assert who.is_signed_in()


def test_it_takes_over_what_a_hook_makes_of_a_person(guarded: Server, told: Receiver, client_type: type[Client]) -> None:
    address = new_address()
    told.on("/ask", Says(200, {"identity": {"metadata_public": {"plan": "gold"}, "metadata_admin": {"risk": 1}}}))
    who = client_type(guarded.public)

    assert who.succeeded(who.register(address))
    seen = who.whoami().json()["identity"]
    assert seen["metadata_public"] == {"plan": "gold"}
    assert "metadata_admin" not in seen


def test_it_tells_the_hook_the_id_that_the_person_will_have(guarded: Server, told: Receiver) -> None:
    told.on("/ask", Says())
    who = Browser(guarded.public)

    who.register(new_address())

    assert told.log[0].body["identity"]["id"] == who.whoami().json()["identity"]["id"]


def test_it_never_tells_a_hook_a_secret(guarded: Server, told: Receiver, client_type: type[Client]) -> None:
    told.on("/ask", Says())
    who = client_type(guarded.public)
    who.register(new_address())

    raw = told.log[0].raw.decode()
    assert PASSWORD not in raw
    assert "argon2" not in raw
    assert told.log[0].body["request_cookies"] == {}
    assert all(
        not node["attributes"].get("value")
        for node in told.log[0].body["flow"]["ui"]["nodes"]
        if node["attributes"].get("name") == "csrf_token"
    )
