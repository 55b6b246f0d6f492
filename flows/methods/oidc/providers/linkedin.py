"""LinkedIn: the OpenID Connect product (`linkedin_v2`), and the older API that new applications cannot use any more (`linkedin`)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import OpenIDProvider, Provider, register

API = "https://api.linkedin.com/v2"


@register
class LinkedIn(OpenIDProvider):
    preset = "linkedin_v2"
    issuer = "https://www.linkedin.com/oauth"
    scopes = ("openid", "profile", "email")


@register
class LinkedInOld(Provider):
    preset = "linkedin"
    issuer = "https://www.linkedin.com"
    auth_url = "https://www.linkedin.com/oauth/v2/authorization"
    token_url = "https://www.linkedin.com/oauth/v2/accessToken"
    scopes = ("r_liteprofile", "r_emailaddress")
    needs_scopes = ("r_emailaddress",)

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        person = outgoing.get_json(f"{API}/me", token["access_token"])
        said: dict[str, Any] = {
            "sub": person.get("id"),
            "given_name": person.get("localizedFirstName"),
            "last_name": person.get("localizedLastName"),
        }
        if "r_emailaddress" in self.wanted_scopes():
            told = outgoing.get_json(f"{API}/emailAddress?q=members&projection=(elements*(handle~))", token["access_token"])
            said["email"] = next((entry.get("handle~", {}).get("emailAddress") for entry in told.get("elements") or ()), None)
        return said
