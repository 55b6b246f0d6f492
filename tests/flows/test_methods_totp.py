"""An authenticator app: set up in settings, used as second factor, removed."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import zxingcpp
from PIL import Image

from flows.models import SettingsFlow
from identity import config
from identity.credentials.models import Credential, GuessCount
from identity.identities import services
from identity.identities.models import Identity
from tests.factor_journeys import App, Flow, Page, code_of, configuration, make_person, names, said, secret_of, value

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override(configuration()):
        yield


@pytest.fixture
def ada() -> Identity:
    return make_person("ada@example.org")


@pytest.fixture(params=[App, Page])
def visitor(request: pytest.FixtureRequest, ada: Identity) -> App:
    person: App = request.param(ada)
    return person


def set_up(visitor: App) -> str:
    """Set an app up with the code of the step before, and return its secret."""
    flow = visitor.start("settings")
    secret = secret_of(flow)
    response = visitor.submit(flow, method="totp", totp_code=code_of(secret, time.time(), -1))
    assert response.status_code == 200, response.content
    return secret


def second_factor_of(ada: Identity, kind: type[App] = App) -> tuple[App, Flow]:
    """Return another device with one factor, and its flow for the second."""
    other = kind(ada)
    return other, other.start("login", aal="aal2")


@pytest.fixture
def wordy() -> Iterator[Identity]:
    """Somebody whose app is to show a name of two thousand characters, each of which takes nine in an address."""
    schema = {
        "properties": {
            "traits": {
                "type": "object",
                "properties": {"name": {"type": "string", "ory.sh/kratos": {"credentials": {"totp": {"account_name": True}}}}},
            }
        }
    }
    url = "base64://" + base64.b64encode(json.dumps(schema).encode()).decode()
    issuer = {"methods": {"totp": {"config": {"issuer": "私" * 800}}}}
    with config.override({"identity": {"default_schema_id": "wordy", "schemas": [{"id": "wordy", "url": url}]}, "selfservice": issuer}):
        person = services.propose("wordy", {"name": "私" * 2000})
        services.derive(person)
        services.create(person)
        yield person


def test_the_picture_holds_the_key_however_long_the_name(wordy: Identity) -> None:
    flow = App(wordy).start("settings")
    picture = next(node for node in flow["ui"]["nodes"] if node["type"] == "img")["attributes"]["src"]

    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(base64.b64decode(picture.partition(",")[2]))))
    assert f"secret={secret_of(flow)}" in found.text
    assert unquote(found.text).count("私") == 100 + 2 * 50


def test_it_raises_this_session_and_no_other(visitor: App, ada: Identity) -> None:
    other = App(ada)
    before = visitor.stored_session().authenticated_at

    set_up(visitor)

    session = visitor.stored_session()
    assert (session.aal, session.methods_used()) == ("aal2", ["password", "totp"])
    assert session.authenticated_at > before
    assert other.stored_session().aal == "aal1"
    assert Identity.objects.get(pk=ada.pk).available_aal == "aal2"


def test_a_step_up_tells_its_device_and_the_session_keeps_the_first_alone(ada: Identity) -> None:
    secret = set_up(App(ada))
    visitor, login = second_factor_of(ada)
    visitor.headers["HTTP_USER_AGENT"] = "Second/1.0"

    told = visitor.submit(login, method="totp", totp_code=code_of(secret, time.time())).json()["session"]["devices"]

    assert (told[-1]["id"], told[-1]["user_agent"]) == ("00000000-0000-0000-0000-000000000000", "Second/1.0")
    assert told[:-1] == visitor.stored_session().devices
    assert told[:-1] == visitor.client.get("/sessions/whoami", **visitor.headers).json()["devices"]


def test_an_app_keeps_its_token(ada: Identity) -> None:
    visitor = App(ada)
    set_up(visitor)

    assert visitor.client.get("/sessions/whoami", **visitor.headers).json()["authenticator_assurance_level"] == "aal2"


def test_a_wrong_code_sets_up_nothing_and_proves_nothing(visitor: App) -> None:
    flow = visitor.start("settings")

    refused = visitor.submit(flow, method="totp", totp_code="000000").json()

    assert said(refused, "totp_code") == [4000008]
    assert secret_of(refused) == secret_of(flow)
    assert visitor.stored_session().aal == "aal1"
    assert not Credential.objects.filter(type="totp").exists()


def test_the_key_of_another_form_does_not_count(visitor: App) -> None:
    first, second = visitor.start("settings"), visitor.start("settings")

    refused = visitor.submit(first, method="totp", totp_code=code_of(secret_of(second), time.time()))

    assert said(refused.json(), "totp_code") == [4000008]


def test_the_code_that_set_it_up_does_not_sign_in(ada: Identity) -> None:
    visitor = App(ada)
    flow = visitor.start("settings")
    now = time.time()
    code = code_of(secret_of(flow), now)
    visitor.submit(flow, method="totp", totp_code=code)
    other, login = second_factor_of(ada)

    assert said(other.submit(login, method="totp", totp_code=code).json()) == [4000008]


@pytest.mark.parametrize("kind", [App, Page])
def test_it_raises_the_session_to_aal2(ada: Identity, kind: type[App]) -> None:
    secret = set_up(App(ada))
    other, login = second_factor_of(ada, kind)

    response = other.submit(login, method="totp", totp_code=code_of(secret, time.time()))

    assert response.json()["session"]["authenticator_assurance_level"] == "aal2"


def test_a_code_seen_over_a_shoulder_is_worth_nothing(ada: Identity) -> None:
    secret = set_up(App(ada))
    code = code_of(secret, time.time())
    owner, login = second_factor_of(ada)
    assert owner.submit(login, method="totp", totp_code=code).status_code == 200
    thief, login = second_factor_of(ada)

    refused = thief.submit(login, method="totp", totp_code=code)

    assert (refused.status_code, said(refused.json())) == (400, [4000008])
    assert thief.stored_session().aal == "aal1"


@pytest.mark.parametrize(("code", "id", "at"), [("", 4000002, "totp_code"), ("12345", 4000003, "totp_code"), ("000000", 4000008, "")])
def test_it_says_what_is_wrong_with_a_code(ada: Identity, code: str, id: int, at: str) -> None:
    set_up(App(ada))
    other, login = second_factor_of(ada)

    refused = other.submit(login, method="totp", totp_code=code).json()

    assert said(refused, at) == [id]
    assert value(refused, "totp_code") is None


def test_guesses_count_over_flows_and_sessions(ada: Identity) -> None:
    secret = set_up(App(ada))
    for _ in range(10):
        thief, login = second_factor_of(ada)
        assert said(thief.submit(login, method="totp", totp_code="000000").json()) == [4000008]
    thief, login = second_factor_of(ada)

    refused = thief.submit(login, method="totp", totp_code=code_of(secret, time.time())).json()

    assert said(refused) == [4000001]
    assert "wait" in refused["ui"]["messages"][0]["context"]["reason"]


def test_a_code_that_is_too_short_is_no_guess(ada: Identity) -> None:
    set_up(App(ada))
    other, login = second_factor_of(ada)
    for code in ("", "1", "12345"):
        other.submit(login, method="totp", totp_code=code)

    assert not GuessCount.objects.exists()


def test_a_thief_who_guesses_does_not_make_the_owners_device_wait(ada: Identity) -> None:
    owner = App(ada)
    secret = set_up(owner)
    for _ in range(12):
        thief, login = second_factor_of(ada)
        thief.submit(login, method="totp", totp_code="000000")

    again = owner.start("login", aal="aal2", refresh="true")

    assert owner.submit(again, method="totp", totp_code=code_of(secret, time.time())).status_code == 200


def test_it_is_not_asked_of_who_has_none(ada: Identity) -> None:
    other, login = second_factor_of(ada)

    assert "totp_code" not in names(login)
    assert said(other.submit(login, method="totp", totp_code="123456").json()) == [4000011]


def test_removing_it_needs_no_code_and_lowers_the_bar(visitor: App, ada: Identity) -> None:
    set_up(visitor)
    flow = visitor.start("settings")
    assert "totp_qr" not in names(flow)

    after = visitor.submit(flow, totp_unlink=True).json()

    assert said(after) == [1050001]
    assert "totp_qr" in names(after)
    assert Identity.objects.get(pk=ada.pk).available_aal == "aal1"
    assert visitor.stored_session().methods_used() == ["password", "totp"]


def test_a_stray_code_beside_a_set_up_app_proves_nothing(visitor: App) -> None:
    set_up(visitor)
    proved = visitor.stored_session().methods_used()

    visitor.submit(visitor.start("settings"), method="totp", totp_code="123456")

    assert visitor.stored_session().methods_used() == proved


def test_one_factor_is_not_enough_to_remove_the_second(ada: Identity) -> None:
    owner = App(ada)
    flow = owner.start("settings")
    owner.submit(flow, method="totp", totp_code=code_of(secret_of(flow), time.time()))
    thief = App(ada)

    response = thief.submit(flow, totp_unlink=True)

    assert (response.status_code, response.json()["error"]["id"]) == (403, "session_aal2_required")
    assert Credential.objects.filter(type="totp").exists()


def test_the_flows_row_does_not_tell_the_key(visitor: App) -> None:
    flow = visitor.start("settings")
    row = SettingsFlow.objects.get(pk=flow["id"])

    assert secret_of(flow) not in str(row.ui) + str(row.internal)
    assert "data:image" not in str(row.ui)
    assert secret_of(visitor.fetch(flow)) == secret_of(flow)


def test_a_hook_that_refuses_leaves_the_session_as_it_was(visitor: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import hooks
    from flows.errors import InvalidSubmission
    from flows.ui import messages

    class Refusing:
        calls_out = waits = records = opens_session = False

        def interrupt(self) -> None:
            raise InvalidSubmission(messages.generic("Not today."))

    class Runner:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def after(self, context: hooks.HookContext) -> Any:
            return Refusing()

    real = hooks.runner()
    flow = visitor.start("settings")
    monkeypatch.setattr(hooks, "runner", Runner)

    refused = visitor.submit(flow, method="totp", totp_code=code_of(secret_of(flow), time.time())).json()

    assert said(refused) == [4000001]
    assert (visitor.stored_session().aal, visitor.stored_session().methods_used()) == ("aal1", ["password"])
    assert not Credential.objects.filter(type="totp").exists()
    assert secret_of(refused) == secret_of(flow)


def test_it_is_not_found_while_it_is_off(ada: Identity) -> None:
    set_up(App(ada))
    with config.override(configuration(totp={"enabled": False})):
        other = App(ada)
        login = other.start("login", aal="aal2")
        response = other.submit(login, method="totp", totp_code="123456")

    assert "totp_code" not in names(login)
    assert response.status_code == 404
