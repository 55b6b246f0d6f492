"""Requests to providers. All of them go through identity/http/outgoing.py, which decides where a request may go."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from authlib.oauth1 import ClientAuth as Signature
from authlib.oauth1.client import OAuth1Client
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client

from identity.errors import BadRequest, UpstreamError
from identity.http import outgoing

TIMEOUT = 10.0  # seconds
KEPT = 3600.0  # seconds that metadata and keys are used again
NOT_AGAIN = 30.0  # seconds between two looks for a key that is not known
LARGEST = 512 * 1024  # bytes of a document that are read: a mapper could not take more


class ProviderSilent(BadRequest):
    """The provider cannot be reached, or does not answer as a provider does."""

    title = "The other site does not answer."


class Answered:
    """An answer as Authlib reads one."""

    def __init__(self, answer: outgoing.Answer) -> None:
        self.status_code, self._body = answer.status, answer.body

    @property
    def text(self) -> str:
        return self._body.decode(errors="replace")

    def json(self) -> Any:
        if len(self._body) > LARGEST:
            raise UpstreamError("The provider's answer is too long.")
        try:
            return orjson.loads(self._body)
        except orjson.JSONDecodeError as error:
            raise UpstreamError("The provider's answer is not JSON.") from error

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise UpstreamError(f"The provider answered with status {self.status_code}.")


class _Session:
    """What Authlib's clients send their requests with."""

    def post(
        self, url: str, *, auth: ClientAuth | Signature, data: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answered:
        url, sent, body = auth.prepare("POST", url, dict(headers or {}), urlencode(data or {}))
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return Answered(call("POST", url, headers=sent, body=body if isinstance(body, bytes) else body.encode()))


def client(client_id: str, client_secret: str, **more: Any) -> OAuth2Client:
    return OAuth2Client(_Session(), client_id, client_secret, code_challenge_method="S256", **more)


def signing_client(client_id: str, client_secret: str, **more: Any) -> OAuth1Client:
    """Return a client of OAuth 1.0a, which signs each request (RFC 5849 section 3.4)."""
    return OAuth1Client(_Session(), client_id, client_secret, **more)


def call(method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> outgoing.Answer:
    """Raises ProviderSilent."""
    try:
        return outgoing.request(method, url, headers=headers, body=body, timeout=TIMEOUT)
    except outgoing.OutgoingError as error:
        raise ProviderSilent(f"The other site does not answer: {error}. Please try again, or sign in another way.") from error


def get_json(url: str, token: str = "", **headers: str) -> Any:
    """Return what a GET answers. Raises ProviderSilent, UpstreamError."""
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    answer = call("GET", url, headers={"Accept": "application/json", **bearer, **headers})
    if answer.status != 200:
        raise UpstreamError(f"The provider answered with status {answer.status}.")
    return Answered(answer).json()


def get_object(url: str, token: str = "", **headers: str) -> dict[str, Any]:
    """As `get_json`, of what answers with an object. Raises UpstreamError also for anything else."""
    return _object(get_json(url, token, **headers))


def post_object(url: str, body: bytes, **headers: str) -> dict[str, Any]:
    """Return the object that a POST answers. Raises ProviderSilent, UpstreamError."""
    answer = call("POST", url, headers={"Accept": "application/json", **headers}, body=body)
    if answer.status != 200:
        raise UpstreamError(f"The provider answered with status {answer.status}.")
    return _object(Answered(answer).json())


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise UpstreamError("The provider's answer is not a JSON object.")
    return found


class _Kept:
    """Documents that providers publish, per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, Any]] = {}

    def get(self, url: str, *, younger_than: float = KEPT) -> Any:
        now = time.monotonic()
        with self._lock:
            fetched_at, document = self._held.get(url, (0.0, None))
        if document is not None and now - fetched_at < younger_than:
            return document
        try:
            document = get_json(url)
        except UpstreamError as error:
            raise ProviderSilent("The other site does not say how to sign in there. Please try again later.") from error
        if not isinstance(document, dict):
            raise ProviderSilent("The other site does not say how to sign in there. Please try again later.")
        with self._lock:
            self._held[url] = (now, document)
        return document

    def clear(self) -> None:
        with self._lock:
            self._held.clear()


published = _Kept()
