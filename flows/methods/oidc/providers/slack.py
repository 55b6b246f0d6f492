"""Slack (api.slack.com/authentication/sign-in-with-slack)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import LONGEST, Provider, Refused, register, within


@register
class Slack(Provider):
    preset = "slack"
    issuer = "https://slack.com"
    auth_url = "https://slack.com/oauth/authorize"
    token_url = "https://slack.com/api/oauth.access"
    scopes = ("identity.basic", "identity.email")
    needs_scopes = ("identity.basic", "identity.email", "identity.avatar", "identity.team")

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        told = outgoing.get_object("https://slack.com/api/users.identity", token["access_token"])
        if not told.get("ok"):
            raise Refused(f"Slack does not say who somebody is: {str(told.get('error', 'no reason given'))[:LONGEST]}.")
        name, email = within(told, "user", "name"), within(told, "user", "email")
        return {
            "sub": within(told, "user", "id"),
            "name": name,
            "nickname": name,
            "preferred_username": name,
            "email": email,
            "email_verified": bool(email),
            "picture": within(told, "user", "image_512"),
            "team": within(told, "team", "id"),
        }
