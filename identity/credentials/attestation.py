"""What an authenticator says of itself while it makes a key (W3C Web Authentication Level 3, section 8).

A statement has to be about this very key and the answer to this very question. To which maker its certificates lead is not
asked: a key without any statement is as good here, so nobody would be kept out but people whose phone outlived the
certificates of its maker. Apple's last three days, and the root of many Android phones ended in May 2026.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn.helpers import parse_cbor
from webauthn.helpers.structs import AttestationObject, AttestationStatement, AttestedCredentialData
from webauthn.registration.formats.android_safetynet import verify_android_safetynet
from webauthn.registration.formats.tpm import verify_tpm

from identity.credentials import cose

APPLE_NONCE = x509.ObjectIdentifier("1.2.840.113635.100.8.2")
ANDROID_KEY = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")
NONCE = bytes.fromhex("3024a1220420")  # DER: a sequence, in it [1], in it 32 bytes
CHALLENGE = 4  # its place in Android's KeyDescription


@dataclass(frozen=True)
class Made:
    """A new key, and all that its statement may be about."""

    raw: bytes  # the attestation object, CBOR
    client_data: bytes  # JSON
    read: AttestationObject

    @property
    def statement(self) -> AttestationStatement:
        return self.read.att_stmt

    @property
    def key(self) -> AttestedCredentialData:
        assert self.read.auth_data.attested_credential_data is not None
        return self.read.auth_data.attested_credential_data

    @property
    def client_hash(self) -> bytes:
        return hashlib.sha256(self.client_data).digest()

    @property
    def signed(self) -> bytes:
        """What most formats sign: the authenticator's data as it was sent, and the hash of the browser's."""
        data: bytes = parse_cbor(self.raw)["authData"]
        return data + self.client_hash

    @cached_property
    def certificate(self) -> x509.Certificate:
        return x509.load_der_x509_certificate((self.statement.x5c or [])[0])

    def has_key(self, key: Any) -> bool:
        return bool(cose.read(self.key.credential_public_key)[1] == key)

    def is_signed_by_certificate(self, algorithm: int | None, message: bytes) -> bool:
        return cose.is_signed(self.certificate.public_key(), algorithm or 0, message, self.statement.sig or b"")

    def extension(self, name: x509.ObjectIdentifier) -> bytes:
        held = self.certificate.extensions.get_extension_for_oid(name).value
        return held.value if isinstance(held, x509.UnrecognizedExtension) else b""


def is_right(made: Made) -> bool:
    """Return whether the statement is one, and about this key and this question. Broken ones raise what the parsers raise."""
    check = FORMATS.get(str(made.read.fmt))
    return check is not None and check(made)


def _none(made: Made) -> bool:
    return bool(parse_cbor(made.raw).get("attStmt") == {})


def _packed(made: Made) -> bool:
    """Section 8.2. Without a certificate the new key vouches for itself."""
    if made.statement.x5c:
        return made.is_signed_by_certificate(made.statement.alg, made.signed)
    algorithm, key = cose.read(made.key.credential_public_key)
    return algorithm == made.statement.alg and cose.is_signed(key, algorithm, made.signed, made.statement.sig or b"")


def _fido_u2f(made: Made) -> bool:
    """Section 8.6: security keys from before WebAuthn."""
    point = cose.read(made.key.credential_public_key)[1].public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    signed = b"\x00" + made.read.auth_data.rp_id_hash + made.client_hash + made.key.credential_id + point
    return len(made.statement.x5c or ()) == 1 and made.is_signed_by_certificate(cose.ES256, signed)


def _apple(made: Made) -> bool:
    """Section 8.8: a certificate for this one key, which holds the hash of what other formats sign."""
    nonce = hashlib.sha256(made.signed).digest()
    return made.extension(APPLE_NONCE) == NONCE + nonce and made.has_key(made.certificate.public_key())


def _android_key(made: Made) -> bool:
    """Section 8.4. What the certificate says beyond that of the key is worth something only to who trusts its maker."""
    [description] = _values(made.extension(ANDROID_KEY))
    challenge = next(islice(_values(description), CHALLENGE, None))
    return (
        challenge == made.client_hash
        and made.has_key(made.certificate.public_key())
        and made.is_signed_by_certificate(made.statement.alg, made.signed)
    )


def _values(der: bytes) -> Iterator[bytes]:
    """Yield the contents of DER values that stand one after another, each under a tag of one byte (ITU-T X.690 section 8.1)."""
    at = 0
    while at < len(der):
        length, at = der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size]), at + size
        yield der[at : at + length]
        at += length


def _tpm(made: Made) -> bool:
    return verify_tpm(
        attestation_statement=made.statement,
        attestation_object=made.raw,
        client_data_json=made.client_data,
        credential_public_key=made.key.credential_public_key,
        pem_root_certs_bytes=[],
    )


def _android_safetynet(made: Made) -> bool:
    return verify_android_safetynet(
        attestation_statement=made.statement,
        attestation_object=made.raw,
        client_data_json=made.client_data,
        pem_root_certs_bytes=[],
    )


FORMATS: dict[str, Callable[[Made], bool]] = {
    "none": _none,
    "packed": _packed,
    "fido-u2f": _fido_u2f,
    "apple": _apple,
    "android-key": _android_key,
    "tpm": _tpm,
    "android-safetynet": _android_safetynet,
}
