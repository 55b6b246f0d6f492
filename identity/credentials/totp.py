"""One-time passwords of an authenticator app (TOTP, RFC 6238; contract: methods.md 5.1).

The config of the credential is `{"totp_url": "otpauth://...", "last_step": 59134567}`. The address holds the secret, so it
rests encrypted (credentials/sealing.py). `last_step` is the latest step that was spent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pyotp

from identity.credentials import sealing, services
from identity.credentials.models import Credential

TYPE = "totp"
SECRET = 20  # bytes: what HMAC-SHA-1 can use (RFC 4226 section 4, R6)
DIGITS, PERIOD = 6, 30
DRIFT = 1  # steps, early or late
DIGESTS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


class Device(pyotp.TOTP):
    """An authenticator app, as its otpauth:// address describes it."""

    def byte_secret(self) -> bytes:
        """Return the secret. pyotp refuses one of less than 112 bits; those that come from elsewhere may be shorter."""
        return base64.b32decode(self.secret + "=" * (-len(self.secret) % 8), casefold=True)


def new_url(*, issuer: str, account: str) -> str:
    """Return the otpauth:// address of a new secret: what the QR code holds."""
    secret = base64.b32encode(os.urandom(SECRET)).decode()
    rest = {"algorithm": "SHA1", "digits": DIGITS, "issuer": issuer, "period": PERIOD, "secret": secret}
    return f"{_label(issuer, account)}?{urlencode(rest, quote_via=quote)}"


def is_labelled(url: str, *, issuer: str, account: str) -> bool:
    """Whether an app shows the secret of an otpauth:// address under these names."""
    return url.partition("?")[0] == _label(issuer, account)


def _label(issuer: str, account: str) -> str:
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='')}"


def secret_of(url: str) -> str:
    """Return the secret of an address, in base32 without padding. Raises ValueError for what is no address."""
    return (parse_qs(urlsplit(url).query).get("secret") or [""])[0].replace(" ", "").rstrip("=")


def device(url: str) -> Device | None:
    """Return the app that an address describes; None when it is no such address: imported ones were never looked at."""
    try:
        wanted = parse_qs(urlsplit(url).query)
        return Device(
            secret_of(url),
            digits=int(wanted.get("digits", [str(DIGITS)])[0]),
            digest=DIGESTS[wanted.get("algorithm", ["SHA1"])[0].upper()],
            interval=int(wanted.get("period", [str(PERIOD)])[0]),
        )
    except (ValueError, KeyError):
        return None


def matching_step(url: str, code: str, *, at: float, after: int = -1) -> int | None:
    """Return the step that *code* belongs to, or None.

    One step early or late is accepted, for clocks that drift. *at* is in unix seconds; steps up to *after* are spent.
    """
    app = device(url)
    if app is None or not app.secret:
        return None
    now = int(at) // app.interval
    typed = code.replace(" ", "").encode("utf-8", "surrogatepass")
    for step in range(max(now - DRIFT, after + 1, 0), now + DRIFT + 1):
        if hmac.compare_digest(app.generate_otp(step).encode(), typed):
            return step
    return None


def new_config(url: str, step: int) -> dict[str, Any]:
    """Return the config of a new credential. The code that confirmed it is spent with it."""
    return {**sealing.seal(TYPE, {"totp_url": url}), "last_step": step}


def verify(credential: Credential, code: str) -> bool:
    """Return whether *code* is right now, and spend it.

    A step is accepted once, and none before it any more (RFC 6238 section 5.2): a code seen over a shoulder is worth
    nothing, and of a hundred submissions at once one is right.
    """
    with services.locked(credential) as row:
        if row is None:
            return False
        url = sealing.open(TYPE, row.config).get("totp_url", "")
        step = matching_step(url, code, at=time.time(), after=row.config.get("last_step", -1))
        if step is None:
            return False
        row.config = {**row.config, "last_step": step}
        return True
