"""Auth0: it is asked who somebody is, since its id_tokens may be made for an API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import Provider, Refused, register


class FromIssuer(Provider):
    """A preset whose addresses all lie below the configured issuer."""

    scopes = ("openid", "profile", "email")
    authorize_path, token_path, info_path = "/authorize", "/oauth/token", "/userinfo"

    def base(self) -> str:
        if not self.rules.issuer_url:
            raise Refused(f"{self.rules.label} is configured without its issuer_url.")
        return self.rules.issuer_url.rstrip("/")

    def authorization_endpoint(self) -> str:
        return self.rules.auth_url or self.base() + self.authorize_path

    def token_endpoint(self) -> str:
        return self.rules.token_url or self.base() + self.token_path

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        said = outgoing.get_object(self.base() + self.info_path, token["access_token"])
        said["iss"] = self.base()
        if isinstance(said.get("updated_at"), str):
            said["updated_at"] = _seconds(said["updated_at"])
        return said


def _seconds(written: str) -> int | None:
    """Return unix seconds: the specification wants a number, some write a date."""
    try:
        return int(datetime.fromisoformat(written.replace("Z", "+00:00")).timestamp())
    except ValueError:
        return None


@register
class Auth0(FromIssuer):
    preset = "auth0"


@register
class Salesforce(FromIssuer):
    preset = "salesforce"
    authorize_path, token_path, info_path = "/services/oauth2/authorize", "/services/oauth2/token", "/services/oauth2/userinfo"
