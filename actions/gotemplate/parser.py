"""From tokens to nodes (pkg.go.dev/text/template, "Actions", "Pipelines", "Nested template definitions")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from actions.gotemplate import limits
from actions.gotemplate.errors import ParseError
from actions.gotemplate.functions import FUNCTIONS, absent
from actions.gotemplate.lexer import Token, tokens
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

CONSTANTS = {"true": True, "false": False, "nil": None}


@dataclass(frozen=True)
class Source:
    """`name` is what `template` calls it by, `shown` what errors say: a path, an address."""

    name: str
    text: str
    shown: str = ""


def parse(source: Source, into: dict[str, Body]) -> None:
    """Add the templates of *source*: its own and those that it defines. Raises ParseError."""
    _Parser(source, into).parse()


def link(bodies: Mapping[str, Body]) -> None:
    """Raises ParseError when a template calls one that there is not."""
    for body in bodies.values():
        _link(body, bodies)


def _link(body: Body, bodies: Mapping[str, Body]) -> None:
    for node in body:
        if isinstance(node, Call) and node.name not in bodies:
            raise ParseError(*node.place, f'there is no template "{node.name[:80]}".')
        if isinstance(node, Branch | Range):
            _link(node.body, bodies)
            _link(node.otherwise, bodies)


def _is_blank(body: Body) -> bool:
    """Whether nothing but white space is there; such a definition replaces no other."""
    return all(isinstance(node, Text) and not node.text.strip() for node in body)


class _Parser:
    def __init__(self, source: Source, into: dict[str, Body]) -> None:
        self.title, self.name, self.into = source.name, source.shown or source.name, into
        self.tokens = list(tokens(self.name, source.text))
        self.at, self.depth, self.loops = 0, 0, 0
        self.variables = ["$"]

    # -- tokens

    def peek(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.tokens[self.at]
        self.at += token.kind != "eof"
        return token

    def skip_space(self) -> Token:
        """Go past white space, and return what comes then."""
        while self.peek().kind == "space":
            self.at += 1
        return self.peek()

    def fail(self, message: str, line: int | None = None) -> NoReturn:
        raise ParseError(self.name, self.peek().line if line is None else line, message)

    def place(self) -> Place:
        return self.name, self.peek().line

    def close(self, after: str) -> None:
        token = self.skip_space()
        if token.kind != "close":
            self.fail(f'"{token.text[:40]}" cannot stand after {after}.')
        self.next()

    def nested(self) -> None:
        self.depth += 1
        if self.depth > limits.NESTING:
            self.fail(f"more than {limits.NESTING} blocks or parentheses stand inside each other.")

    # -- blocks

    def parse(self) -> None:
        body, ended = self.body(top=True)
        if ended != "eof":
            self.fail(f"{{{{{ended}}}}} ends nothing.")
        if not _is_blank(body) or self.title not in self.into:
            self.into[self.title] = body

    def body(self, *, top: bool = False) -> tuple[Body, str]:
        """Return the nodes up to `end` or `else`, which is gone past, and which of them it was."""
        known = len(self.variables)
        nodes, ended = self.nodes(top=top)
        del self.variables[known:]
        return tuple(nodes), ended

    def nodes(self, *, top: bool) -> tuple[list[Node], str]:
        nodes: list[Node] = []
        while True:
            token = self.next()
            if token.kind == "eof":
                if not top:
                    self.fail("the template ends inside a block: an {{end}} is missing.")
                return nodes, "eof"
            if token.kind == "text":
                nodes.append(Text(token.text, (self.name, token.line)))
                continue
            word = self.skip_space()
            if word.kind == "keyword" and word.text in ("end", "else"):
                self.next()
                if word.text == "end":
                    self.close("end")
                return nodes, word.text
            nodes += self.action(word, top=top)

    def action(self, word: Token, *, top: bool) -> list[Node]:
        if word.kind == "close":
            self.fail("{{ }} is empty.")
        if word.kind != "keyword" or word.text in CONSTANTS:
            pipeline = self.pipeline("the action")
            self.close("the action")
            return [Action(pipeline)]
        self.next()
        match word.text:
            case "if" | "with":
                return [self.branch(word.text)]
            case "range":
                return [self.range()]
            case "template":
                return [self.call()]
            case "block":
                return [self.block()]
            case "define":
                if not top:
                    self.fail("define cannot stand inside a block.", word.line)
                self.define()
                return []
            case _:
                return [self.leave(word)]

    def leave(self, word: Token) -> Node:
        if not self.loops:
            self.fail(f"{word.text} stands outside of range.", word.line)
        self.close(word.text)
        return Leave((self.name, word.line), word.text)

    def branch(self, kind: str) -> Branch:
        self.nested()
        known = len(self.variables)
        pipeline = self.pipeline(kind)
        self.close(kind)
        body, ended = self.body()
        otherwise = self.otherwise(kind) if ended == "else" else ()
        del self.variables[known:]
        self.depth -= 1
        return Branch(kind, pipeline, body, otherwise)

    def otherwise(self, kind: str) -> Body:
        """`else` was read: return what stands up to `end`; `else if` and `else with` bring a block of their own that shares it."""
        word = self.skip_space()
        if word.kind == "keyword" and word.text in ("if", "with") and kind != "range":
            self.next()
            return (self.branch(word.text),)
        self.close("else")
        body, ended = self.body()
        if ended == "else":
            self.fail("a second else cannot follow.")
        return body

    def range(self) -> Range:
        self.nested()
        known = len(self.variables)
        pipeline = self.pipeline("range", most=2)
        self.close("range")
        self.loops += 1
        body, ended = self.body()
        self.loops -= 1
        otherwise = self.otherwise("range") if ended == "else" else ()
        del self.variables[known:]
        self.depth -= 1
        return Range(pipeline, body, otherwise)

    def template_name(self, after: str) -> str:
        token = self.skip_space()
        if token.kind != "constant" or not isinstance(token.value, str):
            self.fail(f"{after} is followed by the name of a template, in quotes.")
        self.next()
        return token.value

    def call(self) -> Call:
        place = self.place()
        name = self.template_name("template")
        pipeline = None if self.skip_space().kind == "close" else self.pipeline("template")
        self.close("template")
        return Call(place, name, pipeline)

    def block(self) -> Call:
        place = self.place()
        name = self.template_name("block")
        pipeline = self.pipeline("block")
        self.close("block")
        self.definition(name, replaces=False)
        return Call(place, name, pipeline)

    def define(self) -> None:
        name = self.template_name("define")
        self.close("define")
        self.definition(name, replaces=True)

    def definition(self, name: str, *, replaces: bool) -> None:
        self.nested()
        variables, loops, self.variables, self.loops = self.variables, self.loops, ["$"], 0
        body, ended = self.body()
        if ended != "end":
            self.fail("else cannot stand here.")
        self.variables, self.loops = variables, loops
        self.depth -= 1
        if name not in self.into or (replaces and not _is_blank(body)):
            self.into[name] = body

    # -- pipelines

    def pipeline(self, of: str, *, most: int = 1) -> Pipeline:
        self.nested()
        self.skip_space()
        place = self.place()
        names, assigns = self.declaration(most)
        commands = [self.command(of, 0)]
        while self.peek().text == "|" and self.peek().kind == "sign":
            self.next()
            commands.append(self.command(of, 1))
        for command in commands[1:]:
            if not isinstance(command.words[0], Function):
                self.fail("what stands after | must be a function.")
        if not assigns:
            self.variables += names
        self.depth -= 1
        return Pipeline(place, tuple(commands), tuple(names), assigns)

    def declaration(self, most: int) -> tuple[list[str], bool]:
        """Return the variables of `$x :=`, `$x =` or `$i, $x :=`; none when there are none."""
        began = self.at
        names: list[str] = []
        while self.peek().kind == "variable":
            names.append(self.next().text)
            sign = self.skip_space()
            if sign.kind == "declare" or (sign.kind == "sign" and sign.text == "="):
                self.next()
                return self.declared(names, sign, most), sign.text == "="
            if sign.text != "," or most < 2:
                break
            self.next()
            self.skip_space()
        self.at = began
        return [], False

    def declared(self, names: list[str], sign: Token, most: int) -> list[str]:
        if len(names) > most:
            self.fail("so many variables cannot be set here.")
        for name in names:
            if sign.text == "=" and name not in self.variables:
                self.fail(f"there is no variable {name}; := declares one.")
            if name == "$":
                self.fail("$ alone cannot be set.")
        return names

    def command(self, of: str, piped: int) -> Command:
        words: list[Operand] = []
        while True:
            token = self.skip_space()
            if token.kind in ("close", "eof") or (token.kind == "sign" and token.text in "|)"):
                break
            if token.kind in ("declare", "sign") and token.text != "(":
                self.fail(f'"{token.text}" cannot stand here.')
            words.append(self.operand())
            if self.peek().kind not in ("space", "close", "eof") and self.peek().text not in "|)":
                self.fail(f'a space is missing before "{self.peek().text[:40]}".')
        if not words:
            self.fail(f"a value is missing after {of}." if not piped else "a function is missing after |.")
        self.check_call(words, piped)
        return Command(tuple(words))

    def check_call(self, words: list[Operand], piped: int) -> None:
        first, given = words[0], len(words) - 1 + piped
        if isinstance(first, Function):
            least, most = FUNCTIONS[first.name].arity
            if given < least or (most is not None and given > most):
                wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
                self.fail(f'"{first.name}" takes {wanted} arguments, not {given}.')
        elif len(words) > 1:
            self.fail("only a function can be given arguments.")
        if isinstance(first, Constant) and first.value is None and not piped:
            self.fail("nil is not a command.")

    def operand(self) -> Operand:
        found = self.term()
        names = []
        while self.peek().kind == "field":
            names.append(self.next().text[1:])
        if not names:
            return found
        if isinstance(found, Constant | Function):
            self.fail(f".{names[0]} cannot stand directly behind a constant or a function; use parentheses.")
        if isinstance(found, Fields):
            return Fields(found.of, found.names + tuple(names))
        return Fields(found, tuple(names))

    def term(self) -> Operand:
        token = self.next()
        match token.kind:
            case "constant":
                return Constant(token.value)
            case "dot":
                return Dot()
            case "field":
                return Fields(Dot(), (token.text[1:],))
            case "variable":
                return self.variable(token)
            case "word":
                return self.function(token)
            case "keyword" if token.text in CONSTANTS:
                return Constant(CONSTANTS[token.text])
        if token.text != "(":
            self.fail(f'"{token.text[:40]}" cannot stand here.', token.line)
        return self.parenthesised()

    def variable(self, token: Token) -> Operand:
        if token.text not in self.variables:
            self.fail(f"there is no variable {token.text}.", token.line)
        return Variable(token.text)

    def function(self, token: Token) -> Operand:
        if token.text not in FUNCTIONS:
            self.fail(absent(token.text), token.line)
        return Function(token.text)

    def parenthesised(self) -> Pipeline:
        pipeline = self.pipeline("(", most=0)  # whether it is evaluated at all is up to what stands around it
        if self.skip_space().text != ")":
            self.fail("a ) is missing.")
        self.next()
        return pipeline
