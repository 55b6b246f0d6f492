"""Messages to people: rendered when they are asked for, recorded with the caller's transaction, delivered at least once.

This is the courier that `settings.COURIER` names. Texts are the operator's (overrides.py), part by part, else ours: Django's
templates below templates/courier/<template>/, with their words in the languages of actions/locale/.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils import timezone, translation

from actions import languages, overrides, payloads
from actions.delivery import outbox
from actions.delivery.models import Delivery
from actions.gotemplate import Record, TemplateError
from flows.courier import CourierMessage
from identity import config
from identity.config import Config

log = logging.getLogger("vestibule.courier")


@config.per_config
def _brand(c: Config) -> str:
    return str(c.get("ui.name") or "Vestibule")


@config.per_config
def _inbox_budget(c: Config) -> int:
    return int(c.get("security.messages_per_inbox_and_hour"))


def has_room(via: str, to: str) -> bool:
    """Whether this inbox got fewer messages within the last hour than it may get."""
    since = timezone.now() - timedelta(hours=1)
    rows = Delivery.objects.filter(channel=via, target=to[:400], created_at__gt=since).exclude(status=Delivery.WITHHELD)
    return rows.count() < _inbox_budget()


def send(message: CourierMessage) -> None:
    """Render *message* and record it. It is sent once the transaction commits."""
    outbox.enqueue_message(message.via, message.to, message.template, _rendered(message), is_withheld=message.is_withheld)


def _rendered(message: CourierMessage) -> dict[str, object]:
    content: dict[str, object] = {
        "data": message.data,
        "request_headers": payloads.filtered_headers(message.request_headers),
        "subject": "",
        "html_body": "",
    }
    words = _Words(message, languages.chosen(message.data, message.request_headers))
    with translation.override(words.language):
        if message.via == "sms":
            return content | {"body": words.part("sms", "sms.txt").strip()}
        return content | {
            "subject": " ".join(words.part("subject", "subject.txt").split()),  # one line, whatever stands in it
            "body": words.part("body", "body.txt"),
            "html_body": words.part("html_body", "body.html"),
        }


@dataclass(frozen=True)
class _Words:
    """What one message says, part by part."""

    message: CourierMessage
    language: str

    def part(self, name: str, file: str) -> str:
        """Return what the operator's template makes of this part; what ours makes when there is none, or when it fails."""
        template = overrides.find(self.message.template, name)
        if template is not None:
            try:
                return template.render(self._variables)
            except TemplateError as error:
                log.warning("the built-in text is sent: %s of %s cannot be rendered: %s", name, self.message.template, error)
        return self._built_in(file)

    @cached_property
    def _variables(self) -> Record:
        data = self.message.data | {"language": self.language}
        return overrides.variables(self.message.template, self.message.via, data)

    def _built_in(self, file: str) -> str:
        folder = f"courier/{self.message.template}"
        try:
            return render_to_string(f"{folder}/{file}", self._context)
        except TemplateDoesNotExist:
            if file != "body.html":
                raise
            return render_to_string("courier/plain.html", self._context | {"text": render_to_string(f"{folder}/body.txt", self._context)})

    @cached_property
    def _context(self) -> dict[str, Any]:
        direction = "rtl" if translation.get_language_bidi() else "ltr"
        return self.message.data | {"brand": _brand(), "language": self.language, "direction": direction}
