"""Functions that templates commonly use beside the language's own (masterminds.github.io/sprig): those on texts, numbers,
lists and mappings whose result depends on nothing but their arguments.

As there, the subject is the last argument, so that it can come from a pipeline.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import textwrap
from collections.abc import Callable
from typing import Any

from actions.gotemplate import limits, values
from actions.gotemplate.errors import Refusal
from actions.gotemplate.values import Made


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Refusal("a text is missing" if value is None else f"{values.kind(value)} is no text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Refusal(f"{values.kind(value)} is no list")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(f"{values.kind(value)} is no mapping")
    return value


def _integer(value: Any) -> int:
    """Return the whole number that *value* is or reads as; 0 when it is none."""
    if isinstance(value, str):
        try:
            value = int(value[:20]) if len(value) < 20 else 0
        except ValueError:
            value = 0
    return values.int64(int(value)) if isinstance(value, int | float) and math.isfinite(value) else 0


def _real(value: Any) -> float:
    try:
        return float(value) if isinstance(value, int | float) or (isinstance(value, str) and len(value) < 40) else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _on_text(call: Callable[[str], Any]) -> Callable[[Any], Any]:
    def on_text(value: Any) -> Any:
        return call(_text(value))

    return on_text


# -- texts


def title(value: str) -> str:
    """Begin each word with a capital."""
    return "".join(letter.upper() if not at or not value[at - 1].isalnum() else letter for at, letter in enumerate(value))


def untitle(value: str) -> str:
    return "".join(letter.lower() if not at or value[at - 1].isspace() else letter for at, letter in enumerate(value))


def trim_all(letters: Any, value: Any) -> str:
    return _text(value).strip(_text(letters)) if letters else _text(value)


def trim_suffix(end: Any, value: Any) -> str:
    return _text(value).removesuffix(_text(end))


def trim_prefix(start: Any, value: Any) -> str:
    return _text(value).removeprefix(_text(start))


def repeat(count: Any, value: Any) -> str:
    times = max(0, _integer(count))
    limits.fits(times * len(_text(value)))
    return str(value) * times if value else ""


def substr(start: Any, end: Any, value: Any) -> str:
    low, high, text = _integer(start), _integer(end), _text(value)
    return text[: max(0, high)] if low < 0 else text[low:] if high < 0 or high > len(text) else text[low:high]


def trunc(count: Any, value: Any) -> str:
    width, text = _integer(count), _text(value)
    return text[width:] if width < 0 and len(text) + width > 0 else text if width < 0 else text[:width]


def abbrev(width: Any, value: Any) -> str:
    most, text = _integer(width), _text(value)
    return text if most < 4 or len(text) <= most else text[: most - 3] + "..."


def initials(value: str) -> str:
    return "".join(word[0] for word in value.split())


def nospace(value: str) -> str:
    return "".join(value.split())


def cat(*given: Any) -> str:
    return limits.joined(" ", (values.text(value) for value in given if value is not None))


def indent(count: Any, value: Any) -> str:
    width, text = max(0, _integer(count)), _text(value)
    limits.fits(len(text) + width * (text.count("\n") + 1))
    pad = " " * width
    return pad + text.replace("\n", "\n" + pad)


def nindent(count: Any, value: Any) -> str:
    return "\n" + indent(count, value)


def replace(old: Any, new: Any, value: Any) -> str:
    text, before, after = _text(value), _text(old), _text(new)
    limits.fits(len(text) + (text.count(before)) * max(0, len(after) - len(before)))
    return text.replace(before, after)


def plural(one: Any, many: Any, count: Any) -> str:
    return _text(one) if _integer(count) == 1 else _text(many)


def contains(piece: Any, value: Any) -> bool:
    return _text(piece) in _text(value)


def has_prefix(start: Any, value: Any) -> bool:
    return _text(value).startswith(_text(start))


def has_suffix(end: Any, value: Any) -> bool:
    return _text(value).endswith(_text(end))


def quote(*given: Any) -> str:
    return limits.joined(" ", (json.dumps(values.text(value), ensure_ascii=False) for value in given if value is not None))


def squote(*given: Any) -> str:
    return limits.joined(" ", (f"'{values.text(value)}'" for value in given if value is not None))


def wrap(width: Any, value: Any) -> str:
    most = max(1, min(_integer(width), limits.SIZE))
    options = {"break_long_words": False, "break_on_hyphens": False}
    return "\n".join(textwrap.fill(line, most, **options) for line in _text(value).split("\n"))  # type: ignore[arg-type]


def to_string(value: Any) -> str:
    return values.text(value)


def split_list(separator: Any, value: Any) -> list[Any]:
    text, between = _text(value), _text(separator)
    if text.count(between) > limits.ITEMS:
        raise Refusal(f"the list would have more than {limits.ITEMS} entries")
    return list(text.split(between)) if between else list(text)


def split(separator: Any, value: Any) -> Made:
    return Made({f"_{place}": piece for place, piece in enumerate(split_list(separator, value))})


def join(separator: Any, value: Any) -> str:
    items = value if isinstance(value, list) else [value]
    return limits.joined(_text(separator), (values.text(item) for item in items if item is not None))


def sort_alpha(value: Any) -> list[Any]:
    return sorted(values.text(item) for item in (value if isinstance(value, list) else [value]))


# -- numbers


def add(*given: Any) -> int:
    return values.int64(sum(map(_integer, given)))


def add1(value: Any) -> int:
    return values.int64(_integer(value) + 1)


def sub(first: Any, second: Any) -> int:
    return values.int64(_integer(first) - _integer(second))


def mul(first: Any, *more: Any) -> int:
    product = _integer(first)
    for value in more:
        product = values.int64(product * _integer(value))
    return product


def div(first: Any, second: Any) -> int:
    """Towards zero, as Go does."""
    if not _integer(second):
        raise Refusal("nothing can be divided by zero")
    quotient = abs(_integer(first)) // abs(_integer(second))
    return values.int64(quotient if (_integer(first) < 0) == (_integer(second) < 0) else -quotient)


def mod(first: Any, second: Any) -> int:
    return values.int64(_integer(first) - div(first, second) * _integer(second))


def largest(first: Any, *more: Any) -> int:
    return max(map(_integer, (first, *more)))


def smallest(first: Any, *more: Any) -> int:
    return min(map(_integer, (first, *more)))


def ceil(value: Any) -> float:
    return float(math.ceil(_real(value)))


def floor(value: Any) -> float:
    return float(math.floor(_real(value)))


def rounded(value: Any, places: Any) -> float:
    power = 10.0 ** max(0, min(15, _integer(places)))
    scaled = abs(_real(value)) * power
    return math.copysign(math.floor(scaled + 0.5) / power, _real(value)) if math.isfinite(scaled) else 0.0


def until(count: Any) -> list[Any]:
    return until_step(0, count, 1 if _integer(count) >= 0 else -1)


def until_step(start: Any, stop: Any, step: Any) -> list[Any]:
    low, high, by = _integer(start), _integer(stop), _integer(step)
    if not by:
        return []
    if len(range(low, high, by)) > limits.ITEMS:
        raise Refusal(f"the list would have more than {limits.ITEMS} entries")
    return list(range(low, high, by))


# -- choices


def default(fallback: Any, *value: Any) -> Any:
    return value[0] if value and values.truth(value[0]) else fallback


def empty(value: Any) -> bool:
    return not values.truth(value)


def coalesce(*given: Any) -> Any:
    return next((value for value in given if values.truth(value)), None)


def every(*given: Any) -> bool:
    return all(map(values.truth, given))


def some(*given: Any) -> bool:
    return any(map(values.truth, given))


def ternary(yes: Any, no: Any, choice: Any) -> Any:
    if not isinstance(choice, bool):
        raise Refusal("ternary chooses by true or false")
    return yes if choice else no


def fail(message: Any) -> str:
    raise Refusal(_text(message)[:200])


# -- lists


def make_list(*items: Any) -> list[Any]:
    return list(items)


def first(value: Any) -> Any:
    return next(iter(_list(value)), None)


def last(value: Any) -> Any:
    return _list(value)[-1] if value else None


def rest(value: Any) -> list[Any]:
    return _list(value)[1:]


def initial(value: Any) -> list[Any]:
    return _list(value)[:-1]


def append(value: Any, item: Any) -> list[Any]:
    return [*_list(value), item]


def prepend(value: Any, item: Any) -> list[Any]:
    return [item, *_list(value)]


def concat(*given: Any) -> list[Any]:
    if sum(len(_list(value)) for value in given) > limits.ITEMS:
        raise Refusal(f"the list would have more than {limits.ITEMS} entries")
    return [item for value in given for item in value]


def reverse(value: Any) -> list[Any]:
    return _list(value)[::-1]


def _is_same(one: Any, other: Any) -> bool:
    return values.kind(one) == values.kind(other) and not isinstance(one, list | dict) and bool(one == other)


def has(item: Any, value: Any) -> bool:
    """Whether a list has a text, a number, true or false."""
    return value is not None and any(_is_same(item, one) for one in _list(value))


def without(value: Any, *items: Any) -> list[Any]:
    return [one for one in _list(value) if not any(_is_same(one, item) for item in items)]


def compact(value: Any) -> list[Any]:
    return [item for item in _list(value) if values.truth(item)]


# -- mappings


def make_dict(*given: Any) -> Made:
    names = given[::2]
    return Made({values.text(name): given[place * 2 + 1] if place * 2 + 1 < len(given) else "" for place, name in enumerate(names)})


def get(value: Any, name: Any) -> Any:
    return _mapping(value).get(_text(name), "")


def put(value: Any, name: Any, new: Any) -> Made:
    """`set`: only of what the template made; the variables of a message stay as they are."""
    mapping = _changeable(value)
    mapping[_text(name)] = new
    return mapping


def unset(value: Any, name: Any) -> Made:
    mapping = _changeable(value)
    mapping.pop(_text(name), None)
    return mapping


def _changeable(value: Any) -> Made:
    if not isinstance(value, Made):
        raise Refusal("only a mapping that the template made can be changed")
    return value


def has_key(value: Any, name: Any) -> bool:
    return _text(name) in _mapping(value)


def keys(*given: Any) -> list[Any]:
    return sorted(name for value in given for name in _mapping(value))


def values_of(value: Any) -> list[Any]:
    return [_mapping(value)[name] for name in sorted(value)]


def pick(value: Any, *names: Any) -> Made:
    return Made({name: item for name, item in _mapping(value).items() if name in names})


def omit(value: Any, *names: Any) -> Made:
    return Made({name: item for name, item in _mapping(value).items() if name not in names})


def dig(*given: Any) -> Any:
    """`dig "a" "b" "fallback" mapping`."""
    if len(given) < 3:
        raise Refusal("dig takes names, what to give when they are missing, and a mapping")
    *names, fallback, found = given
    for name in names:
        if not isinstance(found, dict) or name not in found:
            return fallback
        found = found[name]
    return found


# -- codes


def b64enc(value: str) -> str:
    return base64.b64encode(value.encode("utf-8", "replace")).decode()


def b64dec(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise Refusal("this is not base64") from error


def sha256sum(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


def to_json(value: Any) -> str:
    return _json(value, json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True))


def to_pretty_json(value: Any) -> str:
    return _json(value, json.JSONEncoder(indent=2, ensure_ascii=False, sort_keys=True))


def _json(value: Any, encoder: json.JSONEncoder) -> str:
    written = limits.joined("", encoder.iterencode(value))
    return written.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def from_json(value: str) -> Any:
    return json.loads(value)


TABLE: dict[str, Callable[..., Any]] = {
    "upper": _on_text(str.upper), "lower": _on_text(str.lower), "title": _on_text(title), "untitle": _on_text(untitle),
    "trim": _on_text(str.strip), "trimAll": trim_all, "trimSuffix": trim_suffix, "trimPrefix": trim_prefix,
    "repeat": repeat, "substr": substr, "trunc": trunc, "abbrev": abbrev, "initials": _on_text(initials),
    "nospace": _on_text(nospace), "cat": cat, "indent": indent, "nindent": nindent, "replace": replace, "plural": plural,
    "contains": contains, "hasPrefix": has_prefix, "hasSuffix": has_suffix, "quote": quote, "squote": squote, "wrap": wrap,
    "toString": to_string, "splitList": split_list, "split": split, "join": join, "sortAlpha": sort_alpha,
    "add": add, "add1": add1, "sub": sub, "mul": mul, "div": div, "mod": mod, "max": largest, "biggest": largest, "min": smallest,
    "ceil": ceil, "floor": floor, "round": rounded, "int": _integer, "int64": _integer, "atoi": _integer, "float64": _real,
    "until": until, "untilStep": until_step,
    "default": default, "empty": empty, "coalesce": coalesce, "all": every, "any": some, "ternary": ternary, "fail": fail,
    "list": make_list, "tuple": make_list, "first": first, "last": last, "rest": rest, "initial": initial, "append": append,
    "push": append, "prepend": prepend, "concat": concat, "reverse": reverse, "has": has, "without": without, "compact": compact,
    "dict": make_dict, "get": get, "set": put, "unset": unset, "hasKey": has_key, "keys": keys, "values": values_of, "pick": pick,
    "omit": omit, "dig": dig, "kindOf": values.kind,
    "b64enc": _on_text(b64enc), "b64dec": _on_text(b64dec), "sha256sum": _on_text(sha256sum),
    "toJson": to_json, "toPrettyJson": to_pretty_json, "fromJson": _on_text(from_json),
}  # fmt: skip
