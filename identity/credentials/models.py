"""What proves who somebody is. `type` is a plain string: no list of methods lives here."""

from __future__ import annotations

from functools import cached_property

from django.db import models
from django.utils import timezone

from identity.db.fields import JSONField
from identity.ids import uuid7


class Credential(models.Model):
    """One credential of an identity; at most one row per type. Its config is as contract identities.md 8.4 gives it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    identity = models.ForeignKey("identity.Identity", on_delete=models.CASCADE, related_name="credential_rows")
    type = models.CharField(max_length=32)
    config = JSONField(default=dict)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity", "type"], name="one_credential_of_a_type")]

    def __str__(self) -> str:
        return self.type

    @cached_property
    def names(self) -> list[str]:
        """The identifiers, in order; those that shall be stored on a credential that is only proposed."""
        return sorted(row.identifier for row in self.identifier_rows.all())


class CredentialIdentifier(models.Model):
    """What a person types to say who they are, normalised; one owner per type over all identities."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="identifier_rows")
    identity = models.ForeignKey("identity.Identity", on_delete=models.CASCADE, related_name="identifier_rows")
    type = models.CharField(max_length=32)
    identifier = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "identifier"], name="one_owner_of_an_identifier")]
        indexes = [models.Index(fields=["identifier"], name="identifier_beginning", opclasses=["varchar_pattern_ops"])]

    def __str__(self) -> str:
        return self.identifier


class GuessCount(models.Model):
    """How often a factor of an identity was guessed wrong in a row. Only credentials/attempts.py writes these rows."""

    identity = models.ForeignKey("identity.Identity", on_delete=models.CASCADE, related_name="+")
    factor = models.CharField(max_length=32)
    device = models.CharField(max_length=36, default="", blank=True)  # a session that counts by itself
    wrong = models.IntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identity", "factor", "device"], name="one_count_of_guesses")]

    def __str__(self) -> str:
        return f"{self.wrong} wrong guesses of {self.factor}"
