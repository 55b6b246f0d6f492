"""Certificates for servers and clients of tests, and who vouches for them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in files."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    cert_path: Path
    key_path: Path

    def given(self) -> dict[str, str]:
        return {"client_cert_path": str(self.cert_path), "client_key_path": str(self.key_path)}


def make_pair(folder: Path, subject: str, by: Pair | None = None) -> Pair:
    """Return a pair that *by* vouches for, or itself."""
    folder.mkdir(parents=True, exist_ok=True)
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.name if by else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    pair = Pair(name, key, folder / f"{subject}.crt", folder / f"{subject}.key")
    signed = builder.sign(by.key if by else key, hashes.SHA256())
    pair.cert_path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pair.key_path.write_bytes(in_pem(key))
    return pair


def in_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> bytes:
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
