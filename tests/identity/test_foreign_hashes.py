"""Hashes of other systems. Each was made by the tool named beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from passlib.hash import ldap_salted_sha1, ldap_salted_sha256, ldap_salted_sha512, md5_crypt, sha256_crypt, sha512_crypt

from identity.credentials import foreign, password

PASSWORD = "imported-Pässword-7"
RAW = PASSWORD.encode()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def unpadded(raw: bytes) -> str:
    return b64(raw).rstrip("=")


def pbkdf2(name: str, digest: str, size: int) -> str:
    return f"$pbkdf2-{name}$i=1000,l={size}${unpadded(b'salt')}${unpadded(hashlib.pbkdf2_hmac(digest, RAW, b'salt', 1000, size))}"


FORMAT = b64(b"<{SALT}>{PASSWORD}")
HASHES = {
    "md5-crypt, passlib": "$md5-crypt$" + md5_crypt.hash(PASSWORD)[3:],
    "sha256-crypt, passlib": "$sha256-crypt$" + sha256_crypt.using(rounds=5500).hash(PASSWORD)[3:],
    "sha512-crypt, passlib": "$sha512-crypt$" + sha512_crypt.using(rounds=5500).hash(PASSWORD)[3:],
    "SSHA, passlib": ldap_salted_sha1.hash(PASSWORD),
    "SSHA256, passlib": ldap_salted_sha256.hash(PASSWORD),
    "SSHA512, passlib": ldap_salted_sha512.hash(PASSWORD),
    "pbkdf2-sha1, hashlib": pbkdf2("sha1", "sha1", 20),
    "pbkdf2-sha256, hashlib": pbkdf2("sha256", "sha256", 32),
    "pbkdf2-sha224 is SHA-3, hashlib": pbkdf2("sha224", "sha3_224", 28),
    "scrypt, hashlib": f"$scrypt$ln=1024,r=8,p=1${b64(b'salt')}${b64(hashlib.scrypt(RAW, salt=b'salt', n=1024, r=8, p=1, dklen=32))}",
    "sha256 with a format, hashlib": f"$sha256$pf={FORMAT}${b64(b'salt')}${b64(hashlib.sha256(b'<salt>' + RAW).digest())}",
    "md5 with a format, hashlib": f"$md5$pf={FORMAT}${b64(b'salt')}${b64(hashlib.md5(b'<salt>' + RAW).digest())}",
    "md5, hashlib": f"$md5${b64(hashlib.md5(RAW).digest())}",
    "hmac-sha256, hmac": f"$hmac-sha256${b64(hmac.new(b'key', RAW, 'sha256').hexdigest().encode())}${b64(b'key')}",
}


@pytest.mark.parametrize("name", HASHES)
def test_it_knows_the_right_password_and_no_other(name: str) -> None:
    assert password.is_known_hash(HASHES[name])
    assert password.verify(HASHES[name], PASSWORD)
    assert not password.verify(HASHES[name], PASSWORD + "x")
    assert not password.verify(HASHES[name], "")
    assert password.needs_renewal(HASHES[name])


def test_it_reads_firebase_hashes() -> None:
    """The vector that Firebase's own tool publishes: password "user1password"."""
    stored = (
        "$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==$Bw==$"
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
    )
    assert password.verify(stored, "user1password")
    assert not password.verify(stored, "user2password")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "plain text",
        "$9$x$y",
        "pbkdf2_sha256$600000$salt$aGFzaA==",
        "{SHA}aGFzaA==",
        "{SSHA}aGFzaA==",
        "$md5$%%",
        "$sha1$aGFzaA==",
        "$pbkdf2-sha256$i=99999999,l=32$c2FsdA$aGFzaA",
        "$pbkdf2-sha256$i=0,l=32$c2FsdA$aGFzaA",
        "$scrypt$ln=262144,r=8,p=1$c2FsdA==$aGFzaA==",
        "$scrypt$ln=1000,r=8,p=1$c2FsdA==$aGFzaA==",
        "$scrypt$ln=1024,r=99,p=1$c2FsdA==$aGFzaA==",
        "$firescrypt$ln=31,r=8,p=1$YQ==$YQ==$YQ==$YQ==",
        "$sha512-crypt$rounds=999999999$salt$x",
        "$hmac-sha256$$a2V5",
        "$argon2id$v=19$m=99999999,t=2,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
        "$2b$31$" + "x" * 53,
        "$2y$10$é" + "a" * 52,
        "$2b$10$!" + "a" * 52,
        "$2b$10$" + "a" * 53 + "\n",
    ],
)
def test_it_knows_no_other_hash_and_none_that_costs_too_much(stored: str) -> None:
    assert not password.is_known_hash(stored)
    assert foreign.verify(stored, RAW) is False
