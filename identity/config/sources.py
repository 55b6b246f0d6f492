"""Read what an address in the configuration names: file://, base64://, http(s):// (contract: config.md 1.9)."""

from __future__ import annotations

import base64
import binascii
import logging
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

LIMIT = 1024 * 1024  # bytes
TIMEOUT = 10.0  # seconds
KEPT = 3600.0  # seconds that a fetched document is used again
ATTEMPTS = 3

log = logging.getLogger("vestibule.config")
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
        return kept(uri, lambda: _fetch(uri), seconds=KEPT)
    raise ValueError(f"{scheme[:20]}:// is none of file://, base64://, http://, https://")


def _limited(document: bytes) -> bytes:
    if len(document) > LIMIT:
        raise ValueError("the document is larger than 1 MiB")
    return document


def kept(uri: str, fetch: Callable[[], bytes], *, seconds: float) -> bytes:
    """Return the document at *uri*: for so long the one that was fetched before, then what *fetch* brings.

    When that fails, the last one that it brought is used on, and the log says so. Raises what *fetch* raises when there is none.
    """
    found = _fetched.get(uri)
    if found is not None and time.monotonic() - found[0] < seconds:
        return found[1]
    try:
        document = fetch()
    except Exception as error:
        if found is None:
            raise
        log.warning("%s: a document could not be fetched again (%s), the last one is used on", urlsplit(uri).hostname, type(error).__name__)
        document = found[1]
    _fetched[uri] = (time.monotonic(), document)
    return document


def _fetch(uri: str) -> bytes:
    for attempt in range(ATTEMPTS):
        try:
            answer = requests.get(uri, timeout=TIMEOUT)
            answer.raise_for_status()
            return _limited(answer.content)
        except requests.RequestException:
            if attempt == ATTEMPTS - 1:
                raise
    raise OSError(uri)
