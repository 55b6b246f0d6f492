"""manage.py dispatch: deliver webhooks and messages, in one process, without a broker. `serve` starts it by itself."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from actions.delivery.dispatcher import Dispatcher
from identity import config


class Command(BaseCommand):
    help = "Deliver webhooks and messages without a broker (serve starts this by itself)."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        config.verify()
        dispatcher = Dispatcher()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: dispatcher.stopping.set())
        dispatcher.run()
