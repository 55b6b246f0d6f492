"""A webhook receiver that writes down what it gets and answers as a test says."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Says:
    """An answer: JSON for what is no bytes. `hangs` seconds pass before it."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: float = 0.0


Answer = Says | Callable[[Received], Says]


class Receiver:
    """`with Receiver() as hooks:` listens on loopback; `hooks.on("/path", Says(...))` sets an answer, others are 200."""

    def __init__(self, port: int = 0) -> None:
        self.log: list[Received] = []
        self._answers: dict[str, Answer] = {}
        self._arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                got = Received(self.command, self.path.split("?")[0], {k.lower(): v for k, v in self.headers.items()}, raw)
                with outer._arrived:
                    outer.log.append(got)
                    outer._arrived.notify_all()
                said = outer._answers.get(got.path, Says())
                if callable(said):
                    said = said(got)
                if said.hangs:
                    time.sleep(said.hangs)
                body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_TRACE = handle_any

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, path: str, answer: Answer) -> None:
        self._answers[path] = answer

    def paths(self) -> list[str]:
        return [got.path for got in self.log]

    def wait_for(self, count: int, seconds: float = 30.0) -> list[Received]:
        """Return the log once it holds that many requests."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.log) >= count, seconds), f"{len(self.log)} of {count} arrived"
            return list(self.log)

    def clear(self) -> None:
        with self._arrived:
            self.log.clear()

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def main() -> None:
    """Say the address, and answer until the standard input ends."""
    with Receiver() as hooks:
        sys.stdout.write(hooks.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
