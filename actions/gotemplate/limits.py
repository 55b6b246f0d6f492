"""How much one template may do, so that a slip of an operator's hand holds up nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sized

from actions.gotemplate.errors import Refusal

SOURCE = 256 * 1024  # characters of one file
NESTING = 60  # blocks and parentheses inside each other
DEPTH = 100  # the same while rendering, with the templates that call each other
STEPS = 100_000  # one for each node; more for what a function looks at or makes: see `work`
SIZE = 256 * 1024  # characters of a value, and of the output
ITEMS = 10_000  # of a list
WIDTH = 1_000  # of printf


def fits(size: int) -> int:
    """Return *size*, the number of characters that a function is about to make. Raises Refusal."""
    if size > SIZE:
        raise Refusal(f"the result would be larger than {SIZE} characters")
    return size


def joined(between: str, pieces: Iterable[str]) -> str:
    """Raises Refusal when the whole would be too large, before it is."""
    kept, size = [], 0
    for piece in pieces:
        kept.append(piece)
        size = fits(size + len(piece) + len(between))
    return between.join(kept)


def check(value: object) -> None:
    """Raises Refusal when *value* is larger than a value may be."""
    if isinstance(value, str):
        fits(len(value))
    elif isinstance(value, list | dict) and len(value) > ITEMS:
        raise Refusal(f"the list would have more than {ITEMS} entries")


def work(*values: object) -> int:
    """Return how many steps it costs to look at these values: one for 64 characters, or for four entries."""
    return sum(len(value) // (64 if isinstance(value, str) else 4) for value in values if isinstance(value, Sized))
