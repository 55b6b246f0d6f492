"""Messages to people: rendered when they are asked for, recorded with the caller's transaction, delivered at least once.

This is the courier that `settings.COURIER` names. Texts are templates below templates/courier/<template>/, or what
`courier.templates` names (contract: identities.md 5.3).
"""

from __future__ import annotations

from datetime import timedelta

from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils import timezone

from actions import payloads
from actions.delivery import outbox
from actions.delivery.models import Delivery
from flows.courier import CourierMessage
from identity import config
from identity.config import Config


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
    context = message.data | {"brand": _brand()}
    folder = f"courier/{message.template}"
    content: dict[str, object] = {
        "data": message.data,
        "request_headers": payloads.filtered_headers(message.request_headers),
        "subject": "",
        "html_body": "",
    }
    if message.via == "sms":
        return content | {"body": render_to_string(f"{folder}/sms.txt", context).strip()}
    return content | {
        "subject": " ".join(render_to_string(f"{folder}/subject.txt", context).split()),
        "body": render_to_string(f"{folder}/body.txt", context),
        "html_body": _html(folder, context),
    }


def _html(folder: str, context: dict[str, object]) -> str:
    try:
        return render_to_string(f"{folder}/body.html", context)
    except TemplateDoesNotExist:
        return render_to_string("courier/plain.html", context | {"text": render_to_string(f"{folder}/body.txt", context)})
