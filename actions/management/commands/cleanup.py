"""manage.py cleanup: delete what is over. Safe to run at any time, and twice; run it once a day."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from actions.delivery import stale as stale_deliveries
from flows import stale as stale_flows
from identity import stale as stale_identity
from identity.config import units
from identity.credentials import attempts

BUDGET = timedelta(hours=1)  # what an inbox got within it is counted by rows


def _duration(text: str) -> timedelta:
    try:
        return units.duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _size(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError("must be a number above zero")
    return int(text)


class Command(BaseCommand):
    help = "Delete expired flows, codes and sessions, and deliveries that were sent long ago."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep-last", type=_duration, default="24h", help="keep what ended within this time (default 24h)")
        parser.add_argument("--keep-sent", type=_duration, default="720h", help="keep deliveries that are younger than this (default 720h)")
        parser.add_argument("--batch-size", type=_size, default=500, help="rows in one transaction (default 500)")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        before, sent_before = now - options["keep_last"], now - max(options["keep_sent"], BUDGET)
        kinds = chain(stale_flows.rows(before), stale_identity.rows(before), stale_deliveries.rows(before, sent_before))
        for name, rows in kinds:
            deleted = sum(_in_batches(rows, options["batch_size"]))
            self.stdout.write(f"{deleted:8} {name}")
        self.stdout.write(f"{attempts.forget_old(before):8} counts of wrong guesses")


def _in_batches(rows: QuerySet[Any], size: int) -> Iterator[int]:
    """Delete the rows, a few in each transaction, so that nobody waits for long. Returns how many, batch by batch."""
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:size]):
        _, deleted = rows.filter(pk__in=ids).delete()
        yield deleted.get(rows.model._meta.label, 0)
