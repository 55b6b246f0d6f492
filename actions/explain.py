"""Which actions run when, in words: the same answer that the pipeline acts on."""

from __future__ import annotations

from collections.abc import Iterator

from actions import config, pipeline
from actions.base import Entry, Place

FLOWS = tuple(config.METHODS)
WHEN = {
    "ask": "before anything is stored; may refuse",
    "interrupt": "before the change is stored; may refuse",
    "record": "with the change, in its transaction",
    "wait": "after the change is stored; awaited",
}


def before(flow: str) -> list[str]:
    """Return one line for each action before *flow*."""
    return [_line(number, entry, "") for number, entry in enumerate(config.entries(Place(flow, "before")), 1)]


def after(flow: str, method: str) -> list[str]:
    """Return one line for each action after *flow* by *method*, in the order in which they run."""
    return [_line(number, entry, flow) for number, entry in enumerate(_in_order(flow, method), 1)]


def _in_order(flow: str, method: str) -> Iterator[Entry]:
    if flow in ("registration", "settings"):
        yield from pipeline.sequence(flow, method, pipeline.INTERRUPT)
        yield from pipeline.sequence(flow, method, pipeline.STORED)
    else:
        yield from pipeline.sequence(flow, method, pipeline.ASK)


def _line(number: int, entry: Entry, flow: str) -> str:
    when = ", ".join(WHEN[phase] for phase in sorted(entry.action.phases(entry.config, flow)))
    origin = entry.path if entry.index >= 0 else "always, because selfservice.flows.verification.enabled is true"
    return f"{number}. {entry.action.name}: {entry.action.describe(entry.config, flow)}\n   when: {when}\n   from: {origin}"


def list_that_counts(flow: str, method: str) -> str:
    """Return in a sentence which of the configured lists counts for *method*, and why."""
    own, default = Place(flow, "after", method), Place(flow, "after")
    if method and config.entries(own):
        return f"{own.path} counts: a method's own list replaces the default one, lists are never merged."
    if config.entries(default):
        return f"{default.path} counts: {method or 'the flow'} lists no hooks of its own."
    return "No list is configured."
