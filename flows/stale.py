"""Which rows of this app nobody needs any more, see identity/stale.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from flows.models import (
    Code,
    LoginFlow,
    ParkedSubmission,
    RecoveryFlow,
    RegistrationFlow,
    SettingsFlow,
    TokenExchange,
    VerificationFlow,
)

FLOWS = (LoginFlow, RegistrationFlow, SettingsFlow, RecoveryFlow, VerificationFlow)


def rows(before: datetime) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Return by name what was over at *before*. What hangs on a flow goes with it."""
    for model in FLOWS:
        yield f"{model.kind} flows", model._default_manager.filter(expires_at__lt=before)
    yield "codes", Code.objects.filter(expires_at__lt=before)
    yield "parked forms", ParkedSubmission.objects.filter(expires_at__lt=before)
    yield "token exchanges", TokenExchange.objects.filter(expires_at__lt=before)
