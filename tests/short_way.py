"""Asking for what is answered before the framework's request stack (identity/http/shortcuts.py)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from identity.http import shortcuts
from identity.http.shortcuts import Environ, Shortcut


def ask(known: Mapping[str, Shortcut], path: str, query: str = "", **more: str) -> tuple[int, dict[str, str], bytes] | None:
    """Return status, headers and body; None where the request is left to the view."""
    begun: list[tuple[int, dict[str, str]]] = []

    def view(environ: Environ, start_response: Any) -> Iterable[bytes]:
        return []

    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": query, "wsgi.input": io.BytesIO(), **more}
    said = shortcuts.before(view, known)(environ, lambda status, headers: begun.append((int(status[:3]), dict(headers))))
    return (*begun[0], b"".join(said)) if begun else None
