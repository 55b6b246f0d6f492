"""Whole sign-ins at providers that do something in their own way; the attacks on those ways are in the second half."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.dingtalk import DingTalk
from flows.methods.oidc.providers.line import Line
from flows.methods.oidc.providers.vk import VK
from flows.methods.oidc.providers.x import X
from flows.models import LoginFlow
from identity import config
from identity.credentials import sealing
from identity.credentials.models import Credential
from identity.identities.models import Identity
from identity.sessions.models import Session
from tests.factor_journeys import App, make_person, said
from tests.flows.test_methods_oidc import Visitor, configured, exchange, is_error, started
from tests.odd_providers import BROKEN, DingTalkSite, LineSite, Person, Reply, VKSite, XSite, as_json
from tests.provider import CLIENT_ID, CLIENT_SECRET, MAPPER

pytestmark = pytest.mark.django_db
ADA, EVE = "ada@example.org", "eve@example.org"


def entry(preset: str, **more: Any) -> dict[str, Any]:
    """Return a provider `corp` of the configuration, with the client that all stand-ins know."""
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    mapper = "base64://" + base64.b64encode(MAPPER.encode()).decode()
    return {"id": "corp", "provider": preset, "label": "Corp", "mapper_url": mapper, **client, **more}


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    settings.COURIER = "tests.mailbox"
    outgoing.published.clear()


@pytest.fixture
def dingtalk(monkeypatch: pytest.MonkeyPatch) -> Iterator[DingTalkSite]:
    with DingTalkSite() as site, config.override(configured(entry("dingtalk"))):
        monkeypatch.setattr(DingTalk, "token_url", site.url + site.TOKEN)
        monkeypatch.setattr(DingTalk, "info_url", site.url + site.PERSON)
        yield site


@pytest.fixture
def vk(monkeypatch: pytest.MonkeyPatch) -> Iterator[VKSite]:
    with VKSite() as site, config.override(configured(entry("vk"))):
        monkeypatch.setattr(VK, "token_url", site.url + site.TOKEN)
        monkeypatch.setattr(VK, "info_url", site.url + site.PERSON)
        yield site


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[LineSite]:
    with LineSite() as site, config.override(configured(entry("line", scope=["email"]))):
        monkeypatch.setattr(Line, "issuer", site.url)
        yield site


@pytest.fixture
def x(monkeypatch: pytest.MonkeyPatch) -> Iterator[XSite]:
    with XSite() as site, config.override(configured(entry("x", scope=["email"]))):
        monkeypatch.setattr(X, "request_url", site.url + site.REQUEST)
        monkeypatch.setattr(X, "token_url", site.url + site.TOKEN)
        monkeypatch.setattr(X, "info_url", site.url + site.PERSON)
        yield site


AT_DINGTALK: Person = {"openId": "123", "nick": "Ada", "email": ADA}
AT_VK: Person = {"id": 66748, "first_name": "Ada", "sex": 1, "email": ADA}
AT_X: Person = {"id": 6253282, "id_str": "6253282", "name": "Ada", "screen_name": "ada", "email": ADA}
EVE_AT_X: Person = {**AT_X, "id": 7, "id_str": "7", "name": "Eve", "screen_name": "eve", "email": EVE}


def subject() -> str:
    return str(Credential.objects.get(type="oidc").names)


# -- DingTalk: JSON, and authCode


def test_it_signs_in_at_dingtalk(dingtalk: DingTalkSite) -> None:
    who, again = Visitor(), Visitor()

    who.come_back(dingtalk.agree(who.leave(who.start("login")), AT_DINGTALK))
    again.come_back(dingtalk.agree(again.leave(again.start("login")), AT_DINGTALK))

    assert who.whoami()["identity"]["traits"] == {"email": ADA, "name": {"first": "Ada"}}
    assert again.whoami()["identity"]["id"] == who.whoami()["identity"]["id"]
    held = sealing.for_operators("oidc", Credential.objects.get(type="oidc").config)["providers"][0]
    assert (held["subject"], held["initial_refresh_token"]) == ("123", "the-refresh-token")


def test_dingtalk_is_sent_no_challenge_that_it_could_not_check(dingtalk: DingTalkSite) -> None:
    with config.override(configured(entry("dingtalk", pkce="force"))):
        who = Visitor()

        assert "code_challenge" not in dict(parse_qsl(who.leave(who.start("login"))))


# -- VK: the address comes beside the token


def test_it_signs_in_at_vk(vk: VKSite) -> None:
    who = Visitor()

    who.come_back(vk.agree(who.leave(who.start("login")), AT_VK))

    assert who.whoami()["identity"]["traits"]["email"] == ADA
    assert subject() == "['corp:66748']"


def test_an_address_that_vk_was_not_allowed_to_tell_is_asked_for(vk: VKSite) -> None:
    who = Visitor()

    flow = who.shown(who.come_back(vk.agree(who.leave(who.start("login")), {"id": 66748, "first_name": "Ada"})))

    assert (flow["active"], said(flow, "traits.email")) == ("oidc", [4000002])


# -- LINE: a key of its own for the id_token


def test_it_signs_in_at_line(line: LineSite) -> None:
    who = Visitor()

    who.come_back(line.agree(who.leave(who.start("login")), "U123", email=ADA, name="Ada"))

    assert who.whoami()["identity"]["traits"] == {"email": ADA, "name": {"first": "Ada"}}
    assert [form["id_token_key_type"] for form in line.forms] == ["JWK"]
    assert line.forms[0]["code_verifier"]


def test_an_id_token_that_line_signs_with_the_clients_secret_is_refused(line: LineSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "token_parameters", lambda self: {})
    who = Visitor()

    form = who.shown(who.come_back(line.agree(who.leave(who.start("login")), "U123", email=ADA)))

    assert said(form) == [4000001]
    assert who.whoami() == {}


# -- X: three legs of OAuth 1.0a


@pytest.mark.parametrize("flow", ["login", "registration"])
def test_it_signs_in_at_x(x: XSite, flow: str) -> None:
    who, again = Visitor(), Visitor()

    who.come_back(x.agree(who.leave(who.start(flow)), AT_X))
    again.come_back(x.agree(again.leave(again.start(flow)), AT_X))

    assert who.whoami()["identity"]["traits"] == {"email": ADA, "name": {"first": "Ada"}}
    assert again.whoami()["identity"]["id"] == who.whoami()["identity"]["id"]
    assert [used["method"] for used in again.whoami()["authentication_methods"]] == ["oidc"]
    assert subject() == "['corp:6253282']"
    assert x.temporary == {}


def test_it_leaves_for_x_with_the_temporary_token_and_nothing_else(x: XSite) -> None:
    who = Visitor()

    url = who.leave(who.start("login"), provider="corp", upstream_parameters={"prompt": "login"})

    token, held = next(iter(x.temporary.items()))
    assert url == f"https://api.x.com/oauth/authenticate?oauth_token={token}"
    assert urlsplit(held.callback).path == "/self-service/methods/oidc/callback/corp"
    assert list(parse_qs(urlsplit(held.callback).query)) == ["state"]


def test_a_refresh_asks_x_to_ask_again(x: XSite) -> None:
    who = Visitor()
    who.come_back(x.agree(who.leave(who.start("login")), AT_X))
    before = who.whoami()["id"]

    url = who.leave(who.start("login", refresh="true"))

    assert "force_login=true" in url
    who.come_back(x.agree(url, AT_X))
    assert who.whoami()["id"] != before


def test_an_account_at_x_is_linked_in_the_settings(x: XSite) -> None:
    ada = make_person(ADA)
    who = Visitor(ada)

    flow = who.shown(who.come_back(x.agree(who.leave(who.start("settings"), link="corp"), AT_X)))

    assert said(flow) == [1050001]
    assert ada.credential_rows.filter(type="oidc").count() == 1


def test_x_is_not_asked_for_an_address_that_nobody_configured(x: XSite) -> None:
    with config.override(configured(entry("x"))):
        who = Visitor()

        flow = who.shown(who.come_back(x.agree(who.leave(who.start("login")), AT_X)))

    assert said(flow, "traits.email") == [4000002]
    assert "include_email" not in x.asked[-1].query


def test_an_app_signs_in_at_x(x: XSite) -> None:
    app, browser = App(), Visitor()
    begun = started(app)
    url = app.submit(begun, provider="corp").json()["redirect_browser_to"]

    back = browser.come_back(x.agree(url, AT_X))

    code = parse_qs(urlsplit(back["Location"]).query)["code"][0]
    assert exchange(begun["session_token_exchange_code"], code).json()["session_token"]


def test_the_temporary_credentials_rest_encrypted_and_are_gone_afterwards(x: XSite) -> None:
    who = Visitor()
    flow = who.start("login")
    url = who.leave(flow)
    secret = next(iter(x.temporary.values())).secret

    assert secret not in url + str(LoginFlow.objects.get(pk=flow["id"]).internal) + str(who.client.cookies)
    who.come_back(x.agree(url, AT_X))
    assert "oidc" not in LoginFlow.objects.get(pk=flow["id"]).internal


# -- what goes wrong


def test_a_refusal_at_x_is_told(x: XSite) -> None:
    who = Visitor()

    form = who.shown(who.come_back(x.refuse(who.leave(who.start("login")))))

    assert said(form) == [4000001]
    assert "denied" in form["ui"]["messages"][0]["text"]


def test_a_refusal_at_dingtalk_is_told(dingtalk: DingTalkSite) -> None:
    who = Visitor()

    form = who.shown(who.come_back(dingtalk.refuse(who.leave(who.start("registration")))))

    assert said(form) == [4000001]


@pytest.mark.parametrize("missing", ["oauth_verifier", "oauth_token"])
def test_half_of_what_x_sends_is_nothing(x: XSite, missing: str) -> None:
    who = Visitor()
    parts = urlsplit(x.agree(who.leave(who.start("login")), AT_X))
    fields = {name: value for name, value in parse_qsl(parts.query) if name != missing}

    form = who.shown(who.come_back(parts._replace(query=urlencode(fields)).geturl()))

    assert said(form) == [4000001]
    assert who.whoami() == {}


def test_a_verifier_of_another_sign_in_opens_nothing(x: XSite) -> None:
    """An attacker agrees as herself, and puts her token and verifier behind the state of a victim."""
    eve, victim = Visitor(), Visitor()
    of_eve = dict(parse_qsl(urlsplit(x.agree(eve.leave(eve.start("login")), EVE_AT_X)).query))
    parts = urlsplit(x.agree(victim.leave(victim.start("login")), AT_X))
    state = dict(parse_qsl(parts.query))["state"]

    form = victim.shown(victim.come_back(parts._replace(query=urlencode({**of_eve, "state": state})).geturl()))

    assert said(form) == [4000001]
    assert victim.whoami() == {}
    assert not Identity.objects.exists()


def test_a_verifier_of_somebody_else_with_ones_own_token_opens_nothing(x: XSite) -> None:
    eve, victim = Visitor(), Visitor()
    url = victim.leave(victim.start("login"))
    of_victim = dict(parse_qsl(urlsplit(x.agree(url, AT_X)).query))
    parts = urlsplit(x.agree(eve.leave(eve.start("login")), EVE_AT_X))
    own = dict(parse_qsl(parts.query))

    mixed = {**own, "oauth_verifier": of_victim["oauth_verifier"]}

    assert is_error(eve.come_back(parts._replace(query=urlencode(mixed)).geturl()))
    assert eve.whoami() == {}


def test_what_x_sent_to_another_browser_is_not_taken(x: XSite) -> None:
    eve, victim = Visitor(), Visitor()
    url = x.agree(eve.leave(eve.start("login")), EVE_AT_X)

    assert is_error(victim.come_back(url))
    victim.leave(victim.start("login"))
    assert is_error(victim.come_back(url))
    assert victim.whoami() == {}
    assert not Identity.objects.exists()


def test_what_x_sent_works_once(x: XSite) -> None:
    who = Visitor()
    url = x.agree(who.leave(who.start("login")), AT_X)
    who.come_back(url)

    who.come_back(url)

    assert Session.objects.count() == 1
    who.client.cookies.pop("ory_kratos_session")
    assert is_error(who.come_back(url))


def test_of_two_journeys_to_x_only_the_later_comes_back(x: XSite) -> None:
    who = Visitor()
    flow = who.start("login")
    first = x.agree(who.leave(flow), AT_X)
    second = x.agree(who.leave(flow), AT_X)

    assert is_error(who.come_back(first))
    assert not is_error(who.come_back(second))


def test_a_client_that_x_does_not_know_is_told_in_the_form(x: XSite) -> None:
    with config.override(configured(entry("x", client_secret="another"))):
        who = Visitor()

        refused = who.submit(who.start("login"), provider="corp")

    assert (refused.status_code, said(refused.json())) == (400, [4000001])


UNCONFIRMED: Reply = (200, "text/html", b"oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=false")


@pytest.mark.parametrize("why", [*BROKEN, "unconfirmed"])
def test_x_that_is_out_of_order_is_told_in_the_form(x: XSite, why: str) -> None:
    x.broken[x.REQUEST] = {**BROKEN, "unconfirmed": UNCONFIRMED}[why]
    who = Visitor()

    refused = who.submit(who.start("login"), provider="corp")

    assert (refused.status_code, said(refused.json())) == (400, [4000001])


def agree_at(site: Any, who: Visitor, person: Person) -> Any:
    return who.come_back(site.agree(who.leave(who.start("login")), person))


ODD: list[tuple[str, Person]] = [("dingtalk", AT_DINGTALK), ("vk", AT_VK), ("x", AT_X)]


@pytest.mark.parametrize("why", BROKEN)
@pytest.mark.parametrize("endpoint", ["TOKEN", "PERSON"])
@pytest.mark.parametrize(("name", "person"), ODD, ids=[each[0] for each in ODD])
def test_a_provider_that_is_out_of_order_ends_on_the_error_page(
    request: pytest.FixtureRequest, name: str, person: Person, endpoint: str, why: str
) -> None:
    site = request.getfixturevalue(name)
    site.broken[getattr(site, endpoint)] = BROKEN[why]
    who = Visitor()

    error = error_of(who, agree_at(site, who, person))

    assert error["code"] == 502
    assert error["reason"].startswith("The provider")
    assert who.whoami() == {}


def error_of(who: Visitor, response: Any) -> dict[str, Any]:
    """Return what the error page shows that the browser was sent to."""
    assert is_error(response)
    id = parse_qs(urlsplit(response["Location"]).query)["id"][0]
    return dict(who.client.get("/self-service/errors", {"id": id}, HTTP_ACCEPT="application/json").json()["error"])


NOBODY: list[tuple[str, Person]] = [
    ("dingtalk", {"nick": "Ada", "unionId": "u"}),
    ("vk", {"id": 0, "first_name": "Ada"}),
    ("x", {"id": 6253282, "name": "Ada"}),
    ("x", {"id_str": {"a": 1}, "name": "Ada"}),
    ("dingtalk", {"openId": "x" * 5000}),
]


@pytest.mark.parametrize(("name", "person"), NOBODY)
def test_who_is_named_by_nothing_is_nobody(request: pytest.FixtureRequest, name: str, person: Person) -> None:
    who = Visitor()

    assert is_error(agree_at(request.getfixturevalue(name), who, person))
    assert not Identity.objects.exists()


def test_vk_says_why_it_tells_nothing(vk: VKSite) -> None:
    vk.broken[vk.PERSON] = as_json({"error": {"error_code": 18, "error_msg": "User was deleted or banned"}})
    who = Visitor()

    form = who.shown(agree_at(vk, who, AT_VK))

    assert said(form) == [4000001]
    assert "deleted or banned" in form["ui"]["messages"][0]["text"]


def test_a_code_that_is_not_known_ends_on_the_error_page(dingtalk: DingTalkSite) -> None:
    who = Visitor()
    url = dingtalk.agree(who.leave(who.start("login")), AT_DINGTALK)
    dingtalk.codes.clear()

    assert is_error(who.come_back(url))
    assert who.whoami() == {}
