"""printf: the verbs of Go's fmt, with widths and precisions that are bounded (pkg.go.dev/fmt)."""

from __future__ import annotations

import json
import re
from typing import Any

from actions.gotemplate import limits, values
from actions.gotemplate.errors import Refusal

VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?P<point>\.(?P<precision>\d*))?(?P<verb>[^\d\s]|$)")
INTEGER = {"d": "d", "b": "b", "o": "o", "x": "x", "X": "X"}
MEANINGS = frozenset("vTtsqdboxXcUeEfFgG")


def sprintf(form: str, given: tuple[Any, ...]) -> str:
    """Raises Refusal."""
    pieces, at, taken, size = [], 0, 0, 0
    while (percent := form.find("%", at)) >= 0:
        found = VERB.match(form, percent)
        if found is None or found["verb"] in ("*", "["):
            raise Refusal("this format is not known: widths and positions are written as numbers")
        pieces.append(form[at:percent])
        if found["verb"] == "%":
            pieces.append("%")
        elif not found["verb"]:
            pieces.append("%!(NOVERB)")
        elif taken >= len(given):
            pieces.append(f"%!{found['verb']}(MISSING)")
        else:
            pieces.append(_padded(_formatted(found, given[taken]), found, given[taken]))
            taken += 1
        size = limits.fits(size + len(pieces[-2]) + len(pieces[-1]))
        at = found.end()
    pieces.append(form[at:])
    if taken < len(given):
        extra = limits.joined(", ", (f"{values.type_name(value)}={values.text(value)}" for value in given[taken:]))
        pieces.append(f"%!(EXTRA {extra})")
    return "".join(pieces)


def _number(found: re.Match[str], part: str) -> int | None:
    text = found[part]
    if text is None:
        return None
    if len(text) > 6 or int(text or 0) > limits.WIDTH:
        raise Refusal(f"a width in printf may be at most {limits.WIDTH}")
    return int(text or 0)


def _formatted(found: re.Match[str], value: Any) -> str:
    verb, flags, precision = found["verb"], found["flags"], _number(found, "precision")
    if verb == "T":
        return values.type_name(value)
    if verb == "v":
        return values.text(value)
    if isinstance(value, bool):
        return values.scalar(value) if verb == "t" else _wrong(verb, value)
    if isinstance(value, str):
        return _text(verb, value, flags, precision)
    if values.is_number(value):
        return _numeric(verb, value, flags, precision)
    if isinstance(value, list) and verb in MEANINGS:
        return f"[{limits.joined(' ', (_formatted(found, item) for item in value))}]"
    return _wrong(verb, value)


def _wrong(verb: str, value: Any) -> str:
    """Return what Go prints for a verb that does not suit its value."""
    shown = "<nil>" if value is None else f"{values.type_name(value)}={values.text(value)}"
    return f"%!{verb}({shown})"


def _text(verb: str, value: str, flags: str, precision: int | None) -> str:
    cut = value if precision is None else value[:precision]
    if verb == "s":
        return cut
    if verb == "q":
        return json.dumps(cut, ensure_ascii="+" in flags)
    if verb in ("x", "X"):
        coded = cut.encode("utf-8", "surrogatepass").hex()
        return coded if verb == "x" else coded.upper()
    return _wrong(verb, value)


def _numeric(verb: str, value: int | float, flags: str, precision: int | None) -> str:
    sign = "+" if "+" in flags else " " if " " in flags else ""
    if verb in INTEGER and value == int(value):
        prefix = {"x": "0x", "X": "0X", "b": "0b", "o": "0"}.get(verb, "") if "#" in flags else ""
        digits = format(abs(int(value)), INTEGER[verb]).rjust(precision or 0, "0")
        return ("-" if value < 0 else sign) + prefix + digits
    if verb in ("e", "E", "f", "F", "g", "G"):
        shown = f"{float(value):{sign}.{6 if precision is None else precision}{verb}}"
        return (
            shown if verb in "eEfF" or precision is not None else ("+" if sign == "+" and value >= 0 else "") + values.number(float(value))
        )
    if verb in ("c", "q", "U") and isinstance(value, int) and 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000:
        return {"c": chr(value), "q": f"'{chr(value)}'", "U": f"U+{value:04X}"}[verb]
    return _wrong(verb, value)


def _padded(shown: str, found: re.Match[str], value: Any) -> str:
    width = _number(found, "width") or 0
    if "-" in found["flags"]:
        return shown.ljust(width)
    if "0" in found["flags"] and values.is_number(value) and (found["point"] is None or found["verb"] not in INTEGER):
        sign = shown[:1] if shown[:1] in "+- " and shown else ""
        return sign + shown[len(sign) :].rjust(width - len(sign), "0")
    return shown.rjust(width)
