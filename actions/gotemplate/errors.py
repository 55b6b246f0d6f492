"""What is wrong with a template:

TemplateError
├── ParseError           it cannot be used at all
└── RenderError          it cannot be used with these variables, or does more than it may
    └── UnknownVariable  it names a variable that its message does not have
"""

from __future__ import annotations


class TemplateError(Exception):
    """`name` is the file or address, `line` counts from one."""

    def __init__(self, name: str, line: int, message: str) -> None:
        self.name, self.line, self.message = name, line, message
        super().__init__(f"{name}:{line}: {message}")


class ParseError(TemplateError):
    """The template is not one of the language, or cannot be made safe."""


class RenderError(TemplateError):
    """These variables do not suit the template, or it did more than it may."""


class UnknownVariable(RenderError):
    """The message has no such variable."""


class Refusal(ValueError):
    """A function cannot do this; whoever called it says where that was."""
