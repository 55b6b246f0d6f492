"""JSON values as every database can hold them and every answer can show them."""

from __future__ import annotations

import re
from typing import Any

from identity.errors import BadRequest

NESTING = 100  # levels of a value that is kept
SURROGATE = re.compile("[\ud800-\udfff]")


def storable(value: Any, depth: int = 0) -> Any:
    """Return a parsed JSON value so that it can be kept.

    Half a surrogate pair becomes U+FFFD, as upstream does. A number beyond 64 bits is refused: PostgreSQL writes 1e22
    out as an integer, which no answer could hold.

    Raises:
        BadRequest: It holds the NUL character or a number out of range, or is nested too deeply.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | None):
        return value
    if isinstance(value, int | float):
        if not is_storable_number(value):
            raise BadRequest("A number is out of range.")
        return value
    if depth > NESTING:
        raise BadRequest(f"What was sent is nested more than {NESTING} levels deep.")
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in value]
    return {_text(name): storable(item, depth + 1) for name, item in value.items()}


def is_storable_number(value: float) -> bool:
    """Whether a number can be kept; infinity and what is none cannot."""
    return -(2**63) <= value < 2**63


def _text(value: str) -> str:
    if "\x00" in value:
        raise BadRequest("Text cannot hold the NUL character.")
    return value if value.isascii() else SURROGATE.sub("\ufffd", value)
