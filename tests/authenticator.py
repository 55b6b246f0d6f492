"""A security key with its browser, in software (W3C Web Authentication Level 2, sections 5.8, 6.1, 6.5). It can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Lie:
    """What an answer says instead of the truth."""

    origin: str = ""
    rp_id: str = ""
    challenge: bytes = b""
    ceremony: str = ""
    flags: int = PRESENT | VERIFIED
    counter: int | None = None
    handle: bytes | None = None
    key_id: bytes = b""
    raw_id: bytes = b""
    signature: bytes = b""
    algorithm: int = 0
    hash: HashAlgorithm | None = None  # with which it signs
    format: str = "none"
    more: dict[str, Any] = field(default_factory=dict)  # in the client's data
    cut: int = 0  # bytes of the authenticator's data that are left out, at its end


TRUTH = Lie()


@dataclass
class Made:
    rp_id: str
    handle: bytes
    curve: ec.EllipticCurve = field(default_factory=ec.SECP256R1)
    id: bytes = field(default_factory=lambda: os.urandom(32))
    counter: int = 0

    def __post_init__(self) -> None:
        self.private = ec.generate_private_key(self.curve)

    def public(self, algorithm: int) -> bytes:
        numbers, size = self.private.public_key().public_numbers(), (self.curve.key_size + 7) // 8
        curve, usual = (1, -7) if size == 32 else (2, -35)
        key = {1: 2, 3: algorithm or usual, -1: curve, -2: numbers.x.to_bytes(size, "big"), -3: numbers.y.to_bytes(size, "big")}
        return cbor2.dumps(key)

    def sign(self, message: bytes, hash: HashAlgorithm | None = None) -> bytes:
        return self.private.sign(message, ec.ECDSA(hash or (SHA256() if self.curve.key_size == 256 else SHA384())))


class Authenticator:
    def __init__(self, origin: str, *, counts: bool = True, curve: ec.EllipticCurve | None = None) -> None:
        self.origin, self.counts, self.curve = origin, counts, curve or ec.SECP256R1()
        self.keys: list[Made] = []

    def create(self, options: str | dict[str, Any], lie: Lie = TRUTH) -> str:
        """Answer creation options, as the page writes it into its form."""
        asked = _asked(options)
        key = Made(asked["rp"]["id"], raw(asked["user"]["id"]), self.curve)
        self.keys.append(key)
        client = self._client("webauthn.create", asked, lie)
        statement = {"fmt": lie.format, "attStmt": {}, "authData": self._data(key, lie, attested=True)}
        return _answer(key, lie, {"attestationObject": text(cbor2.dumps(statement)), "clientDataJSON": text(client)})

    def get(self, options: str | dict[str, Any], lie: Lie = TRUTH, key: Made | None = None) -> str:
        """Answer request options."""
        asked = _asked(options)
        key = key or self.keys[-1]
        if self.counts:
            key.counter += 1
        client, data = self._client("webauthn.get", asked, lie), self._data(key, lie, attested=False)
        signature = lie.signature or key.sign(data + hashlib.sha256(client).digest(), lie.hash)
        response = {"authenticatorData": text(data), "clientDataJSON": text(client), "signature": text(signature)}
        return _answer(key, lie, {**response, "userHandle": text(key.handle if lie.handle is None else lie.handle)})

    def _client(self, ceremony: str, asked: dict[str, Any], lie: Lie) -> bytes:
        said = {
            "type": lie.ceremony or ceremony,
            "challenge": text(lie.challenge) if lie.challenge else asked["challenge"],
            "origin": lie.origin or self.origin,
            "crossOrigin": False,
            **lie.more,
        }
        return json.dumps(said).encode()

    def _data(self, key: Made, lie: Lie, *, attested: bool) -> bytes:
        counter = key.counter if lie.counter is None else lie.counter
        flags = lie.flags | (ATTESTED if attested else 0)
        data = hashlib.sha256((lie.rp_id or key.rp_id).encode()).digest() + struct.pack(">BI", flags, counter)
        if attested:
            data += bytes(16) + struct.pack(">H", len(key.id)) + key.id + key.public(lie.algorithm)
        return data[: len(data) - lie.cut]


def _answer(key: Made, lie: Lie, response: dict[str, str]) -> str:
    shown = text(lie.key_id or key.id)
    return json.dumps({"id": shown, "rawId": text(lie.raw_id) if lie.raw_id else shown, "type": "public-key", "response": response})


def _asked(options: str | dict[str, Any]) -> dict[str, Any]:
    held = json.loads(options) if isinstance(options, str) else options
    asked: dict[str, Any] = held.get("credentialOptions", held)["publicKey"]
    return asked
