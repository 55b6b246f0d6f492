"""From the HTTP server to the framework: what a request becomes, and who waits for whom."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from identity.serving import bridge
from identity.serving.bridge import Bridge
from tests.clients import App
from tests.server import Server


class Headers(list[tuple[str, str]]):
    def items(self) -> list[tuple[str, str]]:
        return list(self)

    def get(self, name: str, default: Any = None) -> Any:
        return next((value for key, value in self if key == name), default)

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self)


@dataclass
class Scope:
    headers: Headers = field(default_factory=Headers)
    method: str = "GET"
    path: str = "/"
    query_string: str = ""
    client: str = "203.0.113.7:4711"
    server: str = "127.0.0.1:4433"
    scheme: str = "http"
    proto: str = "http"
    http_version: str = "1.1"


@dataclass
class Exchange:
    """One request's other end: it sends *parts*, then says nothing more unless it *ends*, and keeps the answer."""

    parts: list[bytes]
    ends: bool = True
    answer: tuple[int, list[tuple[str, str]], bytes] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
        if not self.ends:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answer = (status, headers, body)


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("201 Created", [("X-Method", environ["REQUEST_METHOD"])])
    return [environ["wsgi.input"].read(), b"!"]


def serve(scope: Scope, exchange: Exchange, application: Any = echo) -> Exchange:
    async def run() -> None:
        served = Bridge(application, asking=1, submitting=1)
        served.__rsgi_init__(asyncio.get_running_loop())
        await served.__rsgi__(scope, exchange)

    asyncio.run(run())
    return exchange


def test_it_hands_over_the_whole_body_and_brings_back_the_answer() -> None:
    exchange = serve(Scope(Headers([("content-length", "6")]), method="POST"), Exchange([b"abc", b"def"]))

    assert exchange.answer == (201, [("X-Method", "POST")], b"abcdef!")


def test_it_does_not_wait_for_a_body_that_nobody_announced() -> None:
    assert serve(Scope(), Exchange([], ends=False)).answer == (201, [("X-Method", "GET")], b"!")


def test_it_answers_408_when_the_body_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "BODY_WITHIN", 0.05)
    exchange = serve(Scope(Headers([("content-length", "6")]), method="POST"), Exchange([b"abc"], ends=False))

    assert exchange.answer is not None
    assert (exchange.answer[0], dict(exchange.answer[1])["connection"]) == (408, "close")


def test_it_takes_no_more_of_a_body_than_shows_that_it_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "LONGEST_BODY", 4)
    exchange = serve(Scope(Headers([("transfer-encoding", "chunked")]), method="POST"), Exchange([b"abc", b"def"], ends=False))

    assert exchange.answer == (201, [("X-Method", "POST")], b"abcd!")


def test_who_asks_does_not_wait_for_those_who_submit() -> None:
    hashed = threading.Event()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"asked" if environ["REQUEST_METHOD"] == "GET" else b"submitted" if hashed.wait(10) else b"late"]

    async def run() -> list[Exchange]:
        served = Bridge(application, asking=1, submitting=1)
        served.__rsgi_init__(asyncio.get_running_loop())
        form = Scope(Headers([("content-length", "1")]), method="POST")
        forms = [Exchange([b"a"]) for _ in range(3)]
        submitting = [asyncio.create_task(served.__rsgi__(form, exchange)) for exchange in forms]  # type: ignore[arg-type]
        asked = Exchange([])
        await served.__rsgi__(Scope(), asked)  # type: ignore[arg-type]
        assert not any(task.done() for task in submitting)
        hashed.set()
        await asyncio.gather(*submitting)
        return [asked, *forms]

    answers = [exchange.answer[2] for exchange in asyncio.run(run()) if exchange.answer]
    assert answers == [b"asked", b"submitted", b"submitted", b"submitted"]


def test_an_application_that_fails_is_the_servers_to_answer() -> None:
    def broken(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        serve(Scope(), Exchange([]), broken)


def test_what_an_application_opened_is_closed() -> None:
    class Said(list[bytes]):
        is_closed = False

        def close(self) -> None:
            self.is_closed = True

    said = Said([b"a"])

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return said

    serve(Scope(), Exchange([]), application)
    assert said.is_closed


@pytest.mark.parametrize(
    ("scope", "key", "value"),
    [
        (Scope(path="/a b/é"), "PATH_INFO", "/a b/Ã©"),
        (Scope(query_string="q=%20"), "QUERY_STRING", "q=%20"),
        (Scope(), "REMOTE_ADDR", "203.0.113.7"),
        (Scope(), "REMOTE_PORT", "4711"),
        (Scope(client="[2001:db8::1]:4711"), "REMOTE_ADDR", "2001:db8::1"),
        (Scope(), "SERVER_PORT", "4433"),
        (Scope(Headers([("content-type", "text/plain")])), "CONTENT_TYPE", "text/plain"),
        (Scope(Headers([("x-session-token", "a"), ("x_session_token", "b")])), "HTTP_X_SESSION_TOKEN", "a"),
        (Scope(Headers([("x_session_token", "b")])), "HTTP_X_SESSION_TOKEN", None),
        (Scope(Headers([("cookie", "a=1"), ("cookie", "b=2")])), "HTTP_COOKIE", "a=1; b=2"),
        (Scope(Headers([("accept", "a"), ("accept", "b")])), "HTTP_ACCEPT", "a,b"),
        (Scope(Headers([("transfer-encoding", "chunked")])), "CONTENT_LENGTH", "3"),
    ],
)
def test_what_a_request_becomes(scope: Scope, key: str, value: str | None) -> None:
    assert bridge.environ(scope, b"abc").get(key) == value


def test_sixty_who_send_half_a_form_are_in_nobodys_way() -> None:
    with Server() as server, ExitStack() as open_:
        flow = App(server.public).begin("login")
        at, action = urlsplit(server.public), urlsplit(flow["ui"]["action"])
        lines = (
            f"POST {action.path}?{action.query} HTTP/1.1",
            f"Host: {at.netloc}",
            "Content-Type: application/json",
            "Content-Length: 100",
        )
        head = "".join(f"{line}\r\n" for line in (*lines, ""))
        for _ in range(60):
            half = open_.enter_context(socket.create_connection((str(at.hostname), at.port)))
            half.sendall(head.encode() + b'{"method": ')

        assert requests.get(server.public + "/self-service/login/api", timeout=10).status_code == 200
