"""The real things that tests use: PostgreSQL and Redis on loopback, Chromium. Each is started when it is asked for.

Where one is missing its tests are skipped, said aloud in the closing summary; REQUIRE_SERVICES=1 turns that into a failure.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

PATIENCE = 60.0  # seconds until a service has to answer


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def unavailable(what: str) -> None:
    """Skip the test, or fail it where every service is required."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what} is required and not installed", pytrace=False)
    pytest.skip(f"{what} is not installed")


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        time.sleep(0.05)
    raise RuntimeError(f"{process.args} does not answer")


def _postgres_programs() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: path.parent.name)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL, and yield the address of an empty database."""
    programs = _postgres_programs()
    if programs is None:
        unavailable("PostgreSQL")
        return
    home = Path(tempfile.mkdtemp(prefix="vestibule-postgres-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(home, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    subprocess.run(
        [*as_user, programs / "initdb", "-D", home / "data", "-U", "vestibule", "-A", "trust", "--no-sync"], check=True, capture_output=True
    )
    port = free_port()
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={home}", "-c", "fsync=off", "-c", "max_connections=200"]
    process = subprocess.Popen(
        [*as_user, programs / "postgres", "-D", home / "data", "-p", str(port), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        dsn = f"postgres://vestibule@127.0.0.1:{port}/postgres"
        _wait_for_database(dsn)
        yield dsn
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _wait_for_database(dsn: str) -> None:
    """Its port is open a moment before it takes anybody in."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(dsn).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run Redis without persistence, and yield its address."""
    program = shutil.which("redis-server")
    if program is None:
        unavailable("Redis")
        return
    port = free_port()
    process = subprocess.Popen([program, "--port", str(port), "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def chromium() -> str:
    """Return the path of a browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        unavailable("Chromium")
    return str(found)
