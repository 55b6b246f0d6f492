"""Read what was sent (contract: flows.md 1.6)."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from identity.errors import BadRequest

LIMIT = 5 * 1024 * 1024  # bytes
NESTING = 100  # levels of a body that is kept
SURROGATE = re.compile("[\ud800-\udfff]")
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


def content_type(request: HttpRequest) -> str:
    """Return the body's type in lower case, without parameters."""
    return request.META.get("CONTENT_TYPE", "").split(";", 1)[0].strip().lower()


def read(request: HttpRequest) -> bytes:
    """Return the body. Raises BadRequest when it is too large or breaks off."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LIMIT:
            raise BadRequest("The body is too large.")
        return request.body
    except (SuspiciousOperation, UnreadablePostError, ValueError) as error:
        raise BadRequest("The body could not be read.") from error


def parse_json(raw: bytes) -> Any:
    """Return the first JSON value in *raw*; what follows it is ignored, the last of two equal keys counts. Raises BadRequest."""
    text = raw.decode("utf-8", "replace").lstrip(" \t\r\n")
    try:
        value, _ = json.JSONDecoder(parse_constant=_refuse).raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error
    return value


def _refuse(name: str) -> Any:
    raise ValueError(name)


def storable(value: Any, depth: int = 0) -> Any:
    """Return a parsed JSON value as every database can hold it and every answer can show it.

    Half a surrogate pair becomes U+FFFD, an integer beyond 64 bits a float, as upstream does with both.

    Raises:
        BadRequest: It holds the NUL character or a number out of range, or is nested too deeply.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | None):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else storable(_float(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadRequest("A number is out of range.")
        return value
    if depth > NESTING:
        raise BadRequest(f"The body is nested more than {NESTING} levels deep.")
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in value]
    return {_text(name): storable(item, depth + 1) for name, item in value.items()}


def _text(value: str) -> str:
    if value.isascii() and "\x00" not in value:
        return value
    if "\x00" in value:
        raise BadRequest("Text cannot hold the NUL character.")
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace") if SURROGATE.search(value) else value


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def json_object(request: HttpRequest) -> dict[str, Any]:
    """Return the body as a JSON object, whatever its declared type. Raises BadRequest."""
    value = parse_json(read(request))
    if not isinstance(value, dict):
        raise BadRequest("The body is not a JSON object.")
    return value


def form(request: HttpRequest) -> QueryDict:
    """Return the fields of a form, in either encoding. Raises BadRequest."""
    try:
        if content_type(request) == MULTIPART:
            read(request)
            return request.POST
        text = read(request).decode("utf-8", "replace")
        if _has_broken_escape(text):
            raise BadRequest("The form has a broken % escape.")
        return QueryDict(text)
    except (SuspiciousOperation, MultiPartParserError, UnicodeError) as error:
        raise BadRequest("The form could not be read.") from error


def _has_broken_escape(text: str) -> bool:
    hexadecimal = set("0123456789abcdefABCDEF")
    return any(len(piece) < 2 or not set(piece[:2]) <= hexadecimal for piece in text.split("%")[1:])


def form_field(request: HttpRequest, name: str) -> str | None:
    """Return one field of a form body, or None: for checks that come before anybody knows what the body should be."""
    if content_type(request) not in (FORM, MULTIPART):
        return None
    try:
        return form(request).get(name)
    except BadRequest:
        return None
