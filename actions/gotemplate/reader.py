"""Reads the text between the actions of an HTML template as a browser would, to know where it ends."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any, NoReturn

from actions.gotemplate import contexts
from actions.gotemplate.errors import ParseError
from actions.gotemplate.nodes import Text

TAG_BEGINS = re.compile(r"<(/?)([a-zA-Z][\w:.-]*)", re.ASCII)
WORD = re.compile(r"[^ \t\r\n\f=/>]+")
SPACE = re.compile(r"[ \t\r\n\f]*")
SPACE_OR_SLASH = re.compile(r"[ \t\r\n\f/]*")
DOCTYPE = re.compile(r"<!doctype", re.IGNORECASE)


class Reader:
    """Reads one piece of text and knows where it ends."""

    def __init__(self, node: Text, context: contexts.Context) -> None:
        self.text, self.place, self.context = node.text, node.place, context
        self.at = 0
        self.out: list[str] = []

    def read(self) -> str:
        """Return the text as it goes into the mail. Raises ParseError."""
        steps = {
            contexts.TEXT: self.in_text,
            contexts.COMMENT: self.in_comment,
            contexts.TAG_NAME: self.in_tag_name,
            contexts.TAG: self.in_tag,
            contexts.NAME: self.in_name,
            contexts.AFTER_NAME: self.after_name,
            contexts.BETWEEN: self.between,
            contexts.BEFORE_VALUE: self.before_value,
            contexts.VALUE: self.in_value,
            contexts.RAW: self.in_raw,
        }
        while self.at < len(self.text):
            steps[self.context.state]()
        return "".join(self.out)

    def take(self, end: int) -> str:
        """Go on to *end*, and return what is passed."""
        piece = self.text[self.at : end]
        self.out.append(piece)
        self.at = end
        return piece

    def skip(self, space: re.Pattern[str]) -> None:
        """Go on behind what matches *space*, which may be nothing."""
        if found := space.match(self.text, self.at):
            self.take(found.end())

    def to(self, **change: Any) -> None:
        self.context = replace(self.context, **change)

    def refuse(self, message: str) -> NoReturn:
        name, line = self.place
        raise ParseError(name, line + self.text.count("\n", 0, self.at), f"{message}.")

    def in_text(self) -> None:
        start = self.text.find("<", self.at)
        if start < 0:
            self.take(len(self.text))
            return
        self.take(start)
        if self.text.startswith("<!--", start):
            self.at += 4
            self.to(state=contexts.COMMENT)
        elif found := TAG_BEGINS.match(self.text, start):
            self.take(found.end())
            self.to(state=contexts.TAG_NAME, tag=found[2].lower(), is_end=bool(found[1]), type="")
        elif DOCTYPE.match(self.text, start):
            self.take(start + 1)
        else:
            self.out.append("&lt;")  # with what an action writes behind it, it could become a tag
            self.at += 1

    def in_comment(self) -> None:
        end = self.text.find("-->", self.at)
        self.at = len(self.text) if end < 0 else end + 3
        if end >= 0:
            self.context = contexts.Context()

    def in_tag_name(self) -> None:
        if self.text[self.at] not in " \t\r\n\f/>":
            self.refuse(f"the name of an element is put together, or <{self.context.tag} is not closed")
        self.to(state=contexts.TAG)

    def in_tag(self) -> None:
        self.skip(SPACE_OR_SLASH)
        if self.at == len(self.text):
            return
        if self.text[self.at] == ">":
            self.take(self.at + 1)
            is_raw = not self.context.is_end and self.context.tag in contexts.ESCAPABLE | contexts.RAW_TEXT
            self.context = contexts.Context(contexts.RAW, self.context.tag, type=self.context.type) if is_raw else contexts.Context()
            return
        found = WORD.match(self.text, self.at)
        if found is None or set(found[0]) & set("\"'<"):
            self.refuse(f"an attribute's name is missing, or it has a quote in it, in <{self.context.tag}>")
        self.take(found.end())
        self.to(state=contexts.NAME if self.at == len(self.text) else contexts.AFTER_NAME, name=found[0].lower())

    def in_name(self) -> None:
        if self.text[self.at] not in " \t\r\n\f/>=":
            self.refuse("the name of an attribute is put together")
        self.to(state=contexts.AFTER_NAME)

    def after_name(self) -> None:
        self.skip(SPACE)
        if self.at == len(self.text):
            return
        if self.text[self.at] == "=":
            self.take(self.at + 1)
            self.to(state=contexts.BEFORE_VALUE)
        else:
            self.to(state=contexts.TAG, name="")

    def between(self) -> None:
        """Behind an attribute that is there or not: a new one may begin, the value of that one may not."""
        is_apart = self.text[self.at] in " \t\r\n\f/>"
        self.skip(SPACE)
        if not is_apart or self.text[self.at : self.at + 1] == "=":
            self.refuse("an attribute begins in one branch and goes on behind it")
        self.to(state=contexts.TAG)

    def before_value(self) -> None:
        self.skip(SPACE)
        if self.at == len(self.text):
            return
        letter = self.text[self.at]
        if letter == ">":
            self.refuse(f"the value of {self.context.name} is missing")
        if letter in "\"'":
            self.take(self.at + 1)
        self.context = contexts.value(self.context, letter if letter in "\"'" else " ")

    def in_value(self) -> None:
        context = self.context
        ends = re.compile(r"[ \t\r\n\f>]" if context.delimiter == " " else context.delimiter).search(self.text, self.at)
        piece = self.take(ends.start() if ends else len(self.text))
        if context.delimiter == " " and set(piece) & set("\"'<=`") and not (context.kind == "url" and set(piece) & set("\"'<=`") == {"="}):
            self.refuse(f"the value of {context.name} needs quotes")
        self.enter(html.unescape(piece))
        if ends:
            if context.delimiter != " ":
                self.take(ends.end())
            self.to(state=contexts.TAG, name="", delimiter="", part="")

    def in_raw(self) -> None:
        ends = re.compile(rf"</{self.context.tag}(?=[ \t\r\n\f/>]|\Z)", re.IGNORECASE).search(self.text, self.at)
        piece = self.text[self.at : ends.start() if ends else len(self.text)]
        self.at += len(piece)
        self.out.append(piece.replace("<", "&lt;") if self.context.tag in contexts.ESCAPABLE else piece)
        self.enter(piece)
        if ends:
            self.take(ends.end())
            self.context = contexts.Context(contexts.TAG_NAME, self.context.tag, is_end=True)

    def enter(self, piece: str) -> None:
        """Note where in an address, a script or a style *piece* ends."""
        kind = self.context.kind
        if kind == "type":
            self.to(type=self.context.type + piece)
        elif kind in ("url", "js", "css"):
            advance = {"url": _in_url, "js": _in_script, "css": _in_style}[kind]
            self.to(part=advance(self.context.part, piece))


def _in_url(part: str, piece: str) -> str:
    if "?" in piece or "#" in piece:
        return contexts.QUERY
    return contexts.PATH if part == contexts.START and piece.strip() else part


def _in_script(part: str, piece: str) -> str:
    """Return the part behind *piece*: "" between things, the quote of a text, a comment's beginning. A slash that divides, or
    begins a pattern, leaves it unsure, and so does a template of the script's own."""
    begins = re.compile(r"//|/\*|<!--|-->|[\"'`/]")
    at = 0
    while at < len(piece):
        if part == contexts.UNSURE:
            return part
        if part == "":
            found = begins.search(piece, at)
            if found is None:
                return part
            part, at = (found[0] if found[0] in ("//", "/*", '"', "'") else contexts.UNSURE), found.end()
        else:
            part, at = _closed(part, piece, at)
    return part


def _in_style(part: str, piece: str) -> str:
    begins = re.compile(r"/\*|url\s*\(|\\.|[\"']", re.IGNORECASE | re.DOTALL)
    at = 0
    while at < len(piece):
        if part == contexts.UNSURE:
            return part
        if part == "":
            found = begins.search(piece, at)
            if found is None:
                return part
            at = found.end()
            if found[0][0] != "\\":
                part = "(" if found[0].endswith("(") else found[0]
        else:
            part, at = _closed(part, piece, at)
    return part


def _closed(part: str, piece: str, at: int) -> tuple[str, int]:
    """Return the part behind the end of a text, a comment or an address in a style, and where that is."""
    if part in ("/*", "//", "("):
        found = re.compile({"/*": r"\*/", "//": r"[\n\r\u2028\u2029]", "(": r"\)"}[part]).search(piece, at)
        return ("", found.end()) if found else (part, len(piece))
    found = re.compile(rf"\\.|\n|{part}", re.DOTALL).search(piece, at)
    if found is None:
        return part, len(piece)
    return ("" if found[0] == part else contexts.UNSURE if found[0] == "\n" else part), found.end()
