"""UAE PASS, and its staging with `issuer_url: https://stg-id.uaepass.ae` (docs.uaepass.ae)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flows.methods.oidc import outgoing
from flows.methods.oidc.conf import ProviderRules
from flows.methods.oidc.providers.base import Provider, register

LEVEL = "urn:safelayer:tws:policies:authentication:level:low"  # how somebody proves to be themselves, in a browser


@register
class UAEPass(Provider):
    preset = "uaepass"
    scopes = ("urn:uae:digitalid:profile:general",)

    def __init__(self, rules: ProviderRules) -> None:
        """It knows PKCE, but publishes no metadata by which that could be found out."""
        super().__init__(replace(rules, pkce="force") if rules.pkce == "auto" else rules)

    def base(self) -> str:
        return self.rules.issuer_url.rstrip("/") or "https://id.uaepass.ae"

    def authorization_endpoint(self) -> str:
        return self.rules.auth_url or f"{self.base()}/idshub/authorize"

    def token_endpoint(self) -> str:
        return self.rules.token_url or f"{self.base()}/idshub/token"

    def authentication(self) -> str:
        return "client_secret_basic"

    def parameters(self, *, is_refresh: bool) -> dict[str, str]:
        return {"acr_values": LEVEL}

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        """Names are told in English; what else is known, such as the number of the Emirates ID, is in `raw_claims`."""
        person = outgoing.get_object(f"{self.base()}/idshub/userinfo", token["access_token"])
        return {
            **person,
            "iss": self.base(),
            "name": person.get("fullnameEN"),
            "given_name": person.get("firstnameEN"),
            "family_name": person.get("lastnameEN"),
            "last_name": person.get("lastnameEN"),
        }
