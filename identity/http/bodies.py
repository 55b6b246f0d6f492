"""Read what was sent (contract: flows.md 1.6)."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from identity.errors import BadRequest

LIMIT = 5 * 1024 * 1024  # bytes
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


def content_type(request: HttpRequest) -> str:
    """Return the body's type in lower case, without parameters."""
    return str(request.META.get("CONTENT_TYPE", "")).split(";", 1)[0].strip().lower()


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
