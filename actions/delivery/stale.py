"""Which deliveries nobody needs any more, see identity/stale.py. What was given up stays: an operator may send it again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from actions.delivery.models import Delivery, DevRequest
from identity.ids import oldest_uuid7


def rows(before: datetime, sent_before: datetime) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Return by name what was over at *before*, and the deliveries that were sent and made before *sent_before*.

    Keys sort by age, so that no table is read as a whole.
    """
    yield "sent deliveries", Delivery.objects.filter(status=Delivery.SENT, pk__lt=oldest_uuid7(sent_before))
    yield "withheld messages", Delivery.objects.filter(status=Delivery.WITHHELD, pk__lt=oldest_uuid7(before))
    yield "requests to the development receiver", DevRequest.objects.filter(at__lt=before)
