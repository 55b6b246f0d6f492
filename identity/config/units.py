"""Durations and sizes as the configuration spells them (contract: config.md 1.7, 1.8)."""

from __future__ import annotations

import re
from datetime import timedelta

DURATION = re.compile(r"(?:[0-9]+(?:ns|us|ms|s|m|h))+")
PIECE = re.compile(r"([0-9]+)(ns|us|ms|s|m|h)")
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
SIZE = re.compile(r"([0-9]+)(B|KB|MB|GB|TB|PB|EB)")
POWERS = {"B": 0, "KB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5, "EB": 6}


def is_duration(text: object) -> bool:
    return isinstance(text, str) and DURATION.fullmatch(text) is not None


def duration(text: str | timedelta) -> timedelta:
    """Return what "1h30m" means. Raises ValueError."""
    if isinstance(text, timedelta):
        return text
    if not is_duration(text):
        raise ValueError(f"{text!r} is not a duration such as 1h30m")
    return timedelta(seconds=sum(int(number) * SECONDS[unit] for number, unit in PIECE.findall(text)))


def is_size(text: object) -> bool:
    return isinstance(text, str) and SIZE.fullmatch(text) is not None


def size(text: str | int) -> int:
    """Return the bytes that "128MB" means; steps of 1024. Raises ValueError."""
    if isinstance(text, int):
        return text
    found = SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size such as 128MB")
    return int(found[1]) * int(1024 ** POWERS[found[2]])
