"""Argon2 (RFC 9106) by the reference library, in memory of ours: kept from one hash to the next, and in large pages.

The library asks for its memory anew at each hash. In small pages a hash of 19 MiB takes a tenth longer, as it reads at
random places and the processor has to look each of them up. A process keeps two blocks at most, for there are about as many
processes as cores that hash at a time (hashing.py); the library wipes a block at the end of each hash.
"""

from __future__ import annotations

import binascii
import contextlib
import hmac
import mmap
import os
import re
import threading
from dataclasses import dataclass
from typing import Any

import argon2.exceptions
from argon2 import low_level
from argon2.low_level import ARGON2_VERSION, Type, core, error_to_str, ffi

lib: Any = low_level.lib  # type: ignore[attr-defined]  # not in its __all__, but what `core` speaks

ENCODED = re.compile(
    r"\$argon2(?P<type>id|i)\$v=19\$m=(?P<memory>[0-9]{1,9}),t=(?P<passes>[0-9]{1,9}),p=(?P<lanes>[0-9]{1,9})"
    r"\$(?P<salt>[A-Za-z0-9+/]+)\$(?P<hash>[A-Za-z0-9+/]+)"
)
TYPES = {"id": Type.ID, "i": Type.I}
MAX_MEMORY, MAX_PASSES, MAX_LANES = 2**20, 10, 16  # KiB, passes, lanes: what a login may cost
LARGE_PAGE = 2 * 2**20  # bytes
SHORTEST_SALT, SHORTEST_HASH, LEAST_MEMORY = 8, 4, 8  # bytes, bytes, KiB for each lane: what the algorithm takes
SPARES, KEPT = 2, 64 * 2**20  # blocks that are kept, and bytes of the largest


def make(secret: bytes, *, salt_length: int, hash_length: int, memory: int, passes: int, lanes: int) -> str:
    """Return the encoded Argon2id hash of *secret* under a new salt; lengths in bytes, memory in KiB."""
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
    digest, given, salted = ffi.new("uint8_t[]", length), ffi.new("uint8_t[]", secret), ffi.new("uint8_t[]", salt)
    context = ffi.new(
        "argon2_context *",
        {
            "out": digest,
            "outlen": length,
            "pwd": given,
            "pwdlen": len(secret),
            "salt": salted,
            "saltlen": len(salt),
            "t_cost": passes,
            "m_cost": memory,
            "lanes": lanes,
            "threads": lanes,
            "version": ARGON2_VERSION,
            "flags": lib.ARGON2_DEFAULT_FLAGS,
            "allocate_cbk": _lend,
            "free_cbk": _take_back,
        },
    )
    code = core(context, type.value)
    _reclaim()
    if code in (lib.ARGON2_MEMORY_ALLOCATION_ERROR, lib.ARGON2_THREAD_FAIL):
        raise MemoryError(error_to_str(code))
    if code != lib.ARGON2_OK:
        raise argon2.exceptions.HashingError(error_to_str(code))
    return bytes(ffi.buffer(digest, length))


def _base64(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)


# the memory


class _Block:
    """Memory that begins at a large page. Raises OSError when there is not enough."""

    def __init__(self, size: int) -> None:
        self.size = -(-size // LARGE_PAGE) * LARGE_PAGE
        self.mapped = mmap.mmap(-1, self.size + LARGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError, AttributeError):  # not every kernel has large pages
            self.mapped.madvise(mmap.MADV_HUGEPAGE)
        begin = int(ffi.cast("uintptr_t", ffi.from_buffer(self.mapped)))
        self.address = -(-begin // LARGE_PAGE) * LARGE_PAGE


_spare: list[_Block] = []  # the last one used is lent first: it is near
_lent = threading.local()  # `block`: what this thread hashes in


def _block(size: int) -> _Block:
    with contextlib.suppress(IndexError):
        if (block := _spare.pop()).size >= size:
            return block
    return _Block(size)


def _callbacks() -> tuple[Any, Any]:
    """Return what the library calls for memory: NULL, its own way, where the system lets nobody make such functions."""

    def lend(where: Any, size: int) -> int:
        _lent.block = block = _block(size)
        where[0] = ffi.cast("uint8_t *", block.address)
        return 0

    def take_back(where: Any, size: int) -> None:
        block, _lent.block = _lent.block, None
        if block.size <= KEPT and len(_spare) < SPARES:
            _spare.append(block)

    try:
        return (
            ffi.callback("int(uint8_t **, size_t)", lend, error=lib.ARGON2_MEMORY_ALLOCATION_ERROR),
            ffi.callback("void(uint8_t *, size_t)", take_back),
        )
    except MemoryError:
        return ffi.NULL, ffi.NULL


_lend, _take_back = _callbacks()


def _reclaim() -> None:
    """Let go of a block that the library did not hand back, as it does when it fails half way: it is not wiped, so not used again."""
    _lent.block = None
