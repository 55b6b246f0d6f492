"""Which sessions are open. Only sessions/services.py writes these rows."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from identity.db.fields import JSONField
from identity.identities.models import Identity
from identity.ids import uuid7


class Session(models.Model):
    """One signed-in device. The token that opens it is kept as a keyed hash: a dump of the table opens nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="session_rows")
    token_hash = models.CharField(max_length=64, unique=True)
    active = models.BooleanField(default=True)
    issued_at = models.DateTimeField(default=timezone.now)
    authenticated_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    aal = models.CharField(max_length=4, default="aal0")
    authentication_methods = JSONField(default=list)  # [{method, aal, completed_at, ...}], oldest first
    devices = JSONField(default=list)  # [{id, ip_address, user_agent, location}], of the sign-in
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["identity", "active"]),
            models.Index(fields=["created_at", "id"]),
            models.Index(fields=["expires_at"]),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_live(self) -> bool:
        """Whether it opens anything now: not ended, not expired, and its identity may sign in."""
        return self.active and self.expires_at > timezone.now() and self.identity.is_active

    def methods_used(self) -> list[str]:
        return [entry["method"] for entry in self.authentication_methods]
