"""What each preset makes of what its provider says; the answers have the shape that the providers document."""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey

from flows.methods.oidc import outgoing, providers
from flows.methods.oidc.claims import STANDARD, Account, normalized
from flows.methods.oidc.providers.base import PRESETS, OpenIDProvider, Provider, Refused
from identity import config
from identity.config.schema.providers import PROVIDERS
from identity.errors import Problem, UpstreamError
from identity.http.outgoing import Answer
from tests.presets import SAID, Said

TOKEN = {"access_token": "the-token"}
Answers = dict[str, Any]
Say = Callable[[Answers], list[str]]


@pytest.fixture
def sent() -> list[tuple[str, dict[str, str], bytes]]:
    """All that was sent, as it comes: address, headers, body."""
    return []


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, sent: list[tuple[str, dict[str, str], bytes]]) -> Say:
    """Let the outside answer by address, query aside. Returns the addresses that were asked, as they come."""

    def set_up(answers: Answers) -> list[str]:
        asked: list[str] = []

        def call(method: str, url: str, *, headers: Any = None, body: bytes | None = None) -> Answer:
            asked.append(url)
            sent.append((url, dict(headers or {}), body or b""))
            found = answers.get(url.split("?")[0], Answer(404, {}, b"{}"))
            if isinstance(found, Exception):
                raise found
            if isinstance(found, Answer):
                return found
            return Answer(200, {}, found if isinstance(found, bytes) else json.dumps(found).encode())

        outgoing.published.clear()
        monkeypatch.setattr(outgoing, "call", call)
        return asked

    return set_up


@pytest.fixture
def preset() -> Iterator[Callable[..., Provider]]:
    made = []

    def make(name: str, **more: Any) -> Provider:
        secret = {} if name == "apple" else {"client_secret": "secret"}
        entry = {
            "id": name,
            "provider": name,
            "label": name.title(),
            "client_id": "client",
            "mapper_url": "base64://e30=",
            **secret,
            **more,
        }
        context = config.override({"selfservice": {"methods": {"oidc": {"enabled": True, "config": {"providers": [entry]}}}}})
        context.__enter__()
        made.append(context)
        found = providers.find(entry["id"])
        assert found is not None
        return found

    yield make
    for context in reversed(made):
        context.__exit__(None, None, None)


def left(provider: Provider, *, is_refresh: bool = False) -> dict[str, str]:
    url = provider.leave(state="s", nonce="n", verifier="", temporary={}, is_refresh=is_refresh, upstream={})
    return dict(parse_qsl(urlsplit(url).query))


EVERY = pytest.mark.parametrize("said", SAID, ids=[each.name for each in SAID])


@pytest.fixture(scope="module")
def key() -> ECKey:
    return ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)


def documents(said: Said, key: ECKey) -> Answers:
    """Return all that the provider answers, by address."""
    found = {said.token_at: {"access_token": "the-token", **said.token}, **said.answers}
    if not said.issuer:
        return found
    now = int(time.time())
    standard = {"iss": said.issuer, "aud": "client", "iat": now, "exp": now + 300, "nonce": "n"}
    found[said.token_at]["id_token"] = jws.serialize_compact({"alg": "ES256", "kid": key.kid}, json.dumps(standard | said.id_token), key)
    base = said.asked_at.split("/oauth2/")[0] + "/v2.0" if said.preset == "microsoft" else said.issuer.rstrip("/")
    found[f"{base}/.well-known/openid-configuration"] = {
        "issuer": said.issuer,
        "authorization_endpoint": said.asked_at,
        "token_endpoint": said.token_at,
        "jwks_uri": f"{base}/jwks",
        "id_token_signing_alg_values_supported": ["ES256"],
        **said.metadata,
    }
    found[f"{base}/jwks"] = {"keys": [key.as_dict(private=False)]}
    return found


def configured(preset: Callable[..., Provider], said: Said, key: ECKey) -> Provider:
    signs = {"apple_private_key": key.as_pem(private=True).decode()} if said.preset == "apple" else {}
    return preset(said.preset, **{"id": said.preset, **said.config, **signs})


def arrive(provider: Provider, said: Said) -> Account:
    return provider.arrive(query=said.query, nonce="n", verifier="v" * 64, temporary=said.temporary)


@EVERY
def test_it_tells_who_somebody_is(say: Say, preset: Callable[..., Provider], key: ECKey, said: Said) -> None:
    say(documents(said, key))

    account = arrive(configured(preset, said, key), said)

    seen = {name: value for name, value in account.claims.items() if name not in ("raw_claims", "iss", "nonce")}
    assert seen == {name: value for name, value in said.claims.items() if name != "iss"}
    assert (account.subject, account.issuer) == (said.claims["sub"], (said.claims.get("iss") or said.issuer).rstrip("/"))
    assert account.claims["iss"].rstrip("/") == account.issuer


BASIC = {"Authorization": "Basic " + base64.b64encode(b"client:secret").decode()}
TOKENS_ARE_SHOWN: dict[str, dict[str, str]] = {  # where it is not `Authorization: Bearer`
    "yandex": {"Authorization": "OAuth the-token"},
    "amazon": {"x-amz-access-token": "the-token"},
    "dingtalk": {"x-acs-dingtalk-access-token": "the-token"},
}
ASKED_WITH = {
    "vk": {"fields": "photo_200,nickname,bdate,sex", "access_token": "the-token", "v": "5.131"},
    "patreon": {"fields[user]": "email,first_name,full_name,image_url,is_email_verified,last_name,url"},
    "yandex": {"format": "json"},
    "x": {"include_email": "true"},
}


@EVERY
def test_it_shows_the_token_as_its_provider_documents(
    say: Say, sent: list[tuple[str, dict[str, str], bytes]], preset: Callable[..., Provider], key: ECKey, said: Said
) -> None:
    say(documents(said, key))

    arrive(configured(preset, said, key), said)

    about = [(url, headers) for url, headers, body in sent if url.split("?")[0] in said.answers and not body and url != said.token_at]
    for url, headers in about:
        shown = TOKENS_ARE_SHOWN.get(said.preset, {"Authorization": "Bearer the-token"})
        if said.preset == "x":
            assert headers["Authorization"].startswith("OAuth ")
        elif said.preset == "vk":
            assert "Authorization" not in headers
        else:
            assert {name: value for name, value in headers.items() if name != "Accept"} == shown
        if said.preset in ASKED_WITH:
            assert dict(parse_qsl(urlsplit(url).query)) == ASKED_WITH[said.preset]


@EVERY
def test_it_shows_the_secret_as_its_provider_documents(
    say: Say, sent: list[tuple[str, dict[str, str], bytes]], preset: Callable[..., Provider], key: ECKey, said: Said
) -> None:
    say(documents(said, key))

    arrive(configured(preset, said, key), said)

    headers, body = next((headers, body) for url, headers, body in sent if url == said.token_at)
    form = dict(parse_qsl(body.decode()))
    if said.preset == "x":
        assert (body, headers["Authorization"].split()[0]) == (b"", "OAuth")
    elif said.preset == "dingtalk":
        assert json.loads(body) == {"clientId": "client", "clientSecret": "secret", "code": "the-code", "grantType": "authorization_code"}
    elif said.preset == "uaepass" or (said.issuer and said.preset not in ("apple", "line", "linkedin_v2")):
        assert headers["Authorization"] == BASIC["Authorization"]
        assert "client_secret" not in form
    else:
        assert form["client_id"] == "client"
        assert form["client_secret"].count(".") == 2 if said.preset == "apple" else form["client_secret"] == "secret"
        assert "Authorization" not in headers
    assert said.preset in ("x", "dingtalk") or (form["code"], form["code_verifier"]) == ("the-code", "v" * 64)


COMMON = ("client_id", "response_type", "redirect_uri", "state", "nonce", "code_challenge")


@EVERY
@pytest.mark.parametrize("is_refresh", [False, True])
def test_it_asks_as_its_provider_documents(say: Say, preset: Callable[..., Provider], key: ECKey, said: Said, is_refresh: bool) -> None:
    say(documents(said, key))
    provider = configured(preset, said, key)

    url = provider.leave(
        state="s",
        nonce="n",
        verifier="v" * 64 if provider.uses_pkce() else "",
        temporary=provider.prepare(state="s"),
        is_refresh=is_refresh,
        upstream={},
    )

    asked = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
    assert url.split("?")[0] == said.asked_at
    assert {name: value for name, value in asked.items() if name not in COMMON} == said.asked | (said.again if is_refresh else {})
    if said.preset != "x":
        assert (asked["client_id"], asked["response_type"], asked["state"]) == ("client", "code", "s")
        assert urlsplit(asked["redirect_uri"]).path == "/self-service/methods/oidc/callback" + (
            "" if said.name == "uaepass" else f"/{provider.rules.id}"
        )
    assert asked.get("nonce") == ("n" if said.issuer else None)
    assert ("code_challenge" in asked) == ("code_challenge_method" in asked)


def test_every_preset_is_said_here() -> None:
    assert {said.preset for said in SAID} == set(PRESETS)


def test_the_rest_of_the_presets_is_left_out_on_purpose() -> None:
    assert set(PROVIDERS) - set(PRESETS) == {"fedcm-test"}


NO_ANSWERS: dict[str, Any] = {
    "500": Answer(500, {}, b"{}"),
    "404 with HTML": Answer(404, {}, b"<!doctype html><title>Not here</title>"),
    "HTML": Answer(200, {}, b"<!doctype html><title>Maintenance</title>"),
    "nothing": Answer(200, {}, b""),
    "no object": Answer(200, {}, b"null"),
    "a list": Answer(200, {}, b"[1, 2]"),
    "an empty object": Answer(200, {}, b"{}"),
    "a flood": Answer(200, {}, b'{"id": "' + b"x" * 6_000_000),
    "a long document": Answer(200, {}, b'{"id": "1", "name": "' + b"x" * 2_000_000 + b'"}'),
    "an error of OAuth": Answer(400, {}, b'{"error": "invalid_grant", "error_description": "no"}'),
    "no number of seconds": Answer(200, {}, b'{"access_token": "t", "expires_in": "soon"}'),
    "no text for a token": Answer(200, {}, b'{"access_token": {"t": 1}, "accessToken": 1}'),
    "half a form": Answer(200, {}, b"oauth_token=t&oauth_token_secret"),
    "silence": outgoing.ProviderSilent("The other site does not answer."),
}


@EVERY
@pytest.mark.parametrize("why", NO_ANSWERS)
def test_no_answer_of_its_token_endpoint_is_an_error_of_ours(
    say: Say, preset: Callable[..., Provider], key: ECKey, said: Said, why: str
) -> None:
    say(documents(said, key) | {said.token_at: NO_ANSWERS[why]})

    with pytest.raises(Problem) as told:
        arrive(configured(preset, said, key), said)

    assert told.value.status in (400, 502)
    assert len(told.value.reason) < 500


WITH_DOCUMENTS = [(said, url) for said in SAID for url in said.answers if "request_token" not in url and url != said.token_at]


@pytest.mark.parametrize(("said", "url"), WITH_DOCUMENTS, ids=[f"{said.name}-{url.rsplit('/', 1)[1]}" for said, url in WITH_DOCUMENTS])
@pytest.mark.parametrize("why", NO_ANSWERS)
def test_no_answer_about_a_person_is_an_error_of_ours(
    say: Say, preset: Callable[..., Provider], key: ECKey, said: Said, url: str, why: str
) -> None:
    say(documents(said, key) | {url: NO_ANSWERS[why]})

    if url.endswith(("/user/emails", "/emailAddress")):
        with contextlib.suppress(Problem):
            assert arrive(configured(preset, said, key), said).claims.get("email") is None
        return
    with pytest.raises(Problem) as told:
        arrive(configured(preset, said, key), said)

    assert told.value.status in (400, 502)


ODD: list[Any] = [None, 42, -1, 2**70, 1.5, True, "", "\x00", "\ud800", "x" * 300, [], [None], [[]], {}, {"id": {}}, {"a": [1]}]


def places(document: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a document."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for step, below in pairs:
        yield (step,)
        yield from ((step, *rest) for rest in places(below))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    out = copy.deepcopy(document)
    below = out
    for step in path[:-1]:
        below = below[step]
    below[path[-1]] = value
    return out


def is_well_formed(account: Account) -> bool:
    seen = {name: value for name, value in account.claims.items() if name != "raw_claims"}
    kinds = dict.fromkeys(STANDARD, str) | {"email_verified": bool, "phone_number_verified": bool, "updated_at": int}
    kinds |= {"nonce_supported": bool, "amr": list}
    text = json.dumps(account.claims)
    account.proof()
    return all(isinstance(value, kinds[name]) for name, value in seen.items()) and "\\u0000" not in text and "\\ud800" not in text


@EVERY
def test_a_claim_of_another_type_does_no_harm(say: Say, preset: Callable[..., Provider], key: ECKey, said: Said) -> None:
    provider = configured(preset, said, key)
    documented = {"answers": said.answers, "token": said.token, "id_token": said.id_token}
    for path in (path for path in places(documented) if len(path) > 1):
        for odd in ODD:
            say(documents(dataclasses.replace(said, **changed(documented, path, odd)), key))
            try:
                is_good = is_well_formed(arrive(provider, said))
            except Problem as told:
                is_good = told.status in (400, 502)
            assert is_good, (path, odd)


@pytest.mark.parametrize("claim", ["iss", "aud", "azp", "exp", "iat", "nbf", "nonce"])
def test_an_id_token_is_what_it_is_by_claims_of_the_right_type(say: Say, preset: Callable[..., Provider], key: ECKey, claim: str) -> None:
    said = SAID[0]
    provider = configured(preset, said, key)

    for odd in [*ODD, [["client"]], ["client", {}], [{"client": 1}]]:
        say(documents(dataclasses.replace(said, id_token={**said.id_token, claim: odd}), key))
        with contextlib.suppress(Refused):
            arrive(provider, said)
            assert claim in ("azp", "iat", "nbf") or (claim, odd) in (("exp", 2**70), ("aud", ["client", {}])), odd


@pytest.mark.parametrize("token", ["", "a.b.c", "e30.e30.", "W1tb.e30.x", base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".e30.x"])
def test_an_id_token_that_is_none_is_refused(say: Say, preset: Callable[..., Provider], key: ECKey, token: str) -> None:
    say(documents(SAID[0], key))
    provider = configured(preset, SAID[0], key)
    assert isinstance(provider, OpenIDProvider)

    with pytest.raises(Refused):
        provider.verify(token, audiences=["client"])


SUBJECTS = [
    ("github", "https://api.github.com/user", "id"),
    ("discord", "https://discord.com/api/users/@me", "id"),
    ("spotify", "https://api.spotify.com/v1/me", "id"),
    ("yandex", "https://login.yandex.ru/info", "id"),
    ("dingtalk", "https://api.dingtalk.com/v1.0/contact/users/me", "openId"),
    ("lark", "https://passport.feishu.cn/suite/passport/oauth/userinfo", "open_id"),
    ("amazon", "https://api.amazon.com/user/profile", "user_id"),
    ("uaepass", "https://id.uaepass.ae/idshub/userinfo", "sub"),
    ("x", "https://api.x.com/1.1/account/verify_credentials.json", "id_str"),
]


@pytest.mark.parametrize("subject", [None, "", 0, False, True, [], {}, "\x00", "x" * 256])
@pytest.mark.parametrize(("name", "url", "field"), SUBJECTS, ids=[each[0] for each in SUBJECTS])
def test_who_has_no_name_is_nobody(
    say: Say, preset: Callable[..., Provider], key: ECKey, name: str, url: str, field: str, subject: Any
) -> None:
    said = next(each for each in SAID if each.name == name)
    say(documents(said, key) | {url: {**said.answers[url], field: subject}})

    with pytest.raises(UpstreamError):
        arrive(configured(preset, said, key), said)


@EVERY
def test_a_refusal_is_told(say: Say, preset: Callable[..., Provider], key: ECKey, said: Said) -> None:
    say(documents(said, key))
    provider = configured(preset, said, key)

    for query in ({"error": "access_denied", "error_description": "x" * 1000}, {}, {"code": ""}, {"oauth_token": "temporary-token"}):
        with pytest.raises(Refused) as told:
            provider.arrive(query=query, nonce="n", verifier="", temporary=said.temporary)
        assert provider.rules.label in told.value.reason
        assert len(told.value.reason) < 500


@pytest.mark.parametrize("name", ["github", "discord", "slack", "spotify"])
def test_what_was_not_granted_is_missed(preset: Callable[..., Provider], name: str) -> None:
    provider = preset(name)

    with pytest.raises(Refused):
        provider.require_scopes({"scope": "something.else"})
    provider.require_scopes({"scope": ",".join(provider.wanted_scopes())})


@pytest.mark.parametrize(
    ("told", "is_enough"),
    [
        ({"active": True, "scope": "r_liteprofile,r_emailaddress"}, True),
        ({"active": True, "scope": "r_liteprofile"}, False),
        ({"active": True}, False),
        ({"active": False, "status": "revoked"}, False),
        ({"active": "yes", "scope": "r_liteprofile,r_emailaddress"}, False),
    ],
)
def test_linkedin_is_asked_what_it_granted(say: Say, preset: Callable[..., Provider], told: dict[str, Any], is_enough: bool) -> None:
    say({"https://www.linkedin.com/oauth/v2/introspectToken": told})

    with contextlib.nullcontext() if is_enough else pytest.raises(Refused):
        preset("linkedin").require_scopes(TOKEN)


def test_facebook_is_shown_that_the_secret_is_known(say: Say, preset: Callable[..., Provider]) -> None:
    asked = say({"https://graph.facebook.com/me": {"id": "1"}})

    preset("facebook").claims(TOKEN, "", {})

    assert "appsecret_proof=" in asked[0]


def test_google_gives_a_refresh_token_for_a_parameter(say: Say, preset: Callable[..., Provider]) -> None:
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


def test_metadata_of_somebody_else_is_refused(say: Say, preset: Callable[..., Provider]) -> None:
    say({"https://corp.example.org/.well-known/openid-configuration": {"issuer": "https://evil.example.org"}})

    with pytest.raises(Refused):
        left(preset("generic", issuer_url="https://corp.example.org"))


def test_metadata_is_asked_for_once(say: Say, preset: Callable[..., Provider]) -> None:
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


@pytest.mark.parametrize(
    ("locale", "seen"), [({"country": "GB", "language": "en"}, "en-GB"), ({"language": "en"}, "en"), ({}, None), (["en"], None)]
)
def test_a_locale_may_be_an_object(locale: Any, seen: Any) -> None:
    assert normalized({"locale": locale}).get("locale") == seen


@pytest.mark.parametrize("scopes", [(), ("profile",)])
def test_x_tells_an_address_where_it_is_asked_for_only(say: Say, preset: Callable[..., Provider], scopes: tuple[str, ...]) -> None:
    info = "https://api.x.com/1.1/account/verify_credentials.json"
    asked = say({info: {"id_str": "1", "email": "ada@example.org"}})

    claims = preset("x", scope=list(scopes)).claims({"oauth_token": "t", "oauth_token_secret": "s"}, "", {})

    assert (asked, claims["email"]) == ([info], None)


def test_x_has_to_say_that_it_knows_the_way_back(say: Say, preset: Callable[..., Provider]) -> None:
    """A server of the first edition of OAuth sends whoever asked for a token to any address (RFC 5849 section 2.1)."""
    say({"https://api.x.com/oauth/request_token": b"oauth_token=t&oauth_token_secret=s"})

    with pytest.raises(Refused):
        preset("x").prepare(state="s")


def test_vk_says_what_it_does_not_allow(say: Say, preset: Callable[..., Provider]) -> None:
    say({"https://api.vk.com/method/users.get": {"error": {"error_code": 5, "error_msg": "User authorization failed"}}})

    with pytest.raises(Refused, match="User authorization failed"):
        preset("vk").claims(TOKEN, "", {})


def test_the_level_of_uae_pass_can_be_another(preset: Callable[..., Provider]) -> None:
    wanted = {"acr_values": "urn:digitalid:authentication:flow:mobileondevice"}

    url = preset("uaepass").leave(state="s", nonce="n", verifier="", temporary={}, is_refresh=False, upstream=wanted)

    assert parse_qsl(urlsplit(url).query).count(("acr_values", wanted["acr_values"])) == 1
    assert url.count("acr_values") == 1


def test_netid_tells_of_the_same_person_only(say: Say, preset: Callable[..., Provider], key: ECKey) -> None:
    said = next(each for each in SAID if each.preset == "netid")
    say(documents(said, key) | {"https://broker.netid.de/userinfo": {"sub": "somebody else", "email": "ada@example.org"}})

    with pytest.raises(Refused):
        arrive(configured(preset, said, key), said)
