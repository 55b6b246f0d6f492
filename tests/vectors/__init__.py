"""Bytes that came from elsewhere: what standards publish, and what devices made. Each names its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Registration:
    """An answer to creation options. All but the RP ID and the origin is base64url without padding."""

    rp_id: str
    origin: str
    challenge: str
    id: str
    client_data: str
    attestation_object: str


@dataclass(frozen=True)
class Assertion:
    """An answer to request options, by the key of the registration beside it, or by *public_key* (COSE)."""

    rp_id: str
    origin: str
    challenge: str
    id: str
    client_data: str
    authenticator_data: str
    signature: str
    public_key: str = ""


@dataclass(frozen=True)
class Recorded:
    name: str
    source: str
    registration: Registration | None = None
    assertion: Assertion | None = None
