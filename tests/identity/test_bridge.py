"""From the HTTP server to the framework: what a request becomes, and who waits for whom."""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from identity import cores
from identity.http import problems
from identity.serving import bridge, process
from identity.serving.bridge import Bridge
from tests.clients import App
from tests.receiver import Receiver, Says
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
    leaves: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
        if not self.ends:
            await asyncio.Event().wait()

    async def client_disconnect(self) -> None:
        if not self.leaves:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answer = (status, headers, body)


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("201 Created", [("X-Method", environ["REQUEST_METHOD"])])
    return [environ["wsgi.input"].read(), b"!"]


def bridge_to(application: Any) -> Bridge:
    """Within a running loop: a bridge with one thread for each lane."""
    served = Bridge(application, lambda method, accept, content_type: (503, [], b"busy"), asking=1, opening=1, submitting=1)
    served.__rsgi_init__(asyncio.get_running_loop())
    return served


def serve(scope: Scope, exchange: Exchange, application: Any = echo) -> Exchange:
    async def run() -> None:
        await bridge_to(application).__rsgi__(scope, exchange)

    asyncio.run(run())
    return exchange


class Door:
    """An application that answers nobody until it is opened, and counts who came to it."""

    def __init__(self) -> None:
        self.came = 0
        self.is_open = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.came += 1
        start_response("200 OK", [])
        return [b"through" if self.is_open.wait(10) else b"late"]


FORM = Scope(Headers([("content-length", "1")]), method="POST")


async def before(door: Door, exchanges: list[Exchange], scope: Scope = FORM) -> list[asyncio.Task[None]]:
    """Let them all ask at once, and return when those that do not wait at the door have their answer."""
    served = bridge_to(door)
    asked = [asyncio.create_task(served.__rsgi__(scope, exchange)) for exchange in exchanges]  # type: ignore[arg-type]
    lane = served.submitted
    while lane.waiting + lane.working < sum(not task.done() for task in asked) or not lane.working:
        await asyncio.sleep(0)
    return asked


def said(exchanges: list[Exchange]) -> list[bytes]:
    return [exchange.answer[2] for exchange in exchanges if exchange.answer]


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


LANES = {
    "asked": (("GET", "/sessions/whoami"), ("GET", "/self-service/login/flows"), ("GET", "/health/ready"), ("GET", "/ui/login")),
    "opened": (
        ("GET", "/self-service/login/browser"),
        ("GET", "/self-service/registration/api"),
        ("GET", "/self-service/methods/oidc/callback/corp"),
        ("GET", "/self-service/login"),
        ("GET", "//self-service/recovery"),
    ),
    "submitted": (("POST", "/self-service/login"), ("POST", "/admin/identities"), ("PATCH", "/admin/identities")),
}


@pytest.mark.parametrize(("lane", "method", "path"), [(lane, *request) for lane, requests in LANES.items() for request in requests])
def test_nobody_waits_for_those_who_wait_for_something_else(lane: str, method: str, path: str) -> None:
    async def run() -> Exchange:
        served = bridge_to(Door())
        for other in (served.asked, served.opened, served.submitted):
            if other is not getattr(served, lane):
                other.queue = SimpleQueue()  # one that nobody takes from
        exchange = Exchange([b"a"])
        served.application = echo
        await asyncio.wait_for(served.__rsgi__(Scope(method=method, path=path), exchange), 5)  # type: ignore[arg-type]
        return exchange

    answer = asyncio.run(run()).answer
    assert answer is not None
    assert answer[0] == 201


def test_who_would_wait_too_long_is_told_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "LONGEST_QUEUE", 3)
    door, forms = Door(), [Exchange([b"a"]) for _ in range(9)]

    async def run() -> list[bytes]:
        asked = await before(door, forms)
        turned_away = said(forms)
        door.is_open.set()
        await asyncio.gather(*asked)
        return turned_away

    turned_away = asyncio.run(run())
    assert set(turned_away) == {b"busy"}
    assert len(turned_away) in (5, 6)  # the thread may have taken its first one before the queue was full
    assert said(forms).count(b"through") == 9 - len(turned_away)


def test_who_has_waited_too_long_is_told_so_while_the_threads_are_still_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "PATIENCE", 0.05)
    door, forms = Door(), [Exchange([b"a"]) for _ in range(3)]

    async def run() -> None:
        asked = await before(door, forms)
        await asyncio.wait(asked[1:])
        assert said(forms) == [b"busy"] * 2
        door.is_open.set()
        await asked[0]

    asyncio.run(run())
    assert (said(forms), door.came) == ([b"through", b"busy", b"busy"], 1)


def test_nothing_is_done_for_those_who_left() -> None:
    door, stays, leaves = Door(), [Exchange([b"a"]) for _ in range(3)], [Exchange([b"a"], leaves=True) for _ in range(5)]

    async def run() -> None:
        asked = await before(door, stays + leaves)
        await asyncio.wait(asked[3:])
        door.is_open.set()
        await asyncio.gather(*asked)

    asyncio.run(run())
    assert said(stays) == [b"through"] * 3
    assert (said(leaves), door.came) == ([], 3)


def test_those_who_left_keep_nobody_from_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "LONGEST_QUEUE", 5)
    door, first, leaves, late = Door(), Exchange([b"a"]), [Exchange([b"a"], leaves=True) for _ in range(5)], Exchange([b"a"])

    async def run() -> None:
        served = bridge_to(door)
        asked = [asyncio.create_task(served.__rsgi__(FORM, exchange)) for exchange in (first, *leaves)]  # type: ignore[arg-type]
        await asyncio.wait(asked[1:])
        asked.append(asyncio.create_task(served.__rsgi__(FORM, late)))  # type: ignore[arg-type]
        door.is_open.set()
        await asyncio.gather(*asked)

    asyncio.run(run())
    assert said([first, late]) == [b"through"] * 2


def test_only_a_few_large_bodies_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "SMALL_BODY", 4)
    monkeypatch.setattr(bridge, "LARGE_BODIES", 2)
    large, small = [Exchange([b"abc", b"def"]) for _ in range(4)], Exchange([b"abc"])

    async def run() -> None:
        door = Door()
        asked = await before(door, [*large, small])
        assert said(large) == [b"busy"] * 2
        door.is_open.set()
        await asyncio.gather(*asked)
        again = Exchange([b"abc", b"def"])
        await bridge_to(door).__rsgi__(FORM, again)  # type: ignore[arg-type]
        assert said([again]) == [b"through"]

    asyncio.run(run())
    assert said([*large, small]).count(b"through") == 3


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

    answer = Said([b"a"])

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return answer

    serve(Scope(), Exchange([]), application)
    assert answer.is_closed


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


def send(open_: ExitStack, url: str, head: str, body: bytes = b"") -> socket.socket:
    """Send one request, of which *head* is the method and the headers of its own; more of it may follow, or never."""
    at, (method, *headers) = urlsplit(url), head.split("\n")
    lines = (f"{method} {at.path}?{at.query} HTTP/1.1", f"Host: {at.netloc}", "Content-Type: application/json", *headers)
    connection = open_.enter_context(socket.create_connection((str(at.hostname), at.port)))
    connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode() + body)
    return connection


def test_sixty_who_send_half_a_form_are_in_nobodys_way() -> None:
    with Server() as server, ExitStack() as open_:
        flow = App(server.public).begin("login")
        for _ in range(60):
            send(open_, flow["ui"]["action"], "POST\nContent-Length: 100", b'{"method": ')

        assert requests.get(server.public + "/self-service/login/api", timeout=10).status_code == 200


def iter_ready(selector: selectors.BaseSelector) -> Iterator[tuple[Any, int]]:
    """Everything that becomes ready, until nothing does within ten seconds."""
    while found := selector.select(10):
        yield from found


def test_a_flood_of_sign_ins_is_turned_away_and_leaves_nothing_behind() -> None:
    slow = {"hashers": {"argon2": {"memory": "64MB", "iterations": 3}}}
    wrong = b'{"method": "password", "identifier": "ada@example.com", "password": "not-The-Password"}'
    many = 400 * cores.count()
    process.allow_files(many + 256)
    with Server(slow) as server:
        with ExitStack() as open_:
            action = App(server.public).begin("login")["ui"]["action"]
            ready = open_.enter_context(selectors.DefaultSelector())
            for _ in range(many):
                ready.register(send(open_, action, f"POST\nContent-Length: {len(wrong)}", wrong), selectors.EVENT_READ)
            heads = (key.fileobj.recv(4096) for key, _ in iter_ready(ready))
            refused = next(head for head in heads if b" 503 " in head)
            assert requests.get(server.public + "/sessions/whoami", timeout=2).status_code == 401
        assert b"retry-after: 2\r\n" in refused
        assert b'"code":503' in refused

        until = time.monotonic() + 6  # all of the flood would take twenty
        while (answer := App(server.public).login("ada@example.com", "not-The-Password")).status_code == 503:
            assert time.monotonic() < until
        assert answer.status_code == 400


def test_a_browser_that_is_turned_away_gets_a_page() -> None:
    status, headers, body = problems.busy("POST", "text/html,*/*;q=0.8", "application/x-www-form-urlencoded")

    assert (status, dict(headers)["content-type"], dict(headers)["retry-after"]) == (503, "text/html; charset=utf-8", "2")
    assert "Go back, and send it again." in body.decode()


def test_a_program_that_is_turned_away_gets_an_error() -> None:
    _, headers, body = problems.busy("POST", "*/*", "application/x-www-form-urlencoded")

    assert (dict(headers)["content-type"], json.loads(body)["error"]["code"]) == ("application/json", 503)


def test_a_hook_that_has_stalled_keeps_nobody_from_what_needs_none() -> None:
    stalls = threading.Event()
    with Receiver() as hooks, ExitStack() as open_:
        hooks.on("/before", lambda got: Says() if stalls.wait(30) else Says(500))
        before_login = [{"hook": "web_hook", "config": {"url": hooks.url + "/before", "method": "POST"}}]
        with Server({"selfservice": {"flows": {"login": {"before": {"hooks": before_login}}}}}) as server:
            for _ in range(40):
                send(open_, server.public + "/self-service/login/api", "GET")
            hooks.wait_for(8)  # every thread of two workers that may wait

            answers = [requests.get(server.public + path, timeout=5).status_code for path in ("/sessions/whoami", "/health/ready") * 5]
            stalls.set()
        assert answers == [401, 200] * 5
