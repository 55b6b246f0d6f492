"""Requests to others: never to where they may not go, never for longer than they may take."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from identity import config
from identity.http import guarded, outgoing
from tests.certificates import Pair, make_pair
from tests.receiver import Receiver, Says
from tests.services import free_port

NOT_PRIVATE = {"clients": {"http": {"disallow_private_ip_ranges": True}}}


def test_it_sends_and_returns_the_answer(hooks: Receiver) -> None:
    hooks.on("/x", Says(201, {"ok": True}, {"X-Other": "1"}))

    answer = outgoing.request("PUT", hooks.url + "/x", headers={"X-Own": "2"}, body=b"hello")

    assert (answer.status, answer.body, answer.headers["X-Other"]) == (201, b'{"ok": true}', "1")
    assert (hooks.log[0].method, hooks.log[0].raw, hooks.log[0].headers["x-own"]) == ("PUT", b"hello", "2")


@pytest.mark.parametrize(
    ("address", "always", "private"),
    [
        ("8.8.8.8", True, True),
        ("2606:4700::1", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("169.254.169.254", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("0.0.0.0", False, False),
        ("100.64.0.1", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, False),
        ("192.0.2.1", False, False),
        ("fe80::1", False, False),
        ("64:ff9b::1", False, False),
        ("::ffff:0.0.0.0", False, False),
    ],
)
def test_it_knows_where_a_request_may_go(address: str, always: bool, private: bool) -> None:
    assert guarded.is_allowed(address, private_too=False) is always
    assert guarded.is_allowed(address, private_too=True) is private


def test_it_goes_nowhere_private_when_that_is_switched_off(hooks: Receiver) -> None:
    with config.override(NOT_PRIVATE), pytest.raises(outgoing.OutgoingError, match="no such host"):
        outgoing.request("GET", hooks.url)
    assert hooks.log == []


def test_it_checks_the_address_that_a_name_has_when_it_connects(hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that points to the inside is refused, whatever it pointed to before."""
    port = int(hooks.url.rsplit(":", 1)[1])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))])
    with config.override(NOT_PRIVATE), pytest.raises(outgoing.OutgoingError):
        outgoing.request("GET", f"http://rebound.example:{port}/")
    assert hooks.log == []


def test_it_checks_each_hop_of_a_redirect(hooks: Receiver) -> None:
    hooks.on("/go", Says(302, headers={"Location": "/inside"}))
    exempt = {"clients": {"http": {"disallow_private_ip_ranges": True, "private_ip_exception_urls": [hooks.url + "/go"]}}}

    with config.override(exempt), pytest.raises(outgoing.OutgoingError):
        outgoing.request("GET", hooks.url + "/go")

    assert hooks.paths() == ["/go"]


@pytest.mark.parametrize(
    ("entry", "url", "fits"),
    [
        ("http://10.0.0.1:8080/ok*", "http://10.0.0.1:8080/ok-go?x=1#y", True),
        ("http://10.0.0.1:8080/ok*", "http://10.0.0.1:8080/ok/deeper", False),
        ("http://*.internal/**", "http://a.internal/x/y", True),
        ("http://*.internal/**", "http://a.b.internal/x", False),
        ("http://10.0.0.1/x", "http://10.0.0.1/X", False),
    ],
)
def test_it_reads_exceptions_as_globs(entry: str, url: str, fits: bool) -> None:
    with config.override({"clients": {"http": {"disallow_private_ip_ranges": True, "private_ip_exception_urls": [entry]}}}):
        assert outgoing._private_too(url) is fits


@pytest.mark.parametrize(("status", "method", "body"), [(301, "GET", b""), (303, "GET", b""), (307, "POST", b"x"), (308, "POST", b"x")])
def test_it_follows_redirects_as_clients_do(hooks: Receiver, status: int, method: str, body: bytes) -> None:
    hooks.on("/a", Says(status, headers={"Location": "/b"}))

    outgoing.request("POST", hooks.url + "/a", body=b"x")

    assert (hooks.log[1].path, hooks.log[1].method, hooks.log[1].raw) == ("/b", method, body)


def test_it_keeps_secrets_from_another_host(hooks: Receiver) -> None:
    with Receiver() as other:
        hooks.on("/a", Says(307, headers={"Location": other.url + "/b"}))
        headers = {"Authorization": "Basic x", "Cookie": "a=b", "X-Api-Key": "secret", "Content-Type": "application/json"}

        outgoing.request("POST", hooks.url + "/a", headers=headers, body=b"{}")

        seen = other.log[0].headers
        assert not {"authorization", "cookie", "x-api-key"} & seen.keys()
        assert seen["content-type"] == "application/json"


def test_a_redirect_to_no_address_at_all_is_an_error_as_any_other(hooks: Receiver) -> None:
    hooks.on("/hop", Says(302, headers={"Location": "http://[::1"}))

    with pytest.raises(outgoing.OutgoingError, match="leads to no address"):
        outgoing.request("GET", hooks.url + "/hop")


def test_it_stops_after_ten_redirects(hooks: Receiver) -> None:
    hooks.on("/a", Says(302, headers={"Location": "/a"}))
    with pytest.raises(outgoing.OutgoingError, match="too many redirects"):
        outgoing.request("GET", hooks.url + "/a")
    assert len(hooks.log) == 11


def test_it_does_not_wait_for_longer_than_it_may(hooks: Receiver) -> None:
    hooks.on("/slow", Says(hangs=5))
    began = time.monotonic()
    with pytest.raises(outgoing.OutgoingTimeout):
        outgoing.request("GET", hooks.url + "/slow", timeout=0.5)
    assert time.monotonic() - began < 3


def test_it_says_when_nobody_listens() -> None:
    with pytest.raises(outgoing.OutgoingError, match="no connection"):
        outgoing.request("GET", f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize("url", ["ftp://example.org/", "file:///etc/passwd", "gopher://x", "http://[::1", "http:///x"])
def test_it_calls_http_only(url: str) -> None:
    with pytest.raises(outgoing.OutgoingError):
        outgoing.request("GET", url)


def test_it_reads_no_more_than_it_may(hooks: Receiver) -> None:
    hooks.on("/big", Says(200, b"x" * (outgoing.MAX_BODY + 1000)))
    answer = outgoing.request("GET", hooks.url + "/big")
    assert (len(answer.body), answer.is_cut) == (outgoing.MAX_BODY, True)


def test_it_keeps_no_cookies(hooks: Receiver) -> None:
    hooks.on("/a", Says(200, headers={"Set-Cookie": "a=b"}))
    for _ in range(2):
        outgoing.request("GET", hooks.url + "/a")
    assert all("cookie" not in got.headers for got in hooks.log)


class Odd:
    """A server that sends *head*, and then pieces of a body until nobody listens any more."""

    def __init__(self, head: str, piece: bytes, every: float, pair: Pair | None = None) -> None:
        self.head, self.piece, self.every, self.pair = head, piece, every, pair
        self.sent = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if pair else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._over = threading.Event()

    def __enter__(self) -> Odd:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._socket.accept()
            if self.pair:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                context.load_cert_chain(self.pair.cert_path, self.pair.key_path)
                client = context.wrap_socket(client, server_side=True)
            with client:
                client.recv(65536)
                client.sendall(self.head.encode())
                while not self._over.wait(self.every):
                    client.sendall(self.piece)
                    self.sent += len(self.piece)


def test_the_body_of_a_redirect_is_not_read() -> None:
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with (
        Receiver() as hooks,
        Odd(f"HTTP/1.1 302 Found\r\nLocation: {hooks.url}/there\r\nTransfer-Encoding: chunked\r\n\r\n", piece, 0) as odd,
    ):
        answer = outgoing.request("GET", odd.url)

    assert answer.status == 200
    assert odd.sent < outgoing.MAX_BODY


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("head", ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_head_that_drips_is_not_waited_for(head: str, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = make_pair(tmp_path, "somebody") if scheme == "https" else None
    monkeypatch.setattr(outgoing._sessions(os.getpid(), True), "verify", False)
    with Odd(head, b"X-More: headers\r\n" if head else b"H", 0.05, pair) as odd:
        began = time.monotonic()
        with pytest.raises(outgoing.OutgoingError):
            outgoing.request("GET", odd.url, timeout=0.5)

    assert time.monotonic() - began < 5


def test_a_kept_connection_has_its_time_anew_for_each_request(hooks: Receiver) -> None:
    hooks.on("/slow", Says(hangs=0.3))

    assert [outgoing.request("GET", hooks.url + "/slow", timeout=0.5).status for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("encoding", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_an_answer_that_drips_is_not_waited_for(encoding: str) -> None:
    piece = b"x" if encoding.startswith("Content") else b"1\r\nx\r\n"
    with Odd(f"HTTP/1.1 200 OK\r\n{encoding}\r\n\r\n", piece, 0.05) as odd:
        began = time.monotonic()
        with pytest.raises(outgoing.OutgoingError, match="stalled"):
            outgoing.request("GET", odd.url, timeout=0.5)

    assert time.monotonic() - began < 5
