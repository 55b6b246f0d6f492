"""Errors that wait for a browser to come and read them (contract: flows.md 1.4)."""

import uuid

from django.db import models
from django.utils import timezone

from identity.db.fields import JSONField


class ParkedError(models.Model):
    """An error that ended a browser's request; the error page fetches it by its id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    error = JSONField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.id)
