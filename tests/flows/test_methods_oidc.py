"""An account at a provider: it signs in, signs up, and is linked; what it may not do is in the second half."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.google import Google
from flows.models import LoginFlow, TokenExchange
from identity import config, crypto
from identity.credentials import password, sealing, totp
from identity.credentials.models import Credential
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions.models import Session
from tests.factor_journeys import App, Flow, Page, code_of, configuration, make_person, names, said, value
from tests.provider import Grant, Provider

pytestmark = pytest.mark.django_db
ADA, EVE = "ada@example.org", "eve@example.org"
SECRET = "correct-Horse-7-battery"
SESSION = {"oidc": {"hooks": [{"hook": "session"}]}}


@pytest.fixture(scope="module")
def corp() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def configured(*providers: dict[str, Any], **flows: Any) -> dict[str, Any]:
    made = configuration(oidc={"enabled": True, "config": {"providers": list(providers)}})
    made["selfservice"]["flows"]["registration"] |= {"after": SESSION, **flows.get("registration", {})}
    made["selfservice"]["allowed_return_urls"] = ["https://app.example.org"]
    return made


@pytest.fixture(autouse=True)
def _configured(corp: Provider, settings: Any) -> Iterator[None]:
    settings.COURIER = "tests.mailbox"
    outgoing.published.clear()
    corp.answers_tokens = 200
    with config.override(configured(corp.settings("corp"), corp.settings("home"))):
        yield


class Visitor(Page):
    """A page's script, and its browser that is sent to the provider and back."""

    def leave(self, flow: Flow, **fields: Any) -> str:
        response = self.submit(flow, **(fields or {"provider": "corp"}))
        assert response.status_code == 422, response.content
        return str(response.json()["redirect_browser_to"])

    def come_back(self, url: str) -> Any:
        parts = urlsplit(url)
        return self.client.get(f"{parts.path}?{parts.query}", HTTP_ACCEPT="text/html")

    def shown(self, response: Any) -> Flow:
        """Return the form that the browser was sent to."""
        assert response.status_code in (302, 303), response.content
        parts = urlsplit(response["Location"])
        kind, id = parts.path.rsplit("/", 1)[-1], parse_qs(parts.query)["flow"][0]
        return dict(self.client.get(f"/self-service/{kind}/flows", {"id": id}, HTTP_ACCEPT="application/json").json())

    def whoami(self) -> dict[str, Any]:
        response = self.client.get("/sessions/whoami")
        return dict(response.json()) if response.status_code == 200 else {}


def social(who: Visitor, provider: Provider, sub: str, flow: str = "login", id: str = "corp", **more: Any) -> Any:
    return who.come_back(provider.agree(who.leave(who.start(flow), provider=id), sub, **more))


def is_error(response: Any) -> bool:
    return response.status_code == 303 and "/error" in response["Location"]


# -- what it does


@pytest.mark.parametrize("flow", ["login", "registration"])
def test_it_makes_an_account_and_signs_in_to_it(corp: Provider, flow: str) -> None:
    first, second = Visitor(), Visitor()

    social(first, corp, "sub-1", flow, email=ADA)
    social(second, corp, "sub-1", flow, email="another@example.org")

    assert first.whoami()["identity"]["id"] == second.whoami()["identity"]["id"]
    assert second.whoami()["identity"]["traits"] == {"email": ADA}
    used = second.whoami()["authentication_methods"]
    assert [(each["method"], each["aal"], each["provider"]) for each in used] == [("oidc", "aal1", "corp")]


def test_it_asks_with_pkce_and_a_nonce(corp: Provider) -> None:
    who = Visitor()

    asked = corp.asked(who.leave(who.start("login")))

    assert asked["code_challenge_method"] == "S256"
    assert asked["nonce"]
    assert asked["scope"] == "openid email"


def test_pkce_can_be_forced_with_one_address_for_all(corp: Provider) -> None:
    with config.override(configured(corp.settings("corp", pkce="force"))):
        who = Visitor()
        url = who.leave(who.start("login"))

        assert urlsplit(corp.asked(url)["redirect_uri"]).path == "/self-service/methods/oidc/callback"
        who.come_back(corp.agree(url, "sub-1", email=ADA))
        assert who.whoami()


def test_what_the_provider_does_not_tell_is_asked_for(corp: Provider) -> None:
    who = Visitor()
    flow = who.shown(social(who, corp, "sub-1", name="Ada"))
    assert (flow["active"], said(flow, "traits.email"), value(flow, "traits.name.first")) == ("oidc", [4000002], "Ada")
    assert "password" not in names(flow)

    who.come_back(corp.agree(who.leave(flow, provider="corp", traits={"email": ADA}), "sub-1", name="Ada"))

    assert who.whoami()["identity"]["traits"] == {"email": ADA, "name": {"first": "Ada"}}


@pytest.mark.parametrize(("claim", "is_verified"), [(True, True), ("true", True), (False, False), (None, False)])
def test_an_address_is_as_verified_as_the_mapper_says(corp: Provider, claim: Any, is_verified: bool) -> None:
    social(Visitor(), corp, "sub-1", email=ADA, email_verified=claim)

    assert [row.verified for row in Identity.objects.get().verifiable] == [is_verified]


def test_tokens_rest_encrypted(corp: Provider) -> None:
    social(Visitor(), corp, "sub-1", email=ADA)

    held = Credential.objects.get(type="oidc").config
    assert "the-refresh-token" not in str(held)
    assert sealing.for_operators("oidc", held)["providers"][0]["initial_refresh_token"] == "the-refresh-token"
    assert "issuer" not in sealing.for_operators("oidc", held)["providers"][0]


def test_it_is_linked_and_unlinked_in_the_settings(corp: Provider) -> None:
    ada = make_person(ADA)
    who = Visitor(ada)

    flow = who.shown(who.come_back(corp.agree(who.leave(who.start("settings"), link="corp"), "sub-1")))

    assert said(flow) == [1050001]
    assert [each["method"] for each in who.whoami()["authentication_methods"]] == ["password", "oidc"]
    other = Visitor()
    social(other, corp, "sub-1")
    assert other.whoami()["identity"]["id"] == str(ada.pk)
    assert said(who.submit(who.start("settings"), unlink="corp").json()) == [1050001]
    assert not Credential.objects.filter(type="oidc").exists()


def test_the_last_way_in_stays(corp: Provider) -> None:
    who = Visitor()
    social(who, corp, "sub-1", email=ADA)
    flow = who.start("settings")
    assert "unlink" not in names(flow)

    assert said(who.submit(flow, unlink="corp").json()) == [4000001]


def test_a_refresh_replaces_the_session(corp: Provider) -> None:
    who = Visitor()
    social(who, corp, "sub-1", email=ADA)
    before = who.whoami()["id"]
    url = who.leave(who.start("login", refresh="true"))
    assert corp.asked(url)["prompt"] == "login"

    who.come_back(corp.agree(url, "sub-1"))

    assert who.whoami()["id"] != before
    assert not Session.objects.get(pk=before).active


def test_an_update_follows_the_provider_where_it_is_wanted(corp: Provider) -> None:
    with config.override(configured(corp.settings("corp", update_identity_on_login="automatic"))):
        social(Visitor(), corp, "sub-1", email=ADA, name="Ada")
        who = Visitor()
        social(who, corp, "sub-1", email=ADA, name="Augusta")

    assert who.whoami()["identity"]["traits"]["name"] == {"first": "Augusta"}


def test_a_provider_may_vouch_for_both_factors(corp: Provider) -> None:
    with config.override(configured(corp.settings("corp", aal2_acr_values=["gold"]))):
        who = Visitor()
        social(who, corp, "sub-1", email=ADA, acr="gold")

    assert who.whoami()["authenticator_assurance_level"] == "aal2"


def test_the_userinfo_endpoint_can_be_asked(corp: Provider) -> None:
    with config.override(configured(corp.settings("corp", claims_source="userinfo"))):
        who = Visitor()
        social(who, corp, "sub-1", email=ADA)

    assert who.whoami()["identity"]["traits"] == {"email": ADA}


# -- linking by proof


@pytest.fixture
def ada() -> Identity:
    identity = make_person(ADA)
    credential = identity.factors["password"]
    credential.config = {"hashed_password": password.make_hash(SECRET)}
    services.save_credential(credential)
    return identity


def linking(who: Visitor, provider: Provider, **claims: Any) -> Flow:
    response = social(who, provider, "sub-1", email=ADA, **claims)
    assert "no_org_ui=true" in response["Location"]
    return who.shown(response)


@pytest.mark.parametrize("claims", [{}, {"email_verified": False}, {"email_verified": True}])
def test_an_address_alone_links_nothing(corp: Provider, ada: Identity, claims: dict[str, Any]) -> None:
    who = Visitor()

    flow = linking(who, corp, **claims)

    assert said(flow) == [1010016]
    assert who.whoami() == {}
    assert ada.credential_rows.filter(type="oidc").count() == 0
    assert [node["attributes"]["value"] for node in flow["ui"]["nodes"] if node["attributes"].get("name") == "provider"] == ["home"]


def test_the_owner_links_it_by_signing_in(corp: Provider, ada: Identity) -> None:
    who = Visitor()

    response = who.submit(linking(who, corp), method="password", identifier=ADA, password=SECRET)

    assert [used["method"] for used in response.json()["session"]["authentication_methods"]] == ["password", "oidc"]
    other = Visitor()
    social(other, corp, "sub-1")
    assert other.whoami()["identity"]["id"] == str(ada.pk)


def test_nobody_else_links_it(corp: Provider, ada: Identity) -> None:
    eve = make_person(EVE)
    credential = eve.factors["password"]
    credential.config = {"hashed_password": password.make_hash(SECRET)}
    services.save_credential(credential)
    who = Visitor()

    refused = who.submit(linking(who, corp), method="password", identifier=EVE, password=SECRET)

    assert said(refused.json()) == [4010009]
    assert not Credential.objects.filter(type="oidc").exists()


def test_a_link_that_waits_cannot_be_completed_in_another_browser(corp: Provider, ada: Identity) -> None:
    eve, victim = Visitor(), Visitor()
    flow = linking(eve, corp)

    refused = victim.submit(flow, method="password", identifier=ADA, password=SECRET)
    led_away = victim.submit(flow, provider="home")

    assert (refused.status_code, led_away.status_code) == (403, 403)


def test_a_link_waits_for_the_second_factor_too(corp: Provider, ada: Identity) -> None:
    before = services.revise(ada)
    url = totp.new_url(issuer="Example", account=ADA)
    services.put_credential(ada, "totp", totp.new_config(url, 0), [str(ada.pk)])
    services.update(before, ada)
    who = Visitor()

    answer = who.submit(linking(who, corp), method="password", identifier=ADA, password=SECRET)

    assert answer.status_code == 422
    assert not Credential.objects.filter(type="oidc").exists()
    id = parse_qs(urlsplit(answer.json()["redirect_browser_to"]).query)["flow"][0]
    form = who.client.get("/self-service/login/flows", {"id": id}, HTTP_ACCEPT="application/json").json()
    who.submit(form, method="totp", totp_code=code_of(totp.secret_of(url), time.time()))
    assert [used["method"] for used in who.whoami()["authentication_methods"]] == ["password", "totp", "oidc"]
    assert Credential.objects.filter(type="oidc").exists()


def test_what_waits_rests_encrypted(corp: Provider, ada: Identity) -> None:
    flow = linking(Visitor(), corp)

    assert "the-refresh-token" not in str(LoginFlow.objects.get(pk=flow["id"]).internal)


# -- attacks


@pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=y", "?code=x&state=%C3%A4", "?error=access_denied"])
def test_nobody_comes_back_who_did_not_leave(query: str) -> None:
    assert is_error(Visitor().come_back("https://x/self-service/methods/oidc/callback/corp" + query))


def test_a_state_of_another_provider_is_not_one(corp: Provider) -> None:
    who = Visitor()
    url = corp.agree(who.leave(who.start("login")), "sub-1", email=ADA)

    assert is_error(who.come_back(url.replace("/callback/corp", "/callback/home")))
    assert who.whoami() == {}


def test_another_browser_does_not_come_back_in_ones_place(corp: Provider) -> None:
    """The attacker's own account, opened in the browser of a victim, would sign the victim in to it."""
    eve, victim = Visitor(), Visitor()
    url = corp.agree(eve.leave(eve.start("login")), "sub-of-eve", email=EVE)

    assert is_error(victim.come_back(url))
    victim.leave(victim.start("login"))
    assert is_error(victim.come_back(url))
    assert victim.whoami() == {}
    assert not Identity.objects.exists()


def test_of_two_journeys_only_the_later_comes_back(corp: Provider) -> None:
    who = Visitor()
    flow = who.start("login")
    first = corp.agree(who.leave(flow), "sub-1", email=ADA)
    second = corp.agree(who.leave(flow), "sub-1", email=ADA)

    assert is_error(who.come_back(first))
    assert not is_error(who.come_back(second))


def test_a_callback_works_once(corp: Provider) -> None:
    who = Visitor()
    url = corp.agree(who.leave(who.start("login")), "sub-1", email=ADA)
    who.come_back(url)

    again = who.come_back(url)

    assert again.status_code == 303
    assert Session.objects.count() == 1
    who.client.cookies.pop("ory_kratos_session")
    assert is_error(who.come_back(url))


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of-another-sign-in"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another-client"},
    "several audiences, made for another": {"aud": ["the-client", "another-client"], "azp": "another-client"},
    "another issuer": {"iss": "https://evil.example.org"},
    "no issuer": {"iss": None},
    "out of date": {"exp": 1_000_000_000},
    "without an end": {"exp": None},
    "from the future": {"iat": 4_000_000_000},
    "signed by nobody": {"algorithm": "none"},
    "signed with the client's secret": {"algorithm": "HS256"},
    "signed by a stranger": {"algorithm": "stranger"},
    "without an id_token": {"has_id_token": False},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
@pytest.mark.parametrize("flow", ["login", "registration"])
def test_an_id_token_that_lies_proves_nothing(corp: Provider, flow: str, lie: dict[str, Any]) -> None:
    who = Visitor()

    form = who.shown(social(who, corp, "sub-1", flow, **{"email": ADA, **lie}))

    assert said(form) == [4000001]
    assert who.whoami() == {}
    assert not Identity.objects.exists()


def test_a_subject_that_is_empty_is_nobody(corp: Provider) -> None:
    assert is_error(social(Visitor(), corp, "", email=ADA))


def test_a_userinfo_of_somebody_else_is_refused(corp: Provider) -> None:
    with config.override(configured(corp.settings("corp", claims_source="userinfo"))):
        who = Visitor()
        url = corp.agree(who.leave(who.start("login")), "sub-1", email=ADA)
        next(reversed(corp.grants.values())).userinfo = {"sub": "sub-2"}

        assert said(who.shown(who.come_back(url))) == [4000001]


def test_a_refusal_at_the_provider_is_told(corp: Provider) -> None:
    who = Visitor()

    form = who.shown(who.come_back(corp.refuse(who.leave(who.start("login")))))

    assert said(form) == [4000001]
    assert "access_denied" in form["ui"]["messages"][0]["text"]


def test_an_inactive_identity_stays_out(corp: Provider) -> None:
    social(Visitor(), corp, "sub-1", email=ADA)
    Identity.objects.update(state="inactive")
    who = Visitor()

    assert said(who.shown(social(who, corp, "sub-1"))) == [4010011]
    assert who.whoami() == {}


def test_a_provider_that_is_somebody_else_by_now_opens_nothing(corp: Provider) -> None:
    social(Visitor(), corp, "sub-1", email=ADA)
    with Provider() as other, config.override(configured(other.settings("corp"))):
        who = Visitor()

        assert said(who.shown(social(who, other, "sub-1", email=ADA))) == [4000001]
        assert who.whoami() == {}


def test_an_account_has_one_owner(corp: Provider) -> None:
    social(Visitor(), corp, "sub-1", email=ADA)
    eve = Visitor(make_person(EVE))

    form = eve.shown(eve.come_back(corp.agree(eve.leave(eve.start("settings"), link="corp"), "sub-1")))

    assert said(form) == [4000007]


def test_a_journey_of_the_settings_comes_back_to_its_person_only(corp: Provider) -> None:
    ada = Visitor(make_person(ADA))
    url = corp.agree(ada.leave(ada.start("settings"), link="corp"), "sub-of-ada")
    ada.sign_in(make_person(EVE))

    assert is_error(ada.come_back(url))
    assert not Credential.objects.filter(type="oidc").exists()


def test_a_provider_that_is_down_is_told_in_the_form(corp: Provider) -> None:
    down = {**corp.settings("corp"), "issuer_url": "http://127.0.0.1:9"}
    with config.override(configured(down)):
        who = Visitor()

        refused = who.submit(who.start("login"), provider="corp")

    assert (refused.status_code, said(refused.json())) == (400, [4000001])


def test_a_provider_that_refuses_the_code_ends_on_the_error_page(corp: Provider) -> None:
    corp.answers_tokens = 400

    assert is_error(social(Visitor(), corp, "sub-1", email=ADA))


def test_only_known_parameters_reach_the_provider(corp: Provider) -> None:
    who = Visitor()
    sent = {"prompt": "select_account", "client_id": "other", "redirect_uri": "https://evil.example.org", "state": "x"}

    asked = corp.asked(who.leave(who.start("login"), provider="corp", upstream_parameters=sent))

    assert (asked["prompt"], asked["client_id"]) == ("select_account", "the-client")
    assert asked["redirect_uri"].endswith("/self-service/methods/oidc/callback/corp")


def test_a_form_of_another_site_comes_back_by_itself(corp: Provider) -> None:
    who = Visitor()
    url = corp.agree(who.leave(who.start("login")), "sub-1", email=ADA)
    parts = urlsplit(url)
    fields = {name: values[0] for name, values in parse_qs(parts.query).items()}

    response = who.client.post(parts.path, fields)

    assert response.status_code == 302
    assert parse_qs(urlsplit(response["Location"]).query) == parse_qs(parts.query)


# -- apps


def started(app: App, flow: str = "login") -> Flow:
    return app.start(flow, return_session_token_exchange_code="true", return_to="https://app.example.org/done")


def exchange(init: str, returned: str) -> Any:
    return App().client.get("/sessions/token-exchange", {"init_code": init, "return_to_code": returned})


@pytest.mark.parametrize("flow", ["login", "registration"])
def test_an_app_trades_two_codes_for_the_session(corp: Provider, flow: str) -> None:
    app, browser = App(), Visitor()
    begun = started(app, flow)
    url = app.submit(begun, provider="corp").json()["redirect_browser_to"]

    back = browser.come_back(corp.agree(url, "sub-1", email=ADA))

    assert back["Location"].startswith("https://app.example.org/done?code=")
    assert "ory_kratos_session" not in browser.client.cookies
    code = parse_qs(urlsplit(back["Location"]).query)["code"][0]
    assert exchange(begun["session_token_exchange_code"], "wrong").status_code == 404
    token = exchange(begun["session_token_exchange_code"], code).json()["session_token"]
    assert App().client.get("/sessions/whoami", HTTP_X_SESSION_TOKEN=token).status_code == 200
    assert exchange(begun["session_token_exchange_code"], code).status_code == 404


def test_an_app_learns_that_it_was_refused(corp: Provider) -> None:
    app, browser = App(), Visitor()
    begun = started(app)
    url = app.submit(begun, provider="corp").json()["redirect_browser_to"]

    back = browser.come_back(corp.refuse(url))

    code = parse_qs(urlsplit(back["Location"]).query)["code"][0]
    answer = exchange(begun["session_token_exchange_code"], code)
    assert (answer.status_code, said(answer.json())) == (422, [4000001])


def test_an_apps_journey_needs_a_code_to_come_back(corp: Provider) -> None:
    app = App()
    url = app.submit(app.start("login"), provider="corp").json()["redirect_browser_to"]

    assert is_error(Visitor().come_back(corp.agree(url, "sub-1", email=ADA)))


def test_a_link_that_an_app_waits_for_is_not_completed_by_a_browser(corp: Provider, ada: Identity) -> None:
    """An attacker's app holds the link; the address of the provider, opened by the victim, must not complete it."""
    ada_browser = Visitor(ada)
    ada_browser.come_back(corp.agree(ada_browser.leave(ada_browser.start("settings"), link="home"), "home-of-ada"))
    eve, browser = App(), Visitor()
    begun = started(eve)
    browser.come_back(corp.agree(eve.submit(begun, provider="corp").json()["redirect_browser_to"], "sub-of-eve", email=ADA))
    waiting = TokenExchange.objects.get()
    form = eve.client.get("/self-service/login/flows", {"id": str(waiting.flow_id)}, HTTP_ACCEPT="application/json").json()
    assert said(form) == [1010016]

    eve.client.cookies.clear()

    refused = eve.submit(form, provider="home")

    assert "browser" in refused.json()["ui"]["messages"][0]["context"]["reason"]
    assert "sub-of-eve" not in str(Credential.objects.get(type="oidc").config)


def test_the_codes_rest_hashed(corp: Provider) -> None:
    begun = started(App())

    assert begun["session_token_exchange_code"] not in str(TokenExchange.objects.values().get())
    assert TokenExchange.objects.get().init_hash == crypto.keyed_hash(begun["session_token_exchange_code"])


def id_token(provider: Provider, **claims: Any) -> str:
    return provider.id_token(Grant({}, {"sub": "sub-1", "email": ADA, "iat": int(time.time()), **claims}))


def test_a_generic_provider_takes_no_id_token(corp: Provider) -> None:
    app = App()

    assert app.submit(app.start("login"), provider="corp", id_token=id_token(corp)).status_code == 502


@pytest.mark.parametrize(
    ("claims", "nonce", "status"),
    [({"nonce": "n"}, "n", 200), ({"nonce": "n"}, "m", 403), ({"nonce": "n"}, "", 403), ({}, "", 200), ({"aud": "other"}, "", 403)],
)
def test_an_app_may_bring_an_id_token_of_some(
    corp: Provider, monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any], nonce: str, status: int
) -> None:
    monkeypatch.setattr(Google, "issuer", corp.url)
    monkeypatch.setattr(Google, "is_expected", lambda self, issuer, claims: issuer == corp.url)
    with config.override(configured(corp.settings("corp", provider="google"))):
        app = App()
        fields = {"provider": "corp", "id_token": id_token(corp, **claims), **({"id_token_nonce": nonce} if nonce else {})}

        response = app.submit(app.start("registration"), **fields)

    assert response.status_code == status, response.content


def test_a_link_to_a_provider_may_be_followed(corp: Provider) -> None:
    who = Visitor()
    flow = who.start("login")

    response = who.client.get("/self-service/login", {"flow": flow["id"], "provider": "corp"}, HTTP_ACCEPT="text/html")

    assert response.status_code == 303
    assert response["Location"].startswith(corp.url)
    assert is_error(Visitor().client.get("/self-service/login", {"flow": flow["id"], "provider": "corp"}, HTTP_ACCEPT="text/html"))


@pytest.mark.parametrize("fields", [{"link": "corp"}, {"unlink": "corp"}])
def test_settings_want_the_token_against_forgery(fields: dict[str, str]) -> None:
    who = Visitor(make_person(ADA))
    flow = who.start("settings")

    assert who.submit(flow, csrf_token="", **fields).status_code == 403


def test_a_session_that_aged_on_the_way_is_asked_again(corp: Provider) -> None:
    who = Visitor(make_person(ADA))
    url = corp.agree(who.leave(who.start("settings"), link="corp"), "sub-1")
    Session.objects.update(authenticated_at="2020-01-01T00:00:00Z")

    response = who.come_back(url)

    assert "/self-service/login/browser" in response["Location"]
    assert not Credential.objects.filter(type="oidc").exists()


def test_nobody_signs_up_where_that_is_switched_off(corp: Provider) -> None:
    with config.override({"selfservice": {"flows": {"registration": {"enabled": False}}}}):
        who = Visitor()

        assert said(who.shown(social(who, corp, "sub-1", email=ADA))) == [4000001]
        assert not Identity.objects.exists()
