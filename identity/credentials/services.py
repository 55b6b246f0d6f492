"""Find who owns an identifier."""

from identity.credentials.models import Credential, CredentialIdentifier
from identity.identities import normalize
from identity.identities.models import Identity


def find_by_identifier(type: str, identifier: str) -> Credential | None:
    """Return the credential that *identifier* names, with its identity, or None.

    The spelling is forgiven, except where one row holds it exactly as typed (contract: identities.md 2.5).
    """
    if "\x00" in identifier:
        return None
    spelled = {identifier, normalize.identifier(identifier)}
    rows = CredentialIdentifier.objects.select_related("credential__identity").filter(type=type, identifier__in=spelled)[:2]
    row = min(rows, key=lambda found: found.identifier != identifier, default=None)
    return row.credential if row else None


def owner_of(identifier: str, types: tuple[str, ...] = ("password", "webauthn", "code")) -> Identity | None:
    """Return the identity that owns *identifier* in any of these credential types, or None."""
    for type in types:
        if credential := find_by_identifier(type, identifier):
            return credential.identity
    return None
