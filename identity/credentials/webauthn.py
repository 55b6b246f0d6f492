"""Security keys and passkeys: both ceremonies (W3C Web Authentication Level 2; contract: methods.md 7, 8).

The config of both credential types is `{"credentials": [key, ...], "user_handle": "..."}`, as contract identities.md 8.4 gives it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from django.utils import timezone
from webauthn.helpers import (
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_authenticator_data,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticationCredential, AuthenticatorData, CollectedClientData, RegistrationCredential

from identity.conf import RelyingParty
from identity.credentials import aaguids, attestation, cose, services
from identity.credentials.models import Credential

CHALLENGE, LONGEST_ID = 32, 1023  # bytes
BROKEN = (
    WebAuthnException,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
    struct.error,
    UnsupportedAlgorithm,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    StopIteration,
)  # what garbage makes the parsers raise


class Malformed(Exception):
    """The answer is not what a browser sends."""


class CeremonyFailed(Exception):
    """The answer was read, and one of the checks failed; the text says which."""


@dataclass(frozen=True)
class Key:
    """One key of a person, as it rests in the config. Bytes are bytes here, base64 there."""

    id: bytes
    public_key: bytes  # COSE
    sign_count: int = 0
    clone_warning: bool = False
    aaguid: bytes = bytes(16)
    attestation_type: str = "none"
    display_name: str = ""
    added_at: str = ""  # RFC 3339
    is_passwordless: bool = False
    flags: dict[str, bool] | None = None  # None in old records
    transports: tuple[str, ...] = ()
    more: dict[str, Any] | None = None  # what others have written beside it

    @property
    def hex_id(self) -> str:
        return self.id.hex()

    @property
    def added_at_unix(self) -> int:
        try:
            return int(datetime.fromisoformat(self.added_at).timestamp())
        except ValueError:
            return 0

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> Key:
        authenticator = held.get("authenticator") or {}
        known = (
            "id",
            "public_key",
            "attestation_type",
            "authenticator",
            "display_name",
            "added_at",
            "is_passwordless",
            "flags",
            "transport",
        )
        return cls(
            id=_bytes(held.get("id")),
            public_key=_bytes(held.get("public_key")),
            sign_count=int(authenticator.get("sign_count") or 0),
            clone_warning=bool(authenticator.get("clone_warning")),
            aaguid=_bytes(authenticator.get("aaguid")),
            attestation_type=str(held.get("attestation_type") or ""),
            display_name=str(held.get("display_name") or ""),
            added_at=str(held.get("added_at") or ""),
            is_passwordless=bool(held.get("is_passwordless")),
            flags=held.get("flags"),
            transports=tuple(held.get("transport") or ()),
            more={name: value for name, value in held.items() if name not in known},
        )

    def as_dict(self) -> dict[str, Any]:
        held: dict[str, Any] = {
            **(self.more or {}),
            "id": _text(self.id),
            "public_key": _text(self.public_key),
            "attestation_type": self.attestation_type,
            "authenticator": {"aaguid": _text(self.aaguid), "sign_count": self.sign_count, "clone_warning": self.clone_warning},
            "display_name": self.display_name,
            "added_at": self.added_at,
            "is_passwordless": self.is_passwordless,
        }
        if self.flags is not None:
            held["flags"] = self.flags
        if self.transports:
            held["transport"] = list(self.transports)
        return held


def _bytes(text: Any) -> bytes:
    """Read base64 with padding; what is none is as if it were not there."""
    try:
        return base64.b64decode(str(text or ""))
    except (binascii.Error, ValueError):
        return b""


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def b64url(raw: bytes) -> str:
    """Return base64url without padding, the spelling of the browser's side."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def keys_of(credential: Credential | None) -> list[Key]:
    """Return the keys of a credential; of imported ones those that can be read."""
    held = credential.config.get("credentials") or [] if credential else []
    return [key for entry in held if (key := find_key(entry)) is not None]


def find_key(entry: Any) -> Key | None:
    """Return the key that a stored entry is, None when it is none."""
    try:
        key = Key.from_dict(entry)
    except (ValueError, TypeError, AttributeError):
        return None
    return key if key.id and key.public_key else None


def config_with(credential: Credential | None, keys: Iterable[Key], user_handle: bytes | None = None) -> dict[str, Any]:
    """Return the config with these keys; {} without any."""
    held = [key.as_dict() for key in keys]
    if not held:
        return {}
    config = {**(credential.config if credential else {}), "credentials": held}
    if user_handle is not None:
        config["user_handle"] = _text(user_handle)
    return config


def user_handle_of(credential: Credential) -> bytes:
    return _bytes(credential.config.get("user_handle"))


def handle_name(handle: bytes) -> str:
    """Return the identifier that a user handle makes: its bytes as text, or in base64 when they are no text."""
    try:
        name = handle.decode()
    except UnicodeDecodeError:
        return _text(handle)
    return _text(handle) if "\x00" in name else name


# -- what a page asks the browser for


@dataclass(frozen=True)
class Ceremony:
    """What the server remembers of one question, in the flow: an answer fits the question or it counts for nothing."""

    challenge: bytes
    user_handle: bytes = b""
    allowed: tuple[bytes, ...] = ()  # key ids; empty: any
    requires_verification: bool = False
    identity: str = ""  # whose keys were asked for; "" when that is not known yet

    @classmethod
    def new(cls, **fields: Any) -> Ceremony:
        return cls(challenge=os.urandom(CHALLENGE), **fields)

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> Ceremony:
        return cls(
            challenge=_bytes(held["challenge"]),
            user_handle=_bytes(held["user_handle"]),
            allowed=tuple(_bytes(id) for id in held["allowed"]),
            requires_verification=held["requires_verification"],
            identity=held["identity"],
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "challenge": _text(self.challenge),
            "user_handle": _text(self.user_handle),
            "allowed": [_text(id) for id in self.allowed],
            "requires_verification": self.requires_verification,
            "identity": self.identity,
        }


def creation_options(
    ceremony: Ceremony,
    *,
    rp: RelyingParty,
    name: str,
    timeout: int,
    selection: dict[str, Any],
    exclude: Iterable[Key] = (),
    attestation: str = "",
) -> dict[str, Any]:
    """Return the argument of navigator.credentials.create, binaries as base64url (section 5.4). *timeout* is in milliseconds."""
    options: dict[str, Any] = {
        "rp": {"name": rp.name, "id": rp.id},
        "user": {"name": name, "displayName": name, "id": b64url(ceremony.user_handle)},
        "challenge": b64url(ceremony.challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in cose.ALGORITHMS],
        "timeout": timeout,
    }
    if excluded := [_descriptor(key.id, key.transports) for key in exclude]:
        options["excludeCredentials"] = excluded
    options["authenticatorSelection"] = selection
    if attestation:
        options["attestation"] = attestation
    return {"publicKey": options}


def request_options(
    ceremony: Ceremony, *, rp: RelyingParty, timeout: int, user_verification: str, transports: dict[bytes, tuple[str, ...]] | None = None
) -> dict[str, Any]:
    """Return the argument of navigator.credentials.get (section 5.5)."""
    options: dict[str, Any] = {"challenge": b64url(ceremony.challenge), "timeout": timeout, "rpId": rp.id}
    if ceremony.allowed:
        options["allowCredentials"] = [_descriptor(id, (transports or {}).get(id, ())) for id in ceremony.allowed]
    options["userVerification"] = user_verification
    return {"publicKey": options}


def _descriptor(id: bytes, transports: Sequence[str]) -> dict[str, Any]:
    return {"type": "public-key", "id": b64url(id), **({"transports": list(transports)} if transports else {})}


# -- what comes back


def read_registration(answer: str) -> RegistrationCredential:
    """Return the browser's answer to creation options. Raises Malformed."""
    try:
        return parse_registration_credential_json(answer)
    except BROKEN as error:
        raise Malformed(str(error)) from error


def read_assertion(answer: str) -> AuthenticationCredential:
    """Return the browser's answer to request options. Raises Malformed."""
    try:
        return parse_authentication_credential_json(answer)
    except BROKEN as error:
        raise Malformed(str(error)) from error


def register(*, ceremony: Ceremony, rp: RelyingParty, answer: RegistrationCredential, display_name: str, is_passwordless: bool) -> Key:
    """Return the key that the browser made for this ceremony (section 7.1).

    Raises:
        CeremonyFailed: A check failed.
    """
    if b64url(answer.raw_id) != answer.id:
        raise CeremonyFailed("The answer names two keys.")
    response = answer.response
    try:
        client = parse_client_data_json(response.client_data_json)
        made = attestation.Made(
            response.attestation_object, response.client_data_json, parse_attestation_object(response.attestation_object)
        )
    except BROKEN as error:
        raise CeremonyFailed(f"The answer cannot be read: {error}") from error
    data = made.read.auth_data
    _check(ceremony=ceremony, rp=rp, type="webauthn.create", client=client, data=data)
    if data.attested_credential_data is None:
        raise CeremonyFailed("The answer holds no new key.")
    if made.key.credential_id != answer.raw_id:
        raise CeremonyFailed("The answer names another key than the authenticator made.")
    if not 0 < len(made.key.credential_id) <= LONGEST_ID:  # section 7.1, step 25 of Level 3
        raise CeremonyFailed("The key's id is too long, or empty.")
    try:
        algorithm, _ = cose.read(made.key.credential_public_key)
        is_right = attestation.is_right(made)
    except BROKEN as error:
        raise CeremonyFailed(f"The key, or its attestation, cannot be read: {error}") from error
    if algorithm not in cose.ALGORITHMS:  # step 20
        raise CeremonyFailed("The key's algorithm was not offered.")
    if not is_right:  # step 22
        raise CeremonyFailed("The attestation is not about this key.")
    return Key(
        id=made.key.credential_id,
        public_key=made.key.credential_public_key,
        sign_count=data.sign_count,
        aaguid=made.key.aaguid,
        attestation_type=str(made.read.fmt),
        display_name=display_name or aaguids.name_of(made.key.aaguid),
        added_at=timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        is_passwordless=is_passwordless,
        flags=_flags(data),
        transports=tuple(transport.value for transport in response.transports or ()),
    )


def authenticate(*, ceremony: Ceremony, rp: RelyingParty, answer: AuthenticationCredential, keys: Sequence[Key]) -> Key:
    """Return the key, one of *keys*, that signed this ceremony's challenge, with its counter raised (section 7.2).

    A counter that does not rise says that there may be a copy of the key. As elsewhere this is kept in the key and does
    not refuse the person: backed up keys and some models count oddly (section 7.2, step 21 leaves it to the site).

    Raises:
        CeremonyFailed: A check failed.
    """
    if b64url(answer.raw_id) != answer.id:
        raise CeremonyFailed("The answer names two keys.")
    if ceremony.allowed and answer.raw_id not in ceremony.allowed:  # step 5
        raise CeremonyFailed("That key was not asked for.")
    key = next((key for key in keys if key.id == answer.raw_id), None)
    if key is None:  # steps 6 and 7
        raise CeremonyFailed("That key does not belong to this person.")
    response = answer.response
    try:
        client = parse_client_data_json(response.client_data_json)
        data = parse_authenticator_data(response.authenticator_data)
    except BROKEN as error:
        raise CeremonyFailed(f"The answer cannot be read: {error}") from error
    _check(ceremony=ceremony, rp=rp, type="webauthn.get", client=client, data=data)
    if key.flags is not None and bool(key.flags.get("backup_eligible")) != data.flags.be:
        raise CeremonyFailed("The key changed its mind about backups.")
    signed = response.authenticator_data + hashlib.sha256(response.client_data_json).digest()
    if not _is_signed(key.public_key, signed, response.signature):  # step 20
        raise CeremonyFailed("The signature is wrong.")
    return _counted(key, data)


def _check(*, ceremony: Ceremony, rp: RelyingParty, type: str, client: CollectedClientData, data: AuthenticatorData) -> None:
    """Check what both ceremonies have in common (section 7.1, steps 7 to 16; section 7.2, steps 11 to 17). Raises CeremonyFailed."""
    if client.type != type:
        raise CeremonyFailed("The answer belongs to another ceremony.")
    if client.challenge != ceremony.challenge:
        raise CeremonyFailed("The answer is to another challenge.")
    if client.origin not in rp.origins:
        raise CeremonyFailed("The answer comes from another origin.")
    if data.rp_id_hash != hashlib.sha256(rp.id.encode()).digest():
        raise CeremonyFailed("The key signed for another RP ID.")
    if not data.flags.up:
        raise CeremonyFailed("No person was present.")
    if ceremony.requires_verification and not data.flags.uv:
        raise CeremonyFailed("The person was not verified.")
    if data.flags.bs and not data.flags.be:  # Level 3, section 7.2, step 19
        raise CeremonyFailed("The key says that it is backed up and cannot be.")


def _is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        algorithm, key = cose.read(public_key)
    except BROKEN:
        return False
    return cose.is_signed(key, algorithm, message, signature)


def _counted(key: Key, data: AuthenticatorData) -> Key:
    rises = data.sign_count > key.sign_count or (data.sign_count == 0 and key.sign_count == 0)
    return replace(
        key,
        sign_count=max(key.sign_count, data.sign_count),
        clone_warning=key.clone_warning or not rises,
        flags=_flags(data),
    )


def _flags(data: AuthenticatorData) -> dict[str, bool]:
    flags = data.flags
    return {"user_present": flags.up, "user_verified": flags.uv, "backup_eligible": flags.be, "backup_state": flags.bs}


def remember_use(credential: Credential, used: Key) -> None:
    """Keep the counter and the flags of a key that was used. Of two uses at once the higher counter stays.

    Raises:
        CeremonyFailed: The key was removed meanwhile.
    """
    with services.locked(credential) as row:
        keys = keys_of(row)
        if row is None or used.id not in {key.id for key in keys}:
            raise CeremonyFailed("the key was removed")
        row.config = config_with(row, [_later(key, used) if key.id == used.id else key for key in keys])


def _later(stored: Key, used: Key) -> Key:
    return replace(
        stored,
        sign_count=max(stored.sign_count, used.sign_count),
        clone_warning=stored.clone_warning or used.clone_warning,
        flags=used.flags,
    )
