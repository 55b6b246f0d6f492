"""Read what an address in the configuration names: file://, base64://, http(s):// (contract: config.md 1.9)."""

from __future__ import annotations

import base64
import binascii
import time
from pathlib import Path
from urllib.parse import unquote

import requests

LIMIT = 1024 * 1024  # bytes
TIMEOUT = 10.0  # seconds
KEPT = 3600.0  # seconds that a fetched document is used again
ATTEMPTS = 3

_fetched: dict[str, tuple[float, bytes]] = {}


def read(uri: str) -> bytes:
    """Return the document that *uri* names.

    Raises:
        OSError: It cannot be read or fetched.
        ValueError: It is no address of a known kind, or too large. Never tells what base64:// holds.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return _limited(Path(uri).read_bytes())
    if scheme == "file":
        return _limited(Path(unquote(rest)).read_bytes())  # file://./x and file://dir/x are relative to the working directory
    if scheme == "base64":
        try:
            return _limited(base64.b64decode(rest, validate=True))
        except binascii.Error:
            raise ValueError("what follows base64:// is not standard base64") from None
    if scheme in ("http", "https"):
        return _fetch(uri)
    raise ValueError(f"{scheme[:20]}:// is none of file://, base64://, http://, https://")


def _limited(document: bytes) -> bytes:
    if len(document) > LIMIT:
        raise ValueError("the document is larger than 1 MiB")
    return document


def _fetch(uri: str) -> bytes:
    found = _fetched.get(uri)
    if found is not None and time.monotonic() - found[0] < KEPT:
        return found[1]
    for attempt in range(ATTEMPTS):
        try:
            answer = requests.get(uri, timeout=TIMEOUT)
            answer.raise_for_status()
            document = _limited(answer.content)
            _fetched[uri] = (time.monotonic(), document)
            return document
        except requests.RequestException:
            if attempt == ATTEMPTS - 1:
                raise
    raise OSError(uri)
