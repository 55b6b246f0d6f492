"""Which rows of this app nobody needs any more. `manage.py cleanup` asks each app and deletes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from identity.http.models import ParkedError
from identity.sessions.models import Session

ERRORS_LIVE = timedelta(hours=1)  # a browser comes for its error at once


def rows(before: datetime) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Return by name what was over at *before*."""
    yield "sessions", Session.objects.filter(expires_at__lt=before)
    yield "errors", ParkedError.objects.filter(created_at__lt=before - ERRORS_LIVE)
