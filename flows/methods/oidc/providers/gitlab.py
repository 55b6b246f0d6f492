"""GitLab, on gitlab.com or on a server of one's own (docs.gitlab.com/integration/openid_connect_provider)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, register


@register
class GitLab(Provider):
    preset = "gitlab"
    scopes = ("openid", "profile", "email")

    def base(self) -> str:
        return self.rules.issuer_url.rstrip("/") or "https://gitlab.com"

    def authorization_endpoint(self) -> str:
        return self.rules.auth_url or f"{self.base()}/oauth/authorize"

    def token_endpoint(self) -> str:
        return self.rules.token_url or f"{self.base()}/oauth/token"

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        return {**outgoing.get_object(f"{self.base()}/oauth/userinfo", token["access_token"]), "iss": self.base()}
