"""What happens around a flow, and the port that announces it.

A flow announces moments; it does not know what runs then. `settings.HOOKS` names the runner, a module with these functions:

    before(context)  -> Plan    a flow was asked for; nothing is stored yet
    after(context)   -> Plan    a submission was right
    password_fits(context, identifier, password) -> bool
                                a person was imported without their password: does this one fit in the system that has it?

A plan holds what will run, by phase; the engine walks it. Calls to the outside never happen inside a transaction, so a
plan has two kinds of phases:

    phase          transaction   what runs                                             raises
    ask            none          before a flow; login, recovery, verification:         InvalidSubmission, Problem
                                 whatever is awaited, in list order
    interrupt      none          registration, settings: what may refuse or change     InvalidSubmission, Problem
    prepare        none          what will be recorded is rendered, from how things    Problem
                                 shall be
    record_early   open          what is recorded before the first awaited hook        Problem
    wait           none          awaited hooks that may not refuse                     Problem
    record         open          all else that is recorded                             Problem

Before; login, recovery, verification:  ask -> prepare -> one commit with record.
Registration, settings:                 interrupt -> prepare -> commit with record_early -> wait -> commit with record.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.conf import settings

if TYPE_CHECKING:
    from flows.models import Flow, VerificationFlow
    from identity.identities.models import Identity
    from identity.sessions.models import Session


@dataclass(frozen=True)
class RequestFacts:
    """What a hook may know of the request that triggered it."""

    method: str
    url: str  # absolute
    headers: Mapping[str, list[str]]  # canonical name ("User-Agent") -> values, unfiltered
    cookies: Mapping[str, str]  # without our own


@dataclass
class HookContext:
    """One submission (or one start of a flow) as actions see it. Actions annotate it; they never answer."""

    flow: Flow
    request: RequestFacts
    kind: str  # "login", "registration", "settings", "recovery", "verification"
    method: str = ""  # whose list of hooks counts; "" before a flow
    identity: Identity | None = None  # as it shall be; its id is final, its rows may not be stored yet
    session: Session | None = None  # its id is final; stored with the last commit
    previous: Identity | None = None  # settings: as it was before this submission
    transient_payload: dict[str, Any] = field(default_factory=dict)

    # what actions leave behind
    continue_with: list[dict[str, Any]] = field(default_factory=list)
    hands_out_session: bool = False  # registration: somebody asked for a session
    verification: VerificationFlow | None = None  # made by an action in this very request
    browser_goes_to: str = ""  # where a plain browser is sent instead of its return address


class Plan(Protocol):
    """What will run around one submission, in the operator's order. Phases without an action do nothing."""

    calls_out: bool  # some action talks to the outside, in any phase
    waits: bool  # the phase `wait` has an action
    records: bool  # some action stores rows
    opens_session: bool  # registration: who signs up is signed in

    def ask(self) -> None: ...
    def interrupt(self) -> None: ...
    def prepare(self) -> None: ...
    def record_early(self) -> None: ...
    def wait(self) -> None: ...
    def record(self) -> None: ...


class Runner(Protocol):
    """The module that `settings.HOOKS` names."""

    def before(self, context: HookContext) -> Plan: ...
    def after(self, context: HookContext) -> Plan: ...
    def password_fits(self, context: HookContext, identifier: str, password: str) -> bool: ...


def runner() -> Runner:
    return cast(Runner, importlib.import_module(settings.HOOKS))
