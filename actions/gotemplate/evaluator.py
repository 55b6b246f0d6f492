"""From nodes and variables to text, within bounds (pkg.go.dev/text/template, "Actions", "Arguments", "Variables")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from actions.gotemplate import html, limits, parser, values
from actions.gotemplate.errors import RenderError, UnknownVariable
from actions.gotemplate.functions import FUNCTIONS
from actions.gotemplate.nodes import (
    Action,
    Body,
    Branch,
    Call,
    Command,
    Constant,
    Dot,
    Fields,
    Function,
    Leave,
    Node,
    Operand,
    Pipeline,
    Place,
    Range,
    Text,
    Variable,
)
from actions.gotemplate.parser import Source
from actions.gotemplate.values import Record

FAILURES = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)  # of a function, by its arguments
NOTHING: Any = object()


class Template:
    """Templates of one or several files, of which the first is rendered. It never changes and may be used by many threads.

    Raises ParseError.
    """

    def __init__(self, sources: Sequence[Source], *, is_html: bool = False) -> None:
        self.main, self.bodies = sources[0].name, dict[str, Body]()
        for source in sources:
            parser.parse(source, self.bodies)
        parser.link(self.bodies)
        if is_html:
            self.main, self.bodies = html.escaped(self.main, self.bodies)

    def render(self, variables: Record) -> str:
        """Raises RenderError."""
        return _Run(self.bodies).text(self.main, variables)


class _Run:
    """One rendering: what it has used up so far."""

    def __init__(self, bodies: Mapping[str, Body]) -> None:
        self.bodies = bodies
        self.steps, self.depth, self.size = 0, 0, 0
        self.out: list[str] = []
        self.variables: list[tuple[str, Any]] = []
        self.place: Place = ("", 0)

    def text(self, main: str, dot: Any) -> str:
        try:
            self.template(main, dot)
        except FAILURES as error:
            raise self.error(str(error)) from error
        return "".join(self.out).encode("utf-8", "replace").decode()

    def error(self, message: str) -> RenderError:
        return RenderError(*self.place, f"{message}.")

    def spend(self, *looked_at: Any) -> None:
        self.steps += 1 + limits.work(*looked_at)
        if self.steps > limits.STEPS:
            raise self.error(f"the template takes more than {limits.STEPS} steps")

    def enter(self) -> None:
        self.depth += 1
        if self.depth > limits.DEPTH:
            raise self.error(f"more than {limits.DEPTH} blocks and templates stand inside each other")

    def write(self, piece: str) -> None:
        self.size += len(piece)
        if self.size > limits.SIZE:
            raise self.error(f"the text is longer than {limits.SIZE} characters")
        self.out.append(piece)

    # -- nodes

    def template(self, name: str, dot: Any) -> None:
        self.enter()
        variables, self.variables = self.variables, [("$", dot)]
        self.body(self.bodies[name], dot)
        self.variables = variables
        self.depth -= 1

    def body(self, body: Body, dot: Any) -> str:
        """Return "break" or "continue" when the loop around it is to be left, else ""."""
        known = len(self.variables)
        for node in body:
            self.spend()
            if leaves := self.node(node, dot):
                del self.variables[known:]
                return leaves
        del self.variables[known:]
        return ""

    def node(self, node: Node, dot: Any) -> str:
        match node:
            case Text():
                self.write(node.text)
            case Action():
                self.action(node, dot)
            case Branch():
                return self.branch(node, dot)
            case Range():
                return self.range(node, dot)
            case Leave():
                return node.kind
            case Call():
                self.place = node.place
                self.template(node.name, None if node.pipeline is None else self.pipeline(node.pipeline, dot))
        return ""

    def action(self, node: Action, dot: Any) -> None:
        value = self.pipeline(node.pipeline, dot)
        if node.pipeline.variables:
            return
        shown = node.escape(value) if node.escape else "<no value>" if value is None else values.text(value)
        self.spend(shown)
        self.write(shown)

    def branch(self, node: Branch, dot: Any) -> str:
        self.enter()
        known = len(self.variables)
        value = self.pipeline(node.pipeline, dot)
        is_true = values.truth(value)
        inner = value if is_true and node.kind == "with" else dot
        leaves = self.body(node.body if is_true else node.otherwise, inner)
        del self.variables[known:]
        self.depth -= 1
        return leaves

    def range(self, node: Range, dot: Any) -> str:
        self.enter()
        known = len(self.variables)
        value = self.pipeline(node.pipeline, dot)
        leaves = self.loop(node, value) if values.truth(value) else self.body(node.otherwise, dot)
        del self.variables[known:]
        self.depth -= 1
        return leaves

    def loop(self, node: Range, value: Any) -> str:
        known = len(self.variables)
        for key, item in self.pairs(value):
            self.spend()
            self.bind(node.pipeline, key, item)
            leaves = self.body(node.body, item)
            del self.variables[known:]
            if leaves == "break":
                break
        return ""

    def pairs(self, value: Any) -> Iterable[tuple[Any, Any]]:
        if isinstance(value, dict):
            return [(name, value[name]) for name in sorted(value)]
        if isinstance(value, list):
            return enumerate(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return ((number, number) for number in range(value))
        raise self.error(f"range cannot go over {values.kind(value)}")

    def bind(self, pipeline: Pipeline, key: Any, item: Any) -> None:
        names = pipeline.variables
        for name, value in zip(names, (key, item) if len(names) == 2 else (item,), strict=False):
            self.assign(name, value) if pipeline.assigns else self.variables.append((name, value))

    def assign(self, name: str, value: Any) -> None:
        place = next(at for at in range(len(self.variables) - 1, -1, -1) if self.variables[at][0] == name)
        self.variables[place] = (name, value)

    # -- values

    def pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        self.enter()
        self.place = pipeline.place
        value = NOTHING
        for command in pipeline.commands:
            value = self.command(command, dot, value)
        self.place = pipeline.place
        self.bind(pipeline, value, value)
        self.depth -= 1
        return value

    def command(self, command: Command, dot: Any, piped: Any) -> Any:
        first, *rest = command.words
        if not isinstance(first, Function):
            return self.operand(first, dot)
        if first.name in ("and", "or"):
            return self.until(first.name == "or", rest, dot, piped)
        given = [self.operand(word, dot) for word in rest]
        return self.call(first.name, given if piped is NOTHING else [*given, piped])

    def until(self, wanted: bool, words: Sequence[Operand], dot: Any, piped: Any) -> Any:
        """`or` evaluates until something is true, `and` until something is not; the last value counts."""
        value = NOTHING
        for word in words:
            value = self.operand(word, dot)
            if values.truth(value) is wanted:
                return value
        return value if piped is NOTHING else piped

    def call(self, name: str, given: Sequence[Any]) -> Any:
        self.spend(*given)
        try:
            made = FUNCTIONS[name].call(*given)
            limits.check(made)
        except FAILURES as error:
            raise self.error(f"{name}: {error}") from error
        self.spend(made)
        return made

    def operand(self, word: Operand, dot: Any) -> Any:
        match word:
            case Constant():
                return word.value
            case Dot():
                return dot
            case Variable():
                return next(value for name, value in reversed(self.variables) if name == word.name)
            case Fields():
                return self.fields(self.operand(word.of, dot), word.names)
            case Function():
                return self.call(word.name, ())
            case Pipeline():
                return self.pipeline(word, dot)

    def fields(self, value: Any, names: Sequence[str]) -> Any:
        for name in names:
            if value is None:
                return None
            if not isinstance(value, dict):
                raise self.error(f"{values.kind(value)} has no field .{name}")
            if isinstance(value, Record) and name not in value:
                raise UnknownVariable(*self.place, f"this message has no variable .{name}. It has: {', '.join(sorted(value))}.")
            value = value.get(name)
        return value
