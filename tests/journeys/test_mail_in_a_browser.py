"""Mails that are sent by SMTP, and what their readers do with them: in a browser, from an app, from a page's script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests import clients
from tests.clients import PASSWORD, Client, flow_in, messages_of, new_address, value_of
from tests.journeys.test_deliveries import wait_until
from tests.journeys.test_in_a_browser import LOOKS, NEW, look_at, section
from tests.post_office import Letter, PostOffice, post_office
from tests.server import Server, merged

VERIFY, GET_BACK = "Verify your address", "Get back into your account"  # subjects
WAYS = ("code", "link")
VERIFYING = {"code": ("phone-light", True), "link": ("desk-dark", False)}  # how the page looks, and whether scripts run
RECOVERING = {"code": ("desk-light", False), "link": ("phone-dark", True)}


class Site(Server):
    """A server that the tests of this file share, each with the way of proving an address that it is about."""

    def goes_by(self, way: str, **more: Any) -> None:
        """Let both journeys use *way*. Whoever asks next is answered so: every process looks at the file first."""
        flow = {"enabled": True, "use": way}
        registration = {"after": {"password": {"hooks": [{"hook": "session"}, {"hook": "show_verification_ui"}]}}}
        flows = {"verification": flow, "recovery": flow, "registration": registration}
        changed = merged(merged(self.config, {"selfservice": {"flows": flows, "methods": {"link": {"enabled": True}}}}), more)
        draft = self.path.with_suffix(".draft")
        draft.write_text(yaml.safe_dump(changed))
        draft.replace(self.path)


@pytest.fixture(scope="module")
def post() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


@pytest.fixture(scope="module")
def site(post: PostOffice) -> Iterator[Site]:
    server = Site({"courier": {"smtp": {"connection_uri": post.uri, "from_name": "Example"}}}, host="localhost")
    with server:
        yield server


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, site: Site) -> str:
    site.goes_by(request.param)
    return str(request.param)


@pytest.fixture
def by_code(site: Site) -> None:
    site.goes_by("code")


# -- what a person does in a browser


def person(browser: Browser, look: str, script: bool = True) -> Page:
    """Return the page that somebody looks at who was never here before."""
    page = browser.new_context(java_script_enabled=script, **LOOKS[look]).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(20_000)
    return page


def joins(page: Page, site: Site, address: str) -> None:
    """Sign up, and be told that something was mailed."""
    page.goto(site.public + "/ui/registration")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/ui/verification*")


def signs_in(page: Page, site: Site, address: str, password: str) -> None:
    page.goto(site.public + "/ui/login")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def signs_out(page: Page, site: Site) -> None:
    page.goto(site.public + "/ui/welcome")
    with page.expect_navigation():
        page.get_by_role("link", name="Sign out").click()


def asks_to_get_back_in(page: Page, site: Site, address: str) -> None:
    page.goto(site.public + "/ui/recovery")
    page.get_by_label("Email").fill(address)
    goes_on(page)
    expect(page.get_by_text("If this address belongs to an account")).to_be_visible()


def enters(page: Page, label: str, code: str) -> None:
    page.get_by_label(label).fill(code)
    goes_on(page)


def goes_on(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()


def chooses(page: Page, password: str) -> None:
    section(page, "Password").get_by_label("Password").fill(password)
    section(page, "Password").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your changes were saved.")).to_be_visible()


def looks_at_the_mail(page: Page, letter: Letter, name: str) -> None:
    """See its HTML as a mail program shows it: no script, nothing from elsewhere, light or dark as its reader likes it."""
    program = page.context.new_page()
    asked: list[str] = []
    program.on("request", lambda request: asked.append(request.url))
    program.set_content(letter.html)
    look_at(program, name)
    assert asked == [], "a mail that loads something tells who read it"
    assert program.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nobody scrolls sideways"
    program.close()


def scans(context: BrowserContext, link: str) -> None:
    """Do what programs do that look for dangerous mails: open the link, and what it leads to."""
    assert context.request.get(link).ok


def is_verified(site: Site, address: str) -> bool:
    [found] = requests.get(f"{site.admin}/admin/identities", params={"credentials_identifier": address}, timeout=30).json()
    return bool(found["verifiable_addresses"][0]["verified"])


def test_a_person_verifies_the_address_they_signed_up_with(site: Site, post: PostOffice, browser: Browser, way: str) -> None:
    page, address, name = person(browser, *VERIFYING[way]), new_address(), f"verification-by-{way}"
    joins(page, site, address)
    expect(page.get_by_text(f"to {address}")).to_be_visible()
    look_at(page, f"{name}-1-sent")
    letter = post.letter_to(address, VERIFY)
    looks_at_the_mail(page, letter, f"{name}-2-mail")
    scanner = browser.new_context()
    scans(scanner, letter.link)
    assert not is_verified(site, address), "opening a link spends nothing"

    if way == "code":
        enters(page, "Verification code", letter.code)
    else:
        page.goto(letter.link)
        expect(page.get_by_text("One more click")).to_be_visible()
        look_at(page, f"{name}-3-opened")
        scans(scanner, letter.link)
        goes_on(page)

    expect(page.get_by_text("Your address is verified.")).to_be_visible()
    look_at(page, f"{name}-4-verified")
    assert is_verified(site, address)
    page.get_by_role("link", name="Continue").click()
    page.wait_for_url("**/ui/welcome*")
    expect(page.get_by_text(address).first).to_be_visible()
    page.context.close()
    scanner.close()


def test_a_mail_is_opened_on_another_device(site: Site, post: PostOffice, browser: Browser, way: str) -> None:
    """The link of a code brings the code along; that of a link asks for a click. Nobody is signed in there by either."""
    page, phone, address = person(browser, "desk-light"), person(browser, "phone-dark"), new_address()
    joins(page, site, address)
    letter = post.letter_to(address, VERIFY)

    phone.goto(letter.link)
    if way == "code":
        expect(phone.get_by_label("Verification code")).to_have_value(letter.code)
    assert not is_verified(site, address)
    goes_on(phone)

    expect(phone.get_by_text("Your address is verified.")).to_be_visible()
    phone.goto(site.public + "/ui/settings")
    assert "/ui/login" in phone.url
    page.reload()
    expect(page.get_by_text("Your address is verified.")).to_be_visible()
    phone.goto(letter.link)
    expect(phone.get_by_role("alert")).to_contain_text("used already")
    look_at(phone, f"verification-by-{way}-5-again")
    page.context.close()
    phone.context.close()


def test_a_person_gets_back_in_and_chooses_a_password(site: Site, post: PostOffice, browser: Browser, way: str) -> None:
    page, address, name = person(browser, *RECOVERING[way]), new_address(), f"recovery-by-{way}"
    clients.App(site.public).register(address)
    asks_to_get_back_in(page, site, address)
    look_at(page, f"{name}-1-sent")
    letter = post.letter_to(address, GET_BACK)
    looks_at_the_mail(page, letter, f"{name}-2-mail")

    if way == "code":
        enters(page, "Recovery code", letter.code)
    else:
        page = follows_elsewhere(browser, site, page, letter)

    page.wait_for_url("**/ui/settings*")
    expect(page.get_by_text("You are back in.")).to_be_visible()
    look_at(page, f"{name}-4-back-in")
    chooses(page, NEW)
    signs_out(page, site)
    signs_in(page, site, address, PASSWORD)
    expect(page.get_by_role("alert")).to_be_visible()
    signs_in(page, site, address, NEW)
    page.wait_for_url("**/ui/welcome*")
    page.context.close()


def follows_elsewhere(browser: Browser, site: Site, page: Page, letter: Letter) -> Page:
    """Open a link on a device that did not ask for it, and return what is shown there. The one that asked gets nothing of it."""
    other = person(browser, "phone-dark")
    other.goto(letter.link)
    expect(other.get_by_text("choose a new password")).to_be_visible()
    look_at(other, "recovery-by-link-3-opened")
    assert other.context.request.get(site.public + "/sessions/whoami").status == 401, "opening a link spends nothing"
    goes_on(other)
    other.wait_for_url("**/ui/settings*")

    page.goto(letter.link)
    expect(page.get_by_role("alert")).to_contain_text("used already")
    assert page.context.request.get(site.public + "/sessions/whoami").status == 401
    page.context.close()
    return other


def test_the_developer_follows_a_link_in_the_mailbox(site: Site, post: PostOffice, browser: Browser) -> None:
    """Without a mail server at all, as on somebody's first day."""
    site.goes_by("link", courier={"smtp": None})
    page, address = person(browser, "desk-light"), new_address()
    joins(page, site, address)

    mail = in_the_mailbox(page, site, address, VERIFY)
    assert [one for one in post.mails if one["To"] == address] == []
    look_at(page, "mailbox-1-link")
    mail.get_by_role("link", name="As HTML").click()
    look_at(page, "mailbox-2-html")
    page.go_back()
    mail.get_by_role("link", name=re.compile("token=")).click()
    goes_on(page)

    expect(page.get_by_text("Your address is verified.")).to_be_visible()
    asks_to_get_back_in(anew := person(browser, "desk-light"), site, address)
    in_the_mailbox(anew, site, address, GET_BACK).get_by_role("link", name=re.compile("token=")).click()
    goes_on(anew)
    anew.wait_for_url("**/ui/settings*")
    chooses(anew, NEW)
    page.context.close()
    anew.context.close()


def in_the_mailbox(page: Page, site: Site, address: str, about: str) -> Locator:
    """Look again until the mail is there, and done with."""
    mail = page.get_by_role("row").filter(has_text=address).filter(has_text=about)
    done = mail.get_by_role("cell", name="sent", exact=True)
    page.goto(site.public + "/ui/dev/mailbox")
    wait_until(lambda: done.count() == 1 or page.reload() is None)
    return mail


# -- the same without a browser of people


def is_continued(answer: requests.Response, action: str) -> dict[str, Any]:
    [found] = [one for one in answer.json()["continue_with"] if one["action"] == action]
    return dict(found)


def told_to_verify(client: Client, address: str) -> str:
    """Sign up, and return the id of the flow that waits for what was mailed."""
    answer = client.register(address)
    if answer.is_redirect:
        return flow_in(answer.headers["Location"])
    return str(is_continued(answer, "show_verification_ui")["flow"]["id"])


def opens(client: Client, flow: str, link: str) -> dict[str, Any]:
    """Open a mailed link in a browser, and return the form that it leads to."""
    answer = client.request("GET", link)
    assert answer.status_code == 303, answer.text
    return client.fetch(flow, flow_in(answer.headers["Location"]))


def browser_of(client: Client) -> Client:
    """Where a link in a mail opens: for an app, on the device's browser."""
    return clients.Browser(client.public) if isinstance(client, clients.App) else client


def test_every_client_verifies_an_address(site: Site, post: PostOffice, way: str, client_type: type[Client]) -> None:
    client, address = client_type(site.public), new_address()
    id = told_to_verify(client, address)
    letter = post.letter_to(address, VERIFY)

    if way == "code":
        client.send(client.fetch("verification", id), {"method": "code", "code": letter.code})
    else:
        reader = browser_of(client)
        page = opens(reader, "verification", letter.link)
        assert not is_verified(site, address)
        reader.send(page, {"method": "link", "token": value_of(page, "token")})

    seen = client.fetch("verification", id)
    assert seen["state"] == "passed_challenge"
    assert messages_of(seen) == [1080002]
    assert is_verified(site, address)


@pytest.mark.parametrize(
    ("client_type", "continues"),
    [(clients.App, True), (clients.Page, True), (clients.Page, False), (clients.Browser, False)],
    ids=["app", "page", "page-that-is-redirected", "browser"],
)
def test_every_client_gets_back_in(site: Site, post: PostOffice, way: str, client_type: type[Client], continues: bool) -> None:
    site.goes_by(way, feature_flags={"use_continue_with_transitions": continues})
    client, address = client_type(site.public), new_address()
    clients.App(site.public).register(address)
    flow = client.begin("recovery")
    sent = client.shown("recovery", client.send(flow, {"method": way, "email": address}))
    assert sent["state"] == "sent_email"
    letter = post.letter_to(address, GET_BACK)

    if way == "code":
        reader, answer = client, client.send(sent, {"method": "code", "code": letter.code})
    else:
        reader = browser_of(client)
        page = opens(reader, "recovery", letter.link)
        assert not reader.is_signed_in()
        answer = reader.send(page, {"method": "link", "token": value_of(page, "token")})

    settings = after_recovery(reader, answer)
    assert messages_of(settings)[0] == 1060001
    reader.send(settings, {"method": "password", "password": NEW})
    anew = client_type(site.public)
    anew.login(address)
    assert not anew.is_signed_in()
    anew.login(address, NEW)
    assert anew.is_signed_in()


def after_recovery(client: Client, answer: requests.Response) -> dict[str, Any]:
    """Return the settings that an answer leads to, with the session that it hands over."""
    if answer.is_redirect:
        return client.fetch("settings", flow_in(answer.headers["Location"]))
    if answer.status_code == 422:
        assert answer.json()["error"]["id"] == "browser_location_change_required"
        return client.fetch("settings", flow_in(answer.json()["redirect_browser_to"]))
    if isinstance(client, clients.App):
        client.headers["X-Session-Token"] = is_continued(answer, "set_ory_session_token")["ory_session_token"]
    return client.fetch("settings", is_continued(answer, "show_settings_ui")["flow"]["id"])


@pytest.mark.usefixtures("by_code")
def test_an_app_that_goes_by_redirects_is_handed_no_session(site: Site, post: PostOffice) -> None:
    """As upstream: without `use_continue_with_transitions` an app is told of the settings page, and has no way to be let in."""
    app, address = clients.App(site.public), new_address()
    clients.App(site.public).register(address)
    sent = app.send(app.begin("recovery"), {"method": "code", "email": address}).json()

    answer = app.send(sent, {"method": "code", "code": post.letter_to(address, GET_BACK).code})

    assert answer.status_code == 422
    assert "/ui/settings?flow=" in answer.json()["redirect_browser_to"]
    assert "ory_st_" not in answer.text


# -- letting in only who proved an address


@pytest.fixture
def strict(site: Site) -> None:
    """Sign-in asks for a proven address; signing up still opens a session."""
    asks = {"login": {"after": {"password": {"hooks": [{"hook": "require_verified_address"}]}}}}
    site.goes_by("code", selfservice={"flows": asks})


@pytest.mark.usefixtures("strict")
def test_a_person_is_let_in_once_they_proved_their_address(site: Site, post: PostOffice, browser: Browser) -> None:
    page, address = person(browser, "phone-light"), new_address()
    clients.App(site.public).register(address)

    signs_in(page, site, address, PASSWORD)
    page.wait_for_url("**/ui/verification*")
    expect(page.get_by_text(f"to {address}")).to_be_visible()
    look_at(page, "unverified-1-asked")
    assert page.context.request.get(site.public + "/sessions/whoami").status == 401
    enters(page, "Verification code", post.letter_to(address, VERIFY, flow_in(page.url)).code)
    expect(page.get_by_text("Your address is verified.")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    page.wait_for_url("**/ui/welcome*")
    look_at(page, "unverified-2-continued")
    signs_in(page, site, address, PASSWORD)

    page.wait_for_url("**/ui/welcome*")
    expect(page.get_by_text(address).first).to_be_visible()
    page.context.close()


@pytest.mark.usefixtures("strict")
def test_no_client_gets_in_before_the_address_is_proven(site: Site, post: PostOffice, client_type: type[Client]) -> None:
    client, address = client_type(site.public), new_address()
    clients.App(site.public).register(address)

    answer = client.login(address)
    assert not client.is_signed_in()
    if answer.is_redirect:
        id = flow_in(answer.headers["Location"])
    else:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["id"]) == (403, 400, "session_verified_address_required")
        [item] = error["details"]["continue_with"]
        assert (item["action"], item["flow"]["verifiable_address"]) == ("show_verification_ui", address)
        id = item["flow"]["id"]
    letter = post.letter_to(address, VERIFY, id)
    client.send(client.fetch("verification", id), {"method": "code", "code": letter.code})
    assert not client.is_signed_in(), "a proven address is no sign-in"
    client.login(address)

    assert client.is_signed_in()


@pytest.mark.usefixtures("strict")
def test_who_signs_up_is_signed_in_once_without_a_proof(site: Site, client_type: type[Client]) -> None:
    client, address = client_type(site.public), new_address()

    client.register(address)

    assert client.is_signed_in()
    again = client_type(site.public)
    again.login(address)
    assert not again.is_signed_in()
