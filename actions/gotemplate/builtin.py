"""Functions of the language itself (pkg.go.dev/text/template, "Functions"). `and` and `or` stop early: see the evaluator."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

from actions.gotemplate import limits, printf, values
from actions.gotemplate.errors import Refusal

SCRIPT = re.compile("[<>&='\"\\\\\x00-\x1f\u2028\u2029]")


def eq(first: Any, second: Any, *more: Any) -> bool:
    """Whether the first is equal to any of the others."""
    return any(values.same(first, other) for other in (second, *more))


def ne(first: Any, second: Any) -> bool:
    return not values.same(first, second)


def lt(first: Any, second: Any) -> bool:
    return values.less(first, second)


def le(first: Any, second: Any) -> bool:
    return values.less(first, second) or values.same(first, second)


def gt(first: Any, second: Any) -> bool:
    return not le(first, second)


def ge(first: Any, second: Any) -> bool:
    return not values.less(first, second)


def negate(value: Any) -> bool:
    return not values.truth(value)


def every(first: Any, *more: Any) -> Any:
    """`and`, when all of it was evaluated already."""
    return next((value for value in (first, *more) if not values.truth(value)), (first, *more)[-1])


def some(first: Any, *more: Any) -> Any:
    """`or`, when all of it was evaluated already."""
    return next((value for value in (first, *more) if values.truth(value)), (first, *more)[-1])


def index(value: Any, *keys: Any) -> Any:
    for key in keys:
        value = _item(value, key)
    return value


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        if not isinstance(key, str):
            raise Refusal("a mapping is indexed by a text")
        return value.get(key)
    if value is None:
        raise Refusal("there is nothing to index")
    if not isinstance(value, list | str):
        raise Refusal(f"{values.kind(value)} cannot be indexed")
    place = _whole(key)
    held = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    if not 0 <= place < len(held):
        raise Refusal(f"the index {place} is out of range")
    return held[place]


def _whole(value: Any) -> int:
    if not values.is_number(value) or value != int(value):
        raise Refusal("an index is a whole number")
    return int(value)


def part(value: Any, *bounds: Any) -> Any:
    """`slice`: of a text by bytes, or of a list."""
    held = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    if not isinstance(held, bytes | list):
        raise Refusal(f"{values.kind(value)} cannot be sliced")
    low = _whole(bounds[0]) if bounds else 0
    high = _whole(bounds[1]) if len(bounds) > 1 else len(held)
    if not 0 <= low <= high <= len(held):
        raise Refusal("the slice is out of range")
    found = held[low:high]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list | dict):
        return len(value)
    raise Refusal(f"{values.kind(value)} has no length")


def show(*given: Any) -> str:
    """`print`: a space stands between two values when neither is a text."""
    return limits.joined("", _shown(given))


def _shown(given: tuple[Any, ...]) -> Iterator[str]:
    for place, value in enumerate(given):
        if place and not isinstance(value, str) and not isinstance(given[place - 1], str):
            yield " "
        yield values.text(value)


def show_line(*given: Any) -> str:
    return limits.joined(" ", (values.text(value) for value in given)) + "\n"


def show_form(form: Any, *given: Any) -> str:
    if not isinstance(form, str):
        raise Refusal("the format is no text")
    return printf.sprintf(form, given)


def html(*given: Any) -> str:
    return entities.escape(show(*given)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;").replace("\0", "\ufffd")


def js(*given: Any) -> str:
    return SCRIPT.sub(lambda found: "\\" + found[0] if found[0] in "'\"\\" else f"\\u{ord(found[0]):04X}", show(*given))


def urlquery(*given: Any) -> str:
    return quote_plus(show(*given), errors="replace")


TABLE: dict[str, Callable[..., Any]] = {
    "eq": eq, "ne": ne, "lt": lt, "le": le, "gt": gt, "ge": ge, "not": negate, "and": every, "or": some,
    "index": index, "slice": part, "len": length,
    "print": show, "println": show_line, "printf": show_form,
    "html": html, "js": js, "urlquery": urlquery,
}  # fmt: skip
