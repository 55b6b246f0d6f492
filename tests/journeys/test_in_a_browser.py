"""A person with a browser: with and without JavaScript, on a phone and at a desk, in light and in dark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.clients import new_address
from tests.server import Server

PASSWORD, NEW = "correct-Horse-7-battery", "another-Horse-8-battery"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
SHOTS = Path(os.environ.get("SCREENSHOTS", "screenshots"))
LOOKS = {
    "phone-light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    "desk-light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "desk-dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    flows = {"verification": {"enabled": True}, "recovery": {"enabled": True}}
    with Server({"selfservice": {"flows": flows}}, host="localhost") as running:
        yield running


def look_at(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)


def sign_up(page: Page, site: Server, address: str) -> None:
    page.goto(site.public + "/ui/registration")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/ui/welcome*")


def section(page: Page, heading: str) -> Any:
    return page.locator("section", has=page.get_by_role("heading", name=heading, exact=True))


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_person_signs_up_changes_things_and_signs_in_again(site: Server, browser: Browser, look: str, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script, **LOOKS[look])  # type: ignore[arg-type]
    page, address, name = context.new_page(), new_address(), f"{look}-{'script' if script else 'plain'}"
    page.set_default_timeout(20_000)

    page.goto(site.public + "/ui/registration")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("at least 8 characters")).to_be_visible()
    assert page.get_by_label("Password").get_attribute("aria-invalid") == "true"
    assert page.get_by_label("Email").input_value() == address
    look_at(page, f"{name}-1-wrong-input")

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/ui/welcome*")
    expect(page.get_by_text(address).first).to_be_visible()
    look_at(page, f"{name}-2-welcome")

    page.goto(site.public + "/ui/settings")
    profile = section(page, "Profile")
    profile.get_by_label("First name").fill("Ada <b>")
    profile.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your changes were saved.")).to_be_visible()
    assert section(page, "Profile").get_by_label("First name").input_value() == "Ada <b>"
    section(page, "Password").get_by_label("Password").fill(NEW)
    section(page, "Password").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your changes were saved.")).to_be_visible()
    look_at(page, f"{name}-3-settings")

    elsewhere = browser.new_context(**LOOKS[look])  # type: ignore[arg-type]
    other = elsewhere.new_page()
    other.goto(site.public + "/ui/login")
    other.get_by_label("Email").fill(address)
    other.get_by_label("Password").fill(NEW)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/ui/welcome*")

    page.goto(site.public + "/ui/sessions")
    look_at(page, f"{name}-4-sessions")
    page.get_by_role("button", name="Sign out").first.click()
    other.goto(site.public + "/ui/settings")
    assert "/ui/login" in other.url, "the other device is signed out"

    page.goto(site.public + "/ui/welcome")
    page.get_by_role("link", name="Sign out").click()
    page.goto(site.public + "/ui/settings")
    assert "/ui/login" in page.url
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look_at(page, f"{name}-5-wrong-password")
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/ui/**")
    page.goto(site.public + "/ui/settings")
    assert section(page, "Profile").get_by_label("Email").input_value() == address
    context.close()
    elsewhere.close()


@pytest.mark.parametrize("look", ["phone-light", "desk-dark"])
def test_every_page_can_be_used_by_everybody(site: Server, browser: Browser, look: str) -> None:
    """axe-core finds nothing serious on any page."""
    context = browser.new_context(bypass_csp=True, **LOOKS[look])  # type: ignore[arg-type]
    page = context.new_page()
    found: dict[str, list[str]] = {}

    def check(path: str) -> None:
        page.goto(site.public + path)
        page.evaluate(AXE)
        result = page.evaluate("() => axe.run()")
        found[path] = [one["id"] for one in result["violations"] if one["impact"] in ("serious", "critical")]

    for path in (
        "/ui/login",
        "/ui/registration",
        "/ui/recovery",
        "/ui/verification",
        "/ui/welcome",
        "/ui/error?id=x",
        "/ui/dev/mailbox",
        "/ui/dev/hooks",
    ):
        check(path)
    sign_up(page, site, new_address())
    for path in ("/ui/welcome", "/ui/settings", "/ui/sessions", "/ui/dev/mailbox"):
        check(path)
    assert {path: ids for path, ids in found.items() if ids} == {}
    context.close()


def test_it_works_by_keyboard_alone(site: Server, browser: Browser) -> None:
    page, address = browser.new_context().new_page(), new_address()
    page.goto(site.public + "/ui/registration")

    page.keyboard.type(address)  # the first field has the focus
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url("**/ui/welcome*")


def test_a_page_runs_nothing_that_was_put_into_it(site: Server, browser: Browser) -> None:
    page = browser.new_context().new_page()
    page.goto(site.public + "/ui/registration")
    policy = requests.get(site.public + "/ui/welcome", timeout=30).headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy
    assert "default-src 'none'" in policy

    page.evaluate("() => { const s = document.createElement('script'); s.textContent = 'window.was_run = true'; document.body.append(s) }")
    assert page.evaluate("() => window.was_run") is None


def test_a_person_gets_back_in_with_a_mailed_code(site: Server, browser: Browser) -> None:
    context = browser.new_context(**LOOKS["phone-light"])  # type: ignore[arg-type]
    page, address = context.new_page(), new_address()
    sign_up(page, site, address)
    page.get_by_role("link", name="Sign out").click()

    page.goto(site.public + "/ui/recovery")
    page.get_by_label("Email").fill(address)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Recovery code").fill(code_for(site, address, "recovery_code_valid"))
    look_at(page, "recovery-code")
    page.get_by_role("button", name="Continue").click()

    page.wait_for_url("**/ui/settings*")
    expect(page.get_by_text("You are back in.")).to_be_visible()
    section(page, "Password").get_by_label("Password").fill(NEW)
    section(page, "Password").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your changes were saved.")).to_be_visible()


def code_for(site: Server, address: str, template: str) -> str:
    messages = requests.get(f"{site.admin}/admin/courier/messages", params={"recipient": address}, timeout=30).json()
    body = next(message["body"] for message in messages if message["template_type"] == template)
    return next(word for word in body.split() if len(word) == 6 and word.isdigit())


def test_the_developer_sees_mail_and_webhooks(site: Server, browser: Browser) -> None:
    page, address = browser.new_context().new_page(), new_address()
    sign_up(page, site, address)
    requests.post(site.public + "/ui/dev/hooks/hook_1", json={"told": "<i>this</i>"}, timeout=30)

    page.goto(site.public + "/ui/dev/mailbox")
    expect(page.get_by_text(address)).to_be_visible()
    page.goto(site.public + "/ui/dev/hooks")
    expect(page.get_by_text("hook_1", exact=True).first).to_be_visible()
    expect(page.get_by_text("<i>this</i>").first).to_be_visible()
    look_at(page, "dev-hooks")
