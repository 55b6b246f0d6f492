"""The way from the HTTP server to the framework: RSGI (Granian's interface) on one side, WSGI (PEP 3333) on the other.

The event loop takes a request in whole, within a limit and a time; only then a thread is given to it. So whoever sends
slowly, or not to the end, occupies nobody but themselves. What waits for a thread is bounded, in number and in time: who
would be answered too late is told at once that the server is busy.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Protocol

from identity.serving import process

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]
Refuse = Callable[[str, str, str], Answer]  # from a method, an Accept and a Content-Type

BODY_WITHIN = 30.0  # seconds from the head of a request to its end
LONGEST_BODY = 5 * 1024 * 1024 + 1  # bytes that are read; one more than identity/http/bodies.py takes, which refuses it
SMALL_BODY = 64 * 1024  # bytes; as much is read of everybody
LARGE_BODIES = 16  # larger ones that a worker holds at a time
ASKING, OPENING, SUBMITTING = 4, 4, 8  # threads of a worker, each with a connection to the database
LONGEST_QUEUE = 256  # requests that wait for the threads of a lane
PATIENCE = 8.0  # seconds that they wait
LOOKED_AT = frozenset(("GET", "HEAD", "OPTIONS"))
OPENED = re.compile(r"/+self-service/(?!\w+/flows$|errors$|logout\b)")  # what may run hooks, or ask a provider, without a body
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


class Busy(Exception):
    """There is no room for one more."""


@dataclass(slots=True)
class Body:
    """As much of a body as has come."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    is_large: bool = False

    def whole(self) -> bytes:
        return b"".join(self.parts)[:LONGEST_BODY]


@dataclass(slots=True, eq=False)
class Request:
    """A request that waits for a thread, until one takes it up or it gives up."""

    scope: Scope
    protocol: Any
    body: bytes
    answered: asyncio.Future[None]
    is_waiting: bool = True


class Lane:
    """Requests that wait, and how many threads take them up."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.queue: SimpleQueue[Request] = SimpleQueue()
        self.waiting = self.working = 0
        self._lock = threading.Lock()

    def put(self, request: Request) -> bool:
        """Returns whether a thread is free for it. Raises Busy."""
        with self._lock:
            if self.waiting >= LONGEST_QUEUE:
                raise Busy
            self.waiting += 1
            is_free = self.waiting + self.working <= self.threads
        self.queue.put(request)
        return is_free

    def take(self) -> Request:
        """Return the next one that has not given up, when there is one."""
        while True:
            request = self.queue.get()
            with self._lock:
                if request.is_waiting:
                    request.is_waiting = False
                    self.waiting, self.working = self.waiting - 1, self.working + 1
                    return request

    def done(self) -> None:
        with self._lock:
            self.working -= 1

    def give_up(self, request: Request) -> bool:
        """Let a request wait no longer. Returns False when a thread has taken it up."""
        with self._lock:
            if not request.is_waiting:
                return False
            request.is_waiting, request.body = False, b""
            self.waiting -= 1
            return True


class Bridge:
    """An RSGI application that answers by a WSGI application, in threads of its own.

    There are three lanes, by what a request may wait for, so that none keeps another's threads: who looks waits for the
    database; who opens a flow or comes back from a provider may wait for another server as well; who submits may wait for a
    password to be hashed. So a flood of sign-ins, or a provider that has stalled, leaves room for who is signed in.
    """

    def __init__(
        self,
        application: Application,
        busy: Refuse,
        *,
        asking: int = ASKING,
        opening: int = OPENING,
        submitting: int = SUBMITTING,
    ) -> None:
        self.application, self.busy = application, busy
        self.asked, self.opened, self.submitted = Lane(asking), Lane(opening), Lane(submitting)
        self.large = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        for lane in (self.asked, self.opened, self.submitted):
            for _ in range(lane.threads):
                threading.Thread(target=self._work, args=(lane,), name="request", daemon=True).start()
        loop.call_soon(process.release_signals)

    async def __rsgi__(self, scope: Scope, protocol: Any) -> None:
        if scope.proto != "http":
            return
        body = Body()
        try:
            if _has_body(scope):
                await asyncio.wait_for(self._take_in(protocol, body), BODY_WITHIN)
            await self._wait(self._lane(scope), Request(scope, protocol, body.whole(), self.loop.create_future()))
        except TimeoutError:
            protocol.response_bytes(*TOO_SLOW)
        except Busy:
            protocol.response_bytes(*self._refused(scope))
        finally:
            self.large -= body.is_large

    def _lane(self, scope: Scope) -> Lane:
        if scope.method not in LOOKED_AT:
            return self.submitted
        return self.opened if OPENED.match(scope.path) else self.asked

    async def _take_in(self, protocol: Any, body: Body) -> None:
        """Read a body to its end; one that is too long as far as shows that. Raises Busy."""
        async for part in protocol:
            body.parts.append(part)
            body.size += len(part)
            if body.size > SMALL_BODY and not body.is_large:
                if self.large >= LARGE_BODIES:
                    raise Busy
                self.large += 1
                body.is_large = True
            if body.size >= LONGEST_BODY:
                return

    async def _wait(self, lane: Lane, request: Request) -> None:
        """Let a thread of the lane answer. Who leaves before one is free gives up their turn. Raises Busy."""
        if lane.put(request):
            await request.answered
            return
        gone = asyncio.ensure_future(request.protocol.client_disconnect())
        try:
            await asyncio.wait((request.answered, gone), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if not lane.give_up(request):
                await request.answered
            elif not gone.done():
                raise Busy
        finally:
            gone.cancel()

    def _work(self, lane: Lane) -> None:
        while True:
            request = lane.take()
            error: BaseException | None = None
            try:
                request.protocol.response_bytes(*self._answer(request.scope, request.body))
            except BaseException as raised:
                error = raised
            lane.done()
            self.loop.call_soon_threadsafe(_settle, request.answered, error)

    def _refused(self, scope: Scope) -> Answer:
        return self.busy(scope.method, scope.headers.get("accept", ""), scope.headers.get("content-type", ""))

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
