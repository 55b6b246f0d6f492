"""Public keys as authenticators write them, and signatures made with them (RFC 9052, 9053 and 8230; RFC 8812)."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA384
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography, verify_signature
from webauthn.helpers.exceptions import WebAuthnException

ES256, ES384 = -7, -35
ALGORITHMS = (ES256, ES384, -36, -257, -258, -259, -37, -38, -39, -8)  # in order of preference
UNUSABLE = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)  # what garbage makes the library raise


def read(key: bytes) -> tuple[int, Any]:
    """Return the algorithm of a key and the key itself, one of `cryptography`. Raises one of UNUSABLE."""
    decoded = decode_credential_public_key(key)
    return decoded.alg, decoded_public_key_to_cryptography(decoded)


def is_signed(key: Any, algorithm: int, message: bytes, signature: bytes) -> bool:
    """Return whether *signature* was made with *key*, one of `cryptography`. What cannot be checked is none."""
    try:
        if algorithm == ES384 and isinstance(key, EllipticCurvePublicKey):  # the library does not know it
            key.verify(signature, message, ECDSA(SHA384()))
        else:
            verify_signature(public_key=key, signature_alg=algorithm, signature=signature, data=message)  # type: ignore[arg-type]
    except (InvalidSignature, *UNUSABLE):
        return False
    return True
