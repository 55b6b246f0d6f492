"""What each provider documents, for a person who is made up: where it is, what it is asked, what it answers, and what that means.

Nothing here is taken from our presets: a URL that is mistyped there is not found here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TENANT = "11111111-2222-3333-4444-555555555555"
MICROSOFT = "https://login.microsoftonline.com"
ADA = "ada@example.org"


@dataclass(frozen=True)
class Said:
    """One provider. `answers` are its documents by address, query aside; bytes are sent as they are.

    `asked` is the query that people are sent to it with, but for what all of them have in common; `again` is what a
    refresh changes of it. `claims` is all that a mapper sees.
    """

    preset: str
    asked_at: str
    asked: dict[str, str]
    token_at: str
    answers: dict[str, Any]
    claims: dict[str, Any]
    config: dict[str, Any] = field(default_factory=dict)
    again: dict[str, str] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)  # beside the access token
    id_token: dict[str, Any] = field(default_factory=dict)  # beside iss, aud, iat, exp and nonce
    issuer: str = ""  # in metadata and id_token
    metadata: dict[str, Any] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=lambda: {"code": "the-code"})
    temporary: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.preset}{'-' + self.config['id'] if 'id' in self.config else ''}"


S256 = {"code_challenge_methods_supported": ["plain", "S256"]}
PKCE = {"code_challenge_method": "S256"}

SAID = [
    Said(
        "generic",
        asked_at="https://login.corp.example/authorize",
        asked={"scope": "openid email", **PKCE},
        again={"prompt": "login"},
        token_at="https://login.corp.example/token",
        config={"issuer_url": "https://login.corp.example/", "scope": ["email"]},
        issuer="https://login.corp.example",
        metadata=S256,
        id_token={
            "sub": "248289761001",
            "email": ADA,
            "email_verified": True,
            "locale": "en-GB",
            "updated_at": 1767225600,
            "groups": ["staff"],
        },
        answers={},
        claims={"sub": "248289761001", "email": ADA, "email_verified": True, "locale": "en-GB", "updated_at": 1767225600},
    ),
    Said(
        "google",
        asked_at="https://accounts.google.com/o/oauth2/v2/auth",
        asked={"scope": "openid email profile", "access_type": "offline", **PKCE},
        again={"prompt": "login"},
        token_at="https://oauth2.googleapis.com/token",
        config={"scope": ["email", "profile", "offline_access"]},
        issuer="https://accounts.google.com",
        metadata=S256,
        id_token={
            "azp": "client",
            "sub": "10769150350006150715113082367",
            "hd": "example.org",
            "email": ADA,
            "email_verified": True,
            "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
            "name": "Ada L",
            "picture": "https://lh3.googleusercontent.com/a/ada",
            "given_name": "Ada",
            "family_name": "L",
        },
        answers={},
        claims={
            "sub": "10769150350006150715113082367",
            "hd": "example.org",
            "email": ADA,
            "email_verified": True,
            "name": "Ada L",
            "picture": "https://lh3.googleusercontent.com/a/ada",
            "given_name": "Ada",
            "family_name": "L",
        },
    ),
    Said(
        "apple",
        asked_at="https://appleid.apple.com/auth/authorize",
        asked={"scope": "openid name email", "response_mode": "form_post"},
        again={"prompt": "login"},
        token_at="https://appleid.apple.com/auth/token",
        config={"scope": ["name", "email"], "apple_team_id": "TEAM", "apple_private_key_id": "KEY"},
        issuer="https://appleid.apple.com",
        metadata={"token_endpoint_auth_methods_supported": ["client_secret_post"]},
        query={"code": "the-code", "user": '{"name": {"firstName": "Ada", "lastName": "L"}, "email": "ada@example.org"}'},
        id_token={
            "sub": "001234.a1b2c3.0456",
            "email": "x1@privaterelay.appleid.com",
            "email_verified": "true",
            "is_private_email": "true",
            "nonce_supported": True,
            "auth_time": 1767225600,
        },
        answers={},
        claims={
            "sub": "001234.a1b2c3.0456",
            "email": "x1@privaterelay.appleid.com",
            "email_verified": True,
            "nonce_supported": True,
            "given_name": "Ada",
            "family_name": "L",
            "last_name": "L",
        },
    ),
    Said(
        "microsoft",
        asked_at=f"{MICROSOFT}/common/oauth2/v2.0/authorize",
        asked={"scope": "openid email"},
        again={"prompt": "login"},
        token_at=f"{MICROSOFT}/common/oauth2/v2.0/token",
        config={"microsoft_tenant": "common", "scope": ["email"]},
        issuer=f"{MICROSOFT}/{TENANT}/v2.0",
        metadata={"issuer": f"{MICROSOFT}/{{tenantid}}/v2.0"},
        id_token={
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "tid": TENANT,
            "name": "Ada L",
            "preferred_username": "ada@example.org",
            "email": ADA,
            "ver": "2.0",
        },
        answers={},
        claims={
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "name": "Ada L",
            "preferred_username": "ada@example.org",
            "email": ADA,
        },
    ),
    Said(
        "microsoft",
        asked_at=f"{MICROSOFT}/{TENANT}/oauth2/v2.0/authorize",
        asked={"scope": "openid"},
        again={"prompt": "login"},
        token_at=f"{MICROSOFT}/{TENANT}/oauth2/v2.0/token",
        config={"id": "me", "microsoft_tenant": TENANT, "subject_source": "me"},
        issuer=f"{MICROSOFT}/{TENANT}/v2.0",
        id_token={"sub": "pairwise", "tid": TENANT, "name": "Ada L"},
        answers={"https://graph.microsoft.com/v1.0/me": {"id": "87d349ed-44d7-43e1-9a83-5f2406dee5bd", "displayName": "Ada L"}},
        claims={"sub": "87d349ed-44d7-43e1-9a83-5f2406dee5bd", "name": "Ada L"},
    ),
    Said(
        "microsoft",
        asked_at=f"{MICROSOFT}/{TENANT}/oauth2/v2.0/authorize",
        asked={"scope": "openid"},
        again={"prompt": "login"},
        token_at=f"{MICROSOFT}/{TENANT}/oauth2/v2.0/token",
        config={"id": "oid", "microsoft_tenant": TENANT, "subject_source": "oid"},
        issuer=f"{MICROSOFT}/{TENANT}/v2.0",
        id_token={"sub": "pairwise", "tid": TENANT, "oid": "00000000-0000-0000-66f3-3332eca7ea81"},
        answers={},
        claims={"sub": "00000000-0000-0000-66f3-3332eca7ea81", "oid": "00000000-0000-0000-66f3-3332eca7ea81"},
    ),
    Said(
        "linkedin_v2",
        asked_at="https://www.linkedin.com/oauth/v2/authorization",
        asked={"scope": "openid profile email"},
        again={"prompt": "login"},
        token_at="https://www.linkedin.com/oauth/v2/accessToken",
        issuer="https://www.linkedin.com/oauth",
        id_token={
            "sub": "782bbtaQ",
            "name": "Ada L",
            "given_name": "Ada",
            "family_name": "L",
            "picture": "https://media.licdn-ei.com/dms/image/ada",
            "locale": {"country": "US", "language": "en"},
            "email": ADA,
            "email_verified": "true",
        },
        answers={},
        claims={
            "sub": "782bbtaQ",
            "name": "Ada L",
            "given_name": "Ada",
            "family_name": "L",
            "picture": "https://media.licdn-ei.com/dms/image/ada",
            "locale": "en-US",
            "email": ADA,
            "email_verified": True,
        },
    ),
    Said(
        "line",
        asked_at="https://access.line.me/oauth2/v2.1/authorize",
        asked={"scope": "openid profile email", **PKCE},
        again={"prompt": "login"},
        token_at="https://api.line.me/oauth2/v2.1/token",
        config={"scope": ["profile", "email"]},
        issuer="https://access.line.me",
        metadata={"code_challenge_methods_supported": ["S256"]},
        token={"expires_in": 2592000, "scope": "profile openid email", "token_type": "Bearer"},
        id_token={
            "sub": "U1234567890abcdef1234567890abcdef",
            "amr": ["pwd"],
            "name": "Ada L",
            "picture": "https://profile.line-scdn.net/ada",
            "email": ADA,
        },
        answers={},
        claims={
            "sub": "U1234567890abcdef1234567890abcdef",
            "amr": ["pwd"],
            "name": "Ada L",
            "picture": "https://profile.line-scdn.net/ada",
            "email": ADA,
        },
    ),
    Said(
        "netid",
        asked_at="https://broker.netid.de/authorize",
        asked={"scope": "openid", "claims": '{"userinfo":{"email":{"essential":true}}}'},
        again={"prompt": "login"},
        token_at="https://broker.netid.de/token",
        config={"requested_claims": {"userinfo": {"email": {"essential": True}}}},
        issuer="https://broker.netid.de/",
        metadata={"userinfo_endpoint": "https://broker.netid.de/userinfo"},
        id_token={"sub": "4cA2i4xpPrS9", "name": "not from here"},
        answers={
            "https://broker.netid.de/userinfo": {
                "sub": "4cA2i4xpPrS9",
                "given_name": "Ada",
                "family_name": "L",
                "gender": "female",
                "birthdate": "1815-12-10",
                "email": ADA,
                "email_verified": True,
            }
        },
        claims={
            "sub": "4cA2i4xpPrS9",
            "given_name": "Ada",
            "family_name": "L",
            "gender": "female",
            "birthdate": "1815-12-10",
            "email": ADA,
            "email_verified": True,
        },
    ),
    Said(
        "github",
        asked_at="https://github.com/login/oauth/authorize",
        asked={"scope": "user:email"},
        token_at="https://github.com/login/oauth/access_token",
        token={"scope": "user:email", "token_type": "bearer"},
        answers={
            "https://api.github.com/user": {
                "login": "ada",
                "id": 583231,
                "avatar_url": "https://avatars.githubusercontent.com/u/583231",
                "html_url": "https://github.com/ada",
                "name": "Ada L",
                "blog": "https://ada.example.org",
                "email": "profile@example.org",
            },
            "https://api.github.com/user/emails": [
                {"email": "other@example.org", "primary": False, "verified": True, "visibility": None},
                {"email": ADA, "primary": True, "verified": True, "visibility": "private"},
            ],
        },
        claims={
            "iss": "https://github.com",
            "sub": "583231",
            "name": "Ada L",
            "nickname": "ada",
            "preferred_username": "ada",
            "profile": "https://github.com/ada",
            "picture": "https://avatars.githubusercontent.com/u/583231",
            "website": "https://ada.example.org",
            "email": ADA,
            "email_verified": True,
        },
    ),
    Said(
        "github-app",
        asked_at="https://github.com/login/oauth/authorize",
        asked={"scope": "user:email"},
        token_at="https://github.com/login/oauth/access_token",
        token={"scope": "", "token_type": "bearer"},
        answers={
            "https://api.github.com/user": {"login": "ada", "id": 583231, "name": None, "blog": ""},
            "https://api.github.com/user/emails": [{"email": ADA, "primary": True, "verified": False}],
        },
        claims={
            "iss": "https://github.com",
            "sub": "583231",
            "nickname": "ada",
            "preferred_username": "ada",
            "email": ADA,
            "email_verified": False,
        },
    ),
    Said(
        "gitlab",
        asked_at="https://gitlab.com/oauth/authorize",
        asked={"scope": "openid profile email"},
        token_at="https://gitlab.com/oauth/token",
        answers={
            "https://gitlab.com/oauth/userinfo": {
                "sub": "7",
                "name": "Ada L",
                "nickname": "ada",
                "preferred_username": "ada",
                "email": ADA,
                "email_verified": True,
                "profile": "https://gitlab.com/ada",
                "picture": "https://gitlab.com/uploads/ada.png",
                "groups": ["engines"],
            }
        },
        claims={
            "iss": "https://gitlab.com",
            "sub": "7",
            "name": "Ada L",
            "nickname": "ada",
            "preferred_username": "ada",
            "email": ADA,
            "email_verified": True,
            "profile": "https://gitlab.com/ada",
            "picture": "https://gitlab.com/uploads/ada.png",
        },
    ),
    Said(
        "gitlab",
        asked_at="https://git.example.org/oauth/authorize",
        asked={"scope": "openid"},
        token_at="https://git.example.org/oauth/token",
        config={"id": "own", "issuer_url": "https://git.example.org/", "scope": ["openid"]},
        answers={"https://git.example.org/oauth/userinfo": {"sub": "7", "email": ADA, "email_verified": False}},
        claims={"iss": "https://git.example.org", "sub": "7", "email": ADA, "email_verified": False},
    ),
    Said(
        "facebook",
        asked_at="https://www.facebook.com/dialog/oauth",
        asked={"scope": "email"},
        again={"auth_type": "reauthenticate"},
        token_at="https://graph.facebook.com/oauth/access_token",
        answers={
            "https://graph.facebook.com/me": {
                "id": "10224",
                "name": "Ada L",
                "first_name": "Ada",
                "last_name": "L",
                "email": ADA,
                "birthday": "12/10/1815",
                "gender": "female",
                "picture": {"data": {"height": 50, "is_silhouette": False, "url": "https://platform-lookaside.fbsbx.com/ada", "width": 50}},
            }
        },
        claims={
            "iss": "https://www.facebook.com",
            "sub": "10224",
            "name": "Ada L",
            "given_name": "Ada",
            "family_name": "L",
            "last_name": "L",
            "email": ADA,
            "email_verified": True,
            "birthdate": "12/10/1815",
            "gender": "female",
            "picture": "https://platform-lookaside.fbsbx.com/ada",
        },
    ),
    Said(
        "auth0",
        asked_at="https://ada.eu.auth0.com/authorize",
        asked={"scope": "openid profile email"},
        token_at="https://ada.eu.auth0.com/oauth/token",
        config={"issuer_url": "https://ada.eu.auth0.com/"},
        answers={
            "https://ada.eu.auth0.com/userinfo": {
                "sub": "auth0|507f1f77",
                "name": "Ada L",
                "nickname": "ada",
                "picture": "https://s.gravatar.com/ada",
                "updated_at": "2026-01-01T00:00:00.000Z",
                "email": ADA,
                "email_verified": True,
            }
        },
        claims={
            "iss": "https://ada.eu.auth0.com",
            "sub": "auth0|507f1f77",
            "name": "Ada L",
            "nickname": "ada",
            "picture": "https://s.gravatar.com/ada",
            "updated_at": 1767225600,
            "email": ADA,
            "email_verified": True,
        },
    ),
    Said(
        "salesforce",
        asked_at="https://login.salesforce.com/services/oauth2/authorize",
        asked={"scope": "openid profile email"},
        token_at="https://login.salesforce.com/services/oauth2/token",
        config={"issuer_url": "https://login.salesforce.com"},
        token={"instance_url": "https://ada.my.salesforce.com", "id": "https://login.salesforce.com/id/00D/005", "scope": "openid"},
        answers={
            "https://login.salesforce.com/services/oauth2/userinfo": {
                "sub": "https://login.salesforce.com/id/00Dx/005x",
                "user_id": "005x",
                "organization_id": "00Dx",
                "preferred_username": "ada@example.org",
                "nickname": "ada",
                "name": "Ada L",
                "email": ADA,
                "email_verified": True,
                "given_name": "Ada",
                "family_name": "L",
                "zoneinfo": "Europe/London",
                "locale": "en_GB",
                "language": "en_US",
                "updated_at": "2026-01-01T00:00:00Z",
            }
        },
        claims={
            "iss": "https://login.salesforce.com",
            "sub": "https://login.salesforce.com/id/00Dx/005x",
            "preferred_username": "ada@example.org",
            "nickname": "ada",
            "name": "Ada L",
            "email": ADA,
            "email_verified": True,
            "given_name": "Ada",
            "family_name": "L",
            "zoneinfo": "Europe/London",
            "locale": "en_GB",
            "updated_at": 1767225600,
        },
    ),
    Said(
        "discord",
        asked_at="https://discord.com/oauth2/authorize",
        asked={"scope": "identify email", "prompt": "none"},
        again={"prompt": "consent"},
        token_at="https://discord.com/api/oauth2/token",
        token={"scope": "identify email", "expires_in": 604800},
        answers={
            "https://discord.com/api/users/@me": {
                "id": "80351110224678912",
                "username": "ada",
                "discriminator": "0",
                "global_name": "Ada L",
                "avatar": "8342729096ea3675442027381ff50dfe",
                "verified": True,
                "email": ADA,
                "locale": "en-GB",
            }
        },
        claims={
            "iss": "https://discord.com",
            "sub": "80351110224678912",
            "name": "Ada L",
            "nickname": "ada",
            "preferred_username": "ada",
            "picture": "https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png",
            "email": ADA,
            "email_verified": True,
            "locale": "en-GB",
        },
    ),
    Said(
        "slack",
        asked_at="https://slack.com/oauth/authorize",
        asked={"scope": "identity.basic identity.email"},
        token_at="https://slack.com/api/oauth.access",
        token={"ok": True, "scope": "identity.basic,identity.email"},
        answers={
            "https://slack.com/api/users.identity": {
                "ok": True,
                "user": {"id": "U0G9QF9C6", "name": "Ada L", "email": ADA, "image_512": "https://avatars.slack-edge.com/ada_512.jpg"},
                "team": {"id": "T0G9PQBBK"},
            }
        },
        claims={
            "iss": "https://slack.com",
            "sub": "U0G9QF9C6",
            "name": "Ada L",
            "nickname": "Ada L",
            "preferred_username": "Ada L",
            "email": ADA,
            "email_verified": True,
            "picture": "https://avatars.slack-edge.com/ada_512.jpg",
            "team": "T0G9PQBBK",
        },
    ),
    Said(
        "linkedin",
        asked_at="https://www.linkedin.com/oauth/v2/authorization",
        asked={"scope": "r_liteprofile r_emailaddress"},
        token_at="https://www.linkedin.com/oauth/v2/accessToken",
        token={"expires_in": 5184000},
        answers={
            "https://www.linkedin.com/oauth/v2/introspectToken": {
                "active": True,
                "client_id": "client",
                "authorized_at": 1493055596,
                "created_at": 1493055596,
                "status": "active",
                "expires_at": 1497497620,
                "scope": "r_liteprofile,r_emailaddress",
                "auth_type": "3L",
            },
            "https://api.linkedin.com/v2/me": {
                "id": "yrZCpj2Z12",
                "localizedFirstName": "Ada",
                "localizedLastName": "L",
                "profilePicture": {
                    "displayImage": "urn:li:digitalmediaAsset:C4D00AAAAbBCDEFGhiJ",
                    "displayImage~": {
                        "elements": [
                            {"identifiers": [{"identifier": f"https://media.licdn.com/ada_{width}"}]} for width in (100, 200, 400, 800)
                        ]
                    },
                },
            },
            "https://api.linkedin.com/v2/emailAddress": {
                "elements": [{"handle": "urn:li:emailAddress:3775708763", "handle~": {"emailAddress": ADA}}]
            },
        },
        claims={
            "iss": "https://www.linkedin.com",
            "sub": "yrZCpj2Z12",
            "given_name": "Ada",
            "last_name": "L",
            "picture": "https://media.licdn.com/ada_400",
            "email": ADA,
        },
    ),
    Said(
        "spotify",
        asked_at="https://accounts.spotify.com/authorize",
        asked={"scope": "user-read-email user-read-private"},
        token_at="https://accounts.spotify.com/api/token",
        token={"token_type": "Bearer", "scope": "user-read-private user-read-email", "expires_in": 3600, "refresh_token": "r"},
        answers={
            "https://api.spotify.com/v1/me": {
                "country": "SE",
                "display_name": "Ada L",
                "email": ADA,
                "external_urls": {"spotify": "https://open.spotify.com/user/ada"},
                "followers": {"href": None, "total": 0},
                "href": "https://api.spotify.com/v1/users/ada",
                "id": "ada",
                "images": [{"url": "https://i.scdn.co/image/ada", "height": 300, "width": 300}],
                "product": "premium",
                "type": "user",
                "uri": "spotify:user:ada",
            }
        },
        claims={
            "iss": "https://accounts.spotify.com",
            "sub": "ada",
            "name": "Ada L",
            "nickname": "Ada L",
            "profile": "https://open.spotify.com/user/ada",
            "picture": "https://i.scdn.co/image/ada",
            "email": ADA,
        },
    ),
    Said(
        "vk",
        asked_at="https://oauth.vk.com/authorize",
        asked={"scope": "email"},
        token_at="https://oauth.vk.com/access_token",
        token={"expires_in": 43200, "user_id": 66748, "email": ADA},
        answers={
            "https://api.vk.com/method/users.get": {
                "response": [
                    {
                        "id": 66748,
                        "first_name": "Ada",
                        "last_name": "L",
                        "nickname": "Countess",
                        "bdate": "10.12.1815",
                        "sex": 1,
                        "photo_200": "https://sun1-1.userapi.com/ada.jpg",
                        "can_access_closed": True,
                        "is_closed": False,
                    }
                ]
            }
        },
        claims={
            "iss": "https://vk.com",
            "sub": "66748",
            "given_name": "Ada",
            "family_name": "L",
            "nickname": "Countess",
            "picture": "https://sun1-1.userapi.com/ada.jpg",
            "email": ADA,
            "gender": "female",
            "birthdate": "10.12.1815",
        },
    ),
    Said(
        "yandex",
        asked_at="https://oauth.yandex.com/authorize",
        asked={},
        token_at="https://oauth.yandex.com/token",
        answers={
            "https://login.yandex.ru/info": {
                "first_name": "Ada",
                "last_name": "L",
                "display_name": "ada",
                "emails": [ADA, "other@yandex.ru"],
                "default_email": ADA,
                "default_phone": {"id": 12345678, "number": "+79037659418"},
                "real_name": "Ada L",
                "is_avatar_empty": False,
                "birthday": "1815-12-10",
                "default_avatar_id": "131652443",
                "login": "ada",
                "old_social_login": "uid-mmzxrnry",
                "sex": "female",
                "id": "1000034426",
                "client_id": "client",
                "psuid": "1.AAceCw.tbHgw5DtJ9_zeqPrk-Ba2w",
            }
        },
        claims={
            "iss": "https://yandex.ru",
            "sub": "1000034426",
            "name": "Ada L",
            "given_name": "Ada",
            "family_name": "L",
            "preferred_username": "ada",
            "picture": "https://avatars.yandex.net/get-yapic/131652443/islands-200",
            "email": ADA,
            "gender": "female",
            "birthdate": "1815-12-10",
        },
    ),
    Said(
        "patreon",
        asked_at="https://www.patreon.com/oauth2/authorize",
        asked={"scope": "identity identity[email]", "prompt": "none"},
        again={"prompt": "consent"},
        token_at="https://www.patreon.com/api/oauth2/token",
        token={"scope": "identity identity[email]", "expires_in": 2678400},
        answers={
            "https://www.patreon.com/api/oauth2/v2/identity": {
                "data": {
                    "attributes": {
                        "email": ADA,
                        "first_name": "Ada",
                        "full_name": "Ada L",
                        "image_url": "https://c8.patreon.com/ada",
                        "is_email_verified": True,
                        "last_name": "L",
                        "url": "https://www.patreon.com/ada",
                    },
                    "id": "12345689",
                    "type": "user",
                },
                "links": {"self": "https://www.patreon.com/api/oauth2/v2/user/12345689"},
            }
        },
        claims={
            "iss": "https://www.patreon.com",
            "sub": "12345689",
            "name": "Ada L",
            "given_name": "Ada",
            "family_name": "L",
            "last_name": "L",
            "profile": "https://www.patreon.com/ada",
            "picture": "https://c8.patreon.com/ada",
            "email": ADA,
            "email_verified": True,
        },
    ),
    Said(
        "dingtalk",
        asked_at="https://login.dingtalk.com/oauth2/auth",
        asked={"scope": "openid", "prompt": "consent"},
        token_at="https://api.dingtalk.com/v1.0/oauth2/userAccessToken",
        token={"accessToken": "the-token", "refreshToken": "r", "expireIn": 7200, "corpId": "corpxxxx"},
        query={"authCode": "the-code"},
        answers={
            "https://api.dingtalk.com/v1.0/contact/users/me": {
                "nick": "ada",
                "avatarUrl": "https://static-legacy.dingtalk.com/ada.png",
                "mobile": "150xxxx9144",
                "openId": "123",
                "unionId": "z21HjQliSzpw0Yxxxx",
                "email": ADA,
                "stateCode": "86",
            }
        },
        claims={
            "iss": "https://login.dingtalk.com",
            "sub": "123",
            "name": "ada",
            "nickname": "ada",
            "picture": "https://static-legacy.dingtalk.com/ada.png",
            "email": ADA,
        },
    ),
    Said(
        "lark",
        asked_at="https://passport.feishu.cn/suite/passport/oauth/authorize",
        asked={},
        token_at="https://passport.feishu.cn/suite/passport/oauth/token",
        token={"token_type": "Bearer", "expires_in": 7200, "refresh_token": "r", "refresh_expires_in": 2592000},
        answers={
            "https://passport.feishu.cn/suite/passport/oauth/userinfo": {
                "sub": "ou_caecc734c2e3328a62489fe0648c4b98779515d3",
                "name": "Ada L",
                "picture": "https://www.feishu.cn/avatar",
                "open_id": "ou_caecc734c2e3328a62489fe0648c4b98779515d3",
                "union_id": "on_d89jhsdhjsajkda7828enjdj328ydhhw3u43yjhdj",
                "en_name": "Ada",
                "tenant_key": "736588c92lxf175d",
                "avatar_url": "https://www.feishu.cn/avatar/icon",
                "avatar_thumb": "https://www.feishu.cn/avatar/icon_thumb",
                "email": ADA,
                "user_id": "5d9bdxxx",
                "mobile": "+86130002883xx",
            }
        },
        claims={
            "iss": "https://passport.feishu.cn",
            "sub": "ou_caecc734c2e3328a62489fe0648c4b98779515d3",
            "name": "Ada L",
            "nickname": "Ada L",
            "picture": "https://www.feishu.cn/avatar/icon",
            "email": ADA,
            "phone_number": "+86130002883xx",
        },
    ),
    Said(
        "amazon",
        asked_at="https://www.amazon.com/ap/oa",
        asked={"scope": "profile postal_code"},
        token_at="https://api.amazon.com/auth/o2/token",
        config={"scope": ["profile", "postal_code"]},
        token={"token_type": "bearer", "expires_in": 3600, "refresh_token": "r"},
        answers={
            "https://api.amazon.com/user/profile": {
                "user_id": "amzn1.account.K2LI23KL2LK2",
                "email": ADA,
                "name": "Ada L",
                "postal_code": "98052",
            }
        },
        claims={
            "iss": "https://www.amazon.com",
            "sub": "amzn1.account.K2LI23KL2LK2",
            "name": "Ada L",
            "email": ADA,
            "zoneinfo": "98052",
        },
    ),
    Said(
        "uaepass",
        asked_at="https://id.uaepass.ae/idshub/authorize",
        asked={
            "scope": "urn:uae:digitalid:profile:general",
            "acr_values": "urn:safelayer:tws:policies:authentication:level:low",
            **PKCE,
        },
        token_at="https://id.uaepass.ae/idshub/token",
        token={"scope": "urn:uae:digitalid:profile:general", "token_type": "Bearer", "expires_in": 3600},
        answers={
            "https://id.uaepass.ae/idshub/userinfo": {
                "sub": "UAEPASS/7a05992e-3244-49d3-bcbc-7894c8fca25e",
                "fullnameAR": "\u0622\u062f\u0627",
                "gender": "Female",
                "mobile": "971512340000",
                "lastnameEN": "L",
                "fullnameEN": "Ada,,,,L,,",
                "uuid": "7a05992e-3244-49d3-bcbc-7894c8fca25e",
                "idn": "784000000000000",
                "nationalityEN": "GBR",
                "firstnameEN": "Ada",
                "userType": "SOP3",
                "email": ADA,
            }
        },
        claims={
            "iss": "https://id.uaepass.ae",
            "sub": "UAEPASS/7a05992e-3244-49d3-bcbc-7894c8fca25e",
            "name": "Ada,,,,L,,",
            "given_name": "Ada",
            "family_name": "L",
            "last_name": "L",
            "gender": "Female",
            "email": ADA,
        },
    ),
    Said(
        "uaepass",
        asked_at="https://stg-id.uaepass.ae/idshub/authorize",
        asked={"scope": "urn:uae:digitalid:profile", "acr_values": "urn:safelayer:tws:policies:authentication:level:low"},
        token_at="https://stg-id.uaepass.ae/idshub/token",
        config={"id": "staging", "issuer_url": "https://stg-id.uaepass.ae/", "scope": ["urn:uae:digitalid:profile"], "pkce": "never"},
        answers={"https://stg-id.uaepass.ae/idshub/userinfo": {"sub": "35q00600", "firstnameEN": "Ada", "unifiedID": "123458099"}},
        claims={"iss": "https://stg-id.uaepass.ae", "sub": "35q00600", "given_name": "Ada"},
    ),
    Said(
        "x",
        asked_at="https://api.x.com/oauth/authenticate",
        asked={"oauth_token": "temporary-token"},
        again={"force_login": "true"},
        token_at="https://api.x.com/oauth/access_token",
        config={"scope": ["email"]},
        query={"oauth_token": "temporary-token", "oauth_verifier": "the-verifier"},
        temporary={"oauth_token": "temporary-token", "oauth_token_secret": "temporary-secret"},
        answers={
            "https://api.x.com/oauth/request_token": b"oauth_token=temporary-token&oauth_token_secret=temporary-secret"
            b"&oauth_callback_confirmed=true",
            "https://api.x.com/oauth/access_token": b"oauth_token=6253282-eWudHldSbIaelX7s&oauth_token_secret=s&user_id=6253282",
            "https://api.x.com/1.1/account/verify_credentials.json": {
                "id": 6253282,
                "id_str": "6253282",
                "name": "Ada L",
                "screen_name": "ada",
                "location": "London",
                "url": "https://ada.example.org",
                "verified": False,
                "profile_image_url_https": "https://pbs.twimg.com/profile_images/ada.jpg",
                "email": ADA,
            },
        },
        claims={
            "iss": "https://x.com",
            "sub": "6253282",
            "name": "Ada L",
            "preferred_username": "ada",
            "picture": "https://pbs.twimg.com/profile_images/ada.jpg",
            "website": "https://ada.example.org",
            "email": ADA,
        },
    ),
]
