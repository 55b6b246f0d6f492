"""Templates in Go's language, for the mails that operators bring along (pkg.go.dev/text/template, pkg.go.dev/html/template).

lexer      source -> tokens
parser     tokens -> nodes; what is wrong is said with its file and line
nodes      what a template is made of
evaluator  nodes and variables -> text, within bounds
values     truth, order and print of values, as Go has them
printf     the verbs of fmt
builtin    functions of the language itself
sprig      functions that templates commonly use beside them
html       which escape an action needs where it stands (contexts, reader); escapes: those
limits     how much one template may do

No published Python package is kept well: the few that there are wrap a Go library that has no bounds and does not survive a fork.

A template is trusted as its operator is, who may still write an endless loop; its variables are words of strangers and are never
evaluated. So there is no method call, no attribute access, and no function that reaches out of the template.
"""

from actions.gotemplate.errors import ParseError, RenderError, TemplateError, UnknownVariable
from actions.gotemplate.evaluator import Template
from actions.gotemplate.parser import Source
from actions.gotemplate.values import Record

__all__ = ["ParseError", "Record", "RenderError", "Source", "Template", "TemplateError", "UnknownVariable"]
