"""One person in three ways: as an app, as a page's script, and as a browser without scripts."""

from __future__ import annotations

import uuid
from http.cookiejar import DefaultCookiePolicy
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import requests

PASSWORD = "correct-Horse-7-battery"
TIMEOUT = 60.0


def new_address() -> str:
    return f"{uuid.uuid4().hex[:12]}@example.org"


def flow_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["flow"][0]


def messages_of(flow: dict[str, Any]) -> list[int]:
    """Return the ids of every message of a form, those above it first."""
    return [m["id"] for m in flow["ui"].get("messages", [])] + [m["id"] for node in flow["ui"]["nodes"] for m in node["messages"]]


def value_of(flow: dict[str, Any], name: str) -> Any:
    return next((node["attributes"].get("value") for node in flow["ui"]["nodes"] if node["attributes"].get("name") == name), None)


class Client:
    kind: ClassVar[str]

    def __init__(self, public: str) -> None:
        self.public, self.http = public, requests.Session()
        self.headers: dict[str, str] = {}

    def request(self, method: str, url: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        address = url if url.startswith("http") else self.public + url
        return self.http.request(method, address, headers=headers, allow_redirects=False, timeout=TIMEOUT, **more)

    # what every kind of client does in its own way

    def begin(self, flow: str, **query: str) -> dict[str, Any]:
        raise NotImplementedError

    def send(self, flow: dict[str, Any], fields: dict[str, Any]) -> requests.Response:
        raise NotImplementedError

    def shown(self, flow: str, answer: requests.Response) -> dict[str, Any]:
        """Return the form that an answer shows, or leads to."""
        raise NotImplementedError

    def succeeded(self, answer: requests.Response) -> bool:
        raise NotImplementedError

    # roads

    def fetch(self, flow: str, id: str) -> dict[str, Any]:
        answer = self.request("GET", f"/self-service/{flow}/flows", params={"id": id}, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def register(self, address: str, **more: Any) -> requests.Response:
        fields = {"method": "password", "password": PASSWORD, "traits": {"email": address}, **more}
        return self.send(self.begin("registration"), fields)

    def login(self, address: str, password: str = PASSWORD, **query: str) -> requests.Response:
        return self.send(self.begin("login", **query), {"method": "password", "identifier": address, "password": password})

    def whoami(self) -> requests.Response:
        return self.request("GET", "/sessions/whoami")

    def is_signed_in(self) -> bool:
        return self.whoami().status_code == 200


class App(Client):
    """An app: no cookies, a session token."""

    kind = "api"

    def __init__(self, public: str) -> None:
        super().__init__(public)
        self.http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def begin(self, flow: str, **query: str) -> dict[str, Any]:
        answer = self.request("GET", f"/self-service/{flow}/api", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def send(self, flow: dict[str, Any], fields: dict[str, Any]) -> requests.Response:
        answer = self.request("POST", flow["ui"]["action"], json=fields)
        if answer.ok and (token := answer.json().get("session_token")):
            self.headers["X-Session-Token"] = token
        return answer

    def shown(self, flow: str, answer: requests.Response) -> dict[str, Any]:
        return answer.json()  # type: ignore[no-any-return]

    def succeeded(self, answer: requests.Response) -> bool:
        return answer.status_code == 200


class Page(Client):
    """The script of a page: cookies, JSON."""

    kind = "browser"

    def __init__(self, public: str) -> None:
        super().__init__(public)
        self.headers["Accept"] = "application/json"

    def begin(self, flow: str, **query: str) -> dict[str, Any]:
        answer = self.request("GET", f"/self-service/{flow}/browser", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def send(self, flow: dict[str, Any], fields: dict[str, Any]) -> requests.Response:
        return self.request("POST", flow["ui"]["action"], json={"csrf_token": value_of(flow, "csrf_token"), **fields})

    def shown(self, flow: str, answer: requests.Response) -> dict[str, Any]:
        return answer.json()  # type: ignore[no-any-return]

    def succeeded(self, answer: requests.Response) -> bool:
        return answer.status_code == 200


class Browser(Client):
    """A browser that sends forms and follows redirects."""

    kind = "browser"

    def __init__(self, public: str) -> None:
        super().__init__(public)
        self.headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8"

    def begin(self, flow: str, **query: str) -> dict[str, Any]:
        answer = self.request("GET", f"/self-service/{flow}/browser", params=query)
        assert answer.status_code == 303, answer.text
        return self.fetch(flow, flow_in(answer.headers["Location"]))

    def send(self, flow: dict[str, Any], fields: dict[str, Any]) -> requests.Response:
        form = {"csrf_token": value_of(flow, "csrf_token")}
        for name, value in fields.items():
            form |= {f"{name}.{key}": below for key, below in value.items()} if isinstance(value, dict) else {name: value}
        return self.request("POST", flow["ui"]["action"], data=form)

    def shown(self, flow: str, answer: requests.Response) -> dict[str, Any]:
        assert answer.status_code in (302, 303), answer.text
        return self.fetch(flow, flow_in(answer.headers["Location"]))

    def succeeded(self, answer: requests.Response) -> bool:
        return answer.status_code == 303 and "flow=" not in answer.headers["Location"] and "error" not in answer.headers["Location"]


CLIENTS = (App, Page, Browser)
