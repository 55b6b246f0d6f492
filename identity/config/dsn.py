"""Database addresses, as Kratos writes them, in Django's terms (contract: config.md 1.11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from identity.config.faults import ConfigError

POSTGRES = ("postgres", "postgresql", "cockroach")
OURS = {"max_conns", "max_idle_conns", "max_conn_lifetime", "max_conn_idle_time", "prepared_statements"}  # not the driver's
BUSY_TIMEOUT = 20  # seconds that a writer waits for another
SQLITE_SETUP = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8000;"


def database(dsn: str) -> dict[str, Any]:
    """Return the DATABASES entry that *dsn* means. Raises ConfigError."""
    if dsn == "memory":
        return _sqlite(":memory:")
    scheme = dsn.split(":", 1)[0]
    if scheme == "sqlite":
        path = dsn.removeprefix("sqlite://").removeprefix("sqlite:").split("?", 1)[0]
        return _sqlite(":memory:" if path in ("", ":memory:") or "mode=memory" in dsn else path)
    if scheme in POSTGRES:
        return _postgres(dsn)
    raise ConfigError(f"dsn: {scheme or dsn[:20]}:// is not supported. Use postgres:// or sqlite://.")


def _sqlite(path: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path if path == ":memory:" else str(Path(path).absolute()),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"timeout": BUSY_TIMEOUT, "transaction_mode": "IMMEDIATE", "init_command": SQLITE_SETUP},
    }


def _postgres(dsn: str) -> dict[str, Any]:
    parts = urlsplit(dsn)
    options: dict[str, Any] = {name: value for name, value in parse_qsl(parts.query) if name not in OURS}
    wanted = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or parts.hostname or ""
    if wanted.get("prepared_statements", "true") != "false":  # poolers in transaction mode cannot hold them
        options["server_side_binding"] = True  # and rows.py prepares its statements; the driver none, as it drops all at a rollback
    return {
        "ENGINE": "identity.db.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
