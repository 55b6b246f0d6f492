"""A few workers per process, started when they are needed and replaced when one does not answer in time."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from identity import cores

DEADLINE = 1.0  # seconds for one evaluation
START_UP = 5.0  # seconds until a new worker answers
MAX_INPUT = 1024 * 1024  # bytes
MAX_OUTPUT = 256 * 1024  # bytes
MAX_ERROR = 1024  # characters
WORKERS = max(1, cores.count() // 2)
WORKER = Path(__file__).with_name("worker.py")
IDENTITY = "function(ctx) ctx"
PR_SET_PDEATHSIG = 1


class JsonnetError(Exception):
    """The program could not be evaluated. Never holds the program's text."""


class Cancelled(JsonnetError):
    """The program ended itself with `error "cancel..."`: what it was for is not to be done."""


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class _Worker:
    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-I", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"GOMAXPROCS": "1", "GOGC": "50"},
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        self.ask({"program": "null", "ctx": None, "ext": {}}, START_UP)

    def ask(self, asked: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Raises TimeoutError, OSError: the worker is of no use any more."""
        assert self.process.stdin is not None
        sent = json.dumps(asked).encode()
        self.process.stdin.write(struct.pack(">I", len(sent)) + sent)
        self.process.stdin.flush()
        until = time.monotonic() + seconds
        (length,) = struct.unpack(">I", self._read(4, until))
        said: dict[str, Any] = json.loads(self._read(length, until))
        return said

    def _read(self, count: int, until: float) -> bytes:
        assert self.process.stdout
        file, received = self.process.stdout.fileno(), bytearray()
        while len(received) < count:
            ready, _, _ = select.select([file], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            piece = os.read(file, min(count - len(received), 65536))
            if not piece:
                raise EOFError
            received += piece
        return bytes(received)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()


class _Pool:
    def __init__(self) -> None:
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(WORKERS):
            self._idle.put(None)

    def evaluate(self, asked: dict[str, Any]) -> dict[str, Any]:
        worker = self._idle.get()
        try:
            if worker is None or worker.process.poll() is not None:
                worker = _Worker()
            return worker.ask(asked, DEADLINE)
        except (TimeoutError, EOFError, OSError, ValueError) as error:
            if worker is not None:
                worker.end()
                worker = None
            raise JsonnetError("the program took too long or too much memory") from error
        finally:
            self._idle.put(worker)


_pools: dict[int, _Pool] = {}
_lock = threading.Lock()


def _pool() -> _Pool:
    """Return this process's pool: pipes are not shared over a fork."""
    with _lock:
        return _pools.setdefault(os.getpid(), _Pool())


def evaluate(program: str, ctx: Any = None, ext: dict[str, Any] | None = None) -> Any:
    """Return what *program* evaluates to.

    A program that is a function is called with *ctx* as its argument `ctx`; *ext* are external variables (`std.extVar`).

    Raises:
        Cancelled: It ended with an error that begins with "cancel".
        JsonnetError: It failed, or went beyond its limits: a second, 256 KiB of output, 1 MiB of input.
    """
    arguments = None if ctx is None else json.dumps(ctx)
    variables = {name: json.dumps(value) for name, value in (ext or {}).items()}
    if sum(len(text.encode()) for text in (program, arguments or "", *variables.values())) > MAX_INPUT:
        raise JsonnetError("the input is larger than 1 MiB")
    said = _pool().evaluate({"program": program, "ctx": arguments, "ext": variables})
    if "error" in said:
        raise _error(said["error"])
    if len(said["ok"].encode()) > MAX_OUTPUT:
        raise JsonnetError("the output is larger than 256 KiB")
    return json.loads(said["ok"])


def _error(text: str) -> JsonnetError:
    text = text.removeprefix("RUNTIME ERROR: ")
    if text.startswith("cancel"):
        return Cancelled(text[:MAX_ERROR].splitlines()[0])
    return JsonnetError(text[:MAX_ERROR].splitlines()[0] if text else "the program failed")
