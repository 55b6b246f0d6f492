"""Google (developers.google.com/identity/openid-connect)."""

from __future__ import annotations

from typing import Any

from flows.methods.oidc.providers.base import OpenIDProvider, register

OFFLINE = "offline_access"


@register
class Google(OpenIDProvider):
    preset = "google"
    issuer = "https://accounts.google.com"
    takes_id_tokens = True

    def wanted_scopes(self) -> list[str]:
        return [scope for scope in super().wanted_scopes() if scope != OFFLINE]

    def parameters(self, *, is_refresh: bool) -> dict[str, str]:
        """Google gives a refresh token for a parameter, not for a scope."""
        offline = {"access_type": "offline"} if OFFLINE in self.rules.scopes else {}
        return super().parameters(is_refresh=is_refresh) | offline

    def who_vouches(self, raw: dict[str, Any]) -> str:
        return self.issuer

    def is_expected(self, issuer: str, claims: dict[str, Any]) -> bool:
        """Some of its id_tokens name the issuer without https://."""
        return issuer in (self.issuer, "accounts.google.com")
