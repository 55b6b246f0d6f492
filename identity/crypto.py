"""Keyed hashes and authenticated encryption with the configured secrets. The first secret writes, all of them read.

Keys are derived per purpose (HKDF, RFC 5869), so that no secret is used for two things. Encryption is AES-256-GCM
(NIST SP 800-38D) with a random nonce of 12 bytes in front.
"""

import base64
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from identity import conf, config
from identity.config import Config

NONCE = 12  # bytes


def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"vestibule {purpose}".encode()).derive(secret.encode())


@config.per_config
def _hash_keys(_: Config) -> tuple[bytes, ...]:
    return tuple(_derive(secret, "hash") for secret in conf.secrets().cookie)


@config.per_config
def _cookie_ciphers(_: Config) -> tuple[AESGCM, ...]:
    return tuple(AESGCM(_derive(secret, "cookie")) for secret in conf.secrets().cookie)


@config.per_config
def _row_ciphers(_: Config) -> tuple[AESGCM, ...]:
    return tuple(AESGCM(_derive(secret, "row")) for secret in conf.secrets().cipher)


@config.per_config
def _page_ciphers(c: Config) -> tuple[AESGCM, ...]:
    return tuple(AESGCM(_derive(secret, "page")) for secret in tuple(c.get("secrets.pagination") or ()) or conf.secrets().cookie)


@config.per_config
def _state_ciphers(_: Config) -> tuple[AESGCM, ...]:
    return tuple(AESGCM(_derive(secret, "state")) for secret in conf.secrets().cookie)


def keyed_hash(value: str) -> str:
    """Return 64 hex digits that only holders of the secret can compute: how tokens and codes rest in the database."""
    return hmac.digest(_hash_keys()[0], value.encode(), "sha256").hex()


def keyed_hashes(value: str) -> list[str]:
    """Return the hash under each secret, for looking up what an older one wrote."""
    return [hmac.digest(key, value.encode(), "sha256").hex() for key in _hash_keys()]


def _seal(cipher: AESGCM, plain: bytes) -> str:
    nonce = os.urandom(NONCE)
    return base64.urlsafe_b64encode(nonce + cipher.encrypt(nonce, plain, None)).decode().rstrip("=")


def _open(ciphers: tuple[AESGCM, ...], sealed: str) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except ValueError:
        return None
    if len(raw) < NONCE + 16:
        return None
    for cipher in ciphers:
        try:
            return cipher.decrypt(raw[:NONCE], raw[NONCE:], None)
        except InvalidTag:
            continue
    return None


def seal_cookie(plain: bytes) -> str:
    return _seal(_cookie_ciphers()[0], plain)


def open_cookie(sealed: str) -> bytes | None:
    """Return what `seal_cookie` was given, or None for what it did not make: cookies of others, altered ones, garbage."""
    return _open(_cookie_ciphers(), sealed)


def seal_state(plain: bytes) -> str:
    return _seal(_state_ciphers()[0], plain)


def open_state(sealed: str) -> bytes | None:
    """Return what `seal_state` was given: what a browser carries to another site and back, and nobody can read or make up."""
    return _open(_state_ciphers(), sealed)


def seal_page(plain: bytes) -> str:
    return _seal(_page_ciphers()[0], plain)


def open_page(sealed: str) -> bytes | None:
    """Return what `seal_page` was given: a place in a list that its reader should not be able to make up."""
    return _open(_page_ciphers(), sealed)


def encrypt(text: str) -> str:
    """Return *text* as it may rest in a row; empty stays empty."""
    return _seal(_row_ciphers()[0], text.encode()) if text else ""


def decrypt(sealed: str) -> str | None:
    """Return the text, or None when no cipher secret opens it any more."""
    if not sealed:
        return ""
    plain = _open(_row_ciphers(), sealed)
    return None if plain is None else plain.decode()
