"""Discord (discord.com/developers/docs/topics/oauth2)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register


@register
class Discord(Provider):
    preset = "discord"
    issuer = "https://discord.com"
    auth_url = "https://discord.com/oauth2/authorize"
    token_url = "https://discord.com/api/oauth2/token"
    scopes = ("identify", "email")
    needs_scopes = ("identify", "email")

    def parameters(self, *, is_refresh: bool) -> dict[str, str]:
        return {"prompt": "consent" if is_refresh else "none"}

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        person = outgoing.get_object("https://discord.com/api/users/@me", token["access_token"])
        picture = f"https://cdn.discordapp.com/avatars/{person.get('id')}/{person['avatar']}.png" if person.get("avatar") else None
        return {
            "sub": person.get("id"),
            "name": person.get("global_name") or person.get("username"),
            "nickname": person.get("username"),
            "preferred_username": person.get("username"),
            "picture": picture,
            "email": person.get("email"),
            "email_verified": person.get("verified"),
            "locale": person.get("locale"),
        }
