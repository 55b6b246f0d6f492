"""VK (dev.vk.com/api/access-token/authcode-flow-user, dev.vk.com/method/users.get)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import LONGEST, Provider, Refused, register, within
from identity.http import problems

VERSION = "5.131"  # of the API: each request names one
GENDERS = {1: "female", 2: "male"}


@register
class VK(Provider):
    preset = "vk"
    issuer = "https://vk.com"
    auth_url = "https://oauth.vk.com/authorize"
    token_url = "https://oauth.vk.com/access_token"
    info_url = "https://api.vk.com/method/users.get"
    scopes = ("email",)

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        """The address comes beside the token; the profile does not have it."""
        about = {"fields": "photo_200,nickname,bdate,sex", "access_token": token["access_token"], "v": VERSION}
        told = outgoing.get_object(problems.with_query(self.info_url, **about))
        if "error" in told:
            said = str(within(told, "error", "error_msg") or "no reason given")
            raise Refused(f"VK does not say who somebody is: {said[:LONGEST]}.")
        gender = within(told, "response", 0, "sex")
        return {
            "sub": within(told, "response", 0, "id"),
            "given_name": within(told, "response", 0, "first_name"),
            "family_name": within(told, "response", 0, "last_name"),
            "nickname": within(told, "response", 0, "nickname"),
            "picture": within(told, "response", 0, "photo_200"),
            "email": token.get("email"),
            "gender": GENDERS.get(gender) if isinstance(gender, int) else None,
            "birthdate": within(told, "response", 0, "bdate"),
        }
