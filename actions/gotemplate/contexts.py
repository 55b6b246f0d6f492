"""Where in HTML an action may stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

# where something stands
TEXT, COMMENT, TAG_NAME, TAG, NAME, AFTER_NAME, BETWEEN, BEFORE_VALUE, VALUE, RAW = (
    "text", "comment", "tag name", "tag", "attribute name", "after name", "between attributes", "before value", "attribute", "raw text",
)  # fmt: skip
IN_TAG = frozenset((TAG_NAME, TAG, NAME, AFTER_NAME, BETWEEN))
START, PATH, QUERY, UNSURE = "start", "path", "query", "?"  # parts of an address; UNSURE: of scripts and styles, too
ESCAPABLE = frozenset(("title", "textarea"))  # elements without elements in them, in which entities count
RAW_TEXT = frozenset(("script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"))  # and in which they do not
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


def where(context: Context) -> str:
    """Say in words where that is."""
    if context.state in (TEXT, COMMENT):
        return context.state
    return f"<{context.tag}> ({' '.join((context.state, context.name)).strip()})"


def value(context: Context, delimiter: str) -> Context:
    """Return where the value of an attribute begins; *delimiter*: its quote, or a space."""
    context = replace(context, state=VALUE, delimiter=delimiter)
    return replace(context, part=START if context.kind == "url" else "")
