"""A real server as a process tree of its own, with a configuration of its own."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
import requests
import yaml

from tests.services import free_port

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0  # seconds until it has to be ready

BASE: dict[str, Any] = {
    "secrets": {"cookie": ["a-secret-for-tests-0001"], "cipher": ["0123456789abcdef0123456789abcdef"]},
    "hashers": {"algorithm": "argon2", "argon2": {"memory": "64KB", "iterations": 1}},
    "log": {"level": "warning"},
    "identity": {"schemas": [{"id": "default", "url": f"file://{ROOT}/docs/examples/person.schema.json"}]},
    "session": {"whoami": {"required_aal": "aal1"}},
    "selfservice": {
        "default_browser_return_url": "/ui/welcome",
        "methods": {"password": {"config": {"haveibeenpwned_enabled": False}}},
        "flows": {"registration": {"style": "unified", "after": {"password": {"hooks": [{"hook": "session"}]}}}},
    },
}


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    out = copy.deepcopy(below)
    for name, value in above.items():
        out[name] = merged(out[name], value) if isinstance(value, dict) and isinstance(out.get(name), dict) else value
    return out


def fresh_database(dsn: str) -> str:
    """Return the address of a new, empty database beside the one at *dsn*."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]  # a name of ours
    return f"{dsn.rpartition('/')[0]}/{name}"


class Server:
    """`with Server(config, dsn) as server:` runs `manage.py serve` until the block ends."""

    def __init__(self, config: dict[str, Any] | None = None, dsn: str = "", *, dev: bool = True, host: str = "127.0.0.1") -> None:
        self.home = Path(tempfile.mkdtemp(prefix="vestibule-test-"))
        self.dsn = fresh_database(dsn) if dsn else f"sqlite://{self.home}/test.sqlite3"
        self.public_port, self.admin_port = free_port(), free_port()
        self.public, self.admin = f"http://{host}:{self.public_port}", f"http://127.0.0.1:{self.admin_port}"
        listeners = {
            "public": {"host": "127.0.0.1", "port": self.public_port, "base_url": self.public + "/"},
            "admin": {"port": self.admin_port, "base_url": self.admin + "/"},
        }
        self.config = merged(merged(BASE, {"serve": listeners}), config or {})
        self.path, self.log = self.home / "identity.yml", self.home / "server.log"
        self.dev = dev
        self.process: subprocess.Popen[bytes] | None = None

    def write(self) -> None:
        self.path.write_text(yaml.safe_dump(self.config))

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("VESTIBULE_", "DJANGO_", "PROMETHEUS_"))}
        return kept | {"DSN": self.dsn, "IDENTITY_CONFIG": str(self.path)}

    def manage(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run one of the operator's commands with this server's configuration."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=120, **more)

    def start(self) -> None:
        self.write()
        migrated = self.manage("migrate", "-v0")
        assert migrated.returncode == 0, migrated.stderr
        self.serve()

    def serve(self) -> None:
        """Run the command, with the file and the database as they are, until all processes are ready."""
        flags = ["--dev"] if self.dev else []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "serve", *flags],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            try:
                if all(requests.get(f"{base}/health/ready", timeout=2).ok for base in (f"http://127.0.0.1:{self.public_port}", self.admin)):
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError("not ready in time\n" + self.log.read_text())

    def children(self, word: str) -> list[int]:
        """Return the ids of this server's processes whose command line holds *word*."""
        assert self.process is not None
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                group = os.getpgid(int(entry.name))
            except (OSError, ProcessLookupError):
                continue
            if word in command and group == self.process.pid and int(entry.name) != self.process.pid:
                found.append(int(entry.name))
        return found

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            raise

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
