"""manage.py serve: the public listener, the admin listener and, without a broker, the worker, in one supervised tree."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from identity import conf, config, cores
from identity.config import Config, ConfigError, layers

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_FILE = ".vestibule-secret"  # noqa: S105  its name


class Command(BaseCommand):
    help = "Run the server: public listener, admin listener and, when no broker is configured, the worker."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dev", action="store_true", help="development mode: http, a mailbox page, migrations applied at the start")
        parser.add_argument("--watch-courier", action="store_true", help="accepted and not needed: messages are always delivered")
        parser.add_argument("--sqa-opt-out", action="store_true", help="accepted and not needed: nothing is reported to anybody")

    def handle(self, *args: Any, **options: Any) -> None:
        c = config.current()
        self._require_usable(c)
        for name in ("public", "admin"):
            self._require_free(name, c.get(f"serve.{name}.host"), c.get(f"serve.{name}.port"))
        _provide_secret(c)
        self._require_migrated(c.dev)
        password = _console_password() if c.dev else ""
        self._greet(c, password)
        _become_supervisor(c)

    def _require_usable(self, c: Config) -> None:
        try:
            config.verify(c)
        except ConfigError as error:
            raise CommandError(f"The configuration cannot be used:\n{error}") from error
        host = str(c.get("serve.admin.host"))
        if (
            host not in LOOPBACK
            and not host.startswith("unix:")
            and not c.get("serve.admin.api_keys")
            and not c.get("serve.admin.insecure_no_auth")
        ):
            raise CommandError(
                f"serve.admin.host is {host}: the operator's API would be open to the network. Set serve.admin.api_keys, or bind it to"
                " 127.0.0.1, or say serve.admin.insecure_no_auth: true if something else guards it."
            )

    def _require_migrated(self, dev: bool) -> None:
        try:
            executor = MigrationExecutor(connection)
            pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            raise CommandError(f"The database cannot be reached: {error}") from error
        if pending and not dev:
            raise CommandError(f"The database is {len(pending)} migrations behind. Run: manage.py migrate")
        if pending:
            call_command("migrate", verbosity=0)
        connection.close()

    def _require_free(self, name: str, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, port))
            except OSError as error:
                reason = (
                    "address already in use. Stop what listens there, or choose another serve."
                    if error.errno == 98
                    else f"{error.strerror}. See serve."
                )
                raise CommandError(f"{host}:{port}: {reason}{name}.port.") from error

    def _greet(self, c: Config, password: str) -> None:
        if not c.dev:
            return
        public, admin = conf.listeners().public, conf.listeners().admin
        lines = [
            "",
            "  Vestibule, in development mode",
            "",
            f"  Sign up          {public}/ui/registration",
            f"  Sign in          {public}/ui/login",
            f"  Mailbox          {public}/ui/dev/mailbox",
            f"  Webhooks         {public}/ui/dev/hooks",
            f"  Operator's API   {admin}/admin/identities",
            f"  Console          {admin}/console/",
            f"                   user admin, password {password}"
            if password
            else "                   user admin, password as printed at the first start",
            "",
        ]
        self.stderr.write("\n".join(lines))


def _provide_secret(c: Config) -> None:
    """Give every process the same secret when none is configured: kept beside the database in development, else for this run only."""
    if c.get("secrets.cookie") or c.get("secrets.default") != [layers.OWN_SECRET]:
        return
    secret = secrets.token_urlsafe(32)
    if c.dev:
        path = Path(settings.BASE_DIR) / SECRET_FILE
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secret)
        except FileExistsError:
            secret = path.read_text().strip()
    else:
        print("secrets.cookie is not set: everybody is signed out when this server stops.", file=sys.stderr)
    os.environ["VESTIBULE_SECRET"] = secret


def _console_password() -> str:
    """Make the console's first user, and return its password, known this once; "" when there is one already."""
    users = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return ""
    password = secrets.token_urlsafe(12)
    users.create_superuser("admin", password=password)
    connection.close()
    return password


def _become_supervisor(c: Config) -> None:
    cores.provide(tempfile.mkdtemp(prefix="vestibule-cores-"))
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")  # threads of the C library would each keep memory of their own
    os.environ["IDENTITY_CONFIG"] = ",".join(str(path) for path in c.paths)
    handle, os.environ["VESTIBULE_RELOAD"] = tempfile.mkstemp(prefix="vestibule-reload-")
    os.close(handle)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="vestibule-metrics-")
    children = [
        {
            "name": f"{name} listener",
            "run": "listen",
            "arguments": [name, c.get(f"serve.{name}.host"), c.get(f"serve.{name}.port"), workers],
        }
        for name, workers in (("public", cores.count()), ("admin", 1))
    ]
    if not c.get("deliveries.broker_url"):
        children.append({"name": "dispatcher", "run": "command", "arguments": ["dispatch"]})
    sys.stderr.flush()
    path = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in (str(settings.BASE_DIR), path) if part)
    os.execv(sys.executable, [sys.executable, "-m", "identity.serving.supervisor", json.dumps(children)])  # noqa: S606  ourselves
