"""Identifiers: keys that sort by age, and names that cannot be guessed."""

import os
import string
import time
import uuid
from datetime import datetime

ALPHANUMERIC = (string.ascii_letters + string.digits).encode()
UNEVEN = bytes(range(256 - 256 % len(ALPHANUMERIC), 256))  # bytes that would make some characters more likely than others
SPELLED = bytes(ALPHANUMERIC[byte % len(ALPHANUMERIC)] for byte in range(256))


def uuid7() -> uuid.UUID:
    """Return a key whose order is the order of creation (RFC 9562 section 5.7): 48 bits of unix milliseconds, then chance."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def oldest_uuid7(at: datetime) -> uuid.UUID:
    """Return what sorts before every key that was made from *at* on."""
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)


def alphanumeric(length: int) -> str:
    """Return *length* characters of chance, each as likely as any other; 32 of them hold 190 bits."""
    made = ""
    while len(made) < length:
        made += os.urandom(2 * length).translate(SPELLED, UNEVEN).decode()
    return made[:length]


def parse_uuid(text: object) -> uuid.UUID | None:
    """Return the UUID that *text* spells with hyphens, or None: what a client sends is often no UUID at all."""
    if not isinstance(text, str) or len(text) != 36:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
