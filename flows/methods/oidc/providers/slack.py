"""Slack (api.slack.com/authentication/sign-in-with-slack)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, Refused, register


@register
class Slack(Provider):
    preset = "slack"
    issuer = "https://slack.com"
    auth_url = "https://slack.com/oauth/authorize"
    token_url = "https://slack.com/api/oauth.access"
    scopes = ("identity.basic", "identity.email")
    needs_scopes = ("identity.basic", "identity.email", "identity.avatar", "identity.team")

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        told = outgoing.get_json("https://slack.com/api/users.identity", token["access_token"])
        if not told.get("ok"):
            raise Refused(f"Slack does not say who somebody is: {told.get('error', 'no reason given')}.")
        person = told.get("user") or {}
        return {
            "sub": person.get("id"),
            "name": person.get("name"),
            "email": person.get("email"),
            "email_verified": bool(person.get("email")),
            "picture": person.get("image_512"),
            "team": (told.get("team") or {}).get("id"),
        }
