"""LinkedIn: the OpenID Connect product (`linkedin_v2`), and the older API that new applications cannot use any more (`linkedin`)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flows.methods.oidc import outgoing
from flows.methods.oidc.providers.base import OpenIDProvider, Provider, Refused, register, within

API = "https://api.linkedin.com/v2"
PERSON = f"{API}/me?projection=(id,localizedFirstName,localizedLastName,profilePicture(displayImage~:playableStreams))"
ADDRESS = f"{API}/emailAddress?q=members&projection=(elements*(handle~))"
INTROSPECTION = "https://www.linkedin.com/oauth/v2/introspectToken"
FORM = "application/x-www-form-urlencoded"


@register
class LinkedIn(OpenIDProvider):
    preset = "linkedin_v2"
    issuer = "https://www.linkedin.com/oauth"
    scopes = ("openid", "profile", "email")

    def authentication(self) -> str:
        """LinkedIn's metadata does not say how a client proves itself; its documentation does."""
        return "client_secret_post"


@register
class LinkedInOld(Provider):
    preset = "linkedin"
    issuer = "https://www.linkedin.com"
    auth_url = "https://www.linkedin.com/oauth/v2/authorization"
    token_url = "https://www.linkedin.com/oauth/v2/accessToken"
    scopes = ("r_liteprofile", "r_emailaddress")
    needs_scopes = ("r_liteprofile", "r_emailaddress")

    def require_scopes(self, token: dict[str, Any]) -> None:
        """LinkedIn does not tell beside the token what was granted, but when it is asked."""
        asked = {"client_id": self.rules.client_id, "client_secret": self.rules.client_secret, "token": token["access_token"]}
        told = outgoing.post_object(INTROSPECTION, urlencode(asked).encode(), **{"Content-Type": FORM})
        if told.get("active") is not True:
            raise Refused("LinkedIn's token is not valid any more.")
        super().require_scopes({"scope": str(told.get("scope") or "")})

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        person = outgoing.get_object(PERSON, token["access_token"])
        said: dict[str, Any] = {
            "sub": person.get("id"),
            "given_name": person.get("localizedFirstName"),
            "last_name": person.get("localizedLastName"),
            "picture": _picture(person),
        }
        if "r_emailaddress" in self.wanted_scopes():
            told = outgoing.get_object(ADDRESS, token["access_token"])
            said["email"] = within(told, "elements", 0, "handle~", "emailAddress")
        return said


def _picture(person: dict[str, Any]) -> Any:
    """Return the address of the third size, 400 pixels wide, or of the largest where there are fewer."""
    sizes = within(person, "profilePicture", "displayImage~", "elements")
    wanted = min(len(sizes), 3) - 1 if isinstance(sizes, list) and sizes else 0
    return within(sizes, wanted, "identifiers", 0, "identifier")
