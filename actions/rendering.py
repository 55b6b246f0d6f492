"""From a template to the body of a request (contract: actions.md 4.4, 4.5, 5)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import orjson

from actions import payloads
from actions.base import Run
from identity import jsonnet
from identity.config import sources

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class RenderingFailed(Exception):
    """The template cannot be read or evaluated, or gives what its content type cannot hold."""


def is_known_type(content_type: str) -> bool:
    return content_type.split(";", 1)[0].strip().lower() in (JSON, FORM)


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def authorized(headers: dict[str, str], auth: dict[str, Any] | None) -> dict[str, str]:
    """Add what the receiver knows us by; it wins over a header of the same name."""
    if not auth:
        return headers
    given = auth["config"]
    if auth["type"] == "basic_auth":
        name, value = "Authorization", basic(str(given["user"]), str(given.get("password", "")))
    elif given.get("in") == "cookie":
        name, value = "Cookie", f"{given['name']}={given['value']}"
    else:
        name, value = str(given["name"]), str(given["value"])
    return {key: kept for key, kept in headers.items() if key.lower() != name.lower()} | {name: value}


def body(template: str | None, content_type: str, run: Run) -> bytes | None:
    """Return the body, None when the template called the hook off. Raises RenderingFailed."""
    if template is None:
        return encode(payloads.default_document(run), content_type)
    return render(template, content_type, payloads.context_of(run))


def render(template: str, content_type: str, ctx: dict[str, Any]) -> bytes | None:
    """Return what the program at *template* makes of *ctx*, None when it called itself off. Raises RenderingFailed."""
    try:
        program = sources.read(template).decode()
        made = jsonnet.evaluate(program, ctx)
    except jsonnet.Cancelled:
        return None
    except (jsonnet.JsonnetError, ValueError, OSError) as error:
        where = template.split("://", 1)[0] + "://…" if template.startswith("base64://") else template
        raise RenderingFailed(f"{where}: {error}") from error
    return encode(made, content_type)


def _as_json(made: Any) -> bytes:
    try:
        return orjson.dumps(made)
    except TypeError:  # a number beyond 64 bits, or half a character: a program may make what we would not keep
        pass
    try:
        return json.dumps(made, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise RenderingFailed(f"what it makes is no JSON: {error}") from error


def encode(made: Any, content_type: str) -> bytes:
    """Raises RenderingFailed."""
    if content_type.split(";", 1)[0].strip().lower() == JSON:
        return _as_json(made)
    if not isinstance(made, dict) or not all(isinstance(value, str) for value in made.values()):
        raise RenderingFailed("a form is a flat object of texts")
    return urlencode(made).encode()
