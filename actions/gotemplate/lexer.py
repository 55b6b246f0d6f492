"""From source to tokens (pkg.go.dev/text/template, "Text and spaces" and "Arguments")."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from actions.gotemplate import limits
from actions.gotemplate.errors import ParseError

SPACE = " \t\r\n"
KEYWORDS = frozenset(
    ("if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "nil", "true", "false")
)  # fmt: skip
COMMENT = re.compile(r"/\*.*?\*/(?P<end>[ \t\r\n]+-\}\}|\}\})", re.DOTALL)
TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<raw>`[^`]*`)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<char>'(?:[^'\\\n]|\\[^\n][^'\n]*)')
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
      |[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)(?![\w.]))
  | (?P<variable>\$\w*)
  | (?P<field>\.[^\W\d]\w*)
  | (?P<dot>\.)
  | (?P<word>[^\W\d]\w*)
  | (?P<declare>:=)
  | (?P<sign>[=|,()])
    """,
    re.VERBOSE,
)
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'"}
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """`kind`: text, open, close, space, constant, variable, field, dot, word, keyword, declare, sign, end of file ("eof")."""

    kind: str
    text: str
    line: int
    value: Any = None


def tokens(name: str, source: str) -> Iterator[Token]:
    """Raises ParseError."""
    if len(source) > limits.SOURCE:
        raise ParseError(name, 1, f"the template is longer than {limits.SOURCE} characters.")
    at, line, trims = 0, 1, False
    while at < len(source):
        start = source.find("{{", at)
        text = source[at:] if start < 0 else source[at:start]
        shown = text.lstrip(SPACE) if trims else text
        trims = start >= 0 and source.startswith("{{-", start) and source[start + 3 : start + 4] in tuple(SPACE)
        shown = shown.rstrip(SPACE) if trims else shown
        if shown:
            yield Token("text", shown, line)
        if start < 0:
            break
        line += text.count("\n")
        at = start + (4 if trims else 2)
        line += source.count("\n", start, at)
        if source.startswith("/*", at):
            at, ended, trims = _comment(name, source, at, line)
            line += ended
            continue
        action = _Action(name, source, at, line)
        yield Token("open", "{{", line)
        yield from action.tokens()
        at, line, trims = action.at, action.line, action.trims
    yield Token("eof", "", line)


def _comment(name: str, source: str, at: int, line: int) -> tuple[int, int, bool]:
    """Return where the comment ends, over how many lines it went, and whether white space after it goes away."""
    found = COMMENT.match(source, at)
    if found is None:
        raise ParseError(name, line, "the comment is not closed, or */ is not followed by }}.")
    return found.end(), found[0].count("\n"), found["end"] != "}}"


class _Action:
    """What stands between {{ and }}."""

    def __init__(self, name: str, source: str, at: int, line: int) -> None:
        self.name, self.source, self.at, self.line, self.trims = name, source, at, line, False

    def tokens(self) -> Iterator[Token]:
        began = self.line
        while True:
            closing = re.compile(r"[ \t\r\n]+-\}\}|\}\}").match(self.source, self.at)
            if closing:
                self.trims = closing[0] != "}}"
                yield Token("close", "}}", self.line)
                self.at, self.line = closing.end(), self.line + closing[0].count("\n")
                return
            found = TOKEN.match(self.source, self.at)
            if found is None:
                raise ParseError(self.name, self.line, self._complaint(began))
            yield self._token(found)
            self.at, self.line = found.end(), self.line + found[0].count("\n")

    def _complaint(self, began: int) -> str:
        rest = self.source[self.at : self.at + 1]
        if not rest:
            return f"the action that begins in line {began} is not closed by }}}}."
        return "the text is not closed." if rest in "\"'`" else f'"{rest}" cannot stand here.'

    def _token(self, found: re.Match[str]) -> Token:
        kind, text = str(found.lastgroup), found[0]
        if kind == "raw":
            return Token("constant", text, self.line, text[1:-1].replace("\r", ""))
        if kind in ("string", "char"):
            return Token("constant", text, self.line, self._unquoted(text, kind))
        if kind == "number":
            return Token("constant", text, self.line, self._number(text))
        return Token("keyword" if kind == "word" and text in KEYWORDS else kind, text, self.line)

    def _unquoted(self, text: str, kind: str) -> str | int:
        plain = ESCAPE.sub(self._unescaped, text[1:-1])
        if kind == "string":
            return plain
        if len(plain) != 1:
            raise ParseError(self.name, self.line, f"{text} is not one character; texts stand in double quotes.")
        return ord(plain)

    def _unescaped(self, found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "xuU" and len(code) > 1:
            return self._character(int(code[1:], 16))
        if code.isdigit():
            return self._character(int(code, 8))
        if code not in ESCAPES:
            raise ParseError(self.name, self.line, f"\\{code} is not an escape.")
        return ESCAPES[code]

    def _character(self, number: int) -> str:
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise ParseError(self.name, self.line, "the escape names no character.")
        return chr(number)

    def _number(self, text: str) -> int | float:
        bare = text.replace("_", "")
        try:
            if re.fullmatch(r"[+-]?0[0-7]+", bare):
                found: int | float = int(bare, 8)
            else:
                found = int(bare, 0) if re.fullmatch(r"[+-]?(0[xXbBoO]\w+|[0-9]+)", bare) else float(bare)
        except ValueError:
            found = math.inf
        if math.isinf(found) or (isinstance(found, int) and not -(1 << 63) <= found < 1 << 64):
            raise ParseError(self.name, self.line, f"{text[:40]} is not a number, or too large.")
        return found
