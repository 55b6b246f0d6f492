"""Backup codes, each good for one sign-in (look-up secrets, NIST SP 800-63B section 5.1.2; contract: methods.md 5.4).

The config of the credential is `{"recovery_codes": [{"code": "...", "used_at": "2026-01-31T12:00:00Z"}]}`, the codes
encrypted (credentials/sealing.py).
"""

from __future__ import annotations

import enum
import hmac
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from identity.credentials import sealing, services
from identity.credentials.models import Credential

TYPE = "lookup_secret"
CODES, LENGTH = 12, 8
ALPHABET = string.ascii_lowercase + string.digits
SEALED = 38  # characters: the least that encryption makes of anything


class Verdict(enum.Enum):
    RIGHT = enum.auto()
    USED = enum.auto()
    WRONG = enum.auto()


@dataclass(frozen=True)
class Code:
    text: str
    used_at: str = ""  # RFC 3339, "" while it is good


def new_codes() -> list[str]:
    """Return a set of codes, each of 41 bits."""
    codes: set[str] = set()
    while len(codes) < CODES:
        codes.add("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))
    return sorted(codes, key=lambda _: secrets.randbits(32))


def new_config(codes: Iterable[str]) -> dict[str, Any]:
    return sealing.seal(TYPE, {"recovery_codes": [{"code": code} for code in codes]})


def codes_of(config: dict[str, Any]) -> list[Code]:
    """Return the codes in clear, in their order. One that no secret opens any more has the text ""."""
    opened = sealing.open(TYPE, config).get("recovery_codes") or []
    return [Code(_readable(entry.get("code") or ""), entry.get("used_at") or "") for entry in opened]


def _readable(text: str) -> str:
    """A text that could not be opened comes back as it rests. It must not count as a code: whoever read the row would know it."""
    return "" if len(text) >= SEALED else text


def verify(credential: Credential, typed: str) -> Verdict:
    """Say whether *typed* is one of the codes, exactly as it was shown, and spend it.

    Each code is marked by itself while the row is locked, so that of many submissions at once each code serves one.
    """
    with services.locked(credential) as row:
        if row is None:
            return Verdict.WRONG
        codes = codes_of(row.config)
        guess = typed.encode("utf-8", "surrogatepass")
        found = [index for index, code in enumerate(codes) if code.text and hmac.compare_digest(code.text.encode(), guess)]
        good = [index for index in found if not codes[index].used_at]
        if not good:
            return Verdict.USED if found else Verdict.WRONG
        row.config = _marked(row.config, good[0])
        return Verdict.RIGHT


def _marked(config: dict[str, Any], index: int) -> dict[str, Any]:
    entries = list(config["recovery_codes"])
    entries[index] = {**entries[index], "used_at": timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {**config, "recovery_codes": entries}
