"""The port to durable delivery of messages. `settings.COURIER` names the courier, a module with one function `send(message)`.

A message is recorded with the caller's transaction: if the transaction rolls back nothing is sent, if it commits the
message is sent even when the process dies.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class CourierMessage:
    """One message to one person.

    `template` is a template type of contract identities.md 5.3, such as `verification_code_valid`; `data` are its
    variables with the names that section gives (snake case). Codes in `data` are credentials: a courier keeps them encrypted.
    """

    template: str
    via: str  # "email" or "sms"
    to: str
    data: dict[str, Any] = field(default_factory=dict)
    request_headers: dict[str, list[str]] = field(default_factory=dict)
    is_withheld: bool = False  # made for nobody: costs what another message costs, and is never sent


def send(message: CourierMessage) -> None:
    importlib.import_module(settings.COURIER).send(message)
