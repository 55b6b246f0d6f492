"""Hashes that other systems made: recognised and checked, never made (contract: identities.md 4.2).

Each family says which texts are its own, with bounds on what a check may cost, and whether a password is the one. After
the first sign-in such a hash is replaced by one of ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from typing import ClassVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from passlib.crypto.digest import lookup_hash
from passlib.hash import md5_crypt, sha256_crypt, sha512_crypt

MAX_ROUNDS = 10_000_000  # of PBKDF2
MAX_CRYPT_ROUNDS = 500_000  # of sha256-crypt and sha512-crypt
MAX_SCRYPT_N, MAX_SCRYPT_R, MAX_SCRYPT_P = 2**17, 8, 10
SCRYPT_MEMORY = 256 * 1024 * 1024  # bytes; N = 2^17 with r = 8 needs half of it


class Family(ABC):
    """One kind of hash. `parse` returns what `verify` needs."""

    shape: ClassVar[re.Pattern[str]]

    def is_ours(self, stored: str) -> bool:
        """Whether *stored* is of this family, well-formed, and not too expensive to check."""
        found = self.shape.fullmatch(stored)
        try:
            return found is not None and self.is_affordable(found)
        except (ValueError, binascii.Error):
            return False

    def is_affordable(self, found: re.Match[str]) -> bool:
        return True

    @abstractmethod
    def verify(self, found: re.Match[str], password: bytes) -> bool: ...


def _padded(text: str) -> bytes:
    """Decode base64 with or without padding. Raises binascii.Error."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


class Crypt(Family):
    """crypt(3): MD5, SHA-256, SHA-512, under the names that imports use."""

    shape = re.compile(r"\$(md5|sha256|sha512)-crypt\$(.+)")
    HASHES: ClassVar = {"md5": ("$1$", md5_crypt), "sha256": ("$5$", sha256_crypt), "sha512": ("$6$", sha512_crypt)}

    def is_affordable(self, found: re.Match[str]) -> bool:
        prefix, hasher = self.HASHES[found[1]]
        rounds = re.match(r"rounds=(\d+)\$", found[2])
        return bool(hasher.identify(prefix + found[2])) and (rounds is None or int(rounds[1]) <= MAX_CRYPT_ROUNDS)

    def verify(self, found: re.Match[str], password: bytes) -> bool:
        prefix, hasher = self.HASHES[found[1]]
        return b"\0" not in password and bool(hasher.verify(password, prefix + found[2]))


class PBKDF2(Family):
    """PBKDF2-HMAC. The names sha224 and sha384 mean SHA-3, as they always did there; others that are unknown mean SHA-256."""

    shape = re.compile(r"\$pbkdf2-sha(\d{1,3})\$i=(\d{1,8}),l=(\d{1,4})\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]+)")
    DIGESTS: ClassVar = {"1": "sha1", "224": "sha3_224", "256": "sha256", "384": "sha3_384", "512": "sha512"}

    def is_affordable(self, found: re.Match[str]) -> bool:
        return 1 <= int(found[2]) <= MAX_ROUNDS and 0 < len(_padded(found[5])) <= 1024

    def verify(self, found: re.Match[str], password: bytes) -> bool:
        key = _padded(found[5])
        made = hashlib.pbkdf2_hmac(self.DIGESTS.get(found[1], "sha256"), password, _padded(found[4]), int(found[2]), len(key))
        return hmac.compare_digest(made, key)


class Scrypt(Family):
    """scrypt (RFC 7914). `ln` is N itself here, not its logarithm."""

    shape = re.compile(r"\$scrypt\$ln=(\d{1,6}),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*)")

    def is_affordable(self, found: re.Match[str]) -> bool:
        n, r, p = int(found[1]), int(found[2]), int(found[3])
        return _affords_scrypt(n, r, p) and bool(_padded(found[5]))

    def verify(self, found: re.Match[str], password: bytes) -> bool:
        key = base64.b64decode(found[5])
        made = _scrypt(password, base64.b64decode(found[4]), int(found[1]), int(found[2]), int(found[3]), len(key))
        return hmac.compare_digest(made, key)


def _affords_scrypt(n: int, r: int, p: int) -> bool:
    return 1 < n <= MAX_SCRYPT_N and n & (n - 1) == 0 and 1 <= r <= MAX_SCRYPT_R and 1 <= p <= MAX_SCRYPT_P


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int, length: int) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=SCRYPT_MEMORY, dklen=length)


class FireScrypt(Family):
    """Firebase's variant: scrypt makes a key that encrypts the project's signer key (AES-256-CTR, zero IV). `ln` is a logarithm."""

    shape = re.compile(r"\$firescrypt\$ln=(\d{1,2}),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)\$([^$]*)\$([^$]+)")

    def is_affordable(self, found: re.Match[str]) -> bool:
        texts_are_base64 = all(base64.b64decode(found[group], validate=True) is not None for group in (4, 5, 6, 7))
        return texts_are_base64 and int(found[1]) <= 17 and _affords_scrypt(2 ** int(found[1]), int(found[2]), int(found[3]))

    def verify(self, found: re.Match[str], password: bytes) -> bool:
        salt, hashed, separator, signer = (base64.b64decode(found[group]) for group in (4, 5, 6, 7))
        key = _scrypt(password, salt + separator, 2 ** int(found[1]), int(found[2]), int(found[3]), 32)
        encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        return hmac.compare_digest(encryptor.update(signer) + encryptor.finalize(), hashed)


class SaltedDigest(Family):
    """LDAP's {SSHA}, {SSHA256}, {SSHA512}: the digest of password and salt, then the salt."""

    shape = re.compile(r"\{SSHA(256|512)?\}([A-Za-z0-9+/]+=*)")
    DIGESTS: ClassVar = {None: "sha1", "256": "sha256", "512": "sha512"}

    def is_affordable(self, found: re.Match[str]) -> bool:
        return len(base64.b64decode(found[2], validate=True)) > hashlib.new(self.DIGESTS[found[1]]).digest_size

    def verify(self, found: re.Match[str], password: bytes) -> bool:
        name, raw = self.DIGESTS[found[1]], base64.b64decode(found[2])
        size = hashlib.new(name).digest_size
        return hmac.compare_digest(hashlib.new(name, password + raw[size:]).digest(), raw[:size])


class FormattedDigest(Family):
    """A plain digest over a format in which {SALT} and {PASSWORD} are filled in; MD5 also without any."""

    shape = re.compile(r"\$(sha1|sha256|sha512|md5)\$(?:pf=([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]*=*)\$)?([A-Za-z0-9+/]+=*)")

    def is_affordable(self, found: re.Match[str]) -> bool:
        parts_are_base64 = all(found[group] is None or base64.b64decode(found[group], validate=True) is not None for group in (2, 3, 4))
        return parts_are_base64 and (found[2] is not None or found[1] == "md5")

    def verify(self, found: re.Match[str], password: bytes) -> bool:
        text = password
        if found[2] is not None:
            salt = base64.b64decode(found[3])
            pieces = re.split(rb"(\{SALT\}|\{PASSWORD\})", base64.b64decode(found[2]))
            text = b"".join({b"{SALT}": salt, b"{PASSWORD}": password}.get(piece, piece) for piece in pieces)
        return hmac.compare_digest(hashlib.new(found[1], text, usedforsecurity=False).digest(), base64.b64decode(found[4]))


class KeyedDigest(Family):
    """HMAC; what rests is base64 of the lower-case hexadecimal text of it, and of the key."""

    shape = re.compile(r"\$hmac-(md4|md5|sha1|sha224|sha256|sha384|sha512)\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*)")

    def is_affordable(self, found: re.Match[str]) -> bool:
        return all(base64.b64decode(found[group], validate=True) for group in (2, 3))

    def verify(self, found: re.Match[str], password: bytes) -> bool:
        digest = lookup_hash("md4").const if found[1] == "md4" else found[1]  # OpenSSL 3 has none
        made = hmac.new(base64.b64decode(found[3]), password, digest).hexdigest()
        return hmac.compare_digest(made.encode(), base64.b64decode(found[2]))


FAMILIES: tuple[Family, ...] = (Crypt(), PBKDF2(), Scrypt(), FireScrypt(), SaltedDigest(), FormattedDigest(), KeyedDigest())


def family_of(stored: str) -> Family | None:
    """Return the family of a hash that could be checked, or None."""
    return next((family for family in FAMILIES if family.is_ours(stored)), None)


def verify(stored: str, password: bytes) -> bool:
    """Return whether *password* is the one that *stored* is the hash of; False for what is no hash of these families."""
    family = family_of(stored)
    found = family.shape.fullmatch(stored) if family else None
    return family is not None and found is not None and family.verify(found, password)
