"""What each preset makes of what its provider says; the answers have the shape that the providers document."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from flows.methods.oidc import outgoing, providers
from flows.methods.oidc.providers.base import PRESETS, Provider, Refused
from identity import config
from identity.http.outgoing import Answer

TOKEN = {"access_token": "the-token"}
Answers = dict[str, Any]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], list[str]]:
    """Let the outside answer by address, query aside. Returns the addresses that were asked, as they come."""

    def set_up(answers: Answers) -> list[str]:
        asked: list[str] = []

        def call(method: str, url: str, *, headers: Any = None, body: bytes | None = None) -> Answer:
            asked.append(url)
            found = answers.get(url.split("?")[0])
            return Answer(404 if found is None else 200, {}, orjson.dumps(found))

        outgoing.published.clear()
        monkeypatch.setattr(outgoing, "call", call)
        return asked

    return set_up


@pytest.fixture
def preset() -> Iterator[Callable[..., Provider]]:
    made = []

    def make(name: str, **more: Any) -> Provider:
        secret = {} if name == "apple" else {"client_secret": "secret"}
        entry = {"id": name, "provider": name, "client_id": "client", "mapper_url": "base64://e30=", **secret, **more}
        context = config.override({"selfservice": {"methods": {"oidc": {"enabled": True, "config": {"providers": [entry]}}}}})
        context.__enter__()
        made.append(context)
        found = providers.find(name)
        assert found is not None
        return found

    yield make
    for context in reversed(made):
        context.__exit__(None, None, None)


def left(provider: Provider, *, is_refresh: bool = False) -> dict[str, str]:
    url = provider.leave(state="s", nonce="n", verifier="", temporary={}, is_refresh=is_refresh, upstream={})
    return dict(parse_qsl(urlsplit(url).query))


SAID: list[tuple[str, dict[str, Any], Answers, dict[str, Any]]] = [
    (
        "github",
        {"scope": ["user:email"]},
        {
            "https://api.github.com/user": {"id": 42, "login": "ada", "name": "Ada", "email": "profile@example.org", "avatar_url": "p"},
            "https://api.github.com/user/emails": [
                {"email": "other@example.org", "primary": False, "verified": True},
                {"email": "ada@example.org", "primary": True, "verified": True},
            ],
        },
        {"sub": "42", "name": "Ada", "nickname": "ada", "email": "ada@example.org", "email_verified": True},
    ),
    (
        "gitlab",
        {"issuer_url": "https://git.example.org/"},
        {"https://git.example.org/oauth/userinfo": {"sub": "7", "email": "ada@example.org", "email_verified": False}},
        {"iss": "https://git.example.org", "sub": "7", "email": "ada@example.org", "email_verified": False},
    ),
    (
        "facebook",
        {},
        {"https://graph.facebook.com/me": {"id": "1", "name": "Ada L", "first_name": "Ada", "last_name": "L", "email": "ada@example.org"}},
        {"sub": "1", "given_name": "Ada", "family_name": "L", "email": "ada@example.org", "email_verified": True},
    ),
    (
        "discord",
        {},
        {"https://discord.com/api/users/@me": {"id": "9", "username": "ada", "avatar": "a", "email": "ada@example.org", "verified": False}},
        {"sub": "9", "picture": "https://cdn.discordapp.com/avatars/9/a.png", "email": "ada@example.org", "email_verified": False},
    ),
    (
        "slack",
        {},
        {
            "https://slack.com/api/users.identity": {
                "ok": True,
                "user": {"id": "U1", "name": "Ada", "email": "ada@example.org"},
                "team": {"id": "T1"},
            }
        },
        {"sub": "U1", "email": "ada@example.org", "team": "T1"},
    ),
    (
        "auth0",
        {"issuer_url": "https://ada.auth0.com"},
        {"https://ada.auth0.com/userinfo": {"sub": "auth0|1", "updated_at": "2026-01-01T00:00:00Z"}},
        {"iss": "https://ada.auth0.com", "sub": "auth0|1", "updated_at": 1767225600},
    ),
    (
        "linkedin",
        {},
        {
            "https://api.linkedin.com/v2/me": {"id": "L1", "localizedFirstName": "Ada", "localizedLastName": "L"},
            "https://api.linkedin.com/v2/emailAddress": {"elements": [{"handle~": {"emailAddress": "ada@example.org"}}]},
        },
        {"sub": "L1", "given_name": "Ada", "email": "ada@example.org"},
    ),
]


@pytest.mark.parametrize(("name", "more", "answers", "expected"), SAID, ids=[each[0] for each in SAID])
def test_it_tells_who_somebody_is(
    say: Callable[[Answers], list[str]],
    preset: Callable[..., Provider],
    name: str,
    more: dict[str, Any],
    answers: Answers,
    expected: dict[str, Any],
) -> None:
    say(answers)

    claims = preset(name, **more).claims(TOKEN, "", {})

    assert {key: claims.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", ["github", "discord", "slack"])
def test_what_was_not_granted_is_missed(preset: Callable[..., Provider], name: str) -> None:
    provider = preset(name)

    with pytest.raises(Refused):
        provider.require_scopes({"scope": "something.else"})
    provider.require_scopes({"scope": ",".join(provider.wanted_scopes())})


def test_facebook_is_shown_that_the_secret_is_known(say: Callable[[Answers], list[str]], preset: Callable[..., Provider]) -> None:
    asked = say({"https://graph.facebook.com/me": {"id": "1"}})

    preset("facebook").claims(TOKEN, "", {})

    assert "appsecret_proof=" in asked[0]


def test_google_gives_a_refresh_token_for_a_parameter(say: Callable[[Answers], list[str]], preset: Callable[..., Provider]) -> None:
    say(
        {
            "https://accounts.google.com/.well-known/openid-configuration": {
                "issuer": "https://accounts.google.com",
                "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
            }
        }
    )

    asked = left(preset("google", scope=["email", "offline_access"]), is_refresh=True)

    assert (asked["scope"], asked["access_type"], asked["prompt"]) == ("openid email", "offline", "login")


def test_apple_gets_a_secret_that_is_signed_anew(preset: Callable[..., Provider]) -> None:
    key = ECKey.generate_key("P-256")
    pem = key.as_pem(private=True).decode()
    apple = preset("apple", apple_team_id="TEAM", apple_private_key_id="KEY", apple_private_key=pem, scope=["email"])

    token = jwt.decode(apple.client_secret(), key, algorithms=["ES256"])

    assert (token.header["kid"], token.claims["iss"], token.claims["sub"]) == ("KEY", "TEAM", "client")
    assert 0 < token.claims["exp"] - time.time() <= 300
    assert apple.parameters(is_refresh=False) == {"response_mode": "form_post"}


TENANT = "11111111-2222-3333-4444-555555555555"
HOST = "https://login.microsoftonline.com"


@pytest.mark.parametrize(
    ("tenant", "issuer", "tid", "is_expected"),
    [
        ("common", f"{HOST}/{TENANT}/v2.0", TENANT, True),
        (TENANT, f"{HOST}/{TENANT}/v2.0", TENANT, True),
        (TENANT, f"{HOST}/99999999-2222-3333-4444-555555555555/v2.0", "99999999-2222-3333-4444-555555555555", False),
        ("common", f"{HOST}/common/v2.0", "common", False),
        ("common", "https://evil.example.org/v2.0", TENANT, False),
        ("common", f"{HOST}/{TENANT}/v2.0", "", False),
    ],
)
def test_microsoft_vouches_tenant_by_tenant(preset: Callable[..., Provider], tenant: str, issuer: str, tid: str, is_expected: bool) -> None:
    provider: Any = preset("microsoft", microsoft_tenant=tenant)

    assert provider.is_expected(issuer, {"tid": tid}) is is_expected


def test_metadata_of_somebody_else_is_refused(say: Callable[[Answers], list[str]], preset: Callable[..., Provider]) -> None:
    say({"https://corp.example.org/.well-known/openid-configuration": {"issuer": "https://evil.example.org"}})

    with pytest.raises(Refused):
        left(preset("generic", issuer_url="https://corp.example.org"))


def test_metadata_is_asked_for_once(say: Callable[[Answers], list[str]], preset: Callable[..., Provider]) -> None:
    asked = say(
        {
            "https://corp.example.org/.well-known/openid-configuration": {
                "issuer": "https://corp.example.org",
                "authorization_endpoint": "https://corp.example.org/authorize",
            }
        }
    )
    provider = preset("generic", issuer_url="https://corp.example.org")

    left(provider)
    left(provider)

    assert len(asked) == 1


def test_every_preset_is_known_by_its_name() -> None:
    first = "generic google github gitlab microsoft apple facebook discord slack linkedin linkedin_v2 auth0 salesforce github-app"

    assert set(first.split()) <= set(PRESETS)
