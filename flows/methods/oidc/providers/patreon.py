"""Patreon (docs.patreon.com, "OAuth" and "/api/oauth2/v2/identity")."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register, within
from identity.http import problems

FIELDS = "email,first_name,full_name,image_url,is_email_verified,last_name,url"


@register
class Patreon(Provider):
    preset = "patreon"
    issuer = "https://www.patreon.com"
    auth_url = "https://www.patreon.com/oauth2/authorize"
    token_url = "https://www.patreon.com/api/oauth2/token"
    scopes = ("identity", "identity[email]")

    def parameters(self, *, is_refresh: bool) -> dict[str, str]:
        return {"prompt": "consent" if is_refresh else "none"}

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        url = problems.with_query("https://www.patreon.com/api/oauth2/v2/identity", **{"fields[user]": FIELDS})
        told = outgoing.get_object(url, token["access_token"])

        def said(name: str) -> Any:
            return within(told, "data", "attributes", name)

        return {
            "sub": within(told, "data", "id"),
            "name": said("full_name"),
            "given_name": said("first_name"),
            "family_name": said("last_name"),
            "last_name": said("last_name"),
            "profile": said("url"),
            "picture": said("image_url"),
            "email": said("email"),
            "email_verified": said("is_email_verified"),
        }
