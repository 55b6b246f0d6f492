"""Sign in with Apple (developer.apple.com/documentation/signinwithapplerestapi)."""

from __future__ import annotations

import time
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from flows.methods.oidc.providers.base import OpenIDProvider, register
from identity.errors import InvalidConfiguration

SECRET_LIVES = 300  # seconds


@register
class Apple(OpenIDProvider):
    preset = "apple"
    issuer = "https://appleid.apple.com"
    takes_id_tokens = True

    def client_secret(self) -> str:
        """Return a secret that is signed anew for each request, with the key from Apple's developer site."""
        now = int(time.time())
        said = {
            "iss": self.rules.apple_team_id,
            "iat": now,
            "exp": now + SECRET_LIVES,
            "aud": self.issuer,
            "sub": self.rules.client_id,
        }
        try:
            key = ECKey.import_key(self.rules.apple_key)
            return jwt.encode({"alg": "ES256", "kid": self.rules.apple_key_id}, said, key, algorithms=["ES256"])
        except (JoseError, ValueError) as error:
            raise InvalidConfiguration(f"The key of {self.rules.label} cannot be used.") from error

    def authentication(self) -> str:
        return "client_secret_post"

    def parameters(self, *, is_refresh: bool) -> dict[str, str]:
        """What asks for a name or an address comes back as a form."""
        posts = {"response_mode": "form_post"} if {"name", "email"} & set(self.rules.scopes) else {}
        return super().parameters(is_refresh=is_refresh) | posts

    def claims(self, token: dict[str, Any], nonce: str, query: dict[str, str]) -> dict[str, Any]:
        """The name is told once, at the first sign-in, beside the code. It is not signed."""
        said = super().claims(token, nonce, query)
        try:
            name = orjson.loads(query.get("user") or "{}").get("name") or {}
        except (orjson.JSONDecodeError, AttributeError):
            name = {}
        if not isinstance(name, dict):
            return said
        given, family = (str(name[part]) if name.get(part) else None for part in ("firstName", "lastName"))
        return said | {key: value for key, value in (("given_name", given), ("family_name", family), ("last_name", family)) if value}
