"""GitHub: OAuth apps (`github`) and GitHub Apps (`github-app`) (docs.github.com/apps/oauth-apps)."""

from __future__ import annotations

from typing import Any, ClassVar

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register, within
from identity.errors import UpstreamError

API = "https://api.github.com"


@register
class GitHub(Provider):
    preset = "github"
    issuer = "https://github.com"
    auth_url = "https://github.com/login/oauth/authorize"
    token_url = "https://github.com/login/oauth/access_token"
    scopes = ("user:email",)
    needs_scopes: ClassVar[tuple[str, ...]] = ("user:email",)

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        person = outgoing.get_object(f"{API}/user", token["access_token"])
        said = {
            "sub": person.get("id"),
            "name": person.get("name"),
            "nickname": person.get("login"),
            "preferred_username": person.get("login"),
            "profile": person.get("html_url"),
            "picture": person.get("avatar_url"),
            "website": person.get("blog"),
        }
        return said | self._address(token)

    def _address(self, token: dict[str, Any]) -> dict[str, Any]:
        """Return the primary address: the profile's may be another, and says nothing of being verified."""
        if not {"user", "user:email"} & set(self.wanted_scopes()):
            return {}
        try:
            told = outgoing.get_json(f"{API}/user/emails", token["access_token"])
        except UpstreamError:
            return {}
        listed = told if isinstance(told, list) else []
        primary = next((each for each in listed if within(each, "primary")), None)
        return {"email": within(primary, "email"), "email_verified": within(primary, "verified")} if primary else {}


@register
class GitHubApp(GitHub):
    preset = "github-app"
    needs_scopes: ClassVar[tuple[str, ...]] = ()
