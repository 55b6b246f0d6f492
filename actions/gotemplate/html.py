"""Which escape each action of an HTML template needs (pkg.go.dev/html/template).

The text between the actions is read as a browser would read it, to know where an action stands: in text, in an attribute, at the
start of an address, in a script. Branches must meet again in the same place. An action in a place that cannot be told for sure,
or that nothing makes safe, is refused when the template is read. Comments are left out of the mail, as Go leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from actions.gotemplate import escapes, limits
from actions.gotemplate.contexts import (
    BEFORE_VALUE,
    BETWEEN,
    COMMENT,
    IN_TAG,
    PATH,
    QUERY,
    RAW,
    START,
    TEXT,
    UNSURE,
    VALUE,
    Context,
    value,
    where,
)
from actions.gotemplate.errors import ParseError
from actions.gotemplate.nodes import Action, Body, Branch, Call, Command, Escape, Function, Leave, Node, Pipeline, Place, Range, Text
from actions.gotemplate.reader import Reader


def escaped(main: str, bodies: Mapping[str, Body]) -> tuple[str, dict[str, Body]]:
    """Return the templates that *main* needs, each action with its escape, and main's name among them. Raises ParseError."""
    escaper = _Escaper(bodies)
    name, end = escaper.template(main, Context(), (main, 1))
    if end.state != TEXT:
        raise ParseError(main, 1, f"the template ends inside of {where(end)}.")
    return name, escaper.done


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
                reader = Reader(node, context)
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
            context = value(context, " ")
        last = node.pipeline.commands[-1].words[0]
        is_coded = last == Function("urlquery") and context.part == QUERY
        escape = _escape(replace(context, part=PATH) if is_coded else context)
        if escape is None:
            self.refuse(node.pipeline.place, f"an action cannot stand here, in {where(context)}: nothing makes its value safe")
        is_plain = context.state == TEXT or context.kind == "plain"
        return Action(_without_html(node.pipeline) if is_plain else node.pipeline, escape), context

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
        started = [value(way, " ") if way.state == BEFORE_VALUE else way for way in (one, other)]
        if started == [one, other]:
            self.refuse(place, f"{what} end in different places: {where(one)} and {where(other)}")
        return self.joined(started[0], started[1], place, what)


def _leaves(body: Body) -> bool:
    return bool(body) and isinstance(body[-1], Leave)


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
