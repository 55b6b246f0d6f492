"""manage.py actions: say what runs when, try a template, send deliveries again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from actions import config as hooks
from actions import explain, rendering
from actions.delivery import outbox
from actions.delivery.models import Delivery
from identity import config
from identity.ids import parse_uuid

SAMPLE: dict[str, Any] = {
    "flow": {"id": "3f0c8a4e-0000-4000-8000-000000000000", "type": "browser", "transient_payload": {}, "ui": {"nodes": []}},
    "identity": {"id": "01900000-0000-7000-8000-000000000000", "traits": {"email": "ada@example.org"}, "state": "active"},
    "request_headers": {"User-Agent": ["example"]},
    "request_method": "POST",
    "request_url": "https://example.org/self-service/login",
    "request_cookies": {},
}


class Command(BaseCommand):
    help = "Actions: explain which run when, test a template, replay deliveries."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        explained = commands.add_parser("explain", help="say which actions run around a flow, in order, and from which list")
        explained.add_argument("flow", nargs="?", choices=explain.FLOWS, help="all flows when left out")
        explained.add_argument("method", nargs="?", default="", help="such as password; all methods when left out")
        tested = commands.add_parser("test", help="evaluate the template of a hook, and print what would be sent")
        tested.add_argument("path", help="such as selfservice.flows.login.after.password.hooks.0")
        tested.add_argument("--context", help="a JSON file with the context; an example when left out, - for standard input")
        replayed = commands.add_parser("replay", help="send deliveries again: those named, or all that were given up")
        replayed.add_argument("ids", nargs="*")
        replayed.add_argument("--abandoned", action="store_true", help="all that were given up")

    def handle(self, *args: Any, **options: Any) -> None:
        config.verify()
        {"explain": self._explain, "test": self._test, "replay": self._replay}[options["command"]](options)

    def _explain(self, options: dict[str, Any]) -> None:
        for flow in [options["flow"]] if options["flow"] else explain.FLOWS:
            self._lines(f"before {flow}", explain.before(flow))
            known = hooks.METHODS[flow]
            if options["method"] and options["method"] not in known:
                raise CommandError(f"{flow} has no method {options['method']}. It has: {', '.join(known) or 'none'}.")
            for method in [options["method"]] if options["method"] else known or ("",):
                title = f"after {flow}" + (f" by {method}" if method else "")
                self._lines(title, explain.after(flow, method), explain.list_that_counts(flow, method))

    def _lines(self, title: str, lines: list[str], note: str = "") -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(title) + ("" if lines else "  nothing runs"))
        if lines and note:
            self.stdout.write(f"  {note}")
        for line in lines:
            self.stdout.write("  " + line.replace("\n", "\n  "))

    def _test(self, options: dict[str, Any]) -> None:
        entry = next((entry for place in hooks.places() for entry in hooks.entries(place) if entry.path == options["path"]), None)
        if entry is None or entry.action.name != "web_hook":
            known = [entry.path for place in hooks.places() for entry in hooks.entries(place) if entry.action.name == "web_hook"]
            raise CommandError("There is no web_hook at that path. There are:\n  " + "\n  ".join(known or ["none"]))
        template = entry.config.get("body")
        if not template:
            raise CommandError("This hook has no template: it sends the default document (docs/actions.md).")
        try:
            body = rendering.render(template, rendering.JSON, self._context(options["context"]))
        except rendering.RenderingFailed as failure:
            raise CommandError(f"The template failed: {failure}") from failure
        self.stdout.write("called off by its template" if body is None else json.dumps(json.loads(body), indent=2, ensure_ascii=False))

    def _context(self, source: str | None) -> dict[str, Any]:
        if source is None:
            return SAMPLE
        found = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text())
        if not isinstance(found, dict):
            raise CommandError("The context is a JSON object.")
        return found

    def _replay(self, options: dict[str, Any]) -> None:
        keys = [key for key in map(parse_uuid, options["ids"]) if key]
        if len(keys) < len(options["ids"]):
            raise CommandError("The ids of deliveries are UUIDs, as the console and /admin/deliveries show them.")
        if not keys and not options["abandoned"]:
            raise CommandError("Name deliveries, or say --abandoned.")
        rows = Delivery.objects.filter(status=Delivery.ABANDONED) if options["abandoned"] else Delivery.objects.filter(pk__in=keys)
        count = outbox.requeue(rows)
        self.stdout.write(f"{count} deliveries are due now.")
