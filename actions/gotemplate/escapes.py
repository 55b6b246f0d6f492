"""What a value has to become so that it stays a value where it stands (pkg.go.dev/html/template, "Contexts")."""

from __future__ import annotations

import json
import re
from typing import Any

from actions.gotemplate import limits, values

HARMLESS = "ZgotmplZ"  # stands for a value that cannot be let through, as in Go
ENTITIES = {"\0": "\ufffd", '"': "&#34;", "&": "&amp;", "'": "&#39;", "+": "&#43;", "<": "&lt;", ">": "&gt;"}
SPACES = "\t\n\v\f\r =`\u00a0\u1680\u202f\u205f\u3000\u2028\u2029" + "".join(map(chr, range(0x2000, 0x200B)))
UNQUOTED = ENTITIES | {"\0": "&#xfffd;", "\x85": "&#32;"} | {letter: f"&#{ord(letter)};" for letter in SPACES}
SCHEMES = frozenset(("http", "https", "mailto"))
PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
RESERVED = frozenset(b"!#$&*+,/:;=?@[]")
STYLE = re.compile(r"(?!.*--)[\w #%.,+\-!]*", re.DOTALL)
STYLE_NEVER = re.compile(r"expression|moz-?binding", re.IGNORECASE)
JS_NEVER = re.compile("[<>&'\u2028\u2029/\\\\\"`\x00-\x1f\x7f+=]")


def shown(value: Any) -> str:
    return "" if value is None else values.text(value)


def html(value: Any) -> str:
    return _replaced(shown(value), ENTITIES)


def unquoted(value: Any) -> str:
    """For an attribute without quotes. An empty value would take the next word for itself."""
    return _replaced(shown(value), UNQUOTED) or HARMLESS


def _replaced(text: str, table: dict[str, str]) -> str:
    return text.translate({ord(letter): word for letter, word in table.items()})


def url_start(value: Any) -> str:
    """For the start of an address: only of the web, of mail, and without a scheme."""
    address = shown(value)
    scheme, colon, _ = address.partition(":")
    if colon and "/" not in scheme and scheme.lower() not in SCHEMES:
        return f"#{HARMLESS}"
    return url_path(address)


def url_path(value: Any) -> str:
    return _percent(shown(value), RESERVED, keeps=True)


def url_query(value: Any) -> str:
    return _percent(shown(value), frozenset(), keeps=False)


def _percent(text: str, kept: frozenset[int], *, keeps: bool) -> str:
    """Write what may not stand in an address as %xx; *keeps*: leave what is written so already."""
    coded, out = text.encode("utf-8", "replace"), bytearray()
    for at, byte in enumerate(coded):
        is_coded = keeps and byte == 0x25 and re.fullmatch(rb"[0-9a-fA-F]{2}", coded[at + 1 : at + 3])
        out += bytes((byte,)) if byte in PLAIN or byte in kept or is_coded else b"%%%02x" % byte
    return out.decode()


def style(value: Any) -> str:
    """For a value in a style: a colour, a number, words."""
    given = shown(value)
    return given if STYLE.fullmatch(given) and not STYLE_NEVER.search(given) else HARMLESS


def style_text(value: Any) -> str:
    """For a text in quotes in a style."""
    return "".join(letter if letter.isalnum() or letter in " .,_" else f"\\{ord(letter):x} " for letter in shown(value))


def js_value(value: Any) -> str:
    """For a value in a script: JSON, in which nothing ends the script, nor a text around it."""
    written = limits.joined("", json.JSONEncoder(separators=(",", ":"), sort_keys=True).iterencode(value))
    for letter in "<>&\u2028\u2029":
        written = written.replace(letter, f"\\u{ord(letter):04x}")
    return written if isinstance(value, str | list | dict) else f" {written} "


def js_text(value: Any) -> str:
    """For a text in quotes in a script."""
    return JS_NEVER.sub(lambda found: "\\" + found[0] if found[0] in "/\\" else f"\\u{ord(found[0]):04X}", shown(value))


def nothing(value: Any) -> str:
    return ""


def in_quotes(value: str) -> str:
    """For what an escape of scripts, styles or addresses made, in an attribute."""
    return _replaced(value, ENTITIES)


def without_quotes(value: str) -> str:
    return _replaced(value, UNQUOTED) or HARMLESS
