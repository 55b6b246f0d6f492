"""The way from the HTTP server to the framework: RSGI (Granian's interface) on one side, WSGI (PEP 3333) on the other.

The event loop takes a request in whole, within a limit and a time; only then a thread is given to it. So whoever sends
slowly, or not to the end, occupies nobody but themselves.
"""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any, Protocol

from identity.serving import process

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]

BODY_WITHIN = 30.0  # seconds from the head of a request to its end
LONGEST_BODY = 5 * 1024 * 1024 + 1  # bytes that are read; one more than identity/http/bodies.py takes, which refuses it
ASKING, SUBMITTING = 4, 8  # threads of a worker, each with a connection to the database
TOO_SLOW: Answer = (408, [("content-type", "text/plain; charset=utf-8"), ("connection", "close")], b"The request was not sent in time.\n")

CONSTANT: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Scope(Protocol):
    """What RSGI says of a request."""

    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: Any


Waiting = SimpleQueue[tuple[Scope, Any, bytes, asyncio.Future[None]]]


class Lane:
    """Requests that wait, and how many threads take them up."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.waiting: Waiting = SimpleQueue()


class Bridge:
    """An RSGI application that answers by a WSGI application, in threads of its own.

    Requests without a body, which look or ask, have threads apart from those with one, which may wait for a password to be
    hashed or for another server: so a flood of sign-ins leaves room for who is signed in.
    """

    def __init__(self, application: Application, *, asking: int = ASKING, submitting: int = SUBMITTING) -> None:
        self.application = application
        self.asked, self.submitted = Lane(asking), Lane(submitting)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        for lane in (self.asked, self.submitted):
            for _ in range(lane.threads):
                threading.Thread(target=self._work, args=(lane.waiting,), name="request", daemon=True).start()
        loop.call_soon(process.release_signals)

    async def __rsgi__(self, scope: Scope, protocol: Any) -> None:
        if scope.proto != "http":
            return
        lane, body = self.asked, b""
        if _has_body(scope):
            try:
                lane, body = self.submitted, await asyncio.wait_for(_whole(protocol), BODY_WITHIN)
            except TimeoutError:
                protocol.response_bytes(*TOO_SLOW)
                return
        answered: asyncio.Future[None] = self.loop.create_future()
        lane.waiting.put((scope, protocol, body, answered))
        await answered

    def _work(self, waiting: Waiting) -> None:
        while True:
            scope, protocol, body, answered = waiting.get()
            error: BaseException | None = None
            try:
                protocol.response_bytes(*self._answer(scope, body))
            except BaseException as raised:
                error = raised
            self.loop.call_soon_threadsafe(_settle, answered, error)

    def _answer(self, scope: Scope, body: bytes) -> Answer:
        begun: list[tuple[int, Headers]] = []

        def start_response(status: str, headers: Headers, exc_info: Any = None) -> None:
            begun[:] = [(int(status[:3]), headers)]

        said = self.application(environ(scope, body), start_response)
        try:
            content = b"".join(said)
        finally:
            if hasattr(said, "close"):
                said.close()
        return *begun[0], content


def _settle(answered: asyncio.Future[None], error: BaseException | None) -> None:
    if answered.done():
        return
    if error is None:
        answered.set_result(None)
    else:
        answered.set_exception(error)


def _has_body(scope: Scope) -> bool:
    headers = scope.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _whole(protocol: Any) -> bytes:
    """Return the body; of one that is too long, as much as shows that."""
    parts, size = [], 0
    async for part in protocol:
        parts.append(part)
        size += len(part)
        if size >= LONGEST_BODY:
            break
    return b"".join(parts)[:LONGEST_BODY]


def environ(scope: Scope, body: bytes) -> Environ:
    """Return the request as PEP 3333 wants it. A header whose name has an underscore is left out: it could pass for another."""
    address, _, port = scope.client.rpartition(":")
    name, _, at = scope.server.rpartition(":")
    made = CONSTANT | {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": name,
        "SERVER_PORT": at,
        "REMOTE_ADDR": address.strip("[]"),
        "REMOTE_PORT": port,
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
    }
    for header, value in scope.headers.items():
        if "_" in header:
            continue
        key = UNPREFIXED.get(header) or "HTTP_" + header.upper().replace("-", "_")
        made[key] = value if key not in made else f"{made[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
    if "transfer-encoding" in scope.headers:
        made["CONTENT_LENGTH"] = str(len(body))
    return made
