"""DingTalk: its own names in JSON, where OAuth 2.0 has a form (open.dingtalk.com/document/orgapp/obtain-user-token)."""

from __future__ import annotations

from typing import Any

import orjson

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register


@register
class DingTalk(Provider):
    preset = "dingtalk"
    issuer = "https://login.dingtalk.com"
    auth_url = "https://login.dingtalk.com/oauth2/auth"
    token_url = "https://api.dingtalk.com/v1.0/oauth2/userAccessToken"
    info_url = "https://api.dingtalk.com/v1.0/contact/users/me"
    scopes = ("openid",)

    def uses_pkce(self) -> bool:
        """The token endpoint takes no verifier."""
        return False

    def parameters(self, *, is_refresh: bool) -> dict[str, str]:
        return {"prompt": "consent"}

    def token(self, code: str, verifier: str) -> dict[str, Any]:
        asked = {
            "clientId": self.rules.client_id,
            "clientSecret": self.rules.client_secret,
            "code": code,
            "grantType": "authorization_code",
        }
        told = outgoing.post_object(self.token_endpoint(), orjson.dumps(asked), **{"Content-Type": "application/json"})
        return {"access_token": told.get("accessToken"), "refresh_token": told.get("refreshToken")}

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        person = outgoing.get_object(self.info_url, **{"x-acs-dingtalk-access-token": token["access_token"]})
        return {
            "sub": person.get("openId"),
            "name": person.get("nick"),
            "nickname": person.get("nick"),
            "picture": person.get("avatarUrl"),
            "email": person.get("email"),
        }
