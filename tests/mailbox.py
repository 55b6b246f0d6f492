"""A courier that keeps what it is given: name it with `settings.COURIER = "tests.mailbox"`."""

from __future__ import annotations

from typing import Any

from flows.courier import CourierMessage

sent: list[CourierMessage] = []


def send(message: CourierMessage) -> None:
    sent.append(message)


def has_room(via: str, to: str) -> bool:
    return True


def delivered_to(address: str) -> list[CourierMessage]:
    """Return what would have reached this address, oldest first."""
    return [message for message in sent if message.to == address and not message.is_withheld]


def data_for(address: str) -> dict[str, Any]:
    return delivered_to(address)[-1].data


def code_for(address: str) -> str:
    """Return the code in the newest message to this address."""
    return next(str(value) for name, value in data_for(address).items() if name.endswith("_code"))
