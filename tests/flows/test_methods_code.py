"""A code that is sent: it signs in, signs up, and is a second factor."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.models import Code, LoginFlow
from identity import config
from identity.credentials import services as credentials
from identity.credentials.models import GuessCount
from identity.http import cookies
from identity.identities.models import Identity
from identity.sessions.models import Session
from tests import mailbox
from tests.factor_journeys import App, Flow, Page, configuration, make_person, names, node, said, value
from tests.server import merged

pytestmark = pytest.mark.django_db
ADA, EVE = "ada@example.org", "eve@example.org"
FIRST = {"code": {"enabled": True, "passwordless_enabled": True}}
SECOND = {"code": {"enabled": True, "mfa_enabled": True}}


@pytest.fixture(autouse=True)
def _mailbox(settings: Any) -> None:
    settings.COURIER = "tests.mailbox"
    mailbox.sent.clear()


@pytest.fixture
def first_factor() -> Iterator[None]:
    with config.override(configuration(**FIRST)):
        yield


@pytest.fixture
def second_factor() -> Iterator[None]:
    with config.override(configuration(**SECOND)):
        yield


@pytest.fixture
def ada() -> Identity:
    return make_person(ADA)


@pytest.fixture(params=[App, Page])
def kind(request: pytest.FixtureRequest) -> type[App]:
    return request.param  # type: ignore[no-any-return]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def asked(who: App, identifier: str = ADA, **query: str) -> Flow:
    """Return the form that asks for the code that was sent."""
    response = who.submit(who.start("login", **query), method="code", identifier=identifier)
    assert response.status_code == 400, response.content
    return dict(response.json())


# -- signing in


@pytest.mark.usefixtures("first_factor", "ada")
def test_it_signs_in_with_the_code_that_was_sent(kind: type[App]) -> None:
    who = kind()
    flow = asked(who)
    assert (flow["state"], flow["active"], said(flow)) == ("sent_email", "code", [1010014])

    response = who.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(ADA))

    session = response.json()["session"]
    assert [(used["method"], used["aal"]) for used in session["authentication_methods"]] == [("code", "aal1")]
    assert session["identity"]["verifiable_addresses"][0]["verified"] is True


@pytest.mark.usefixtures("first_factor", "ada")
def test_an_empty_wish_for_another_code_is_none(kind: type[App]) -> None:
    """Pages send the name of a button that was not pressed, too."""
    who = kind()
    flow = asked(who)

    assert who.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(ADA), resend="").status_code == 200
    assert len(mailbox.sent) == 1


@pytest.mark.usefixtures("first_factor", "ada")
def test_a_code_works_once(kind: type[App]) -> None:
    who = kind()
    flow = asked(who)
    code = mailbox.code_for(ADA)
    who.submit(flow, method="code", identifier=ADA, code=code)

    again = kind().submit(flow, method="code", identifier=ADA, code=code)

    assert again.status_code != 200
    assert Session.objects.count() == 1


@pytest.mark.usefixtures("first_factor", "ada")
def test_a_code_of_another_form_does_not_count() -> None:
    ada, eve = App(), App()
    asked(ada)
    code = mailbox.code_for(ADA)
    of_eve = asked(eve)

    assert said(eve.submit(of_eve, method="code", identifier=ADA, code=code).json()) == [4010008]


@pytest.mark.usefixtures("first_factor", "ada")
def test_the_code_of_one_is_not_a_code_for_another() -> None:
    make_person(EVE)
    eve = App()
    flow = asked(eve, EVE)

    refused = eve.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(EVE))

    assert said(refused.json()) == [4010008]


@pytest.mark.usefixtures("first_factor", "ada")
def test_a_stranger_is_answered_as_somebody_known() -> None:
    known, unknown = App(), App()
    forms = [asked(known), asked(unknown, "nobody@example.org")]
    assert names(forms[0]) == names(forms[1])
    assert said(forms[0]) == said(forms[1])
    assert mailbox.delivered_to("nobody@example.org") == []
    assert [message.is_withheld for message in mailbox.sent] == [False, True]

    refused = unknown.submit(forms[1], method="code", identifier="nobody@example.org", code="123456")

    assert said(refused.json()) == [4010008]


@pytest.mark.usefixtures("first_factor", "ada")
def test_the_sixth_guess_is_not_looked_at() -> None:
    who = App()
    flow = asked(who)
    code = mailbox.code_for(ADA)
    for _ in range(5):
        assert said(who.submit(flow, method="code", identifier=ADA, code=wrong(code)).json()) == [4010008]

    assert said(who.submit(flow, method="code", identifier=ADA, code=code).json()) == [4000001]


@pytest.mark.usefixtures("first_factor", "ada")
def test_a_new_code_does_not_renew_the_guesses() -> None:
    who = App()
    flow = asked(who)
    for _ in range(5):
        who.submit(flow, method="code", identifier=ADA, code=wrong(mailbox.code_for(ADA)))
    again = who.submit(flow, method="code", identifier=ADA, resend="code")
    assert said(again.json()) == [1010014]

    assert said(who.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(ADA)).json()) == [4000001]


@pytest.mark.usefixtures("first_factor")
def test_wrong_guesses_count_over_flows(ada: Identity) -> None:
    for _ in range(3):
        who = App()
        flow = asked(who)
        for _ in range(4):
            who.submit(flow, method="code", identifier=ADA, code=wrong(mailbox.code_for(ADA)))
    assert GuessCount.objects.get(identity=ada, factor="code").wrong == 10

    flow = asked(who)
    refused = who.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(ADA))

    assert said(refused.json()) == [4010008]  # the answer that a stranger gets: waiting would say that there is an account


@pytest.mark.usefixtures("first_factor", "ada")
def test_a_new_code_makes_the_earlier_one_void() -> None:
    who = App()
    flow = asked(who)
    first = mailbox.code_for(ADA)
    who.submit(flow, method="code", identifier=ADA, resend="code")

    assert said(who.submit(flow, method="code", identifier=ADA, code=first).json()) == [4010008]
    assert who.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(ADA)).status_code == 200


@pytest.mark.usefixtures("first_factor")
def test_an_inactive_identity_stays_out(ada: Identity) -> None:
    who = App()
    flow = asked(who)
    Identity.objects.filter(pk=ada.pk).update(state="inactive")

    refused = who.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(ADA))

    assert said(refused.json()) == [4010011]


@pytest.mark.usefixtures("first_factor")
def test_somebody_else_cannot_confirm_that_one_is_there(ada: Identity) -> None:
    make_person(EVE)
    who = App(ada)

    refused = who.submit(who.start("login", refresh="true"), method="code", identifier=EVE)

    assert said(refused.json()) == [4000035]
    assert mailbox.sent == []


@pytest.mark.usefixtures("first_factor", "ada")
def test_the_row_holds_no_code() -> None:
    asked(App())

    assert mailbox.code_for(ADA) not in str(Code.objects.values().get())


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("method", [{"code": {"enabled": True}}, SECOND])
def test_it_is_no_first_factor_where_it_is_not_one(method: dict[str, Any]) -> None:
    with config.override(configuration(**method)):
        who = App()
        flow = who.start("login")

        assert said(who.submit(flow, method="code", identifier=ADA).json()) == [4010002]
        assert mailbox.sent == []


@pytest.mark.parametrize("any_address", [False, True])
def test_it_asks_the_database_as_often_for_nobody_as_for_somebody(ada: Identity, any_address: bool) -> None:
    held = {"code": {**FIRST["code"], "config": {"missing_credential_fallback_enabled": any_address}}}
    asked = []
    with config.override(configuration(**held)):
        for identifier in (ADA, "nobody@example.org"):
            flow = App().start("login")
            with CaptureQueriesContext(connection) as captured:
                assert App().submit(flow, method="code", identifier=identifier).status_code == 400
            asked.append([query["sql"].split()[0] for query in captured.captured_queries])

    assert asked[0] == asked[1]


def test_an_address_is_looked_up_by_an_index(ada: Identity) -> None:
    """Of anybody who types a name: the table of all addresses is as long as there are people."""
    with CaptureQueriesContext(connection) as captured:
        assert credentials.owner_of(ADA, ("code",), by_address=True) == ada

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for query in captured.captured_queries:
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
                assert not [step for *_, step in cursor.fetchall() if step.startswith("SCAN ")]


# -- a second factor


@pytest.mark.usefixtures("second_factor")
def test_the_only_second_factor_is_on_its_way_when_the_form_opens(ada: Identity, kind: type[App]) -> None:
    who = kind(ada)

    flow = who.start("login", aal="aal2")

    assert (flow["state"], said(flow), value(flow, "identifier")) == ("sent_email", [1010025], ADA)
    response = who.submit(flow, method="code", code=mailbox.code_for(ADA))
    assert response.json()["session"]["authenticator_assurance_level"] == "aal2"


@pytest.mark.usefixtures("second_factor")
def test_the_answer_knows_that_the_code_proved_the_address(ada: Identity, kind: type[App]) -> None:
    who = kind(ada)

    session = who.submit(who.start("login", aal="aal2"), method="code", code=mailbox.code_for(ADA)).json()["session"]

    (address,) = session["identity"]["verifiable_addresses"]
    assert (address["verified"], address["status"]) == (True, "completed")


@pytest.mark.usefixtures("second_factor")
def test_the_second_factor_of_somebody_else_does_not_count(ada: Identity) -> None:
    who, eve = App(ada), App(make_person(EVE))
    flow = who.start("login", aal="aal2")

    refused = eve.submit(flow, method="code", code=mailbox.code_for(ADA))

    assert said(refused.json()) == [4010008]
    assert eve.stored_session().aal == "aal1"


@pytest.mark.usefixtures("second_factor")
def test_a_code_goes_to_no_foreign_address(ada: Identity) -> None:
    make_person(EVE)
    who = App(ada)
    flow = who.start("login", aal="aal2")
    mailbox.sent.clear()

    refused = who.submit(flow, address=EVE, resend="code")

    assert said(refused.json()) == [4000035]
    assert mailbox.sent == []


@pytest.mark.usefixtures("second_factor")
def test_the_address_can_be_named_by_its_trait(ada: Identity) -> None:
    who = App(ada)

    assert value(who.start("login", aal="aal2", via="email"), "identifier") == ADA
    refused = who.client.get("/self-service/login/api", {"aal": "aal2", "via": "name"}, HTTP_ACCEPT="application/json", **who.headers)
    assert refused.status_code == 400


@pytest.mark.usefixtures("second_factor")
def test_who_is_signed_in_has_to_wait_after_ten_wrong_guesses(ada: Identity) -> None:
    who = App(ada)
    for _ in range(3):
        flow = who.start("login", aal="aal2")
        for _ in range(4):
            refused = who.submit(flow, method="code", code=wrong(mailbox.code_for(ADA)))

    assert said(refused.json()) == [4000001]


# -- signing up


def begun(who: App, address: str = ADA) -> Flow:
    response = who.submit(who.start("registration"), method="code", traits={"email": address})
    assert response.status_code == 400, response.content
    return dict(response.json())


@pytest.mark.usefixtures("first_factor")
def test_it_signs_up_and_the_address_is_verified(kind: type[App]) -> None:
    who = kind()
    flow = begun(who)
    assert (flow["state"], said(flow)) == ("sent_email", [1040005])
    assert node(flow, "traits.email")["attributes"]["type"] == "hidden"

    response = who.submit(flow, method="code", code=mailbox.code_for(ADA), traits={"email": ADA})

    assert response.status_code == 200, response.content
    assert [row.verified for row in Identity.objects.get().verifiable] == [True]


@pytest.mark.parametrize("hooks", [[], [{"hook": "session"}]], ids=["alone", "signed in"])
def test_a_new_secret_against_forgery_comes_with_a_session_only(hooks: list[dict[str, str]]) -> None:
    after = {"selfservice": {"flows": {"registration": {"after": {"code": {"hooks": hooks}}}}}}
    with config.override(merged(configuration(**FIRST), after)):
        who = Page()
        flow = begun(who)
        response = who.submit(flow, method="code", code=mailbox.code_for(ADA), traits={"email": ADA})

    assert response.status_code == 200, response.content
    assert [name for name in response.cookies if "csrf" in name] == [cookies.csrf_name()] * len(hooks)


@pytest.mark.usefixtures("first_factor")
def test_traits_cannot_change_after_the_code_was_sent() -> None:
    who = App()
    flow = begun(who)
    code = mailbox.code_for(ADA)

    for _ in range(2):  # every time, not only once
        refused = who.submit(flow, method="code", code=code, traits={"email": EVE})
        assert said(refused.json()) == [4000036]

    assert who.submit(flow, method="code", code=code, traits={"email": ADA}).status_code == 200


@pytest.mark.usefixtures("first_factor")
def test_a_wrong_code_makes_no_account() -> None:
    who = App()
    flow = begun(who)

    refused = who.submit(flow, method="code", code=wrong(mailbox.code_for(ADA)), traits={"email": ADA})

    assert said(refused.json()) == [4040003]
    assert not Identity.objects.exists()


@pytest.mark.usefixtures("first_factor", "ada")
def test_a_taken_address_is_told_to_who_holds_it_only() -> None:
    who = App()
    flow = begun(who)

    refused = who.submit(flow, method="code", code=mailbox.code_for(ADA), traits={"email": ADA})

    assert said(refused.json()) == [4000007]


@pytest.mark.usefixtures("first_factor")
def test_the_message_names_the_new_account() -> None:
    begun(App())

    message = mailbox.delivered_to(ADA)[-1]
    assert message.template == "registration_code_valid"
    assert message.data["traits"] == {"email": ADA}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("first_factor")
def test_of_many_that_send_the_same_code_at_once_one_gets_in() -> None:
    make_person(ADA)
    who = App()
    flow = asked(who)
    code = mailbox.code_for(ADA)

    def send(_: int) -> int:
        try:
            return int(App().submit(flow, method="code", identifier=ADA, code=code).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))

    assert answers.count(200) == 1
    assert LoginFlow.objects.get(pk=flow["id"]).completed_at is not None
