"""manage.py courier: what waits to be mailed, and sending what is due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count

from actions.delivery import outbox, sending
from actions.delivery.models import Delivery
from identity import config


class Command(BaseCommand):
    help = "Messages to people: show the queue, or send what is due now."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--send", action="store_true", help="try everything that is due, once, in this process")

    def handle(self, *args: Any, **options: Any) -> None:
        config.verify()
        messages = Delivery.objects.filter(channel__in=(Delivery.EMAIL, Delivery.SMS)).exclude(status=Delivery.WITHHELD)
        if options["send"]:
            tried = sum(sending.attempt(id) for id in outbox.due(1000) if messages.filter(pk=id).exists())
            self.stdout.write(f"{tried} messages were tried.")
        counted = dict(messages.values_list("status").annotate(Count("pk")))
        for status in (Delivery.QUEUED, Delivery.SENT, Delivery.ABANDONED):
            self.stdout.write(f"{status:10} {counted.get(status, 0)}")
        for row in messages.exclude(status=Delivery.SENT).order_by("due_at")[:50]:
            last = row.tries.last()
            self.stdout.write(
                f"{row.id}  {row.status}  {row.target}  {row.subject}  tried {row.attempts}  {last.error if last else ''}".rstrip()
            )
