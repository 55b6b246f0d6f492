"""An OpenID Connect provider on loopback, and the person there: it agrees, refuses, or lies in one point."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "the-client", "the-secret-of-the-client"
MAPPER = """
local claims = std.extVar('claims');
{ identity: {
  traits: { [if 'email' in claims then 'email']: claims.email, [if 'name' in claims then 'name']: { first: claims.name } },
  verified_addresses: if 'email_verified' in claims && claims.email_verified then [{ via: 'email', value: claims.email }] else [],
} }
"""


def settings(url: str, id: str, **more: Any) -> dict[str, Any]:
    """Return an entry of selfservice.methods.oidc.config.providers, for the provider at *url*."""
    return {
        "id": id,
        "provider": "generic",
        "label": id.title(),
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "issuer_url": url,
        "scope": ["email"],
        "mapper_url": "base64://" + base64.b64encode(MAPPER.encode()).decode(),
        **more,
    }


@dataclass
class Grant:
    """What one agreement hands out. `claims` are laid over the honest ones; a claim that is None is left out."""

    asked: dict[str, str]
    claims: dict[str, Any]
    algorithm: str = "RS256"
    has_id_token: bool = True
    userinfo: dict[str, Any] = field(default_factory=dict)


class Provider:
    def __init__(self, *, pkce: bool = True) -> None:
        self.pkce = pkce
        self.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
        self.stranger = RSAKey.generate_key(2048, {"use": "sig", "kid": self.key.kid})
        self.grants: dict[str, Grant] = {}
        self.tokens: dict[str, Grant] = {}
        self.answers_tokens = 200
        self.seen: list[str] = []  # paths that were asked for
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Provider:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settings(self, id: str = "corp", **more: Any) -> dict[str, Any]:
        return settings(self.url, id, **more)

    # -- the person at the provider

    def asked(self, url: str) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(url).query))

    def agree(self, url: str, sub: str, *, algorithm: str = "RS256", has_id_token: bool = True, **claims: Any) -> str:
        """Return where the browser is sent back to."""
        asked, code = self.asked(url), secrets.token_hex(8)
        self.grants[code] = Grant(asked, {"sub": sub, **claims}, algorithm, has_id_token)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def refuse(self, url: str) -> str:
        asked = self.asked(url)
        return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"

    # -- the endpoints

    def id_token(self, grant: Grant) -> str:
        now = int(time.time())
        honest = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": grant.asked.get("nonce")}
        claims = {name: value for name, value in {**honest, **grant.claims}.items() if value is not None}
        if grant.algorithm == "none":
            return ".".join(_part(piece) for piece in ({"alg": "none"}, claims)) + "."
        if grant.algorithm == "HS256":
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET * 2), algorithms=["HS256"])
        key = self.stranger if grant.algorithm == "stranger" else self.key
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key)

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **({"code_challenge_methods_supported": ["S256"]} if self.pkce else {}),
        }

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if self.answers_tokens != 200:
            return self.answers_tokens, {"error": "invalid_grant"}
        basic = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        grant = self.grants.pop(form.get("code", ""), None)
        if authorization != basic or grant is None or form.get("redirect_uri") != grant.asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if challenge := grant.asked.get("code_challenge"):
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
                return 400, {"error": "invalid_grant"}
        token = secrets.token_hex(8)
        self.tokens[token] = grant
        answer = {"access_token": token, "token_type": "Bearer", "refresh_token": "the-refresh-token"}
        return 200, answer | ({"id_token": self.id_token(grant)} if grant.has_id_token else {})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                provider.seen.append(path)
                grant = provider.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
                answers: dict[str, Any] = {
                    "/.well-known/openid-configuration": provider._metadata(),
                    "/jwks": {"keys": [provider.key.as_dict(private=False)]},
                    "/userinfo": {**grant.claims, **grant.userinfo} if grant else None,
                }
                self._send(200 if answers.get(path) else 404, answers.get(path) or {})

            def do_POST(self) -> None:
                provider.seen.append(self.path)
                sent = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self._send(*provider._token(sent, self.headers.get("Authorization", "")))

            def _send(self, status: int, body: dict[str, Any]) -> None:
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def _part(piece: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(piece).encode()).decode().rstrip("=")
