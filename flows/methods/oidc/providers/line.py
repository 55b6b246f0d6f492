"""LINE Login v2.1 (developers.line.biz/en/reference/line-login)."""

from __future__ import annotations

from flows.methods.oidc.providers.base import OpenIDProvider, register


@register
class Line(OpenIDProvider):
    preset = "line"
    issuer = "https://access.line.me"

    def authentication(self) -> str:
        """LINE's metadata does not say how a client proves itself; its reference does."""
        return "client_secret_post"

    def token_parameters(self) -> dict[str, str]:
        """Unless it is asked for its own key, LINE signs a website's id_token with the client's secret."""
        return {"id_token_key_type": "JWK"}
