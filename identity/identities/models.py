"""Who exists: identities and the addresses that reach them. Only identities/services.py writes these rows."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import models
from django.utils import timezone

from identity.credentials.models import Credential, CredentialIdentifier
from identity.db import rows
from identity.db.fields import JSONField
from identity.ids import uuid7

VIAS = ("email", "sms")  # how an address is reached


class Identity(models.Model):
    """A person (contract: identities.md 1).

    The lists `verifiable`, `recovery` and `factors` read the stored rows once, all together; on an identity that is only proposed
    (identities/services.py: `propose`) they hold what shall be stored.
    """

    ACTIVE, INACTIVE = "active", "inactive"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schema_id = models.CharField(max_length=255)
    traits = JSONField(default=dict)
    state = models.CharField(max_length=16, default=ACTIVE)
    state_changed_at = models.DateTimeField(default=timezone.now, null=True)
    metadata_public = JSONField(null=True, default=None)
    metadata_admin = JSONField(null=True, default=None)
    external_id = models.CharField(max_length=64, null=True, unique=True, default=None)
    organization_id = models.UUIDField(null=True, default=None)
    available_aal = models.CharField(max_length=4, default="aal0")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "identities"
        indexes = [
            models.Index(fields=["organization_id"], condition=models.Q(organization_id__isnull=False), name="identity_organization"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_active(self) -> bool:
        return self.state == self.ACTIVE

    @cached_property
    def _held(self) -> tuple[list[Any], ...]:
        return rows.gather(*_held_by(self.pk))

    @cached_property
    def verifiable(self) -> list[VerifiableAddress]:
        return sorted(self._held[0], key=lambda row: row.id)

    @cached_property
    def recovery(self) -> list[RecoveryAddress]:
        return sorted(self._held[1], key=lambda row: row.id)

    @cached_property
    def factors(self) -> dict[str, Credential]:
        """Credentials by type, each with its `names` (identifiers)."""
        found = {row.pk: row for row in self._held[2]}
        for credential in found.values():
            credential.names = sorted(name.identifier for name in self._held[3] if name.credential_id == credential.pk)
        return {row.type: row for row in found.values()}

    def credential(self, type: str) -> Credential | None:
        return self.factors.get(type)


class Address(models.Model):
    """An address of an identity, normalised; unique by (via, value) over all identities."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    via = models.CharField(max_length=16)  # email or sms
    value = models.CharField(max_length=400)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.value

    @property
    def key(self) -> tuple[str, str]:
        return self.via, self.value


class VerifiableAddress(Address):
    PENDING, SENT, COMPLETED = "pending", "sent", "completed"

    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="verifiable_rows")
    verified = models.BooleanField(default=False)
    status = models.CharField(max_length=16, default=PENDING)
    verified_at = models.DateTimeField(null=True, default=None)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["via", "value"], name="one_owner_of_a_verifiable_address")]

    def prove(self, at: datetime | None = None) -> None:
        """Mark the address as the person's own; the caller saves."""
        self.verified, self.status, self.verified_at = True, self.COMPLETED, self.verified_at or at or timezone.now()


class RecoveryAddress(Address):
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="recovery_rows")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["via", "value"], name="one_owner_of_a_recovery_address")]


def _held_by(whose: uuid.UUID | rows.Those) -> list[tuple[type[models.Model], rows.Values]]:
    return [(model, {"identity_id": whose}) for model in (VerifiableAddress, RecoveryAddress, Credential, CredentialIdentifier)]


def read(whose: rows.Those) -> list[Identity]:
    """Return the identities whose ids are *whose*, with all that each holds, by one statement."""
    return read_beside(whose)[0]


def read_beside(whose: rows.Those, *asked: tuple[type[models.Model], rows.Values]) -> tuple[list[Identity], list[list[Any]]]:
    """Return what `read` does, and the rows of other models that are asked for as in `rows.gather`, by one statement."""
    held_by = _held_by(whose)
    identities: list[Identity]
    identities, *found = rows.gather((Identity, {"pk": whose}), *held_by, *asked)
    for identity in identities:
        identity._held = tuple([row for row in held if row.identity_id == identity.pk] for held in found[: len(held_by)])
    return identities, found[len(held_by) :]
