"""What may be wrong with a `web_hook` in the configuration: said at the start, not when somebody signs in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from actions import rendering
from actions.delivery import signing
from identity.config import Fault, units
from identity.config.faults import did_you_mean
from identity.http import outgoing

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")  # of a header, RFC 9110 section 5.5
NO_VALUE = "cannot be sent in a header: Latin-1 only, in one line, and no space at either end."
KEYS = ("url", "method", "id", "headers", "body", "auth", "response", "can_interrupt", "emit_analytics_event", "timeout", "signing")


def of(config: Any, path: str) -> Iterable[Fault]:
    """Return what is wrong with an entry's config, which stands at *path*."""
    if not isinstance(config, dict):
        yield Fault(path, "is required: url and method at least.")
        return
    for key in config.keys() - set(KEYS):
        yield Fault(f"{path}.{key}", f"there is no such key.{did_you_mean(str(key), KEYS)}")
    url = config.get("url")
    if not isinstance(url, str) or not outgoing.is_address(url):
        yield Fault(f"{path}.url", "must be an absolute http:// or https:// address.")
    if not isinstance(config.get("method"), str) or not TOKEN.fullmatch(config["method"]):
        yield Fault(f"{path}.method", "is required, such as POST.")
    yield from _header_faults(config.get("headers"), f"{path}.headers")
    if "body" in config and (not isinstance(config["body"], str) or not config["body"]):
        yield Fault(f"{path}.body", "must be a file://, base64:// or http(s):// address of a Jsonnet program.")
    yield from _response_faults(config, path)
    yield from _auth_faults(config.get("auth"), f"{path}.auth")
    if "timeout" in config and not units.is_duration(config["timeout"]):
        yield Fault(f"{path}.timeout", "must be a duration such as 2s.")
    if problem := signing.problem(config.get("signing")):
        yield Fault(f"{path}.signing", problem)


def _header_faults(headers: Any, path: str) -> Iterable[Fault]:
    if headers is None:
        return
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        yield Fault(path, "must be a mapping of names to texts.")
        return
    for name, value in headers.items():
        if not TOKEN.fullmatch(str(name)):
            yield Fault(f"{path}.{name}", "is not the name of a header.")
        if not VALUE.fullmatch(value):
            yield Fault(f"{path}.{name}", NO_VALUE)
        if str(name).lower() == "content-type" and not rendering.is_known_type(value):
            yield Fault(f"{path}.{name}", f"must be {rendering.JSON} or {rendering.FORM}.")


def _response_faults(config: dict[str, Any], path: str) -> Iterable[Fault]:
    response = config.get("response")
    if response is not None and not isinstance(response, dict):
        yield Fault(f"{path}.response", "must be a mapping of ignore and parse.")
        return
    for key, value in (response or {}).items():
        if key not in ("ignore", "parse"):
            yield Fault(f"{path}.response.{key}", f"there is no such key.{did_you_mean(str(key), ('ignore', 'parse'))}")
        elif not isinstance(value, bool):
            yield Fault(f"{path}.response.{key}", "must be true or false.")
    for key in ("can_interrupt", "emit_analytics_event"):
        if key in config and not isinstance(config[key], bool):
            yield Fault(f"{path}.{key}", "must be true or false.")
    if (response or {}).get("ignore") and ((response or {}).get("parse") or config.get("can_interrupt")):
        yield Fault(f"{path}.response.ignore", "cannot stand beside parse or can_interrupt: an answer that is not awaited cannot refuse.")


def _auth_faults(auth: Any, path: str) -> Iterable[Fault]:
    if auth is None:
        return
    given = auth.get("config") if isinstance(auth, dict) else None
    wanted = {"basic_auth": ("user", "password"), "api_key": ("name", "value", "in")}.get(
        auth.get("type", "") if isinstance(auth, dict) else ""
    )
    if wanted is None or not isinstance(given, dict):
        yield Fault(path, "needs a type, basic_auth or api_key, and a config.")
        return
    for key in wanted:
        if not isinstance(given.get(key), str):
            yield Fault(f"{path}.config.{key}", "is required.")
    for key in given.keys() - set(wanted):
        yield Fault(f"{path}.config.{key}", f"there is no such key.{did_you_mean(str(key), wanted)}")
    if auth["type"] == "api_key":
        yield from _key_faults(given, f"{path}.config")


def _key_faults(given: dict[str, Any], path: str) -> Iterable[Fault]:
    if given.get("in") not in ("header", "cookie"):
        yield Fault(f"{path}.in", "must be header or cookie.")
    if not TOKEN.fullmatch(str(given.get("name", "x"))):
        yield Fault(f"{path}.name", f"is not the name of a {given.get('in')}.")
    value = str(given.get("value", ""))
    if not VALUE.fullmatch(value):
        yield Fault(f"{path}.value", NO_VALUE)
    elif given.get("in") == "cookie" and ";" in value:
        yield Fault(f"{path}.value", "may have no semicolon: a cookie ends there.")
