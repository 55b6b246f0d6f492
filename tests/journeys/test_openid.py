"""Sign-in with an account elsewhere, at a provider that is not ours: with a browser, a page's script, and an app."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests import openid
from tests.clients import PASSWORD, TIMEOUT, App, Page, messages_of, new_address
from tests.provider import settings
from tests.server import Server, merged

HTML = {"Accept": "text/html,application/xhtml+xml"}
SCOPE = ["email", "profile"]
APP = "https://app.example.org/done"


@dataclass
class Site:
    """A server, and the provider that it trusts."""

    server: Server
    provider: str

    @property
    def public(self) -> str:
        return self.server.public

    def identities(self, email: str) -> list[dict[str, Any]]:
        everybody = requests.get(f"{self.server.admin}/admin/identities", params={"page_size": 250}, timeout=TIMEOUT).json()
        return [each for each in everybody if each["traits"].get("email") == email]

    def credentials(self, id: str) -> dict[str, Any]:
        return dict(requests.get(f"{self.server.admin}/admin/identities/{id}", timeout=TIMEOUT).json()["credentials"])


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """`corp` tells who somebody is in the id_token, `home` at its userinfo endpoint."""
    server = Server(host="localhost")
    with openid.provider(*(f"{server.public}/self-service/methods/oidc/callback/{id}" for id in ("corp", "home"))) as url:
        providers = [settings(url, "corp", scope=SCOPE, pkce="auto"), settings(url, "home", scope=SCOPE, claims_source="userinfo")]
        social = {
            "allowed_return_urls": [APP],
            "methods": {"oidc": {"enabled": True, "config": {"providers": providers}}},
            "flows": {"registration": {"after": {"oidc": {"hooks": [{"hook": "session"}]}}}},
        }
        server.config = merged(server.config, {"selfservice": social})
        with server:
            yield Site(server, url)


@pytest.fixture
def login() -> str:
    """A login that nobody has typed at the provider yet."""
    return f"ada-{uuid.uuid4().hex[:12]}"


# -- in a browser


class Person:
    def __init__(self, browser: Browser, site: Site) -> None:
        self.context, self.site = browser.new_context(), site
        self.context.route(re.compile(r"^https:"), lambda route: route.abort())  # the provider's pages want a font of the web
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)

    def visits(self, path: str) -> None:
        self.page.goto(self.site.public + path)

    def presses(self, name: str) -> None:
        """Press the button of that name for the provider `corp`."""
        self.page.click(f'button[name="{name}"][value="corp"]')

    def agrees(self, login: str) -> None:
        """Sign in at the provider, and let it tell us who that is."""
        self.page.wait_for_url(f"{self.site.provider}/**")
        self.page.fill('input[name="login"]', login)
        self.page.fill('input[name="password"]', "any")
        self.page.get_by_role("button", name="Sign-in").click()
        self.page.get_by_role("button", name="Continue").click()

    def arrives(self, path: str = "/ui/welcome") -> None:
        self.page.wait_for_url(f"{self.site.public}{path}*")

    def signs_up_with_a_password(self, address: str) -> None:
        self.visits("/ui/registration")
        self.page.get_by_label("Email").fill(address)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign up", exact=True).click()
        self.arrives()

    def signs_out(self) -> None:
        self.visits("/ui/welcome")
        with self.page.expect_navigation():
            self.page.get_by_role("link", name="Sign out").click()
        assert self.context.request.get(f"{self.site.public}/sessions/whoami").status == 401

    def session(self) -> dict[str, Any]:
        return dict(self.context.request.get(f"{self.site.public}/sessions/whoami").json())


@pytest.fixture
def ada(browser: Browser, site: Site) -> Iterator[Person]:
    person = Person(browser, site)
    yield person
    person.context.close()


def test_a_person_signs_up_and_comes_back(ada: Person, site: Site, login: str) -> None:
    email = f"{login}@example.org"
    ada.visits("/ui/registration")
    ada.presses("provider")
    ada.agrees(login)
    ada.arrives()
    expect(ada.page.get_by_text(email).first).to_be_visible()
    first = ada.session()["identity"]
    assert first["traits"] == {"email": email, "name": {"first": login}}
    assert [each["verified"] for each in first["verifiable_addresses"]] == [True]

    ada.signs_out()
    ada.visits("/ui/login")
    ada.presses("provider")  # the provider remembers who that is, and what was agreed
    ada.arrives()

    session = ada.session()
    assert session["identity"]["id"] == first["id"]
    assert [(each["method"], each["provider"]) for each in session["authentication_methods"]] == [("oidc", "corp")]
    assert [each["id"] for each in site.identities(email)] == [first["id"]]


def test_a_person_links_the_account_and_unlinks_it(ada: Person, site: Site, login: str) -> None:
    ada.signs_up_with_a_password(new_address())
    id = ada.session()["identity"]["id"]

    ada.visits("/ui/settings")
    ada.presses("link")
    ada.agrees(login)
    ada.arrives("/ui/settings")
    expect(ada.page.get_by_text("Your changes were saved.")).to_be_visible()
    assert site.credentials(id)["oidc"]["identifiers"] == [f"corp:{login}"]

    ada.signs_out()
    ada.visits("/ui/login")
    ada.presses("provider")
    ada.arrives()
    assert ada.session()["identity"]["id"] == id

    ada.visits("/ui/settings")
    ada.presses("unlink")
    expect(ada.page.get_by_text("Your changes were saved.")).to_be_visible()
    assert "oidc" not in site.credentials(id)

    ada.signs_out()
    ada.visits("/ui/login")
    ada.presses("provider")
    ada.arrives()
    assert ada.session()["identity"]["id"] != id, "an account that is unlinked is somebody new"


@pytest.mark.parametrize("flow", ["registration", "login"])
def test_a_person_who_cancels_is_told(ada: Person, site: Site, login: str, flow: str) -> None:
    ada.visits(f"/ui/{flow}")
    ada.presses("provider")
    ada.page.fill('input[name="login"]', login)
    ada.page.fill('input[name="password"]', "any")
    ada.page.get_by_role("button", name="Sign-in").click()
    ada.page.get_by_role("button", name="Continue").wait_for()

    ada.page.get_by_role("link", name="Cancel").click()

    ada.arrives(f"/ui/{flow}")
    expect(ada.page.get_by_role("alert")).to_contain_text("access_denied")
    assert site.identities(f"{login}@example.org") == []
    assert ada.context.request.get(f"{site.public}/sessions/whoami").status == 401


# -- without one


def walk(http: requests.Session, site: Site, url: str, login: str, *, agrees: bool = True) -> str:
    """Go where a browser goes, fill in the provider's forms, and return the address where that ends."""
    answer = _visit(http, url)
    while True:
        if answer.is_redirect:
            url = urljoin(answer.url, answer.headers["Location"])
            if not url.startswith((site.public, site.provider)):
                return url
            answer = _visit(http, url)
        elif not answer.url.startswith(site.provider):
            return answer.url
        else:
            assert answer.ok, answer.text
            answer = _submit(http, answer, login) if agrees else _visit(http, _found(r'href="([^"]+/abort)"', answer))


def _visit(http: requests.Session, url: str) -> requests.Response:
    return http.get(url, headers=HTML, allow_redirects=False, timeout=TIMEOUT)


def _submit(http: requests.Session, page: requests.Response, login: str) -> requests.Response:
    form = {"prompt": _found(r'name="prompt" value="(\w+)"', page), "login": login, "password": "any"}
    return http.post(_found(r'action="([^"]+)"', page), data=form, headers=HTML, allow_redirects=False, timeout=TIMEOUT)


def _found(pattern: str, page: requests.Response) -> str:
    match = re.search(pattern, page.text)
    assert match, page.text
    return unescape(match[1])


def sent_away(answer: requests.Response) -> str:
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["id"] == "browser_location_change_required"
    return str(answer.json()["redirect_browser_to"])


@pytest.mark.parametrize("id", ["corp", "home"])
@pytest.mark.parametrize("flow", ["registration", "login"])
def test_a_pages_script_signs_up(site: Site, login: str, flow: str, id: str) -> None:
    page = Page(site.public)

    away = sent_away(page.send(page.begin(flow), {"method": "oidc", "provider": id}))
    arrived = walk(page.http, site, away, login)

    assert away.startswith(site.provider)
    assert parse_qs(urlsplit(away).query)["code_challenge_method"] == ["S256"]
    assert urlsplit(arrived).path == "/ui/welcome"
    session = page.whoami().json()
    assert [(each["method"], each["provider"]) for each in session["authentication_methods"]] == [("oidc", id)]
    assert session["identity"]["traits"] == {"email": f"{login}@example.org", "name": {"first": login}}


@pytest.mark.parametrize("flow", ["registration", "login"])
def test_an_app_trades_its_codes_for_a_session(site: Site, login: str, flow: str) -> None:
    app, browser = App(site.public), requests.Session()  # the system's browser knows nothing of the app
    begun = app.begin(flow, return_session_token_exchange_code="true", return_to=APP)

    arrived = walk(browser, site, sent_away(app.send(begun, {"method": "oidc", "provider": "corp"})), login)

    assert arrived.startswith(f"{APP}?")
    assert browser.get(f"{site.public}/sessions/whoami", timeout=TIMEOUT).status_code == 401
    codes = {"init_code": begun["session_token_exchange_code"], "return_to_code": parse_qs(urlsplit(arrived).query)["code"][0]}
    traded = app.request("GET", "/sessions/token-exchange", params=codes)
    assert traded.status_code == 200, traded.text
    app.headers["X-Session-Token"] = traded.json()["session_token"]
    session = app.whoami().json()
    assert [each["method"] for each in session["authentication_methods"]] == ["oidc"]
    assert session["identity"]["traits"]["email"] == f"{login}@example.org"
    assert app.request("GET", "/sessions/token-exchange", params=codes).status_code == 404, "codes are good for one trade"


def test_an_app_learns_that_its_person_cancelled(site: Site, login: str) -> None:
    app = App(site.public)
    begun = app.begin("login", return_session_token_exchange_code="true", return_to=APP)

    away = sent_away(app.send(begun, {"method": "oidc", "provider": "corp"}))
    arrived = walk(requests.Session(), site, away, login, agrees=False)

    codes = {"init_code": begun["session_token_exchange_code"], "return_to_code": parse_qs(urlsplit(arrived).query)["code"][0]}
    answer = app.request("GET", "/sessions/token-exchange", params=codes)
    assert (answer.status_code, messages_of(answer.json())) == (422, [4000001])
    assert site.identities(f"{login}@example.org") == []
