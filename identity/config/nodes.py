"""The kinds of keys that a configuration may have: each checks a value, says its default, and reads it from the environment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from identity.config import units
from identity.config.faults import Fault, did_you_mean

TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
NOTHING: Any = object()  # no default


@dataclass
class Report:
    """What the checks found."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def fault(self, path: str, message: str) -> None:
        self.faults.append(Fault(path, message))


@dataclass(frozen=True)
class Node:
    """`default` is the value of a key that is not given; NOTHING leaves it out."""

    default: Any = NOTHING
    required: bool = False

    def check(self, value: Any, path: str, report: Report) -> None:
        """Report what is wrong with *value*."""

    def defaults(self) -> Any:
        return self.default

    def from_text(self, text: str) -> Any:
        """Return the value that an environment variable means. Raises ValueError."""
        return json.loads(text)


@dataclass(frozen=True)
class Anything(Node):
    def from_text(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return text


@dataclass(frozen=True)
class Ignored(Anything):
    """A key that others know: accepted, said once, without effect."""

    why: str = "has no effect here"

    def check(self, value: Any, path: str, report: Report) -> None:
        report.warnings.append(f"{path} {self.why}")


@dataclass(frozen=True)
class Later(Node):
    """A key whose effect is not built yet: checked as *node*, and said once when it is given."""

    node: Node = field(default_factory=Node)

    def check(self, value: Any, path: str, report: Report) -> None:
        self.node.check(value, path, report)
        if value not in (None, False, [], {}, ""):
            report.warnings.append(f"{path} has no effect yet")

    def from_text(self, text: str) -> Any:
        return self.node.from_text(text)


@dataclass(frozen=True)
class Flag(Node):
    also_text: bool = False  # "true" and "false" as strings are fine too

    def check(self, value: Any, path: str, report: Report) -> None:
        if not isinstance(value, bool) and not (self.also_text and value in ("true", "false", "")):
            report.fault(path, f"must be true or false, not {_shown(value)}.")

    def from_text(self, text: str) -> Any:
        if text in TRUE or text in FALSE:
            return text in TRUE
        raise ValueError(f"{text!r} is neither true nor false")


@dataclass(frozen=True)
class Number(Node):
    low: float | None = None
    high: float | None = None
    whole: bool = True

    def check(self, value: Any, path: str, report: Report) -> None:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            report.fault(path, f"must be a {'whole ' if self.whole else ''}number, not {_shown(value)}.")
        elif (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            bounds = " and ".join(f"at {word} {bound}" for word, bound in (("least", self.low), ("most", self.high)) if bound is not None)
            report.fault(path, f"must be {bounds}, not {value}.")

    def from_text(self, text: str) -> Any:
        return int(text) if self.whole else float(text)


@dataclass(frozen=True)
class Text(Node):
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)  # other spellings that mean a choice
    pattern: str = ""
    shortest: int = 0
    longest: int | None = None
    kind: str = "text"  # for the message, when the pattern does not fit

    def check(self, value: Any, path: str, report: Report) -> None:
        if not isinstance(value, str):
            report.fault(path, f"must be text, not {_shown(value)}.")
        elif self.choices and value not in self.choices and value not in self.aliases:
            report.fault(path, f'must be one of {", ".join(self.choices)}, not "{value[:50]}".{did_you_mean(value, self.choices)}')
        elif self.pattern and not re.fullmatch(self.pattern, value):
            report.fault(path, f'must be {self.kind}, not "{value[:50]}".')
        elif len(value) < self.shortest or (self.longest is not None and len(value) > self.longest):
            wanted = f"exactly {self.shortest}" if self.shortest == self.longest else f"at least {self.shortest}"
            report.fault(path, f"must have {wanted} characters; it has {len(value)}.")

    def from_text(self, text: str) -> Any:
        return text


@dataclass(frozen=True)
class Duration(Text):
    def check(self, value: Any, path: str, report: Report) -> None:
        if not units.is_duration(value):
            report.fault(path, f"must be a duration such as 30s, 15m or 1h30m, not {_shown(value)}.")


@dataclass(frozen=True)
class Size(Text):
    def check(self, value: Any, path: str, report: Report) -> None:
        if not units.is_size(value):
            report.fault(path, f"must be a size such as 64MB, not {_shown(value)}.")


@dataclass(frozen=True)
class Url(Text):
    """An address with a scheme; with *relative*, a path on our own server too."""

    relative: bool = False

    def check(self, value: Any, path: str, report: Report) -> None:
        if not isinstance(value, str) or not self._fits(value):
            report.fault(path, f"must be an absolute address{' or a path' if self.relative else ''}, not {_shown(value)}.")

    def _fits(self, value: str) -> bool:
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            return False
        return bool(parts.scheme) or (self.relative and value.startswith("/"))


@dataclass(frozen=True)
class Source(Text):
    """What sources.read can read."""

    def check(self, value: Any, path: str, report: Report) -> None:
        if not isinstance(value, str) or not value:
            report.fault(path, f"must be a file://, base64:// or http(s):// address, not {_shown(value)}.")


@dataclass(frozen=True)
class Items(Node):
    of: Node = field(default_factory=Node)
    unique: bool = False
    least: int = 0
    most: int | None = None

    def check(self, value: Any, path: str, report: Report) -> None:
        if not isinstance(value, list):
            report.fault(path, f"must be a list, not {_shown(value)}.")
            return
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            report.fault(
                path, f"must have {'at least ' + str(self.least) if len(value) < self.least else 'at most ' + str(self.most)} entries."
            )
        for index, item in enumerate(value):
            self.of.check(item, f"{path}.{index}", report)
        if self.unique and any(item in value[:index] for index, item in enumerate(value)):
            report.fault(path, "holds an entry twice.")

    def from_text(self, text: str) -> Any:
        if text.lstrip().startswith("["):
            return json.loads(text)
        if isinstance(self.of, Section | Items | Table):
            raise ValueError("a list is written as JSON")
        return [self.of.from_text(piece.strip()) for piece in text.split(",") if piece.strip()]


@dataclass(frozen=True)
class Table(Node):
    """Free names, each with the same kind of value."""

    of: Node = field(default_factory=Node)

    def check(self, value: Any, path: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.fault(path, f"must be a mapping, not {_shown(value)}.")
            return
        for name, below in value.items():
            self.of.check(below, f"{path}.{name}", report)


@dataclass(frozen=True)
class Section(Node):
    """Known names. An *open* section keeps what it does not know; others refuse it, with a hint."""

    keys: Mapping[str, Node] = field(default_factory=dict)
    open: bool = False
    rule: Callable[[dict[str, Any], str, Report], None] | None = None

    def check(self, value: Any, path: str, report: Report) -> None:
        if value is None and path:
            return  # "section:" without anything below it
        if not isinstance(value, dict):
            report.fault(path, f"must be a mapping, not {_shown(value)}.")
            return
        for name, below in value.items():
            at = f"{path}.{name}" if path else str(name)
            node = self.keys.get(name)
            if node is not None:
                if below is not None or node.required:
                    node.check(below, at, report)
            elif not self.open:
                report.fault(at, f"there is no such key.{did_you_mean(str(name), self.keys)}")
        for name, node in self.keys.items():
            if node.required and value.get(name) in (None, ""):
                report.fault(f"{path}.{name}" if path else name, "is required.")
        if self.rule:
            self.rule(value, path, report)

    def defaults(self) -> Any:
        below = {name: node.defaults() for name, node in self.keys.items()}
        return {name: value for name, value in below.items() if value is not NOTHING}


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return json.dumps(value)[:60] if isinstance(value, str | int | float | bool | None) else type(value).__name__
