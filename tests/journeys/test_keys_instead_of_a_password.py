"""Security keys as the only thing that somebody needs, in a real browser: on a phone in the dark, and at a desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.clients import new_address
from tests.journeys.test_factors_in_a_browser import sign_out
from tests.journeys.test_in_a_browser import LOOKS, PASSWORD, look_at, section
from tests.journeys.test_keys_in_a_browser import STICK, Person
from tests.server import Server, merged

SAVED = "Your changes were saved."
NAME = "A name for the security key"


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    server = Server(host="localhost")
    rp = {"id": "localhost", "display_name": "Example", "origins": [server.public]}
    methods = {"webauthn": {"enabled": True, "config": {"passwordless": True, "rp": rp}}}
    session = {"after": {"webauthn": {"hooks": [{"hook": "session"}]}}}
    server.config = merged(server.config, {"selfservice": {"methods": methods, "flows": {"registration": session}}})
    with server:
        yield server


@pytest.fixture(params=["phone-dark", "desk-light"])
def look(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def ada(browser: Browser, site: Server, look: str) -> Iterator[Person]:
    person = Person(browser, site, STICK, **LOOKS[look])
    yield person
    person.context.close()


def test_somebody_signs_up_and_in_with_nothing_but_a_key(ada: Person, look: str) -> None:
    page, address = ada.page, new_address()
    page.goto(ada.site.public + "/ui/registration")
    page.get_by_role("button", name="Sign up with a security key").click()
    expect(page.get_by_label("Email")).to_be_focused()
    assert ada.keys_made() == 0, "nobody is asked to touch a key for a form that lacks something"

    page.get_by_label("Email").fill(address)
    page.get_by_label(NAME).fill("Blue key")
    look_at(page, f"{look}-key-1-sign-up")
    page.get_by_role("button", name="Sign up with a security key").click()
    page.wait_for_url("**/ui/welcome*")
    assert ada.methods() == ["webauthn"]

    page.goto(ada.site.public + "/ui/settings")
    keys = section(page, "Security keys")
    expect(keys.get_by_text("It stays, since it is your only way to sign in.")).to_be_visible()
    expect(keys.get_by_role("button", name="Remove Blue key")).to_be_disabled()
    look_at(page, f"{look}-key-2-only-way-in")

    sign_out(page, ada.site)
    asks_for_a_key(page, ada.site, address)
    expect(page.get_by_text("Have your security key at hand, and go on.")).to_be_visible()
    expect(page.get_by_text(address)).to_be_visible()
    look_at(page, f"{look}-key-3-use-it")
    page.get_by_role("button", name="Continue").click()

    page.wait_for_url("**/ui/welcome*")
    assert ada.methods() == ["webauthn"]


def test_a_key_is_added_beside_a_password_and_removed_again(ada: Person, look: str) -> None:
    page, address = ada.page, new_address()
    page.goto(ada.site.public + "/ui/registration")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up", exact=True).click()
    page.wait_for_url("**/ui/welcome*")

    page.goto(ada.site.public + "/ui/settings")
    keys = section(page, "Security keys")
    keys.get_by_role("button", name="Add a security key").click()
    expect(keys.get_by_label(NAME)).to_be_focused()
    assert ada.keys_made() == 0, "a key is named before it is touched"
    keys.get_by_label(NAME).fill("Desk drawer")
    keys.get_by_role("button", name="Add a security key").click()
    expect(page.get_by_text(SAVED)).to_be_visible()
    expect(keys.get_by_role("button", name="Remove Desk drawer")).to_be_enabled()
    look_at(page, f"{look}-key-4-added")

    sign_out(page, ada.site)
    asks_for_a_key(page, ada.site, address)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/ui/welcome*")
    assert ada.methods() == ["webauthn"]

    page.goto(ada.site.public + "/ui/settings")
    keys.get_by_role("button", name="Remove Desk drawer").click()
    expect(page.get_by_text(SAVED)).to_be_visible()
    expect(keys.get_by_role("button", name="Remove Desk drawer")).to_have_count(0)
    sign_out(page, ada.site)
    asks_for_a_key(page, ada.site, address)
    expect(page.get_by_role("alert")).to_contain_text("There is no account here with this key.")
    look_at(page, f"{look}-key-5-removed")


def asks_for_a_key(page: Page, site: Server, address: str) -> None:
    """Say who one is; the key comes on the next page."""
    page.goto(site.public + "/ui/login")
    page.get_by_label("Email").fill(address)
    page.get_by_role("button", name="Sign in with a security key").click()
    page.wait_for_load_state()
