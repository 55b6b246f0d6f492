"""What one factor opens and a second one lifts, for everything that somebody may have set up (contract: flows.md 6.4, 12.4)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import pytest
from django.db import connection

from identity import config
from identity.credentials import attempts, totp
from identity.credentials.models import Credential
from tests import mailbox
from tests.authenticator import Authenticator
from tests.factor_journeys import (
    ORIGIN,
    App,
    Flow,
    Page,
    code_of,
    codes_of,
    configuration,
    make_person,
    names,
    said,
    secret_of,
    value,
)

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"
SECONDS = ("totp", "lookup_secret", "webauthn", "code")
SETS = [frozenset(chosen) for size in range(len(SECONDS) + 1) for chosen in combinations(SECONDS, size)]
CODES = {"enabled": True, "mfa_enabled": True}


@pytest.fixture(params=SETS, ids=lambda chosen: "+".join(sorted(chosen)) or "none")
def enrolled(request: pytest.FixtureRequest, settings: Any) -> Iterator[frozenset[str]]:
    """The second factors that Ada has."""
    settings.COURIER = "tests.mailbox"
    mailbox.sent.clear()
    with config.override(configuration(**({"code": CODES} if "code" in request.param else {}))):
        yield request.param


class Owner:
    """Ada, with what she has set up."""

    def __init__(self, enrolled: frozenset[str]) -> None:
        self.identity = make_person(ADA)
        self.key = Authenticator(ORIGIN)
        self.at_home = Page()
        self.at_home.sign_in(self.identity, ("password", "aal1"), *([("code", "aal2")] if "code" in enrolled else []))
        for factor in sorted(enrolled - {"code"}):
            getattr(self, f"_enrol_{factor}")()

    def _enrol_totp(self) -> None:
        flow = self.at_home.start("settings")
        self.secret = secret_of(flow)
        self._changed(self.at_home.submit(flow, method="totp", totp_code=code_of(self.secret, time.time(), -1)))

    def _enrol_lookup_secret(self) -> None:
        shown = self.at_home.submit(self.at_home.start("settings"), lookup_secret_regenerate=True).json()
        self.codes = codes_of(shown)
        self._changed(self.at_home.submit(shown, lookup_secret_confirm=True))

    def _enrol_webauthn(self) -> None:
        flow = self.at_home.start("settings")
        answer = self.key.create(value(flow, "webauthn_register_trigger"))
        self._changed(self.at_home.submit(flow, webauthn_register=answer, webauthn_register_displayname="blue"))

    def _changed(self, response: Any) -> None:
        assert response.status_code == 200, response.content

    def prove(self, factor: str, visitor: App, flow: Flow) -> Any:
        """Use a second factor."""
        match factor:
            case "totp":
                return visitor.submit(flow, method="totp", totp_code=code_of(self.secret, time.time()))
            case "lookup_secret":
                return visitor.submit(flow, method="lookup_secret", lookup_secret=self.codes.pop())
            case "webauthn":
                return visitor.submit(flow, identifier=ADA, webauthn_login=self.key.get(value(flow, "webauthn_login_trigger")))
        if "address" in names(flow):
            flow = visitor.submit(flow, method="code", address=ADA).json()
        return visitor.submit(flow, method="code", code=mailbox.code_for(ADA))


def whoami(visitor: App) -> Any:
    return visitor.client.get("/sessions/whoami", HTTP_ACCEPT="application/json", **visitor.headers)


def level(visitor: App) -> str:
    return str(whoami(visitor).json()["authenticator_assurance_level"])


@pytest.mark.parametrize("first", ["password", "passkey"])
def test_a_first_factor_alone_is_enough_for_who_has_no_other_only(enrolled: frozenset[str], first: str) -> None:
    owner = Owner(enrolled)
    visitor = Page()
    visitor.sign_in(owner.identity, (first, "aal1"))

    answer = whoami(visitor)

    assert visitor.stored_session().aal == "aal1"
    if not enrolled:
        assert (answer.status_code, level(visitor)) == (200, "aal1")
        return
    assert (answer.status_code, answer.json()["error"]["id"]) == (403, "session_aal2_required")
    assert "aal=aal2" in answer.json()["redirect_browser_to"]
    assert visitor.client.get("/self-service/settings/browser", HTTP_ACCEPT="application/json").status_code == 403


def test_each_second_factor_lifts_and_the_form_offers_those_that_there_are(enrolled: frozenset[str]) -> None:
    owner = Owner(enrolled)
    for factor in sorted(enrolled):
        visitor = Page(owner.identity)
        flow = visitor.start("login", aal="aal2")

        lifted = owner.prove(factor, visitor, flow)

        assert lifted.status_code == 200, lifted.content
        assert level(visitor) == "aal2"
        assert visitor.stored_session().methods_used() == ["password", factor]


@pytest.mark.parametrize("enrolled", [frozenset(("totp", "lookup_secret"))], indirect=True)
def test_two_second_factors_are_no_first_one(enrolled: frozenset[str]) -> None:
    owner = Owner(enrolled)
    visitor = Page()
    visitor.sign_in(owner.identity, ("lookup_secret", "aal2"), ("totp", "aal2"))

    assert visitor.stored_session().aal == "aal1"
    assert whoami(visitor).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_wrong_codes_over_twenty_sign_ins_at_once_ten_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the owner is not locked out where she signed in before."""
    with config.override(configuration()):
        owner = Owner(frozenset(("totp",)))
        thieves = [App(owner.identity) for _ in range(20)]
        flows = [thief.start("login", aal="aal2") for thief in thieves]
        looked_at: list[str] = []
        verify = totp.verify

        def looks_at(credential: Credential, code: str) -> bool:
            looked_at.append(code)
            return verify(credential, code)

        monkeypatch.setattr(totp, "verify", looks_at)

        def guess(number: int) -> list[int]:
            try:
                answer = App(headers=dict(thieves[number % 20].headers)).submit(flows[number % 20], method="totp", totp_code=f"{number:06}")
                return said(answer.json())
            finally:
                connection.close()

        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(guess, range(100)))

        assert len(looked_at) == attempts.FREE
        assert answers.count([4000008]) == attempts.FREE
        assert level(owner.at_home) == "aal2"
        again = owner.at_home.start("login", refresh="true", aal="aal2")
        assert owner.prove("totp", owner.at_home, again).status_code == 200
