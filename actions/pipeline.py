"""Which actions run around a submission, in which order, and running them (contract: actions.md 1.4, 2).

This is the runner that `settings.HOOKS` names; flows/hooks.py says what is expected of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from actions import config, migration
from actions.base import ACTIONS, Entry, Place, Run
from flows.hooks import HookContext, Plan

FIRST = "verification"  # the implicit action of registration and settings
LAST = "session"  # runs last wherever it stands


def before(context: HookContext) -> Plan:
    """Return what runs before a flow; it does not depend on any method."""
    return AskedPlan([Run(entry, context, f"{context.kind}.before") for entry in config.entries(Place(context.kind, "before"))])


def password_fits(context: HookContext, identifier: str, password: str) -> bool:
    """Ask the system that still has the password of this person."""
    return migration.password_fits(context, identifier, password)


def chosen(flow: str, method: str, phases: frozenset[str]) -> tuple[Entry, ...]:
    """Return the list that counts for *phases*: the method's own if an entry of it is usable there, else the flow's default list."""
    for place in (Place(flow, "after", method), Place(flow, "after")):
        listed = config.entries(place)
        if any(_is_usable(entry, flow, phases) for entry in listed):
            return listed
    return ()


def _is_usable(entry: Entry, flow: str, phases: frozenset[str]) -> bool:
    """A web_hook counts everywhere, even where its mode has nothing to do: its list replaces the default one."""
    return entry.action.name == "web_hook" or bool(entry.action.phases(entry.config, flow) & phases)


ASK, INTERRUPT, STORED = frozenset(("ask", "record")), frozenset(("interrupt",)), frozenset(("record", "wait"))


def sequence(flow: str, method: str, phases: frozenset[str]) -> list[Entry]:
    """Return the entries that run in *phases*, in order, the implicit ones among them."""
    listed = [entry for entry in chosen(flow, method, phases) if entry.action.phases(entry.config, flow) & phases]
    ordered = [entry for entry in listed if entry.action.name != LAST] + [entry for entry in listed if entry.action.name == LAST][:1]
    if phases == STORED and flow in ("registration", "settings") and config.verifies():
        ordered.insert(0, Entry(ACTIONS[FIRST], {}, Place(flow, "after"), -1))
    return ordered


def after(context: HookContext) -> Plan:
    """Return what will run around a submission that was right."""
    flow, method = context.kind, context.method
    trigger = f"{flow}.after"
    if flow in ("registration", "settings"):
        return StoredPlan(
            [Run(entry, context, trigger) for entry in sequence(flow, method, INTERRUPT)],
            [Run(entry, context, trigger) for entry in sequence(flow, method, STORED)],
        )
    return AskedPlan([Run(entry, context, trigger) for entry in sequence(flow, method, ASK)])


def _phases(run: Run) -> frozenset[str]:
    return run.entry.action.phases(run.entry.config, "" if run.entry.place.moment == "before" else run.context.kind)


class AskedPlan:
    """Login, recovery, verification: everything is asked in list order, then all is recorded in one commit."""

    waits = opens_session = False

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs
        self.calls_out = any("ask" in _phases(run) for run in runs)
        self.records = any("record" in _phases(run) for run in runs)

    def ask(self) -> None:
        for run in self.runs:
            if "ask" in _phases(run):
                run.entry.action.ask(run)

    def interrupt(self) -> None: ...

    def prepare(self) -> None:
        for run in self.runs:
            run.entry.action.prepare(run)

    def record_early(self) -> None: ...

    def wait(self) -> None: ...

    def record(self) -> None:
        for run in self.runs:
            if "record" in _phases(run):
                run.entry.action.record(run)


class StoredPlan:
    """Registration, settings: what may refuse; then a commit; then what is awaited; then another commit."""

    def __init__(self, interrupting: list[Run], storing: list[Run]) -> None:
        self.interrupting, self.storing = interrupting, storing
        self.first_awaited = next((index for index, run in enumerate(storing) if "wait" in _phases(run)), len(storing))
        self.waits = self.first_awaited < len(storing)
        self.calls_out = bool(interrupting) or self.waits
        self.records = any("record" in _phases(run) for run in storing)
        self.opens_session = any(run.entry.action.name == LAST for run in storing)

    def ask(self) -> None: ...

    def interrupt(self) -> None:
        for run in self.interrupting:
            run.entry.action.interrupt(run)

    def prepare(self) -> None:
        for run in self.storing:
            run.entry.action.prepare(run)

    def _recording(self, runs: list[Run]) -> Iterator[Run]:
        return (run for run in runs if "record" in _phases(run))

    def record_early(self) -> None:
        for run in self._recording(self.storing[: self.first_awaited]):
            if run.entry.action.name != LAST:
                run.entry.action.record(run)

    def wait(self) -> None:
        for run in self.storing:
            if "wait" in _phases(run):
                run.entry.action.wait(run)

    def record(self) -> None:
        for index, run in enumerate(self.storing):
            if "record" in _phases(run) and (index >= self.first_awaited or run.entry.action.name == LAST):
                run.entry.action.record(run)
