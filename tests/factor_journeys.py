"""One person on their way through the flows that ask for second factors and keys: as an app, and as a page's script."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

from identity.credentials import totp
from identity.http import cookies
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import services as sessions
from identity.sessions.models import Session

Flow = dict[str, Any]
RP = {"id": "localhost", "display_name": "Example", "origins": ["http://localhost:4455"]}
ORIGIN = RP["origins"][0]
METHODS: dict[str, Any] = {
    "totp": {"enabled": True, "config": {"issuer": "Example"}},
    "lookup_secret": {"enabled": True},
    "passkey": {"enabled": True, "config": {"rp": RP}},
    "webauthn": {"enabled": True, "config": {"passwordless": False, "rp": RP}},
}


def configuration(**methods: Any) -> dict[str, Any]:
    """Return a configuration with these methods, for `config.override`."""
    return {
        "selfservice": {
            "methods": METHODS | methods,
            "flows": {"registration": {"enabled": True, "style": "unified"}, "settings": {"privileged_session_max_age": "15m"}},
        },
        "secrets": {"cookie": ["a secret that only these tests know"], "cipher": ["0123456789abcdef0123456789abcdef"]},
        "session": {"whoami": {"required_aal": "highest_available"}},
    }


def make_person(email: str) -> Identity:
    """Store somebody whose password nobody knows."""
    identity = services.propose("", {"email": email})
    services.derive(identity)
    identity.factors["password"].config = {"hashed_password": "$2a$04$" + "." * 53}
    services.derive(identity)
    services.create(identity)
    return identity


@dataclass
class App:
    """A native app, signed in with a token."""

    identity: Identity | None = None
    client: Client = field(default_factory=Client)
    session: Session | None = None
    headers: dict[str, str] = field(default_factory=dict)
    kind = "api"

    def __post_init__(self) -> None:
        if self.identity is not None:
            self.sign_in(self.identity)

    def sign_in(self, identity: Identity, *methods: tuple[str, str]) -> None:
        proofs = [sessions.proof(method, level) for method, level in methods or (("password", "aal1"),)]
        opened = sessions.issue(identity, proofs)
        sessions.save(opened)
        self.session = opened.session
        self._take(opened)

    def _take(self, opened: sessions.OpenedSession) -> None:
        self.headers = {"HTTP_X_SESSION_TOKEN": opened.token}

    def start(self, flow: str, **query: str) -> Flow:
        response = self.client.get(f"/self-service/{flow}/{self.kind}", query, HTTP_ACCEPT="application/json", **self.headers)
        assert response.status_code == 200, response.content
        return dict(response.json())

    def submit(self, flow: Flow, **fields: Any) -> Any:
        path = flow["ui"]["action"].split("/", 3)[3]
        body = json.dumps(self._signed(flow, fields))
        response = self.client.post("/" + path, body, "application/json", HTTP_ACCEPT="application/json", **self.headers)
        if response.status_code == 200 and "session_token" in response.json():
            self.headers = {"HTTP_X_SESSION_TOKEN": response.json()["session_token"]}
        return response

    def _signed(self, flow: Flow, fields: dict[str, Any]) -> dict[str, Any]:
        return fields

    def fetch(self, flow: Flow) -> Flow:
        kind = re.search(r"/self-service/(\w+)\?", flow["ui"]["action"])
        assert kind is not None
        path = f"/self-service/{kind[1]}/flows"
        return dict(self.client.get(path, {"id": flow["id"]}, HTTP_ACCEPT="application/json", **self.headers).json())

    def stored_session(self) -> Session:
        assert self.session is not None
        return Session.objects.get(pk=self.session.pk)


class Page(App):
    """A page's script: cookies, and a token against forgery in each form."""

    kind = "browser"

    def _take(self, opened: sessions.OpenedSession) -> None:
        response = HttpResponse()
        cookies.set_session(response, opened)
        self.client.cookies.update(response.cookies)

    def _signed(self, flow: Flow, fields: dict[str, Any]) -> dict[str, Any]:
        return {"csrf_token": value(flow, "csrf_token"), **fields}


# -- reading a form


def node(flow: Flow, name: str) -> dict[str, Any]:
    return next(each for each in flow["ui"]["nodes"] if name in (each["attributes"].get("name"), each["attributes"].get("id")))


def names(flow: Flow) -> set[str]:
    return {each["attributes"].get("name") or each["attributes"].get("id") for each in flow["ui"]["nodes"] or ()}


def value(flow: Flow, name: str) -> Any:
    return node(flow, name)["attributes"].get("value")


def said(flow: Flow, at: str = "") -> list[int]:
    """Return the ids of the messages above the form, or at one field."""
    found = node(flow, at)["messages"] if at else flow["ui"].get("messages", [])
    return [message["id"] for message in found]


def secret_of(flow: Flow) -> str:
    return str(node(flow, "totp_secret_key")["attributes"]["text"]["text"])


def code_of(secret: str, at: float, step: int = 0) -> str:
    app = totp.device(f"otpauth://totp/x?secret={secret}")
    assert app is not None
    return app.generate_otp(int(at) // 30 + step)


def codes_of(flow: Flow) -> list[str]:
    return [entry["text"] for entry in node(flow, "lookup_secret_codes")["attributes"]["text"]["context"]["secrets"]]
