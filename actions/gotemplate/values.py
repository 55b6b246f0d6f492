"""Values as Go has them: what is true, how they print, which are equal. Numbers of JSON are whole where they can be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from actions.gotemplate import limits
from actions.gotemplate.errors import Refusal

DEEPEST = 50  # lists in lists that are printed
INT64 = 1 << 64


class Record(dict[str, Any]):
    """A mapping with fixed names: to ask for another one is an error. In other mappings what is missing is no value."""


class Made(dict[str, Any]):
    """A mapping that the template itself made, and may change."""


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def int64(value: int) -> int:
    """Return what is left of *value* in 64 bits."""
    return (value + INT64 // 2) % INT64 - INT64 // 2


def truth(value: Any) -> bool:
    return bool(value)


def kind(value: Any) -> str:
    """Return the kind of *value* as Go names it."""
    for python, name in ((bool, "bool"), (int, "int"), (float, "float64"), (str, "string"), (list, "slice"), (dict, "map")):
        if isinstance(value, python):
            return name
    return "invalid"


def type_name(value: Any) -> str:
    return {"slice": "[]interface {}", "map": "map[string]interface {}", "invalid": "<nil>"}.get(kind(value), kind(value))


def text(value: Any) -> str:
    """Return *value* as %v prints it. Raises Refusal when that is too large or too deep."""
    if isinstance(value, str):
        return value
    return limits.joined("", _pieces(value, 0))


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise Refusal("the value is nested too deeply")
    if isinstance(value, dict):
        yield "map["
        for index, name in enumerate(sorted(value)):
            yield f"{' ' if index else ''}{name}:"
            yield from _pieces(value[name], depth + 1)
        yield "]"
    elif isinstance(value, list):
        yield "["
        for index, item in enumerate(value):
            yield " " if index else ""
            yield from _pieces(item, depth + 1)
        yield "]"
    else:
        yield scalar(value)


def scalar(value: Any) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """Return the shortest text that is this number: with an exponent below 1e-4 and from 1e+06 on."""
    if math.isinf(value) or math.isnan(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    exponent = int(f"{value:e}".partition("e")[2]) if value else 0
    if -4 <= exponent < 6:
        return (
            str(int(value)) if value == int(value) else f"{value:.{max(0, len(repr(value).partition('e')[0]) - 1 - exponent)}f}".rstrip("0")
        )
    digits, _, power = repr(value).partition("e")
    if not power:  # repr writes no exponent yet
        digits, _, power = f"{value:.17e}".partition("e")
        digits = digits.rstrip("0").rstrip(".")
    return f"{digits.removesuffix('.0')}e{int(power):+03d}"


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal. Raises Refusal for lists and mappings, and for kinds that never are."""
    if first is None or second is None:
        return first is second
    if isinstance(first, list | dict) or isinstance(second, list | dict):
        raise Refusal("lists and mappings cannot be compared")
    if is_number(first) and is_number(second):
        return bool(first == second)
    if kind(first) != kind(second):
        raise Refusal(f"{kind(first)} and {kind(second)} cannot be compared")
    return bool(first == second)


def less(first: Any, second: Any) -> bool:
    """Raises Refusal when the two have no order."""
    if is_number(first) and is_number(second):
        return bool(first < second)
    if isinstance(first, str) and isinstance(second, str):
        return first.encode("utf-8", "surrogatepass") < second.encode("utf-8", "surrogatepass")
    raise Refusal(f"{kind(first)} and {kind(second)} have no order")
