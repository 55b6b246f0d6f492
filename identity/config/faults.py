"""What is wrong with a configuration, said so that the operator finds the line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """`path` is dotted, as in `selfservice.flows.login.lifespan`; "" is the whole document.

    `may_pass`: nothing is known to be wrong with the configuration, but something that it names cannot be read now.
    """

    path: str
    message: str
    may_pass: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(Exception):
    """The configuration cannot be used. `faults` says why, all at once."""

    def __init__(self, faults: Sequence[Fault] | str) -> None:
        self.faults = [Fault("", faults)] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(f"  {fault}" for fault in self.faults))

    @property
    def may_pass(self) -> bool:
        """Whether the same configuration may be fine in a while."""
        return all(fault.may_pass for fault in self.faults)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest known word, or ""."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{near[0]}"?' if near else ""
