"""An authenticator app and backup codes in a real browser: the picture is scanned, the codes are read off the page and typed."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.clients import new_address
from tests.journeys.test_in_a_browser import LOOKS, PASSWORD, look_at, section, sign_up
from tests.server import Server

SAVED, ASKS = "Your changes were saved.", "Two-step verification"
STEP = 30  # seconds that an app shows one code


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    methods = {"totp": {"enabled": True, "config": {"issuer": "Example"}}, "lookup_secret": {"enabled": True}}
    flows = {"settings": {"privileged_session_max_age": "1h"}}
    needs = {"session": {"whoami": {"required_aal": "highest_available"}}}
    with Server({"selfservice": {"methods": methods, "flows": flows}, **needs}, host="localhost") as running:
        yield running


@pytest.fixture(params=["phone-light", "desk-dark"])
def look(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def page(browser: Browser, look: str) -> Iterator[Page]:
    context = browser.new_context(**LOOKS[look])  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture
def address(page: Page, site: Server) -> str:
    """The address of a person who has signed up and stands before their settings."""
    address = new_address()
    sign_up(page, site, address)
    page.goto(site.public + "/ui/settings")
    return address


def test_an_app_scans_the_picture_and_is_asked_for_the_next_code(site: Server, page: Page, address: str, look: str) -> None:
    settings = section(page, "Authenticator app")
    picture = settings.get_by_role("img", name="Scan this with your authenticator app")
    shown = scan(picture.screenshot())
    look_at(page, f"{look}-totp-1-picture")
    assert scan(source_of(picture)) == shown, "a phone sees what was drawn"
    app = pyotp.parse_uri(shown)
    assert (app.issuer, app.name) == ("Example", address)
    assert isinstance(app, pyotp.TOTP)

    settings.get_by_label("The code that the app shows now").fill(app.now())
    settings.get_by_role("button", name="Save").click()
    expect(page.get_by_text(SAVED)).to_be_visible()
    expect(settings.get_by_role("button", name="Remove the authenticator app")).to_be_visible()
    look_at(page, f"{look}-totp-2-set-up")

    sign_out(page, site)
    sign_in(page, site, address)
    expect(page.get_by_role("heading", name=ASKS)).to_be_visible()
    assert whoami(page)["error"]["id"] == "session_aal2_required"
    look_at(page, f"{look}-totp-3-asked")
    typed, use = page.get_by_label("Code from your authenticator app"), page.get_by_role("button", name="Use this code")
    typed.fill("000000")
    use.click()
    expect(typed).to_have_accessible_description("That code is not right. Take the one that your app shows now; each works once.")
    expect(typed).to_be_focused()
    look_at(page, f"{look}-totp-4-wrong")
    typed.fill(app.at(int(time.time()) + STEP))  # the one before was spent
    use.click()

    page.wait_for_url("**/ui/welcome*")
    assert proofs(whoami(page)) == ("aal2", ["password", "totp"])


def keep(page: Page, settings: Locator, codes: list[str]) -> None:
    """Copy, print and download the codes."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    settings.get_by_role("button", name="Copy").click()
    expect(settings.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").split() == codes

    page.evaluate("window.print = () => { document.title = 'printed' }")
    settings.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")

    with page.expect_download() as download:
        settings.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "backup-codes.txt"
    assert Path(download.value.path()).read_text().split() == codes


def test_backup_codes_are_kept_and_each_gets_in_once(site: Server, page: Page, address: str, look: str) -> None:
    settings = section(page, "Backup codes")
    settings.get_by_role("button", name="Make new backup codes").click()
    expect(settings.get_by_role("listitem")).to_have_count(12)
    codes = settings.get_by_role("listitem").all_inner_texts()
    keep(page, settings, codes)
    look_at(page, f"{look}-backup-1-codes")
    settings.get_by_role("button", name="I have kept these codes").click()
    expect(page.get_by_text(SAVED)).to_be_visible()
    expect(page.get_by_text(codes[0])).to_have_count(0)

    sign_out(page, site)
    sign_in(page, site, address)
    give(page, codes[0])
    page.wait_for_url("**/ui/welcome*")
    assert proofs(whoami(page)) == ("aal2", ["password", "lookup_secret"])

    sign_out(page, site)
    sign_in(page, site, address)
    give(page, codes[0])
    expect(page.get_by_label("Backup code")).to_have_accessible_description("This backup code was used before. Take another one.")
    expect(page.get_by_label("Backup code")).to_be_focused()
    look_at(page, f"{look}-backup-2-used-before")
    assert whoami(page)["error"]["id"] == "session_aal2_required"

    give(page, codes[1])
    page.wait_for_url("**/ui/welcome*")
    assert proofs(whoami(page)) == ("aal2", ["password", "lookup_secret"])


# -- what a person does


def scan(png: bytes) -> str:
    """Return what a phone reads in a picture."""
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))
    return found.text


def source_of(picture: Any) -> bytes:
    kind, _, data = (picture.get_attribute("src") or "").partition(",")
    assert kind == "data:image/png;base64"
    return base64.b64decode(data)


def sign_out(page: Page, site: Server) -> None:
    page.goto(site.public + "/ui/welcome")
    with page.expect_navigation():
        page.get_by_role("link", name="Sign out").click()
    assert whoami(page)["error"]["code"] == 401


def sign_in(page: Page, site: Server, address: str) -> None:
    """Give the first factor."""
    page.goto(site.public + "/ui/login")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name=ASKS)).to_be_visible()


def give(page: Page, code: str) -> None:
    page.get_by_label("Backup code").fill(code)
    page.get_by_role("button", name="Use this backup code").click()


def whoami(page: Page) -> dict[str, Any]:
    """Return what the page's own script is told."""
    return page.evaluate("() => fetch('/sessions/whoami').then((answer) => answer.json())")  # type: ignore[no-any-return]


def proofs(session: dict[str, Any]) -> tuple[str, list[str]]:
    return session["authenticator_assurance_level"], [one["method"] for one in session["authentication_methods"]]
