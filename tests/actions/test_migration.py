"""People whose password another system still has."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from identity import config
from identity.credentials import password
from identity.credentials.models import Credential
from identity.identities import services
from tests.clients import PASSWORD, messages_of
from tests.receiver import Receiver, Says

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> str:
    identity = services.propose("", {"email": "ada@example.org"})
    services.derive(identity)
    identity.factors["password"].config = {"use_password_migration_hook": True}
    services.create(identity)
    return "ada@example.org"


def asking(hooks: Receiver, **more: Any) -> Any:
    hook = {"enabled": True, "config": {"url": hooks.url + "/check", **more}}
    return config.override({"selfservice": {"methods": {"password": {"config": {"migrate_hook": hook}}}}})


def login(address: str, typed: str = PASSWORD) -> Any:
    app = Client()
    flow = app.get("/self-service/login/api").json()
    fields = {"method": "password", "identifier": address, "password": typed}
    return app.post(f"/self-service/login?flow={flow['id']}", fields, content_type="application/json")


def test_it_asks_once_and_keeps_the_password_from_then_on(ada: str, hooks: Receiver) -> None:
    hooks.on("/check", Says(200, {"status": "password_match"}))
    with asking(hooks):
        assert login(ada).status_code == 200
        assert login(ada).status_code == 200
        assert messages_of(login(ada, "another").json()) == [4000006]
    assert [got.body for got in hooks.log] == [{"identifier": ada, "password": PASSWORD}]
    assert set(Credential.objects.get(type="password").config) == {"hashed_password"}


@pytest.mark.parametrize("said", [Says(403), Says(200, {"status": "no"}), Says(200), Says(200, b"<html>")], ids=str)
def test_it_takes_a_no_for_a_wrong_password(ada: str, hooks: Receiver, said: Says) -> None:
    hooks.on("/check", said)
    with asking(hooks):
        answer = login(ada)
    assert (answer.status_code, messages_of(answer.json())) == (400, [4000006])
    assert Credential.objects.get(type="password").config == {"use_password_migration_hook": True}


@pytest.mark.parametrize("said", [Says(404), Says(201), Says(501)], ids=str)
def test_it_says_when_the_other_system_fails(ada: str, hooks: Receiver, said: Says) -> None:
    hooks.on("/check", said)
    with asking(hooks):
        assert login(ada).status_code == 502


def test_it_tells_a_template_who_it_is_about(ada: str, hooks: Receiver) -> None:
    hooks.on("/check", Says(200, {"status": "password_match"}))
    program = "function(ctx) {who: ctx.identity.traits.email, typed: ctx.identifier, secret: ctx.password, ids: std.objectFields(ctx)}"
    with asking(hooks, body="base64://" + base64.b64encode(program.encode()).decode()):
        assert login(ada).status_code == 200
    assert (hooks.log[0].body["who"], hooks.log[0].body["typed"], hooks.log[0].body["secret"]) == (ada, ada, PASSWORD)
    assert "session" not in hooks.log[0].body["ids"]


def test_it_says_when_nobody_may_be_asked(ada: str) -> None:
    answer = login(ada)
    assert (answer.status_code, answer.json()["error"]["id"]) == (500, "invalid_configuration")


def test_two_first_sign_ins_at_once_both_go_through(ada: str, hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks.on("/check", Says(200, {"status": "password_match"}))
    real, others = password.make_hash, []

    def make_hash(typed: str) -> str:
        """The other one comes to its end while this one hashes."""
        monkeypatch.setattr(password, "make_hash", real)
        others.append(login(ada).status_code)
        return real(typed)

    monkeypatch.setattr(password, "make_hash", make_hash)
    with asking(hooks):
        assert (login(ada).status_code, others) == (200, [200])
    assert set(Credential.objects.get(type="password").config) == {"hashed_password"}
