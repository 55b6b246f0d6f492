"""Yandex ID (yandex.com/dev/id/doc/en/user-information)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register


@register
class Yandex(Provider):
    preset = "yandex"
    issuer = "https://yandex.ru"
    auth_url = "https://oauth.yandex.com/authorize"
    token_url = "https://oauth.yandex.com/token"

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        """What Yandex tells depends on how the application is registered there, not on scopes."""
        person = outgoing.get_object("https://login.yandex.ru/info?format=json", Authorization=f"OAuth {token['access_token']}")
        avatar = person.get("default_avatar_id") if person.get("is_avatar_empty") is not True else None
        return {
            "sub": person.get("id"),
            "name": person.get("real_name"),
            "given_name": person.get("first_name"),
            "family_name": person.get("last_name"),
            "preferred_username": person.get("login"),
            "picture": f"https://avatars.yandex.net/get-yapic/{avatar}/islands-200" if avatar else None,
            "email": person.get("default_email"),
            "gender": person.get("sex"),
            "birthdate": person.get("birthday"),
        }
