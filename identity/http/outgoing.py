"""Every request that this server sends to others by HTTP: webhooks, breach look-ups, mail services (contract: actions.md 4.6-4.9).

The address is checked after the name was resolved, on the address that is connected to, so that a name cannot point
elsewhere between the check and the call. Redirects are followed by hand, each hop checked anew.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import requests.adapters
import urllib3
import urllib3.connection
import urllib3.exceptions

from identity import config
from identity.config import Config

MAX_REDIRECTS = 10
MAX_BODY = 5 * 1024 * 1024  # bytes of an answer that are read
MAX_TIMEOUT = 30.0  # seconds
CHUNK = 65536
SURVIVES_A_NEW_HOST = re.compile(r"(?i)^(accept|content-type|user-agent|webhook-.*|ory-webhook-.*)$")

NEVER = tuple(
    ipaddress.ip_network(net)
    for net in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7")
)
GLOBAL_V6 = ipaddress.ip_network("2000::/3")


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


def is_allowed(address: str, *, private_too: bool) -> bool:
    """Whether a request may go to this network address."""
    found = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if any(found.version == net.version and found in net for net in PRIVATE):
        return private_too
    if found.version == 6:
        return found in GLOBAL_V6
    return not any(net.version == 4 and found in net for net in NEVER)


class _Guarded:
    """A connection that goes only where it may. Mixed into urllib3's."""

    private_too = True

    def _new_conn(self) -> socket.socket:
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]
        try:
            found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise urllib3.exceptions.NewConnectionError(self, "no such host") from error  # type: ignore[arg-type]
        allowed = [entry for entry in found if is_allowed(str(entry[4][0]), private_too=self.private_too)]
        if not allowed:
            raise urllib3.exceptions.NewConnectionError(self, "no such host")  # type: ignore[arg-type]
        return _connect(self, allowed)


def _connect(connection: Any, addresses: list[Any]) -> socket.socket:
    problem: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(connection.timeout if isinstance(connection.timeout, int | float) else MAX_TIMEOUT)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            problem = error
    if isinstance(problem, TimeoutError):
        raise urllib3.exceptions.ConnectTimeoutError(connection, "the connection timed out") from problem
    raise urllib3.exceptions.NewConnectionError(connection, f"no connection: {problem}") from problem


def _pools(private_too: bool) -> dict[str, Any]:
    guard = type("Guard", (_Guarded,), {"private_too": private_too})
    plain = type("Plain", (guard, urllib3.connection.HTTPConnection), {})
    secure = type("Secure", (guard, urllib3.connection.HTTPSConnection), {})
    return {
        "http": type("PlainPool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, private_too: bool) -> None:
        self._classes = _pools(private_too)
        super().__init__(pool_connections=32, pool_maxsize=32, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._classes


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
    adapter = _Adapter(private_too)
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
    timeout: float = MAX_TIMEOUT,
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


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _once(method: str, url: str, headers: dict[str, str], body: bytes | None, until: float) -> tuple[Answer, str | None]:
    """Return the answer, and where it redirects to."""
    if not _is_http(url):
        raise OutgoingError("only http:// and https:// addresses can be called", is_final=True)
    left = max(0.001, until - time.monotonic())
    session = _sessions(os.getpid(), _private_too(url))
    try:
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
        received, is_cut = (b"", False) if target else _read(response, until)
        return Answer(response.status_code, dict(response.headers), received, is_cut), target


def _reason(error: Exception) -> str:
    """Say no more than a client without our network could see."""
    return "no such host" if "no such host" in str(error) else "no connection"


def _read(response: requests.Response, until: float) -> tuple[bytes, bool]:
    received = bytearray()
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=True):  # what has come: an answer that drips is not waited for
            received += chunk
            if len(received) > MAX_BODY:
                return bytes(received[:MAX_BODY]), True
            if time.monotonic() > until:
                raise OutgoingError("the answer stalled", is_final=True)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise OutgoingError("the answer broke off", is_final=True) from error
    return bytes(received), False


def require_public(host: str) -> None:
    """Raises OSError when *host* resolves to an address that is not public: for protocols other than HTTP."""
    for entry in socket.getaddrinfo(host, None, 0, socket.SOCK_STREAM):
        if not is_allowed(str(entry[4][0]), private_too=False):
            raise OSError("no such host")
