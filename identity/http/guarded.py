"""Connections to others that go only where they may, and wait no longer than they may (contract: actions.md 4.6-4.9).

The address is checked after the name was resolved, on the address that is connected to, so that a name cannot point
elsewhere between the check and the call.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import ipaddress
import math
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests.adapters
import urllib3
import urllib3.connection
import urllib3.exceptions

MAX_TIMEOUT = 30.0  # seconds

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


class _Request(threading.local):
    """When the request of this thread has to be over (time.monotonic)."""

    until = math.inf


_request = _Request()


@contextlib.contextmanager
def over(until: float) -> Iterator[None]:
    """Let what is begun within end *until* then: connections to each of a name's addresses, and all of the answer."""
    _request.until = until
    try:
        yield
    finally:
        _request.until = math.inf


class _Deadline(io.RawIOBase):
    """What comes in by a socket until the request has to be over: a socket's own timeout starts anew with each byte."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._raw, self._until = sock, sock.makefile("rb", buffering=0), until

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(into)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Deadlined:
    """A socket as far as `http.client.HTTPResponse` looks at it."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Deadline(self._sock, self._until))


class _Guarded:
    """A connection that goes only where it may, and waits no longer than it may. Mixed into urllib3's."""

    private_too = True

    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
        """Return the answer that will come, head and body, in what is left of the request's time."""
        return http.client.HTTPResponse(_Deadlined(sock, _request.until), *args, **kwargs)  # type: ignore[arg-type]

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


def _seconds(connection: Any) -> float:
    return connection.timeout if isinstance(connection.timeout, int | float) else MAX_TIMEOUT


def _connect(connection: Any, addresses: list[Any]) -> socket.socket:
    problem: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(0.001, min(_seconds(connection), _request.until - time.monotonic())))
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


class Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, private_too: bool) -> None:
        self._classes = _pools(private_too)
        super().__init__(pool_connections=32, pool_maxsize=32, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._classes


def require_public(host: str) -> None:
    """Raises OSError when *host* resolves to an address that is not public: for protocols other than HTTP."""
    for entry in socket.getaddrinfo(host, None, 0, socket.SOCK_STREAM):
        if not is_allowed(str(entry[4][0]), private_too=False):
            raise OSError("no such host")
