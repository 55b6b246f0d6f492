"""How a visit to a flow ends, when it is not an error. Only present.py turns one into a response."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flows.models import Flow
from identity.identities.models import Identity
from identity.sessions.services import OpenedSession


@dataclass
class Shown:
    """The form, again: with messages, or its next step."""

    flow: Flow
    status: int = 400  # for programs; a browser is sent to the page
    refused: bool = False  # the form says what is wrong
    query: dict[str, str] = field(default_factory=dict)  # beside the flow's id in the address of its page


@dataclass
class Elsewhere:
    """The browser is sent to another page."""

    url: str
    status: int = 303
    leaves: bool = False  # to another site: a program is told in JSON where its person's browser has to go
    carries: str = ""  # what the browser has to bring back from there


@dataclass
class Done:
    """The flow reached its end."""

    flow: Flow
    return_to: str
    continue_with: list[dict[str, Any]] = field(default_factory=list)
    identity: Identity | None = None
    opened: OpenedSession | None = None  # a session to hand out
    step_up_to: str = ""  # signed in, but nothing opens before the second factor is used there
    browser_goes_to: str = ""


@dataclass
class Recovered:
    """Somebody is back in; `settings` is where they choose a new credential, None when that was not wanted."""

    flow: Flow
    return_to: str
    opened: OpenedSession
    settings: Flow | None
    continue_with: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Replaced:
    """The form could not be used any more; `flow` takes its place."""

    old: Flow
    flow: Flow
    expired: bool
    why: str = ""


Outcome = Shown | Elsewhere | Done | Recovered | Replaced
