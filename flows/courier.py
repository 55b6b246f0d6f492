"""The port to durable delivery of messages. `settings.COURIER` names the courier, a module with two functions:

    send(message)          record a message
    has_room(via, to)      whether this inbox may get one more code or link now

A message is recorded with the caller's transaction: if the transaction rolls back nothing is sent, if it commits the
message is sent even when the process dies.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any, cast

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


def has_room(via: str, to: str) -> bool:
    """Whether this inbox may get one more code or link now, so that nobody can flood it, or guess at one code after the other.

    A code that is not sent must not be good for anything: ask before it is made.
    """
    return cast(bool, importlib.import_module(settings.COURIER).has_room(via, to))
