"""Providers on loopback that speak neither OpenID Connect nor plain OAuth 2.0, and the people there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from tests.provider import CLIENT_ID, CLIENT_SECRET, Provider


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


Reply = tuple[int, str, bytes]  # status, content type, body
Person = dict[str, Any]


def as_json(document: Any, status: int = 200) -> Reply:
    return status, "application/json", json.dumps(document).encode()


HTML: Reply = (200, "text/html", b"<!doctype html><title>Down for maintenance</title>")
BROKEN: dict[str, Reply] = {
    "500": (500, "application/json", b"{}"),
    "HTML": HTML,
    "nothing": (200, "application/json", b""),
    "a list": as_json([]),
    "a flood": (200, "application/json", b'{"a": "' + b"x" * 6_000_000),
}


class Site:
    """Answers by path. `broken` takes the place of what a path would answer."""

    def __init__(self) -> None:
        self.broken: dict[str, Reply] = {}
        self.asked: list[Asked] = []
        self.answers: dict[str, Callable[[Asked], Reply]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Any:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if asked.path in self.broken:
            return self.broken[asked.path]
        answer = self.answers.get(asked.path)
        return answer(asked) if answer else as_json({}, 404)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, type, sent = site._reply(Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body))
                self.send_response(status)
                self.send_header("Content-Type", type)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


class CodeSite(Site):
    """Agrees with a code, and gives a token for it, once."""

    code_name = "code"

    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[str, Person] = {}
        self.tokens: dict[str, Person] = {}

    def agree(self, url: str, person: Person) -> str:
        asked, code = dict(parse_qsl(urlsplit(url).query)), secrets.token_hex(8)
        self.codes[code] = person
        return f"{asked['redirect_uri']}?{urlencode({self.code_name: code, 'state': asked['state']})}"

    def refuse(self, url: str) -> str:
        asked = dict(parse_qsl(urlsplit(url).query))
        return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"

    def spend(self, code: str) -> tuple[str, Person] | None:
        person = self.codes.pop(code, None)
        if person is None:
            return None
        token = secrets.token_hex(8)
        self.tokens[token] = person
        return token, person


class DingTalkSite(CodeSite):
    code_name = "authCode"
    TOKEN, PERSON = "/v1.0/oauth2/userAccessToken", "/v1.0/contact/users/me"

    def __init__(self) -> None:
        super().__init__()
        self.answers = {self.TOKEN: self._token, self.PERSON: self._person}

    def _token(self, asked: Asked) -> Reply:
        if asked.headers.get("content-type") != "application/json":
            return as_json({"code": "unsupportedMediaType", "message": "JSON only"}, 415)
        sent = json.loads(asked.body)
        found = self.spend(sent.get("code", ""))
        expected = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "grantType": "authorization_code"}
        if found is None or {name: value for name, value in sent.items() if name != "code"} != expected:
            return as_json({"code": "invalidParameter.authCode.notFound", "message": "no such code"}, 400)
        return as_json({"accessToken": found[0], "refreshToken": "the-refresh-token", "expireIn": 7200})

    def _person(self, asked: Asked) -> Reply:
        person = self.tokens.get(asked.headers.get("x-acs-dingtalk-access-token", ""))
        return as_json(person) if person else as_json({"code": "InvalidAuthentication", "message": "no such token"}, 403)


class VKSite(CodeSite):
    TOKEN, PERSON = "/access_token", "/method/users.get"

    def __init__(self) -> None:
        super().__init__()
        self.answers = {self.TOKEN: self._token, self.PERSON: self._person}

    def _token(self, asked: Asked) -> Reply:
        sent = dict(parse_qsl(asked.body.decode()))
        found = self.spend(sent.get("code", ""))
        if found is None or (sent.get("client_id"), sent.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return as_json({"error": "invalid_grant", "error_description": "Code is invalid or expired."}, 401)
        token, person = found
        email = {"email": person["email"]} if "email" in person else {}
        return as_json({"access_token": token, "expires_in": 43200, "user_id": person["id"], **email})

    def _person(self, asked: Asked) -> Reply:
        person = self.tokens.get(asked.query.get("access_token", ""))
        if person is None or not asked.query.get("v"):
            return as_json({"error": {"error_code": 5, "error_msg": "User authorization failed: no access_token passed."}})
        return as_json({"response": [{name: value for name, value in person.items() if name != "email"}]})


class LineSite(Provider):
    """Signs with the client's secret, unless it is asked for a key of its own; the secret comes in the form."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.forms.append(form)
        if authorization or (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 400, {"error": "invalid_request", "error_description": "client_id and client_secret are required"}
        grant = self.grants.get(form.get("code", ""))
        if grant is not None and form.get("id_token_key_type") != "JWK":
            grant.algorithm = "HS256"
        basic = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        return super()._token(form, basic)


@dataclass
class Temporary:
    secret: str
    callback: str
    person: Person | None = None
    verifier: str = ""


class XSite(Site):
    """OAuth 1.0a as RFC 5849 describes it: each request is signed, and each signature is checked."""

    REQUEST, TOKEN, PERSON = "/oauth/request_token", "/oauth/access_token", "/1.1/account/verify_credentials.json"

    def __init__(self) -> None:
        super().__init__()
        self.temporary: dict[str, Temporary] = {}
        self.people: dict[str, tuple[str, Person]] = {}
        self.answers = {self.REQUEST: self._request, self.TOKEN: self._token, self.PERSON: self._person}

    # -- the person there

    def agree(self, url: str, person: Person) -> str:
        token = dict(parse_qsl(urlsplit(url).query))["oauth_token"]
        held = self.temporary[token]
        held.person, held.verifier = person, secrets.token_hex(8)
        return f"{held.callback}&{urlencode({'oauth_token': token, 'oauth_verifier': held.verifier})}"

    def refuse(self, url: str) -> str:
        token = dict(parse_qsl(urlsplit(url).query))["oauth_token"]
        return f"{self.temporary[token].callback}&{urlencode({'denied': token})}"

    # -- the endpoints

    def _request(self, asked: Asked) -> Reply:
        said = self._signed(asked, "")
        if said is None or "oauth_callback" not in said or "oauth_token" in said:
            return as_json({"errors": [{"code": 32, "message": "Could not authenticate you."}]}, 401)
        token = secrets.token_hex(8)
        self.temporary[token] = Temporary(secrets.token_hex(8), said["oauth_callback"])
        return _form(oauth_token=token, oauth_token_secret=self.temporary[token].secret, oauth_callback_confirmed="true")

    def _token(self, asked: Asked) -> Reply:
        token = _said(asked).get("oauth_token", "")
        held = self.temporary.get(token)
        said = self._signed(asked, held.secret) if held else None
        if held is None or said is None or held.person is None or said.get("oauth_verifier") != held.verifier:
            return 401, "text/html", b"Reverse auth credentials are invalid"
        del self.temporary[token]
        permanent = f"{held.person.get('id_str', '0')}-{secrets.token_hex(8)}"
        self.people[permanent] = (secrets.token_hex(8), held.person)
        return _form(oauth_token=permanent, oauth_token_secret=self.people[permanent][0], user_id="1", screen_name="ada")

    def _person(self, asked: Asked) -> Reply:
        secret, person = self.people.get(_said(asked).get("oauth_token", ""), ("", {}))
        if not person or self._signed(asked, secret) is None:
            return as_json({"errors": [{"code": 89, "message": "Invalid or expired token."}]}, 401)
        return as_json({name: value for name, value in person.items() if name != "email" or asked.query.get("include_email") == "true"})

    def _signed(self, asked: Asked, token_secret: str) -> dict[str, str] | None:
        """Return what the Authorization header says, None where its signature is wrong (RFC 5849 section 3.4)."""
        said = _said(asked)
        signature = said.pop("oauth_signature", "")
        pairs = sorted((_quoted(name), _quoted(value)) for name, value in [*said.items(), *asked.query.items()])
        base = "&".join((asked.method, _quoted(self.url + asked.path), _quoted("&".join(f"{name}={value}" for name, value in pairs))))
        key = f"{_quoted(CLIENT_SECRET)}&{_quoted(token_secret)}"
        right = base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()
        return said if signature == right and said.get("oauth_consumer_key") == CLIENT_ID else None


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def _said(asked: Asked) -> dict[str, str]:
    scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
    pairs = (part.strip().partition("=") for part in rest.split(",")) if scheme == "OAuth" else ()
    return {unquote(name): unquote(value.strip('"')) for name, _, value in pairs}


def _form(**fields: str) -> Reply:
    return 200, "text/html; charset=utf-8", urlencode(fields).encode()
