"""What a template is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Escape = Callable[[Any], str]
Place = tuple[str, int]  # file, line


@dataclass(frozen=True)
class Constant:
    value: Any


@dataclass(frozen=True)
class Dot:
    pass


@dataclass(frozen=True)
class Variable:
    name: str  # "$", "$x"


@dataclass(frozen=True)
class Function:
    name: str


@dataclass(frozen=True)
class Fields:
    """`.a.b` of what stands before it."""

    of: Operand
    names: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A function with arguments, or one operand alone."""

    words: tuple[Operand, ...]


@dataclass(frozen=True)
class Pipeline:
    """Each command's value is the last argument of the next. `variables` are set to the last value."""

    place: Place
    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    assigns: bool = False  # to variables that there are already


Operand = Constant | Dot | Variable | Function | Fields | Pipeline


@dataclass(frozen=True)
class Text:
    text: str
    place: Place = ("", 0)


@dataclass(frozen=True)
class Action:
    pipeline: Pipeline
    escape: Escape | None = None


@dataclass(frozen=True)
class Branch:
    """`if` and `with`; what `kind` says."""

    kind: str
    pipeline: Pipeline
    body: Body
    otherwise: Body


@dataclass(frozen=True)
class Range:
    pipeline: Pipeline
    body: Body
    otherwise: Body


@dataclass(frozen=True)
class Leave:
    """`break` and `continue`."""

    place: Place
    kind: str


@dataclass(frozen=True)
class Call:
    """`template`: another one of the set, with a dot of its own."""

    place: Place
    name: str
    pipeline: Pipeline | None


Node = Text | Action | Branch | Range | Leave | Call
Body = tuple[Node, ...]
