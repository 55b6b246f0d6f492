"""Spotify (developer.spotify.com/documentation/web-api/tutorials/code-flow)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register, within


@register
class Spotify(Provider):
    preset = "spotify"
    issuer = "https://accounts.spotify.com"
    auth_url = "https://accounts.spotify.com/authorize"
    token_url = "https://accounts.spotify.com/api/token"
    scopes = ("user-read-email", "user-read-private")
    needs_scopes = ("user-read-email", "user-read-private")

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        """Spotify does not verify addresses, and says so in its documentation only."""
        person = outgoing.get_object("https://api.spotify.com/v1/me", token["access_token"])
        return {
            "sub": person.get("id"),
            "name": person.get("display_name"),
            "nickname": person.get("display_name"),
            "profile": within(person, "external_urls", "spotify"),
            "picture": within(person, "images", 0, "url"),
            "email": person.get("email"),
            "birthdate": person.get("birthdate"),
        }
