"""The certificate that says to a mail server who we are (contract: identities.md 5.5).

Its files are read for every mail, so one that was renewed counts at once.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from identity import config
from identity.config import Config, Fault

CERTIFICATE, KEY = "courier.smtp.client_cert_path", "courier.smtp.client_key_path"


class CertificateUnusable(Exception):
    """The certificate or its key cannot be used. `fault` says which of them, and why."""

    def __init__(self, path: str, message: str, *, may_pass: bool = True) -> None:
        self.fault = Fault(path, message, may_pass)
        super().__init__(str(self.fault))


def check(c: Config) -> Iterator[Fault]:
    """Both files must be there, readable, and belong to each other."""
    try:
        show(ssl.create_default_context(), c)
    except CertificateUnusable as error:
        yield error.fault


def show(context: ssl.SSLContext, c: Config | None = None) -> None:
    """Let *context* show the configured certificate to a server that asks for one; without one, do nothing.

    Raises:
        CertificateUnusable: Also while the files are being replaced, so trying again is worth it.
    """
    c = c or config.current()
    certificate, key = str(c.get(CERTIFICATE) or ""), str(c.get(KEY) or "")
    if not certificate and not key:
        return
    if not certificate or not key:
        given, missing = (CERTIFICATE, KEY) if certificate else (KEY, CERTIFICATE)
        raise CertificateUnusable(missing, f"is required by {given}: a certificate and its key come together.", may_pass=False)
    if _certificate_in(certificate).public_key() != _key_in(key).public_key():
        raise CertificateUnusable(KEY, f"{key} is not the key of the certificate in {certificate}.")
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")  # without one OpenSSL would ask at the terminal
    except (ssl.SSLError, OSError) as error:  # a key that is too short, or a file that was replaced this very moment
        raise CertificateUnusable(CERTIFICATE, f"{certificate} cannot be used: {error}") from error


def _certificate_in(path: str) -> x509.Certificate:
    """Return the first certificate of a PEM file: ours; those that vouch for it follow."""
    try:
        return x509.load_pem_x509_certificates(_read(CERTIFICATE, path))[0]
    except ValueError as error:
        raise CertificateUnusable(CERTIFICATE, f"{path} holds no certificate in PEM form.") from error


def _key_in(path: str) -> Any:
    """Return the private key of a PEM file; `Any`, because each kind of key is a type of its own."""
    try:
        return serialization.load_pem_private_key(_read(KEY, path), password=None)
    except TypeError as error:
        raise CertificateUnusable(KEY, f"{path} is locked with a passphrase: nobody is there to type it.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateUnusable(KEY, f"{path} holds no private key in PEM form.") from error


def _read(key: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CertificateUnusable(key, f"{path} cannot be read: {error.strerror}.") from error
