"""Security keys and passkeys on their way through the flows."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA384
from django.test import Client

from flows.models import LoginFlow
from identity import config
from identity.credentials import webauthn
from identity.identities.models import Identity
from tests.authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator, Lie
from tests.factor_journeys import ORIGIN, RP, App, Flow, Page, configuration, make_person, names, node, said, value

pytestmark = pytest.mark.django_db

FIRST_KEY = {"enabled": True, "config": {"passwordless": True, "rp": RP}}
OFF = {"enabled": False}


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override(configuration()):
        yield


@pytest.fixture
def passwordless() -> Iterator[None]:
    with config.override(configuration(webauthn=FIRST_KEY, passkey=OFF)):
        yield


@pytest.fixture
def ada() -> Identity:
    return make_person("ada@example.org")


@pytest.fixture
def key() -> Authenticator:
    return Authenticator(ORIGIN)


def add_key(visitor: App, key: Authenticator, lie: Lie | None = None, name: str = "blue") -> Any:
    flow = visitor.start("settings")
    answer = key.create(value(flow, "webauthn_register_trigger"), lie or Lie())
    return visitor.submit(flow, webauthn_register=answer, webauthn_register_displayname=name)


def add_passkey(visitor: App, key: Authenticator, lie: Lie | None = None) -> Any:
    flow = visitor.start("settings")
    return visitor.submit(flow, passkey_settings_register=key.create(value(flow, "passkey_create_data"), lie or Lie()))


def sign_in(visitor: App, key: Authenticator, lie: Lie | None = None, flow: Flow | None = None) -> Any:
    flow = flow or visitor.start("login")
    return visitor.submit(flow, method="passkey", passkey_login=key.get(value(flow, "passkey_challenge"), lie or Lie()))


def second_factor(ada: Identity, key: Authenticator, lie: Lie | None = None) -> tuple[Page, Any]:
    other = Page(ada)
    flow = other.start("login", aal="aal2")
    answer = key.get(value(flow, "webauthn_login_trigger"), lie or Lie())
    return other, other.submit(flow, webauthn_login=answer, identifier="ada@example.org")


def is_nobody(visitor: App) -> bool:
    """Whether they are not signed in, with what they were given so far."""
    return bool(visitor.client.get("/sessions/whoami", **visitor.headers).status_code == 401)


def keys_of(identity: Identity, type: str) -> list[webauthn.Key]:
    return webauthn.keys_of(Identity.objects.get(pk=identity.pk).credential(type))


def challenged(visitor: Page, identifier: str) -> Flow:
    flow = visitor.start("login")
    response = visitor.submit(flow, method="webauthn", identifier=identifier)
    assert response.status_code == 422, response.content
    assert response.json()["redirect_browser_to"].endswith(f"flow={flow['id']}")
    return visitor.fetch(flow)


# What both ceremonies refuse, and what one of them does.
LIES = {
    "another origin": Lie(origin="https://evil.example.org"),
    "an origin below ours": Lie(origin=f"{ORIGIN}.evil.example.org"),
    "another scheme": Lie(origin=ORIGIN.replace("http:", "https:")),
    "another port": Lie(origin=ORIGIN.rpartition(":")[0] + ":4456"),
    "no origin": Lie(origin="null"),
    "another RP ID": Lie(rp_id="evil.example.org"),
    "another challenge": Lie(challenge=b"of another flow"),
    "nobody present": Lie(flags=VERIFIED),
    "nothing at all": Lie(flags=0),
    "a backup that cannot be": Lie(flags=PRESENT | VERIFIED | BACKED_UP),
    "somebody else's key": Lie(key_id=b"somebody else's"),
    "two keys": Lie(raw_id=b"somebody else's"),
    "data that ends too early": Lie(cut=1),
    "hardly any data": Lie(cut=36),
}
WHILE_SIGNING = {
    **LIES,
    "another ceremony": Lie(ceremony="webauthn.create"),
    "a ceremony that is none": Lie(ceremony="payment.get"),
    "a signature of nothing": Lie(signature=b"\x30\x06\x02\x01\x01\x02\x01\x01"),
    "a signature that is none": Lie(signature=b"\x00"),
    "a signature of another algorithm": Lie(hash=SHA384()),
    "that it can be backed up now": Lie(flags=PRESENT | VERIFIED | ELIGIBLE),
}
WHILE_MAKING = {
    **LIES,
    "another ceremony": Lie(ceremony="webauthn.get"),
    "an algorithm that was not offered": Lie(algorithm=-65535),
    "an attestation that does not exist": Lie(format="made-up"),
    "an attestation that is not there": Lie(format="packed"),
}


def about(lies: dict[str, Lie]) -> Any:
    return pytest.mark.parametrize("lie", list(lies.values()), ids=list(lies))


# -- security keys as second factor


def test_a_security_key_raises_the_session_in_which_it_is_added(ada: Identity, key: Authenticator) -> None:
    visitor = Page(ada)

    added = add_key(visitor, key).json()

    assert said(added) == [1050001]
    assert value(added, "webauthn_remove") == key.keys[0].id.hex()
    assert visitor.stored_session().methods_used() == ["password", "webauthn"]
    assert Identity.objects.get(pk=ada.pk).available_aal == "aal2"


@about(WHILE_MAKING)
def test_a_key_that_lies_is_not_added_and_proves_nothing(ada: Identity, key: Authenticator, lie: Lie) -> None:
    visitor = Page(ada)

    refused = add_key(visitor, key, lie)

    assert (refused.status_code, said(refused.json())) == (400, [4000001])
    assert visitor.stored_session().aal == "aal1"
    assert keys_of(ada, "webauthn") == []


def test_the_answer_to_an_earlier_form_is_not_taken(ada: Identity, key: Authenticator) -> None:
    visitor = Page(ada)
    earlier, flow = visitor.start("settings"), visitor.start("settings")
    answer = key.create(value(earlier, "webauthn_register_trigger"))

    refused = visitor.submit(flow, webauthn_register=answer, webauthn_register_displayname="blue")

    assert said(refused.json()) == [4000001]


def test_a_key_needs_a_name(ada: Identity, key: Authenticator) -> None:
    assert said(add_key(Page(ada), key, name="").json(), "webauthn_register_displayname") == [4000002]


def test_a_security_key_is_a_second_factor(ada: Identity, key: Authenticator) -> None:
    add_key(Page(ada), key)

    _, response = second_factor(ada, key)

    assert response.json()["session"]["authenticator_assurance_level"] == "aal2"
    assert keys_of(ada, "webauthn")[0].sign_count == 1


@about(WHILE_SIGNING)
def test_a_second_factor_that_lies_is_refused(ada: Identity, key: Authenticator, lie: Lie) -> None:
    add_key(Page(ada), key)

    other, response = second_factor(ada, key, lie)

    assert (response.status_code, said(response.json())) == (400, [4000043])
    assert other.stored_session().aal == "aal1"


@pytest.mark.parametrize("pretends", [False, True], ids=["under its own id", "under the id of hers"])
def test_another_persons_key_is_no_second_factor(ada: Identity, key: Authenticator, pretends: bool) -> None:
    eves = Authenticator(ORIGIN)
    add_key(Page(ada), key)
    add_key(Page(make_person("eve@example.org")), eves)

    other, response = second_factor(ada, eves, Lie(key_id=key.keys[0].id) if pretends else None)

    assert said(response.json()) == [4000043]
    assert other.stored_session().aal == "aal1"


def test_a_second_factor_that_answers_an_earlier_question_is_refused(ada: Identity, key: Authenticator) -> None:
    add_key(Page(ada), key)
    other = Page(ada)
    earlier, flow = other.start("login", aal="aal2"), other.start("login", aal="aal2")

    refused = other.submit(flow, webauthn_login=key.get(value(earlier, "webauthn_login_trigger")), identifier="ada@example.org")

    assert said(refused.json()) == [4000043]
    assert other.stored_session().aal == "aal1"


def test_a_page_in_a_frame_of_another_site_may_ask(ada: Identity, key: Authenticator) -> None:
    """The browser asks that site's permission for it, and the origin is still ours (as upstream)."""
    add_key(Page(ada), key)

    _, response = second_factor(ada, key, Lie(more={"crossOrigin": True, "topOrigin": "https://partner.example.org"}))

    assert response.status_code == 200


def test_a_counter_that_falls_leaves_a_warning_and_lets_in(ada: Identity, key: Authenticator) -> None:
    add_key(Page(ada), key)
    second_factor(ada, key, Lie(counter=9))

    _, response = second_factor(ada, key, Lie(counter=3))

    assert response.status_code == 200
    assert (keys_of(ada, "webauthn")[0].sign_count, keys_of(ada, "webauthn")[0].clone_warning) == (9, True)


def test_the_last_second_factor_may_be_removed(ada: Identity, key: Authenticator) -> None:
    visitor = Page(ada)
    add_key(visitor, key)

    removed = visitor.submit(visitor.start("settings"), webauthn_remove=key.keys[0].id.hex()).json()

    assert said(removed) == [1050001]
    assert Identity.objects.get(pk=ada.pk).available_aal == "aal1"


def test_somebody_elses_key_cannot_be_removed(ada: Identity, key: Authenticator) -> None:
    add_key(Page(ada), key)
    eve = Page(make_person("eve@example.org"))

    refused = eve.submit(eve.start("settings"), webauthn_remove=key.keys[0].id.hex())

    assert said(refused.json()) == [4000001]
    assert len(keys_of(ada, "webauthn")) == 1


def test_apps_are_not_offered_security_keys(ada: Identity, key: Authenticator) -> None:
    add_key(Page(ada), key)
    app = App(ada)

    assert not any(name.startswith("webauthn") for name in names(app.start("login", aal="aal2")))


# -- security keys instead of a password


def key_account(key: Authenticator, email: str = "grace@example.org", lie: Lie | None = None) -> Any:
    visitor = Page()
    flow = visitor.start("registration")
    answer = key.create(value(flow, "webauthn_register_trigger"), lie or Lie())
    return visitor.submit(flow, webauthn_register=answer, webauthn_register_displayname="blue", traits={"email": email})


@pytest.mark.usefixtures("passwordless")
def test_somebody_may_sign_up_and_in_with_a_key_alone(key: Authenticator) -> None:
    assert key_account(key).status_code == 200
    visitor = Page()
    flow = challenged(visitor, "Grace@Example.org")

    response = visitor.submit(flow, webauthn_login=key.get(value(flow, "webauthn_login_trigger")), identifier="grace@example.org")

    methods = response.json()["session"]["authentication_methods"]
    assert [(entry["method"], entry["aal"]) for entry in methods] == [("webauthn", "aal1")]


def with_key_alone(visitor: Page, key: Authenticator, lie: Lie | None = None) -> Any:
    flow = challenged(visitor, "grace@example.org")
    return visitor.submit(flow, webauthn_login=key.get(value(flow, "webauthn_login_trigger"), lie or Lie()), identifier="grace@example.org")


@about(WHILE_SIGNING)
@pytest.mark.usefixtures("passwordless")
def test_a_key_that_lies_signs_nobody_in(key: Authenticator, lie: Lie) -> None:
    key_account(key)
    visitor = Page()

    refused = with_key_alone(visitor, key, lie)

    assert (refused.status_code, said(refused.json())) == (400, [4000043])
    assert is_nobody(visitor)


@about(WHILE_MAKING)
@pytest.mark.usefixtures("passwordless")
def test_a_key_that_lies_signs_nobody_up(key: Authenticator, lie: Lie) -> None:
    assert key_account(key, lie=lie).status_code == 400
    assert not Identity.objects.exists()


@pytest.mark.usefixtures("passwordless")
def test_a_key_alone_that_answers_an_earlier_question_signs_nobody_in(key: Authenticator) -> None:
    key_account(key)
    visitor = Page()
    earlier, flow = challenged(visitor, "grace@example.org"), challenged(visitor, "grace@example.org")

    refused = visitor.submit(flow, webauthn_login=key.get(value(earlier, "webauthn_login_trigger")), identifier="grace@example.org")

    assert said(refused.json()) == [4000043]
    assert is_nobody(visitor)


@pytest.mark.usefixtures("passwordless")
def test_another_persons_key_under_the_id_of_the_right_one_signs_nobody_in(key: Authenticator) -> None:
    eves, visitor = Authenticator(ORIGIN), Page()
    key_account(key)
    key_account(eves, "eve@example.org")

    refused = with_key_alone(visitor, eves, Lie(key_id=key.keys[0].id))

    assert said(refused.json()) == [4000043]
    assert is_nobody(visitor)


@pytest.mark.usefixtures("passwordless")
def test_a_key_alone_that_counts_backwards_leaves_a_warning_and_lets_in(key: Authenticator) -> None:
    key_account(key)
    with_key_alone(Page(), key, Lie(counter=9))

    assert with_key_alone(Page(), key, Lie(counter=3)).status_code == 200
    [held] = keys_of(Identity.objects.get(), "webauthn")
    assert (held.sign_count, held.clone_warning) == (9, True)


@pytest.mark.usefixtures("passwordless")
def test_a_key_is_added_beside_a_password_and_is_no_second_factor(ada: Identity, key: Authenticator) -> None:
    visitor = Page(ada)

    added = add_key(visitor, key).json()

    assert said(added) == [1050001]
    assert node(added, "webauthn_remove")["attributes"]["disabled"] is False
    assert (visitor.stored_session().methods_used(), visitor.stored_session().aal) == (["password", "webauthn"], "aal1")
    assert Identity.objects.get(pk=ada.pk).available_aal == "aal1"


@pytest.mark.usefixtures("passwordless")
def test_whose_key_was_asked_for_cannot_be_changed_afterwards(key: Authenticator) -> None:
    eves = Authenticator(ORIGIN)
    key_account(key)
    key_account(eves, "eve@example.org")
    visitor = Page()
    flow = challenged(visitor, "grace@example.org")
    answer = eves.get(value(flow, "webauthn_login_trigger"))

    refused = visitor.submit(flow, webauthn_login=answer, identifier="eve@example.org")

    assert said(refused.json()) == [4000043]


@pytest.mark.usefixtures("passwordless")
def test_an_answer_without_a_question_is_refused(key: Authenticator) -> None:
    key_account(key)
    visitor = Page()
    question = webauthn.request_options(webauthn.Ceremony.new(), rp=config_rp(), timeout=1, user_verification="discouraged")

    refused = visitor.submit(visitor.start("login"), webauthn_login=key.get(question), identifier="grace@example.org")

    assert said(refused.json()) == [4000043]


def config_rp() -> Any:
    from identity import conf

    return conf.webauthn().rp


@pytest.mark.usefixtures("passwordless")
def test_a_stranger_is_told_that_there_is_no_account() -> None:
    visitor = Page()

    refused = visitor.submit(visitor.start("login"), method="webauthn", identifier="nobody@example.org")

    assert said(refused.json()) == [4000015]


def test_a_stranger_is_asked_like_everybody_where_accounts_are_hidden(key: Authenticator) -> None:
    hidden = configuration(webauthn=FIRST_KEY, passkey=OFF) | {"security": {"account_enumeration": {"mitigate": True}}}
    with config.override(hidden):
        visitor = Page()
        flow, again = challenged(visitor, "nobody@example.org"), challenged(Page(), " Nobody@example.org")
        key.create({"publicKey": {"rp": {"id": "localhost"}, "user": {"id": "bm9ib2R5"}, "challenge": "eA"}})
        answer = key.get(value(flow, "webauthn_login_trigger"))
        refused = visitor.submit(flow, webauthn_login=answer, identifier="nobody@example.org")

    asked, repeated = (json.loads(value(each, "webauthn_login_trigger"))["publicKey"]["allowCredentials"] for each in (flow, again))
    assert len(asked) == 1
    assert asked == repeated
    assert said(refused.json()) == [4000043]


# -- passkeys


@pytest.mark.parametrize("kind", [App, Page])
def test_somebody_may_sign_up_and_in_with_a_passkey(key: Authenticator, kind: type[App]) -> None:
    visitor = kind()
    flow = visitor.start("registration")
    answer = key.create(value(flow, "passkey_create_data"))
    assert visitor.submit(flow, passkey_register=answer, traits={"email": "grace@example.org"}).status_code == 200

    session = sign_in(kind(), key).json()["session"]

    assert session["identity"]["traits"]["email"] == "grace@example.org"
    assert [(entry["method"], entry["aal"]) for entry in session["authentication_methods"]] == [("passkey", "aal1")]


@pytest.mark.parametrize("kind", [App, Page])
def test_a_passkey_is_no_second_factor(ada: Identity, key: Authenticator, kind: type[App]) -> None:
    visitor = kind(ada)

    add_passkey(visitor, key)

    assert visitor.stored_session().methods_used() == ["password", "passkey"]
    assert visitor.stored_session().aal == "aal1"


@about(WHILE_SIGNING)
def test_a_passkey_that_lies_signs_nobody_in(ada: Identity, key: Authenticator, lie: Lie) -> None:
    add_passkey(App(ada), key)
    app, page = App(), Page()

    for visitor in (app, page):
        refused = sign_in(visitor, key, lie)
        assert (refused.status_code, said(refused.json())) == (400, [4000043])
        assert is_nobody(visitor)


@about(WHILE_MAKING)
def test_a_passkey_that_lies_is_not_added(ada: Identity, key: Authenticator, lie: Lie) -> None:
    visitor = App(ada)

    refused = add_passkey(visitor, key, lie)

    assert (refused.status_code, said(refused.json())) == (400, [4000001])
    assert visitor.stored_session().methods_used() == ["password"]
    assert keys_of(ada, "passkey") == []


@about(WHILE_MAKING)
def test_a_passkey_that_lies_signs_nobody_up(key: Authenticator, lie: Lie) -> None:
    visitor = App()
    flow = visitor.start("registration")

    refused = visitor.submit(
        flow, passkey_register=key.create(value(flow, "passkey_create_data"), lie), traits={"email": "grace@example.org"}
    )

    assert refused.status_code == 400
    assert not Identity.objects.exists()


def test_a_passkey_that_counts_backwards_leaves_a_warning_and_lets_in(ada: Identity, key: Authenticator) -> None:
    add_passkey(App(ada), key)
    sign_in(App(), key, Lie(counter=9))

    assert sign_in(App(), key, Lie(counter=3)).status_code == 200
    assert (keys_of(ada, "passkey")[0].sign_count, keys_of(ada, "passkey")[0].clone_warning) == (9, True)


@pytest.mark.parametrize("handle", [b"", b"nobody", b"\xff\xfe", b"a\x00b", b"0" * 16])
def test_a_handle_that_names_nobody_is_refused(ada: Identity, key: Authenticator, handle: bytes) -> None:
    add_passkey(App(ada), key)

    assert said(sign_in(App(), key, Lie(handle=handle)).json()) == [4000015]


def test_one_persons_passkey_does_not_open_the_account_of_another(ada: Identity, key: Authenticator) -> None:
    eves = Authenticator(ORIGIN)
    add_passkey(App(ada), key)
    add_passkey(App(make_person("eve@example.org")), eves)

    refused = sign_in(App(), eves, Lie(handle=key.keys[0].handle))

    assert said(refused.json()) == [4000043]


def test_the_answer_to_another_flow_is_refused(ada: Identity, key: Authenticator) -> None:
    add_passkey(App(ada), key)
    visitor = App()
    other, flow = visitor.start("login"), visitor.start("login")

    refused = visitor.submit(flow, passkey_login=key.get(value(other, "passkey_challenge")))

    assert said(refused.json()) == [4000043]


def test_the_same_answer_does_not_sign_in_twice(ada: Identity, key: Authenticator) -> None:
    add_passkey(App(ada), key)
    visitor = App()
    flow = visitor.start("login")
    answer = key.get(value(flow, "passkey_challenge"))
    assert visitor.submit(flow, passkey_login=answer).status_code == 200

    assert App().submit(flow, passkey_login=answer).status_code != 200


def test_it_refuses_who_was_not_verified_where_that_is_required(ada: Identity, key: Authenticator) -> None:
    strict = {"rp": RP, "authenticator_selection": {"user_verification": "required"}}
    with config.override(configuration(passkey={"enabled": True, "config": strict})):
        not_made = add_passkey(App(ada), key, Lie(flags=PRESENT))
        add_passkey(App(ada), key)
        refused = sign_in(App(), key, Lie(flags=PRESENT))
        let_in = sign_in(App(), key)

    assert said(not_made.json()) == [4000001]
    assert said(refused.json()) == [4000043]
    assert let_in.status_code == 200


def test_proving_again_who_one_is_takes_ones_own_passkey(ada: Identity, key: Authenticator) -> None:
    eves = Authenticator(ORIGIN)
    visitor = App(ada)
    add_passkey(visitor, key)
    add_passkey(App(make_person("eve@example.org")), eves)
    flow = visitor.start("login", refresh="true")

    assert said(sign_in(visitor, eves, flow=flow).json()) == [4000043]
    assert sign_in(visitor, key, flow=flow).status_code == 200


def test_the_last_way_in_stays(key: Authenticator) -> None:
    visitor = App()
    flow = visitor.start("registration")
    visitor.submit(flow, passkey_register=key.create(value(flow, "passkey_create_data")), traits={"email": "grace@example.org"})
    sign_in(visitor, key)
    flow = visitor.start("settings")

    refused = visitor.submit(flow, passkey_remove=key.keys[0].id.hex()).json()

    assert node(flow, "passkey_remove")["attributes"]["disabled"] is True
    assert said(refused, "passkey_remove") == [4000001]


def test_nothing_is_answered_where_no_answer_was_sent() -> None:
    visitor = App()
    flow = visitor.start("login")

    response = visitor.submit(flow, method="passkey", passkey_login="")

    assert (response.status_code, response.json()["error"]["id"]) == (422, "browser_location_change_required")
    assert LoginFlow.objects.get(pk=flow["id"]).completed_at is None


def test_the_question_stays_while_the_pages_of_the_form_are_turned(key: Authenticator) -> None:
    two_steps = configuration()
    two_steps["selfservice"]["flows"]["registration"]["style"] = "profile_first"
    with config.override(two_steps):
        visitor = App()
        flow = visitor.start("registration")
        first = visitor.submit(flow, method="profile", traits={"email": "grace@example.org"}).json()
        answer = key.create(value(first, "passkey_create_data"))
        back = visitor.submit(first, screen="previous", traits={"email": "grace@example.org"}).json()
        visitor.submit(back, method="profile", traits={"email": "grace@example.org"})
        response = visitor.submit(flow, passkey_register=answer, traits={"email": "grace@example.org"})

    assert response.status_code == 200, response.content


def test_the_identifier_stands_once_however_many_methods_ask_for_it() -> None:
    with config.override(configuration(webauthn=FIRST_KEY)):
        flow = Page().start("login")

    assert [each["attributes"].get("name") for each in flow["ui"]["nodes"]].count("identifier") == 1
    assert [each["attributes"].get("id") for each in flow["ui"]["nodes"]].count("webauthn_script") == 1
    assert node(flow, "identifier")["attributes"]["autocomplete"] == "username webauthn"


# -- adding two at once


@pytest.mark.django_db(transaction=True)
def test_of_two_passkeys_that_are_added_at_once_none_is_lost_in_silence(ada: Identity, key: Authenticator) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    visitor = App(ada)
    add_passkey(visitor, key)
    forms = [visitor.start("settings") for _ in range(4)]
    answers = [key.create(value(form, "passkey_create_data")) for form in forms]

    def add(index: int) -> int:
        try:
            device = App(headers=visitor.headers)
            return int(device.submit(forms[index], passkey_settings_register=answers[index]).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(add, range(4)))

    assert set(done) <= {200, 400}
    assert len(keys_of(ada, "passkey")) == 1 + done.count(200)


# -- the script


def test_the_script_is_the_one_whose_hash_the_form_names(ada: Identity) -> None:
    script = node(Page(ada).start("settings"), "webauthn_script")["attributes"]

    response = Client().get("/.well-known/ory/webauthn.js", HTTP_ORIGIN="https://ui.example.org")

    assert response["Content-Type"] == "text/javascript; charset=UTF-8"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert script["integrity"] == "sha512-" + base64.b64encode(hashlib.sha512(response.content).digest()).decode()
    assert script["src"].endswith("/.well-known/ory/webauthn.js")
