"""What an action is. Its methods say at which moments it can run; it annotates the context and never answers.

ask          a flow was asked for; login, recovery, verification: before anything is stored   may refuse; calls out
interrupt    registration, settings: before the change is stored     may refuse or change; calls out
prepare      render what `record` will store                         never stores
record       one transaction is open                                 stores rows, never calls out
wait         the change is stored, the answer is not sent yet        calls out
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from flows.hooks import HookContext
from identity.config import Fault


@dataclass(frozen=True)
class Place:
    """Where a hook stands: login, after, password -> selfservice.flows.login.after.password.hooks. `method` "" is the default list."""

    flow: str
    moment: str  # before, after
    method: str = ""

    @property
    def path(self) -> str:
        return ".".join(part for part in ("selfservice.flows", self.flow, self.moment, self.method, "hooks") if part)


@dataclass(frozen=True)
class Entry:
    """One hook of the configuration, checked."""

    action: Action
    config: dict[str, Any]
    place: Place
    index: int

    @property
    def path(self) -> str:
        return f"{self.place.path}.{self.index}"


@dataclass
class Run:
    """One entry at work on one submission. `held` is what `prepare` leaves for `record`."""

    entry: Entry
    context: HookContext
    trigger: str  # "login.after", for who receives it
    held: list[Any] = field(default_factory=list)


class Action:
    """Override the moments that the action has; `phases` names the after-moments of an entry."""

    name: ClassVar[str]

    def faults(self, config: Any, path: str, place: Place) -> list[Fault]:
        """Return what is wrong with an entry's config. Most actions have none."""
        return [] if config is None else [Fault(f"{path}.config", f"{self.name} takes no config.")]

    def phases(self, config: dict[str, Any], flow: str) -> frozenset[str]:
        """Return at which after-moments an entry with this config runs around *flow* ("" before any flow): ask, interrupt, record, wait."""
        return frozenset()

    def ask(self, run: Run) -> None:
        """Raises InvalidSubmission, Problem."""

    def interrupt(self, run: Run) -> None:
        """Raises InvalidSubmission, Problem."""

    def prepare(self, run: Run) -> None:
        """Raises nothing that the person could put right."""

    def record(self, run: Run) -> None:
        """Raises Problem."""

    def wait(self, run: Run) -> None:
        """Raises Problem."""

    def describe(self, config: dict[str, Any], flow: str) -> str:
        """Return in one line what an entry does, for operators."""
        return (self.__doc__ or self.name).strip().splitlines()[0]


ACTIONS: dict[str, Action] = {}
A = TypeVar("A", bound=type[Action])


def register(action: A) -> A:
    """Make an action known under its name."""
    ACTIONS[action.name] = action()
    return action
