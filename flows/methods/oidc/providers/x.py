"""X: OAuth 1.0a, which knows neither codes nor PKCE (RFC 5849; docs.x.com/fundamentals/authentication).

Temporary credentials are fetched before the browser leaves, and wait for it in the record of its journey. What the browser
brings back is a verifier for exactly these.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from flows.methods.oidc import conf, outgoing
from flows.methods.oidc.providers.base import Provider, Refused, register
from identity.errors import UpstreamError
from identity.http import problems

PAIR = ("oauth_token", "oauth_token_secret")


@register
class X(Provider):
    preset = "x"
    issuer = "https://x.com"
    request_url = "https://api.x.com/oauth/request_token"
    auth_url = "https://api.x.com/oauth/authenticate"
    token_url = "https://api.x.com/oauth/access_token"
    info_url = "https://api.x.com/1.1/account/verify_credentials.json"

    def uses_pkce(self) -> bool:
        return False

    def prepare(self, *, state: str) -> dict[str, str]:
        """Return temporary credentials (RFC 5849 section 2.1). X learns with them where the browser comes back, and with which state."""
        client = self._signing(redirect_uri=problems.with_query(conf.callback_url(self.rules), state=state))
        try:
            told = _credentials(lambda: client.fetch_request_token(self.request_url))
        except UpstreamError as error:
            raise outgoing.ProviderSilent(f"{self.rules.label} does not let anybody sign in just now. Please try again later.") from error
        if told.get("oauth_callback_confirmed") != "true":
            raise Refused(f"{self.rules.label} does not say that it sends people back here.")
        return {name: told[name] for name in PAIR}

    def leave(
        self, *, state: str, nonce: str, verifier: str, temporary: Mapping[str, str], is_refresh: bool, upstream: dict[str, str]
    ) -> str:
        anew = {"force_login": "true"} if is_refresh else {}
        return problems.with_query(self.authorization_endpoint(), oauth_token=temporary["oauth_token"], **anew)

    def require_consent(self, query: dict[str, str]) -> None:
        super().require_consent(query)
        if query.get("denied"):
            raise Refused(f"{self.rules.label} did not sign you in: denied.")

    def exchange(self, query: dict[str, str], verifier: str, temporary: Mapping[str, str]) -> dict[str, Any]:
        """Return credentials of the person (RFC 5849 section 2.3)."""
        given = query.get("oauth_verifier")
        if not given:
            raise Refused(f"{self.rules.label} sent no verifier.")
        if not temporary or not hmac.compare_digest(query.get("oauth_token", "").encode(), temporary["oauth_token"].encode()):
            raise Refused(f"What {self.rules.label} sent is for another sign-in.")
        client = self._signing(token=temporary["oauth_token"], token_secret=temporary["oauth_token_secret"], verifier=given)
        return _credentials(lambda: client.fetch_access_token(self.token_endpoint()))

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        client = self._signing(token=token["oauth_token"], token_secret=token["oauth_token_secret"])
        asks_address = "email" in self.rules.scopes
        wanted = problems.with_query(self.info_url, **({"include_email": "true"} if asks_address else {}))
        url, signed, _ = client.auth.prepare("GET", wanted, {}, "")
        person = outgoing.get_object(url, **signed)
        return {
            "sub": person.get("id_str"),
            "name": person.get("name"),
            "preferred_username": person.get("screen_name"),
            "picture": person.get("profile_image_url_https"),
            "website": person.get("url"),
            "email": person.get("email") if asks_address else None,
        }

    def _signing(self, **more: str) -> Any:
        return outgoing.signing_client(self.rules.client_id, self.client_secret(), **more)


def _credentials(fetch: Callable[[], Any]) -> dict[str, str]:
    """Return what X answers to a request for credentials.

    Raises:
        UpstreamError: It gives none, which Authlib says with a ValueError.
        ProviderSilent: It does not answer.
    """
    try:
        told = fetch()
    except (ValueError, TypeError) as error:
        raise UpstreamError("The provider refused, or its answer cannot be read.") from error
    if not all(isinstance(told.get(name), str) and told[name] for name in PAIR):
        raise UpstreamError("The provider gave no token.")
    return dict(told)
