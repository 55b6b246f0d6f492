"""Every request that this server sends to others by HTTP: webhooks, breach look-ups, mail services (contract: actions.md 4.6-4.9).

Redirects are followed by hand, each hop checked anew: where a connection may go, guarded.py knows.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
import urllib3.exceptions

from identity import config
from identity.config import Config
from identity.http import guarded

MAX_REDIRECTS = 10
MAX_BODY = 5 * 1024 * 1024  # bytes of an answer that are read
CHUNK = 65536
SURVIVES_A_NEW_HOST = re.compile(r"(?i)^(accept|content-type|user-agent|webhook-.*|ory-webhook-.*)$")


class OutgoingError(Exception):
    """The other side gave no usable answer. `is_final`: asking again would not help."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


class OutgoingTimeout(OutgoingError):
    """No answer began in time."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool = False  # there was more than MAX_BODY


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Tell the library of no redirect: it would read the whole body of one, only to say where it leads."""
        return None


def _session(private_too: bool) -> requests.Session:
    session = _Session()
    session.trust_env = False  # no netrc; a proxy would look the names up in our place
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = next(
        (path for path in (os.environ.get("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt") if path and os.path.exists(path)), True
    )
    adapter = guarded.Adapter(private_too)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


@lru_cache(maxsize=2)
def _sessions(process: int, private_too: bool) -> requests.Session:
    """One pool of connections per process: sockets are not shared over a fork."""
    return _session(private_too)


@config.per_config
def _forbids_private(c: Config) -> bool:
    return bool(c.get("clients.http.disallow_private_ip_ranges"))


@config.per_config
def _exceptions(c: Config) -> tuple[re.Pattern[str], ...]:
    return tuple(_glob(entry) for entry in c.get("clients.http.private_ip_exception_urls") or ())


def _glob(entry: str) -> re.Pattern[str]:
    """Read `*` as anything up to the next "." or "/", `**` as anything."""
    pieces = re.split(r"(\*\*|\*|\?)", _bare(entry))
    words = {"**": ".*", "*": "[^./]*", "?": "[^./]"}
    return re.compile("".join(words.get(piece) or re.escape(piece) for piece in pieces))


def _bare(url: str) -> str:
    return url.split("#", 1)[0].split("?", 1)[0]


def _private_too(url: str) -> bool:
    return not _forbids_private() or any(pattern.fullmatch(_bare(url)) for pattern in _exceptions())


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = guarded.MAX_TIMEOUT,
) -> Answer:
    """Send one request, follow its redirects, and return the last answer. *timeout*: seconds for all of it.

    Raises:
        OutgoingTimeout: No answer began in time.
        OutgoingError: No connection, a forbidden address, TLS that cannot be trusted, too many redirects, an answer that stalls.
    """
    until = time.monotonic() + timeout
    sent = dict(headers or {})
    sent.setdefault("User-Agent", "Vestibule")
    for _ in range(MAX_REDIRECTS + 1):
        answer, target = _once(method, url, sent, body, until)
        if target is None:
            return answer
        goes_to = _joined(url, target)
        if answer.status in (301, 302, 303) and method not in ("GET", "HEAD"):
            method, body = "GET", None
            sent = {name: value for name, value in sent.items() if name.lower() != "content-type"}
        if urlsplit(goes_to).netloc != urlsplit(url).netloc:
            sent = {name: value for name, value in sent.items() if SURVIVES_A_NEW_HOST.match(name)}
        url = goes_to
    raise OutgoingError("too many redirects", is_final=True)


def _joined(url: str, target: str) -> str:
    try:
        goes_to = urljoin(url, target)
        urlsplit(goes_to)
        return goes_to
    except ValueError as error:
        raise OutgoingError("the redirect leads to no address", is_final=True) from error


def is_address(url: str) -> bool:
    """Whether a request can be sent there: an absolute http:// or https:// address, with a host and a port that there may be."""
    try:
        parts = urlsplit(url)
        requests.Request("GET", url).prepare()
        (parts.hostname or "").encode("idna")
    except ValueError:  # what the library says of addresses is one, too
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)


def _once(method: str, url: str, headers: dict[str, str], body: bytes | None, until: float) -> tuple[Answer, str | None]:
    """Return the answer, and where it redirects to."""
    if not is_address(url):
        raise OutgoingError("only http:// and https:// addresses can be called", is_final=True)
    left = max(0.001, until - time.monotonic())
    session = _sessions(os.getpid(), _private_too(url))
    try:
        with guarded.over(until):
            response = session.request(
                method, url, headers=headers, data=body, timeout=(min(left, 10.0), left), allow_redirects=False, stream=True
            )
    except requests.exceptions.SSLError as error:
        raise OutgoingError("the certificate cannot be trusted", is_final=True) from error
    except requests.exceptions.Timeout as error:
        raise OutgoingTimeout("no answer in time") from error
    except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError) as error:
        raise OutgoingError(f"the request cannot be sent: {error}", is_final=True) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise OutgoingError(_reason(error)) from error
    with contextlib.closing(response):
        is_redirect = response.status_code in (301, 302, 303, 307, 308)
        target = response.headers.get("Location") if is_redirect else None
        received, is_cut = (b"", False) if target else _read(response)
        return Answer(response.status_code, dict(response.headers), received, is_cut), target


def _reason(error: Exception) -> str:
    """Say no more than a client without our network could see."""
    return "no such host" if "no such host" in str(error) else "no connection"


def _read(response: requests.Response) -> tuple[bytes, bool]:
    received = bytearray()
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            received += chunk
            if len(received) > MAX_BODY:
                return bytes(received[:MAX_BODY]), True
    except (urllib3.exceptions.ReadTimeoutError, TimeoutError) as error:
        raise OutgoingError("the answer stalled", is_final=True) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise OutgoingError("the answer broke off", is_final=True) from error
    return bytes(received), False
