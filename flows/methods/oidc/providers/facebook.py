"""Facebook (developers.facebook.com/docs/facebook-login)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register, within
from identity.http import problems

FIELDS = "id,name,first_name,last_name,middle_name,email,picture,birthday,gender"


@register
class Facebook(Provider):
    preset = "facebook"
    issuer = "https://www.facebook.com"
    auth_url = "https://www.facebook.com/dialog/oauth"
    token_url = "https://graph.facebook.com/oauth/access_token"
    scopes = ("email",)

    def parameters(self, *, is_refresh: bool) -> dict[str, str]:
        return {"auth_type": "reauthenticate"} if is_refresh else {}

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        """Facebook tells an address only once it is confirmed, so that one that it tells counts as verified."""
        proof = hmac.new(self.rules.client_secret.encode(), token["access_token"].encode(), hashlib.sha256).hexdigest()
        url = problems.with_query("https://graph.facebook.com/me", fields=FIELDS, appsecret_proof=proof)
        person = outgoing.get_object(url, token["access_token"])
        return {
            "sub": person.get("id"),
            "name": person.get("name"),
            "given_name": person.get("first_name"),
            "family_name": person.get("last_name"),
            "last_name": person.get("last_name"),
            "middle_name": person.get("middle_name"),
            "email": person.get("email"),
            "email_verified": bool(person.get("email")),
            "picture": within(person, "picture", "data", "url"),
            "birthdate": person.get("birthday"),
            "gender": person.get("gender"),
        }
