"""Lark, by its Chinese name Feishu (open.feishu.cn/document/common-capabilities/sso/api/get-user-info)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register

HOST = "https://passport.feishu.cn"


@register
class Lark(Provider):
    preset = "lark"
    issuer = HOST
    auth_url = f"{HOST}/suite/passport/oauth/authorize"
    token_url = f"{HOST}/suite/passport/oauth/token"

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        person = outgoing.get_object(f"{HOST}/suite/passport/oauth/userinfo", token["access_token"])
        return {
            "sub": person.get("open_id"),
            "name": person.get("name"),
            "nickname": person.get("name"),
            "picture": person.get("avatar_url"),
            "email": person.get("email"),
            "phone_number": person.get("mobile"),
        }
