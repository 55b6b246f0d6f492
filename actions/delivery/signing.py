"""Signatures of the Standard Webhooks specification: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

`whsec_<base64>` signs with HMAC-SHA-256 (v1), `whsk_<base64>` with Ed25519 (v1a). With several secrets each one signs.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks.webhooks import Webhook

SYMMETRIC, ASYMMETRIC = "whsec_", "whsk_"
SEED = 32  # bytes of an Ed25519 private key
SHORTEST, LONGEST = 24, 64  # bytes of a symmetric secret


def secrets_of(config: dict[str, Any] | None) -> list[str]:
    if not config:
        return []
    return [config["secret"]] if "secret" in config else list(config["secrets"])


def headers(config: dict[str, Any] | None, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of one attempt. Id and time are sent without a secret, too."""
    made = {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp()))}
    if signatures := [_sign(secret, id, at, body) for secret in secrets_of(config)]:
        made["webhook-signature"] = " ".join(signatures)
    return made


def _sign(secret: str, id: str, at: datetime, body: bytes) -> str:
    text = body.decode("utf-8", "surrogateescape")
    if secret.startswith(ASYMMETRIC):
        key = Ed25519PrivateKey.from_private_bytes(_seed(secret))
        signed = key.sign(f"{id}.{int(at.timestamp())}.{text}".encode("utf-8", "surrogateescape"))
        return "v1a," + base64.b64encode(signed).decode()
    return str(Webhook(secret).sign(msg_id=id, timestamp=at, data=text))


def _seed(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(ASYMMETRIC), validate=True)[:SEED]


def problem(config: Any) -> str:
    """Return what is wrong with a `signing` section, "" when nothing is."""
    if config is None:
        return ""
    if not isinstance(config, dict) or len(config) != 1 or not config.keys() <= {"secret", "secrets"}:
        return "must hold either secret or secrets."
    given = [config["secret"]] if "secret" in config else config["secrets"]
    if not isinstance(given, list) or not given or not all(isinstance(secret, str) for secret in given):
        return "must hold secrets as text."
    return next((wrong for wrong in map(_wrong, given) if wrong), "")


def _wrong(secret: str) -> str:
    prefix = next((known for known in (SYMMETRIC, ASYMMETRIC) if secret.startswith(known)), "")
    if not prefix:
        return f"a secret begins with {SYMMETRIC} or {ASYMMETRIC}."
    try:
        raw = base64.b64decode(secret.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        return f"what follows {prefix} is base64."
    if prefix == ASYMMETRIC:
        return "" if len(raw) in (SEED, 2 * SEED) else f"an {ASYMMETRIC} key holds {SEED} bytes, or {2 * SEED} with its public half."
    return "" if SHORTEST <= len(raw) <= LONGEST else f"a {SYMMETRIC} secret holds {SHORTEST} to {LONGEST} bytes."
