"""What the five flows have in common, and what each fills in.

The life of a flow: `open` makes it, `fetch` shows it, and the engine leads a submission through
`admit_visitor`, `admit`, `perform`.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from flows import conf, hooks
from flows import submission as submissions
from flows.errors import FlowExpired, InvalidSubmission
from flows.hooks import HookContext
from flows.methods import base as methods
from flows.methods.base import Method
from flows.models import Flow
from flows.outcome import Elsewhere, Outcome
from flows.submission import Submission
from flows.ui import messages
from flows.ui.messages import Message
from flows.visit import Visit
from identity import conf as identity_conf
from identity.db import rows
from identity.errors import BadRequest, NotFound, Problem
from identity.http import csrf, problems, return_to
from identity.identities.services import Taken
from identity.ids import parse_uuid

F_ = TypeVar("F_", bound=Flow)
CLAIM = timedelta(seconds=90)  # longer than any awaited hook may take


class FlowKind(ABC, Generic[F_]):
    name: ClassVar[str]
    model: type[F_]
    method_base: type[Method]
    tells_in_json: ClassVar[bool] = False  # a start that is refused is told in JSON even to a plain browser
    checks_csrf_on_fetch: ClassVar[bool] = True
    gone: ClassVar[type[Problem]] = FlowExpired  # what an expired flow answers when it is fetched
    gone_reason: ClassVar[str] = "The form was not sent in time. Please start again."
    lookup_reason: ClassVar[str] = ""  # of a submission to a flow that does not exist
    takes_at_least: ClassVar[float] = 0.0  # seconds from a submission to its answer

    # -- starting

    @abstractmethod
    def open(self, visit: Visit) -> F_ | Elsewhere:
        """Start a flow, or say where the browser goes instead. Raises Problem."""

    def new(self, visit: Visit, **fields: Any) -> F_:
        """Return a flow that is not stored yet. Raises ReturnToForbidden, BadRequest."""
        self.return_to(visit.query("return_to"))
        now = timezone.now()
        secret = visit.csrf_secret()
        flow = self.model(
            type=visit.type,
            request_url=visit.url,
            issued_at=now,
            created_at=now,
            updated_at=now,
            expires_at=now + conf.flow(self.name).lifespan,
            csrf_hash=csrf.fingerprint(secret) if secret else "",
            **fields,
        )
        flow.ui = {"nodes": [], "messages": []}
        return flow

    def store(self, visit: Visit, flow: F_, context: HookContext | None = None, fill: Callable[[], None] | None = None) -> F_:
        """Run what the operator hung before this flow, then store it. Raises what a hook refuses with.

        *fill* gives the flow its form after the hooks, where they are not to see it.
        """
        plan = hooks.runner().before(context or HookContext(flow, visit.facts, self.name, session=visit.session))
        plan.ask()
        plan.prepare()
        if fill is not None:
            fill()
        if not plan.records:
            rows.insert([flow])
            return flow
        with transaction.atomic():
            rows.insert([flow])
            plan.record()
        return flow

    # -- showing

    def fetch(self, visit: Visit, id: str | None = None) -> F_:
        """Return the flow that *id*, else the query's `id` names, to its own browser only. Raises Problem (contract: flows.md 3.4)."""
        flow = self.find(visit.query("id") if id is None else id)
        self.check_owner(visit, flow)
        if flow.is_expired:
            raise self.expired(flow)
        return flow

    def find(self, id: str, reason: str = "") -> F_:
        """Raises NotFound, with *reason*."""
        key = parse_uuid(id)
        flow = rows.by_key(self.model, key) if key else None
        if flow is None:
            raise NotFound(reason)
        return flow

    def check_owner(self, visit: Visit, flow: F_) -> None:
        if flow.is_browser and self.checks_csrf_on_fetch and not csrf.belongs(visit.request, self.browsers(flow)):
            raise csrf.violation(visit.request, None)

    def browsers(self, flow: F_) -> tuple[str, ...]:
        """Return the fingerprints of the browsers that may see this flow and send its form."""
        return (flow.csrf_hash,)

    def shows_secrets(self, visit: Visit, flow: F_) -> bool:
        """Whether this visitor sees what fields hold that is for its person alone, such as a key to scan."""
        return True

    def expired(self, flow: F_) -> Problem:
        """Return the refusal that says where to start anew."""
        if not flow.is_browser:
            return self.gone(self.gone_reason, details={"api": identity_conf.public_url(f"/self-service/{self.name}/api")})
        wanted = query_of(flow.request_url, "return_to")
        start = identity_conf.public_url(f"/self-service/{self.name}/browser")
        again = problems.with_query(start, return_to=wanted) if wanted else start
        return self.gone(self.gone_reason, details={"redirect_to": again, "return_to": wanted})

    # -- submitting

    def admit_visitor(self, visit: Visit) -> Outcome | None:
        """Say whether this visitor may submit at all, before the flow is known; an outcome ends the visit. Raises Problem."""
        return None

    def admit(self, visit: Visit, flow: F_) -> Outcome | None:
        """Say whether this visitor may submit this flow; an outcome ends the visit. Raises Problem."""
        return None

    def follow(self, visit: Visit, flow: F_) -> Outcome | None:
        """Answer somebody who came by a link (GET) to where forms are sent; None when there is a submission to read."""
        return None

    def read(self, visit: Visit, flow: F_) -> Submission:
        """Return what was sent. Raises BadRequest."""
        if visit.request.method != "POST":
            raise BadRequest("Send the form with POST.")
        return submissions.decode(visit, flow)

    def checks_origin(self, flow: F_, submission: Submission) -> bool:
        """Whether the submission must come from the browser in which the flow was begun."""
        return True

    def echo(self, flow: F_, submission: Submission, said: Sequence[Message]) -> None:
        """Put what was typed back into a form that is shown again."""

    def choose(self, submission: Submission) -> Method:
        """Return the method that a submission is for.

        Raises:
            NotFound: The method is switched off.
            InvalidSubmission: No method claims it.
        """
        for method in self.methods(submission):
            if method.claims(submission):
                if method.is_offered(self.name):
                    return method
                if method.says_disabled:
                    raise NotFound("This method is switched off.")
        raise InvalidSubmission(self.no_method())

    def methods(self, submission: Submission) -> list[Method]:
        """Return the methods that may claim a submission, in the order in which they are asked."""
        return list(methods.of(self.method_base))

    @abstractmethod
    def no_method(self) -> Message: ...

    @abstractmethod
    def perform(self, visit: Visit, flow: F_, submission: Submission) -> Outcome:
        """Do what was asked for. Raises InvalidSubmission, Problem."""

    # -- ending

    @abstractmethod
    def expired_message(self, at: datetime) -> Message: ...

    @abstractmethod
    def used_message(self) -> Message: ...

    @abstractmethod
    def replacement(self, visit: Visit, flow: F_) -> F_:
        """Return a new flow, stored, that takes the place of one that cannot be used any more. Raises Problem."""

    def retry(self, visit: Visit, flow: F_) -> F_:
        """Return the flow to go on with after one that was used up by mistakes; by default as `replacement`."""
        return self.replacement(visit, flow)

    def return_to(self, wanted: str, method: str = "") -> str:
        """Return where a browser goes after the flow. Raises ReturnToForbidden, BadRequest."""
        return return_to.resolve(wanted, self.default_return(method))

    def default_return(self, method: str = "") -> str:
        return conf.after_url(self.name, method) or return_to.default()

    def wanted_return(self, flow: F_) -> str:
        return flow.return_to or query_of(flow.request_url, "return_to")

    def taken_message(self, taken: Taken) -> Message:
        """Return what a person is told whose identifier or address has an owner already."""
        return messages.duplicate()

    # -- concurrency

    @contextlib.contextmanager
    def claimed(self, flow: F_, calls_out: bool) -> Iterator[None]:
        """Hold the flow while hooks talk to the outside: of two submissions at once one works, the other is refused.

        Nothing is locked meanwhile; a claim whose holder died is void after CLAIM.
        """
        if not calls_out:
            yield
            return
        now = timezone.now()
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        if not self.model._default_manager.filter(free, pk=flow.pk, completed_at=None).update(claimed_until=now + CLAIM):
            raise InvalidSubmission(messages.generic("This form is being worked on already. Please wait for the answer."))
        try:
            yield
        finally:
            self.model._default_manager.filter(pk=flow.pk).update(claimed_until=None)

    def spend(self, flow: F_) -> None:
        """Mark the flow as used, in the caller's transaction.

        Raises:
            AlreadyUsed: Another submission was first; the transaction must be rolled back.
        """
        now = timezone.now()
        new = {"completed_at": now, "updated_at": now, "active": flow.active, "state": flow.state, "submissions": rows.ONE_MORE}
        if not rows.update(self.model, {"pk": flow.pk, "completed_at": None}, new):
            raise AlreadyUsed
        flow.completed_at = now


class AlreadyUsed(Exception):
    """Another submission of the same flow was first."""


def query_of(url: str, name: str) -> str:
    return (parse_qs(urlsplit(url).query).get(name) or [""])[0]


KINDS: dict[str, FlowKind[Any]] = {}


def register(kind: type[FlowKind[Any]]) -> type[FlowKind[Any]]:
    KINDS[kind.name] = kind()
    return kind
