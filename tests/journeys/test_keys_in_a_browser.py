"""Passkeys and security keys in a real browser, on the built-in pages: what our script does with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.clients import new_address
from tests.server import Server, merged


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    """A server whose pages live on localhost: browsers allow keys there without https."""
    server = Server(host="localhost")
    rp = {"id": "localhost", "display_name": "Example", "origins": [server.public]}
    methods = {"passkey": {"enabled": True, "config": {"rp": rp}}, "webauthn": {"enabled": True, "config": {"rp": rp}}}
    session = {"after": {"passkey": {"hooks": [{"hook": "session"}]}}}
    server.config = merged(server.config, {"selfservice": {"methods": methods, "flows": {"registration": session}}})
    with server:
        yield server


DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
STICK = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": False}


class Person:
    """A browser with an authenticator in it; nobody has to touch anything while `touches` is true."""

    def __init__(self, browser: Browser, site: Server, authenticator: dict[str, Any] | None = None, **look: Any) -> None:
        self.context, self.site = browser.new_context(**look), site
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.page.on("dialog", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._devtools = self.context.new_cdp_session(self.page)
        self._devtools.send("WebAuthn.enable")
        options = {"options": {**(authenticator or DEVICE), "automaticPresenceSimulation": True}}
        self._key = self._devtools.send("WebAuthn.addVirtualAuthenticator", options)["authenticatorId"]

    def _hear(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    def touches(self, does: bool) -> None:
        self._devtools.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self._key, "enabled": does})

    def keys_made(self) -> int:
        """How many keys the authenticator has made."""
        return len(self._devtools.send("WebAuthn.getCredentials", {"authenticatorId": self._key})["credentials"])

    def visits(self, flow: str, query: str = "") -> None:
        self.page.goto(f"{self.site.public}/self-service/{flow}/browser{query}")

    def presses(self, button: str) -> None:
        with self.page.expect_navigation():
            self.page.click(f'button[name="{button}"]')
        self.page.wait_for_load_state()

    def methods(self) -> list[str]:
        session = self.context.request.get(f"{self.site.public}/sessions/whoami").json()
        return [entry["method"] for entry in session.get("authentication_methods", [])]

    def forgets_the_session(self) -> None:
        self.context.clear_cookies()

    def signs_up(self) -> None:
        self.visits("registration")
        self.page.fill('input[name="traits.email"]', new_address())
        self.presses("passkey_register_trigger")


@pytest.fixture
def ada(browser: Browser, site: Server) -> Iterator[Person]:
    person = Person(browser, site)
    yield person
    person.context.close()


def test_a_passkey_signs_up(ada: Person) -> None:
    ada.signs_up()

    assert ada.methods() == ["passkey"]


def test_the_button_signs_in_while_another_question_waits(ada: Person) -> None:
    ada.signs_up()
    ada.forgets_the_session()
    ada.touches(False)
    ada.visits("login")
    ada.page.wait_for_function("!!window.abortPasskeyConditionalUI")
    ada.touches(True)

    ada.presses("passkey_login_trigger")

    assert ada.methods() == ["passkey"]


def test_a_passkey_that_the_browser_offers_signs_in_without_a_button(ada: Person) -> None:
    ada.signs_up()
    ada.forgets_the_session()

    ada.visits("login")
    ada.page.wait_for_url(lambda url: "/ui/login" not in url and "/login/browser" not in url)

    assert ada.methods() == ["passkey"]


def test_nobody_touches_a_device_for_a_form_that_lacks_something(ada: Person) -> None:
    """The passkey would stay there, and open nothing."""
    ada.visits("registration")

    ada.page.click('button[name="passkey_register_trigger"]')

    expect(ada.page.locator('input[name="traits.email"]')).to_be_focused()
    assert ada.keys_made() == 0


def test_a_security_key_is_added_and_used_as_second_factor(ada: Person) -> None:
    ada.signs_up()
    ada.visits("settings")
    ada.page.fill('input[name="webauthn_register_displayname"]', "Blue key")
    ada.presses("webauthn_register_trigger")
    assert ada.methods() == ["passkey", "webauthn"]
    ada.visits("login", "?aal=aal2&refresh=true")

    ada.presses("webauthn_login_trigger")

    assert ada.methods() == ["passkey", "webauthn", "webauthn"]


def test_a_second_passkey_on_the_same_device_is_declined_in_words(ada: Person) -> None:
    ada.signs_up()
    ada.visits("settings")

    with ada.page.expect_event("dialog"):
        ada.page.click('button[name="passkey_register_trigger"]')

    assert ada.complaints == ["This device has a key for your account already."]
