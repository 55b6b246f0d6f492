"""Argon2 (RFC 9106): hashes as ours are by libsodium, which uses what the processor offers, every other form by argon2-cffi.

Both compute the same. What argon2-cffi installs is built for the oldest processors; libsodium looks at the one that it runs
on, and with AVX2 or AVX-512 takes 12 ms for what takes 20 there. It knows one lane and salts of 16 bytes only.
"""

from __future__ import annotations

import binascii
import hmac
import os
import re
from dataclasses import dataclass

from argon2.exceptions import HashingError
from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw
from nacl.exceptions import RuntimeError as SodiumFailed
from nacl.pwhash import argon2id as sodium

ENCODED = re.compile(
    r"\$argon2(?P<type>id|i)\$v=19\$m=(?P<memory>[0-9]{1,9}),t=(?P<passes>[0-9]{1,9}),p=(?P<lanes>[0-9]{1,9})"
    r"\$(?P<salt>[A-Za-z0-9+/]+)\$(?P<hash>[A-Za-z0-9+/]+)"
)
TYPES = {"id": Type.ID, "i": Type.I}
MAX_MEMORY, MAX_PASSES, MAX_LANES = 2**20, 10, 16  # KiB, passes, lanes: what a login may cost
SHORTEST_SALT, SHORTEST_HASH, LEAST_MEMORY = 8, 4, 8  # bytes, bytes, KiB for each lane: what the algorithm takes
NOT_ENOUGH = ("Memory allocation error", "Threading failure")  # how argon2-cffi says that there is no memory, or no thread for a lane


def make(secret: bytes, *, salt_length: int, hash_length: int, memory: int, passes: int, lanes: int) -> str:
    """Return the encoded Argon2id hash of *secret* under a new salt; lengths in bytes, memory in KiB. Raises MemoryError."""
    salt = os.urandom(salt_length)
    digest = _hash(secret, salt, hash_length, memory, passes, lanes, Type.ID)
    return f"$argon2id$v={ARGON2_VERSION}$m={memory},t={passes},p={lanes}${_base64(salt)}${_base64(digest)}"


@dataclass(frozen=True)
class Hash:
    """What an encoded hash says: sizes in KiB, passes, lanes."""

    type: Type
    memory: int
    passes: int
    lanes: int
    salt: bytes
    digest: bytes


def read(encoded: str) -> Hash | None:
    """Return a hash that can be checked, and does not cost too much; None for anything else."""
    found = ENCODED.fullmatch(encoded)
    if found is None:
        return None
    memory, passes, lanes = (int(found[name]) for name in ("memory", "passes", "lanes"))
    if not (1 <= passes <= MAX_PASSES and 1 <= lanes <= MAX_LANES and LEAST_MEMORY * lanes <= memory <= MAX_MEMORY):
        return None
    try:
        salt, digest = _bytes(found["salt"]), _bytes(found["hash"])
    except binascii.Error:
        return None
    if len(salt) < SHORTEST_SALT or len(digest) < SHORTEST_HASH:
        return None
    return Hash(TYPES[found["type"]], memory, passes, lanes, salt, digest)


def verify(encoded: str, secret: bytes) -> bool:
    """Return whether *encoded* is a hash of *secret*. What is no hash fits nothing. Raises MemoryError."""
    stored = read(encoded)
    if stored is None:
        return False
    made = _hash(secret, stored.salt, len(stored.digest), stored.memory, stored.passes, stored.lanes, stored.type)
    return hmac.compare_digest(made, stored.digest)


def _hash(secret: bytes, salt: bytes, length: int, memory: int, passes: int, lanes: int, type: Type) -> bytes:
    """Raises MemoryError when there is not enough of it or of threads, HashingError for what the algorithm does not know."""
    try:
        if type is Type.ID and lanes == 1 and len(salt) == sodium.SALTBYTES and length >= sodium.BYTES_MIN:
            return sodium.kdf(length, secret, salt, opslimit=passes, memlimit=memory * 1024)
        return hash_secret_raw(secret, salt, passes, memory, lanes, length, type)
    except SodiumFailed as failed:  # it checks what it is given before, so that nothing else can fail
        raise MemoryError from failed
    except HashingError as failed:
        if str(failed) in NOT_ENOUGH:
            raise MemoryError from failed
        raise


def _base64(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
