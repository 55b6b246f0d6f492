"""Telling the addresses that a person had before that they were changed (contract: actions.md 3.7)."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from actions.base import Action, Place, Run, register
from flows import courier
from flows.courier import CourierMessage
from identity.api import representations
from identity.config import Fault
from identity.identities.models import VerifiableAddress
from identity.sessions.services import rfc3339

log = logging.getLogger("vestibule.actions")
REMOVED, ALL_VERIFIED, ALL = RECIPIENTS = ("removed", "all_verified", "all")
CHANNELS = ("email", "sms")


@register
class NotifyPreviousAddresses(Action):
    """Tell the addresses that the person had before, when one of them was changed."""

    name = "notify_previous_addresses"

    def faults(self, config: Any, path: str, place: Place) -> list[Fault]:
        if config is None:
            return []
        if not isinstance(config, dict):
            return [Fault(f"{path}.config", "must be an object.")]
        found = [Fault(f"{path}.config.{name}", "there is no such key. Known is: recipients.") for name in config.keys() - {"recipients"}]
        if config.get("recipients", REMOVED) not in RECIPIENTS:
            found.append(Fault(f"{path}.config.recipients", f"must be one of {', '.join(RECIPIENTS)}."))
        return found

    def phases(self, config: dict[str, object], flow: str) -> frozenset[str]:
        return frozenset(("record",))

    def record(self, run: Run) -> None:
        """Record the messages with the change. One that cannot be is logged: it does not undo the change."""
        for address in _told(run):
            try:
                with transaction.atomic():
                    courier.send(_message(run, address))
            except Exception:
                log.exception("%s: a message about a changed address could not be recorded", run.entry.path)

    def describe(self, config: dict[str, Any], flow: str) -> str:
        return f"{super().describe(config, flow)} Recipients: {config.get('recipients', REMOVED)}."


def _told(run: Run) -> list[VerifiableAddress]:
    before, after = run.context.previous, run.context.identity
    if before is None or after is None:
        return []
    kept = {row.key for row in after.verifiable}
    if kept == {row.key for row in before.verifiable}:
        return []
    wanted = run.entry.config.get("recipients", REMOVED)
    rows = [row for row in before.verifiable if row.via in CHANNELS]
    if wanted == REMOVED:
        return [row for row in rows if row.key not in kept]
    return [row for row in rows if row.verified or wanted == ALL]


def _message(run: Run, address: VerifiableAddress) -> CourierMessage:
    context = run.context
    assert context.previous is not None
    told = {
        "to": address.value,
        "identity": representations.identity(context.previous),
        "changed_at": rfc3339(timezone.now()),
        "transient_payload": context.transient_payload,
    }
    return CourierMessage("verifiable_address_changed", address.via, address.value, told, dict(context.request.headers))
