"""What a view costs at least on this server: one prepared SELECT by key, and its row as JSON. The measure for whoami."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from identity.serving.bridge import Bridge

_local = threading.local()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(os.environ["BARE_DSN"], autocommit=True)
    key = environ.get("HTTP_X_SESSION_TOKEN", "")
    row = (
        psycopg.Cursor(_local.connection)
        .execute("SELECT id, aal FROM identity_session WHERE token_hash = %s", (key,), prepare=True)
        .fetchone()
    )
    body = json.dumps({"id": str(row[0]), "aal": row[1]} if row else {}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def busy(method: str, accept: str, content_type: str) -> tuple[int, list[tuple[str, str]], bytes]:
    return 503, [], b""


served = Bridge(application, busy)
