"""manage.py worker: a Celery worker and the sweeper, for deployments with a broker."""

import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from actions.delivery import broker, tasks
from identity import config
from identity.celery import app


class Command(BaseCommand):
    help = "Run a Celery worker that delivers webhooks and messages, and the sweeper that finds what was overlooked."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=8, help="deliveries at the same time (default 8)")
        parser.add_argument("--only", choices=broker.QUEUES, help="deliver these only: stalled webhooks then keep no thread from a message")

    def handle(self, *args: Any, **options: Any) -> None:
        if not broker.url():
            raise CommandError("deliveries.broker_url is not set: without a broker, serve delivers by itself.")
        config.verify()
        stop = threading.Event()
        threading.Thread(target=tasks.sweep, args=(stop,), name="sweeper", daemon=True).start()
        try:
            app.worker_main(
                [
                    "worker",
                    "--pool=threads",
                    f"--concurrency={options['concurrency']}",
                    f"--queues={options['only'] or ','.join(broker.QUEUES)}",
                    "--loglevel=WARNING",
                    "--without-mingle",
                    "--without-gossip",
                ]
            )
        finally:
            stop.set()
