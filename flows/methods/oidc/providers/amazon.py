"""Login with Amazon (developer.amazon.com/docs/login-with-amazon)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register


@register
class Amazon(Provider):
    preset = "amazon"
    issuer = "https://www.amazon.com"
    auth_url = "https://www.amazon.com/ap/oa"
    token_url = "https://api.amazon.com/auth/o2/token"
    scopes = ("profile",)

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        """The postal code is told as `zoneinfo`: no claim is nearer, and mappers look for it there."""
        person = outgoing.get_object("https://api.amazon.com/user/profile", **{"x-amz-access-token": token["access_token"]})
        return {
            "sub": person.get("user_id"),
            "name": person.get("name"),
            "email": person.get("email"),
            "zoneinfo": person.get("postal_code"),
        }
