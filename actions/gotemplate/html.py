"""Which escape each action of an HTML template needs (pkg.go.dev/html/template).

The text between the actions is read as a browser would read it, to know where an action stands: in text, in an attribute, at the
start of an address, in a script. Branches must meet again in the same place. An action in a place that cannot be told for sure,
or that nothing makes safe, is refused when the template is read. Comments are left out of the mail, as Go leaves them out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from actions.gotemplate import escapes, limits
from actions.gotemplate.errors import ParseError
from actions.gotemplate.nodes import Action, Body, Branch, Call, Command, Escape, Function, Leave, Node, Pipeline, Place, Range, Text

# where something stands
TEXT, COMMENT, TAG_NAME, TAG, NAME, AFTER_NAME, BETWEEN, BEFORE_VALUE, VALUE, RAW = (
    "text", "comment", "tag name", "tag", "attribute name", "after name", "between attributes", "before value", "attribute", "raw text",
)  # fmt: skip
IN_TAG = frozenset((TAG_NAME, TAG, NAME, AFTER_NAME, BETWEEN))
START, PATH, QUERY, UNSURE = "start", "path", "query", "?"  # parts of an address; UNSURE: of scripts and styles, too
ESCAPABLE, RAW_TEXT = (
    frozenset(("title", "textarea")),
    frozenset(("script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext")),
)
URLS = frozenset(
    (
        *("action", "archive", "background", "cite", "classid", "codebase", "data", "formaction", "href", "icon", "longdesc", "manifest"),
        *("ping", "poster", "profile", "src", "usemap", "xmlns"),
    )
)
NEVER = frozenset(("srcdoc", "srcset", "imagesrcset"))  # nothing that a value could become is safe there
ANIMATIONS = frozenset(("set", "animate", "animatemotion", "animatetransform"))
SCRIPTS = frozenset(
    ("", "module", "text/javascript", "application/javascript", "application/json", "application/ld+json", "text/ecmascript")
)
TAG_BEGINS = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
WORD = re.compile(r"[^\s=/>]+")
SPACE = re.compile(r"\s*")
SPACE_OR_SLASH = re.compile(r"[\s/]*")
DOCTYPE = re.compile(r"<!doctype", re.IGNORECASE)


@dataclass(frozen=True)
class Context:
    """`tag` is the element, `is_end` whether it is its end tag, `name` the attribute, `delimiter` its quote or a space,
    `part` where in an address, a script or a style, `type` what the script says it is."""

    state: str = TEXT
    tag: str = ""
    is_end: bool = False
    name: str = ""
    delimiter: str = ""
    part: str = ""
    type: str = ""

    @property
    def kind(self) -> str:
        """What an attribute holds: url, js, css, type, never, or plain text; of raw text: js, css, plain or never."""
        if self.state == RAW:
            kinds = {"script": "js" if self.type.strip().lower() in SCRIPTS else "never", "style": "css"}
            return "plain" if self.tag in ESCAPABLE else kinds.get(self.tag, "never")
        return _kind(self.tag, self.name)


def _kind(tag: str, attribute: str) -> str:
    name = attribute.lower()
    if name.startswith("data-"):
        name = name[5:]
    elif name.startswith("xmlns:"):
        return "url"
    name = name.rpartition(":")[2]
    if name in NEVER or tag in ANIMATIONS or (tag == "meta" and name == "content"):
        return "never"
    if tag == "script" and name == "type":
        return "type"
    if name.startswith("on"):
        return "js"
    if name == "style":
        return "css"
    return "url" if name in URLS or any(piece in name for piece in ("src", "uri", "url")) else "plain"


def escaped(main: str, bodies: Mapping[str, Body]) -> tuple[str, dict[str, Body]]:
    """Return the templates that *main* needs, each action with its escape, and main's name among them. Raises ParseError."""
    escaper = _Escaper(bodies)
    name, end = escaper.template(main, Context(), (main, 1))
    if end.state != TEXT:
        raise ParseError(main, 1, f"the template ends inside of {_where(end)}.")
    return name, escaper.done


def _where(context: Context) -> str:
    if context.state == TEXT:
        return "text"
    return (
        f"a comment ({context.state})"
        if context.state == COMMENT
        else f"<{context.tag}> ({context.state} {context.name})".replace(" )", ")")
    )


class _Escaper:
    def __init__(self, bodies: Mapping[str, Body]) -> None:
        self.bodies, self.done = bodies, dict[str, Body]()
        self.ends: dict[str, Context | None] = {}  # None: being looked at
        self.recursive: set[str] = set()
        self.leaving: list[list[Context]] = []  # per loop, where it is left
        self.depth, self.looked_at = 0, 0

    def template(self, name: str, context: Context, place: Place) -> tuple[str, Context]:
        """Return the name of this template as it is when it begins in this context, and where it ends."""
        key = f"{name}\0{context}"
        if key in self.ends:
            end = self.ends[key]
            if end is None:  # it calls itself: believed to end where it begins, and held to it
                self.recursive.add(key)
            return key, end or context
        self.ends[key] = None
        leaving, self.leaving = self.leaving, []
        self.done[key], ended = self.body(self.bodies[name], context)
        self.leaving = leaving
        if key in self.recursive and ended != context:
            self.refuse(place, f'"{name}" calls itself and ends in another place than it begins')
        self.ends[key] = ended
        return key, ended or context

    def refuse(self, place: Place, message: str) -> NoReturn:
        raise ParseError(*place, f"{message}.")

    def body(self, body: Body, context: Context) -> tuple[Body, Context]:
        nodes: list[Node] = []
        self.depth += 1
        for node in body:
            self.count(node)
            done, context = self.node(node, context)
            nodes.append(done)
            if isinstance(node, Leave):
                break  # nothing behind it is ever reached
        self.depth -= 1
        return tuple(nodes), context

    def count(self, node: Node) -> None:
        """Loops in loops are read again and again until it is known where they end."""
        self.looked_at += 1
        if self.looked_at > limits.STEPS or self.depth > limits.DEPTH:
            place = node.pipeline.place if isinstance(node, Action | Branch | Range) else node.place
            self.refuse(place, "too many blocks and templates stand inside each other")

    def node(self, node: Node, context: Context) -> tuple[Node, Context]:
        match node:
            case Text():
                reader = _Reader(node, context)
                return Text(reader.read(), node.place), reader.context
            case Action():
                return self.action(node, context)
            case Branch():
                return self.branch(node, context)
            case Range():
                return self.range(node, context)
            case Leave():
                self.leaving[-1].append(context)
                return node, context
            case Call():
                name, end = self.template(node.name, context, node.place)
                return replace(node, name=name), end

    def action(self, node: Action, context: Context) -> tuple[Node, Context]:
        if node.pipeline.variables:
            return node, context
        if context.state == BEFORE_VALUE:
            context = _value(context, " ")
        last = node.pipeline.commands[-1].words[0]
        is_coded = last == Function("urlquery") and context.part == QUERY
        escape = _escape(replace(context, part=PATH) if is_coded else context)
        if escape is None:
            self.refuse(node.pipeline.place, f"an action cannot stand here, in {_where(context)}: nothing makes its value safe")
        return Action(_without_html(node.pipeline), escape), context

    def branch(self, node: Branch, context: Context) -> tuple[Node, Context]:
        body, end = self.body(node.body, context)
        otherwise, other_end = self.body(node.otherwise, context)
        place = node.pipeline.place
        if _leaves(body) or _leaves(otherwise):
            return replace(node, body=body, otherwise=otherwise), other_end if _leaves(body) else end
        return replace(node, body=body, otherwise=otherwise), self.joined(end, other_end, place, f"the branches of {node.kind}")

    def range(self, node: Range, context: Context) -> tuple[Node, Context]:
        place, start = node.pipeline.place, context
        while True:
            self.leaving.append([])
            body, end = self.body(node.body, start)
            joined = start
            for one in (end, *self.leaving.pop()):
                joined = self.joined(joined, one, place, "the rounds of range")
            if joined == start:
                break
            start = joined
        otherwise, other_end = self.body(node.otherwise, context)
        return replace(node, body=body, otherwise=otherwise), self.joined(start, other_end, place, "the branches of range")

    def joined(self, one: Context, other: Context, place: Place, what: str) -> Context:
        """Return where two ways meet."""
        if one == other:
            return one
        if replace(one, part="") == replace(other, part=""):
            return replace(one, part=UNSURE)
        if {one.state, other.state} <= IN_TAG and (one.tag, one.is_end, one.type) == (other.tag, other.is_end, other.type):
            return Context(BETWEEN, one.tag, one.is_end, type=one.type)
        started = [_value(way, " ") if way.state == BEFORE_VALUE else way for way in (one, other)]
        if started == [one, other]:
            self.refuse(place, f"{what} end in different places: {_where(one)} and {_where(other)}")
        return self.joined(started[0], started[1], place, what)


def _leaves(body: Body) -> bool:
    return bool(body) and isinstance(body[-1], Leave)


def _value(context: Context, delimiter: str) -> Context:
    context = replace(context, state=VALUE, delimiter=delimiter)
    return replace(context, part=START if context.kind == "url" else "")


def _without_html(pipeline: Pipeline) -> Pipeline:
    """Leave out a last `html`: the escape does the same, and does not do it twice."""
    *before, last = pipeline.commands
    if last.words[0] != Function("html"):
        return pipeline
    return replace(pipeline, commands=(*before, Command((Function("print"), *last.words[1:]))))


# -- escapes


def _escape(context: Context) -> Escape | None:
    """Return the escape of an action in this context; None when there is none."""
    if context.state == TEXT or (context.state == RAW and context.kind == "plain"):
        return escapes.html
    if context.state == COMMENT:
        return escapes.nothing
    if context.state not in (VALUE, RAW):
        return None
    if context.kind == "plain":
        return escapes.unquoted if context.delimiter == " " else escapes.html
    inner = _inner(context)
    if inner is None or context.state == RAW:
        return inner
    return _both(inner, escapes.without_quotes if context.delimiter == " " else escapes.in_quotes)


def _inner(context: Context) -> Escape | None:
    table: dict[tuple[str, str], Escape] = {
        ("url", START): escapes.url_start, ("url", PATH): escapes.url_path, ("url", QUERY): escapes.url_query,
        ("js", ""): escapes.js_value, ("js", '"'): escapes.js_text, ("js", "'"): escapes.js_text,
        ("js", "//"): escapes.nothing, ("js", "/*"): escapes.nothing,
        ("css", ""): escapes.style, ("css", '"'): escapes.style_text, ("css", "'"): escapes.style_text, ("css", "/*"): escapes.nothing,
    }  # fmt: skip
    return table.get((context.kind, context.part))


def _both(inner: Escape, outer: Escape) -> Escape:
    def escape(value: Any) -> str:
        return outer(inner(value))

    return escape


# -- reading


class _Reader:
    """Reads one piece of text and knows where it ends."""

    def __init__(self, node: Text, context: Context) -> None:
        self.text, self.place, self.context = node.text, node.place, context
        self.at = 0
        self.out: list[str] = []

    def read(self) -> str:
        """Return the text as it goes into the mail. Raises ParseError."""
        steps = {
            TEXT: self.in_text, COMMENT: self.in_comment, TAG_NAME: self.in_tag_name, TAG: self.in_tag, NAME: self.in_name,
            AFTER_NAME: self.after_name, BETWEEN: self.between, BEFORE_VALUE: self.before_value, VALUE: self.in_value, RAW: self.in_raw,
        }  # fmt: skip
        while self.at < len(self.text):
            steps[self.context.state]()
        return "".join(self.out)

    def take(self, end: int) -> str:
        """Go on to *end*, and return what is passed."""
        piece = self.text[self.at : end]
        self.out.append(piece)
        self.at = end
        return piece

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
            self.to(state=COMMENT)
        elif found := TAG_BEGINS.match(self.text, start):
            self.take(found.end())
            self.to(state=TAG_NAME, tag=found[2].lower(), is_end=bool(found[1]), type="")
        elif DOCTYPE.match(self.text, start):
            self.take(start + 1)
        else:
            self.out.append("&lt;")  # with what an action writes behind it, it could become a tag
            self.at += 1

    def in_comment(self) -> None:
        end = self.text.find("-->", self.at)
        self.at = len(self.text) if end < 0 else end + 3
        if end >= 0:
            self.context = Context()

    def in_tag_name(self) -> None:
        if self.text[self.at] not in " \t\r\n\f/>":
            self.refuse("the name of an element is put together")
        self.to(state=TAG)

    def in_tag(self) -> None:
        self.take(SPACE_OR_SLASH.match(self.text, self.at).end())  # type: ignore[union-attr]  # it matches nothing, too
        if self.at == len(self.text):
            return
        if self.text[self.at] == ">":
            self.take(self.at + 1)
            is_raw = not self.context.is_end and self.context.tag in ESCAPABLE | RAW_TEXT
            self.context = Context(RAW, self.context.tag, type=self.context.type) if is_raw else Context()
            return
        found = WORD.match(self.text, self.at)
        if found is None or set(found[0]) & set("\"'<"):
            self.refuse(f"an attribute's name is missing, or it has a quote in it, in <{self.context.tag}>")
        self.take(found.end())
        self.to(state=NAME if self.at == len(self.text) else AFTER_NAME, name=found[0].lower())

    def in_name(self) -> None:
        if self.text[self.at] not in " \t\r\n\f/>=":
            self.refuse("the name of an attribute is put together")
        self.to(state=AFTER_NAME)

    def after_name(self) -> None:
        self.take(SPACE.match(self.text, self.at).end())  # type: ignore[union-attr]  # it matches nothing, too
        if self.at == len(self.text):
            return
        if self.text[self.at] == "=":
            self.take(self.at + 1)
            self.to(state=BEFORE_VALUE)
        else:
            self.to(state=TAG, name="")

    def between(self) -> None:
        """Behind an attribute that is there or not: a new one may begin, the value of that one may not."""
        is_apart = self.text[self.at] in " \t\r\n\f/>"
        self.take(SPACE.match(self.text, self.at).end())  # type: ignore[union-attr]  # it matches nothing, too
        if not is_apart or self.text[self.at : self.at + 1] == "=":
            self.refuse("an attribute begins in one branch and goes on behind it")
        self.to(state=TAG)

    def before_value(self) -> None:
        self.take(SPACE.match(self.text, self.at).end())  # type: ignore[union-attr]  # it matches nothing, too
        if self.at == len(self.text):
            return
        letter = self.text[self.at]
        if letter == ">":
            self.refuse(f"the value of {self.context.name} is missing")
        if letter in "\"'":
            self.take(self.at + 1)
        self.context = _value(self.context, letter if letter in "\"'" else " ")

    def in_value(self) -> None:
        context = self.context
        ends = re.compile(r"[\s>]" if context.delimiter == " " else context.delimiter).search(self.text, self.at)
        piece = self.take(ends.start() if ends else len(self.text))
        if context.delimiter == " " and set(piece) & set("\"'<=`") and not (context.kind == "url" and set(piece) & set("\"'<=`") == {"="}):
            self.refuse(f"the value of {context.name} needs quotes")
        self.enter(html.unescape(piece))
        if ends:
            if context.delimiter != " ":
                self.take(ends.end())
            self.to(state=TAG, name="", delimiter="", part="")

    def in_raw(self) -> None:
        ends = re.compile(rf"</{self.context.tag}(?=[\s/>]|$)", re.IGNORECASE).search(self.text, self.at)
        piece = self.text[self.at : ends.start() if ends else len(self.text)]
        self.at += len(piece)
        self.out.append(piece.replace("<", "&lt;") if self.context.tag in ESCAPABLE else piece)
        self.enter(piece)
        if ends:
            self.take(ends.end())
            self.context = Context(TAG_NAME, self.context.tag, is_end=True)

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
        return QUERY
    return PATH if part == START and piece.strip() else part


def _in_script(part: str, piece: str) -> str:
    """Return the part behind *piece*: "" between things, the quote of a text, a comment's beginning. A slash that divides, or
    begins a pattern, leaves it unsure, and so does a template of the script's own."""
    begins = re.compile(r"//|/\*|<!--|-->|[\"'`/]")
    at = 0
    while at < len(piece):
        if part == UNSURE:
            return part
        if part == "":
            found = begins.search(piece, at)
            if found is None:
                return part
            part, at = (found[0] if found[0] in ("//", "/*", '"', "'") else UNSURE), found.end()
        else:
            part, at = _closed(part, piece, at)
    return part


def _in_style(part: str, piece: str) -> str:
    begins = re.compile(r"/\*|url\s*\(|\\.|[\"']", re.IGNORECASE | re.DOTALL)
    at = 0
    while at < len(piece):
        if part == UNSURE:
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
    return ("" if found[0] == part else UNSURE if found[0] == "\n" else part), found.end()
