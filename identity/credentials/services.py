"""Find who owns an identifier, and hold a credential while its secret is spent."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from identity.credentials.models import Credential, CredentialIdentifier
from identity.db import rows
from identity.identities import normalize
from identity.identities.models import VIAS, Identity, VerifiableAddress, read

FROM_TRAITS = ("password", "webauthn", "code")  # credential types whose identifiers come from traits


def find(type: str, identifier: str) -> Credential | None:
    """Return the credential of *type* that *identifier* names, with its identity, or None.

    The spelling is forgiven, except where one row holds it exactly as typed (contract: identities.md 2.5). What else the identity
    holds is not read: that takes longer for somebody than for nobody.
    """
    return _find(type, identifier, _spellings(identifier))


def find_exactly(type: str, identifier: str) -> Credential | None:
    """Return the credential that has *identifier* letter for letter, with its identity, or None."""
    return _find(type, identifier, (identifier,))


def _find(type: str, identifier: str, spelled: tuple[str, ...]) -> Credential | None:
    if "\x00" in identifier:
        return None
    found = rows.where(CredentialIdentifier, "credential__identity", type=type, identifier=spelled)
    row = min(found, key=lambda row: row.identifier != identifier, default=None)
    return row.credential if row else None


def _spellings(identifier: str) -> tuple[str, ...]:
    return tuple({identifier, normalize.identifier(identifier)})


def owner_of(identifier: str, types: tuple[str, ...] = FROM_TRAITS, *, by_address: bool = False) -> Identity | None:
    """Return the identity that owns *identifier* in any of these credential types, with all that it holds, or None.

    Earlier types count more; the spelling is forgiven as in `find`. *by_address*: else the one that has it as a verifiable
    address. The database is asked as often for nobody as for somebody.
    """
    if "\x00" in identifier:
        return None
    spelled = _spellings(identifier)
    found = read(rows.Those(CredentialIdentifier, "identity_id", {"type": types, "identifier": spelled}))
    owner = min(found, key=lambda identity: _rank(identity, types, identifier, spelled), default=None)
    if by_address:
        address = {"via": VIAS, "value": normalize.identifier(identifier)}  # both, as their index has it
        others = read(rows.Those(VerifiableAddress, "identity_id", address))
        owner = owner or min(others, key=lambda identity: identity.pk, default=None)
    return owner


def _rank(identity: Identity, types: tuple[str, ...], identifier: str, spelled: tuple[str, ...]) -> tuple[int, bool]:
    for position, type in enumerate(types):
        names = identity.factors[type].names if type in identity.factors else []
        if any(name in spelled for name in names):
            return position, identifier not in names
    return len(types), True


@contextlib.contextmanager
def locked(credential: Credential) -> Iterator[Credential | None]:
    """Hold the stored row of *credential* alone, in a transaction of its own, and store what became of its config.

    It is for secrets that are spent: what was spent stays spent whatever becomes of the submission. None when the row is gone.
    """
    with transaction.atomic(durable=True):
        row = Credential.objects.select_for_update().filter(pk=credential.pk).first()
        before = copy.deepcopy(row.config) if row else None
        yield row
        if row is not None and row.config != before:
            row.updated_at = timezone.now()
            row.save(update_fields=["config", "updated_at"])
