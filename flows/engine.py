"""Lead one submission through its flow: who may send it, where it comes from, what it is for, and what is done about it.

    visitor -> flow -> age -> origin -> method -> hooks -> one or two commits -> Outcome

The engine decides what an error means. What the person can put right becomes a message in the form; everything else is
raised on to the view (contract: flows.md 1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flows.errors import InvalidSubmission, SignedInAlready, StartAnew
from flows.kind import AlreadyUsed, FlowKind
from flows.models import Flow
from flows.outcome import Outcome, Replaced, Shown
from flows.submission import Submission
from flows.ui import container, messages
from flows.ui.messages import Message
from flows.visit import BROWSER, Visit
from identity import conf
from identity.errors import BadRequest, IdentityDisabled, Problem
from identity.http import csrf
from identity.identities.schemas import InvalidTraits
from identity.identities.services import Taken
from identity.ids import parse_uuid

PROXY_COOKIES = ("__cf", "_cf", "cf_")  # set by a proxy that many apps stand behind


def submit(visit: Visit, kind: FlowKind[Any]) -> Outcome:
    """Do what a submission asks for. Raises Problem for what a form cannot say."""
    if outcome := kind.admit_visitor(visit):
        return outcome
    id = visit.query("flow")
    if parse_uuid(id) is None:
        raise BadRequest("The address of the form names no flow. Please start again.")
    flow = kind.find(id, kind.lookup_reason)
    visit.type = flow.type
    return _unless_over(visit, kind, flow) or _work(visit, kind, flow)


def come_back(visit: Visit, kind: FlowKind[Any], submission: Submission, work: Callable[[], Outcome]) -> Outcome:
    """Go on with a submission whose person had to leave for another site; *work* is what is left to do. Raises Problem."""
    if outcome := kind.admit_visitor(visit):
        return outcome
    flow = submission.flow
    flow.transient_payload = submission.transient_payload
    return _unless_over(visit, kind, flow) or _work(visit, kind, flow, submission, work)


def _unless_over(visit: Visit, kind: FlowKind[Any], flow: Flow) -> Outcome | None:
    """Return what is answered instead when the visitor may not go on in this flow, or the flow cannot."""
    if outcome := kind.admit(visit, flow):
        return outcome
    if flow.is_expired:
        return replace(visit, kind, flow, kind.expired_message(flow.expires_at), expired=True)
    if flow.completed_at:
        return replace(visit, kind, flow, kind.used_message(), expired=False)
    return None


def _work(
    visit: Visit, kind: FlowKind[Any], flow: Flow, submission: Submission | None = None, work: Callable[[], Outcome] | None = None
) -> Outcome:

    def again(*said: Message, status: int = 400) -> Shown:
        """Show the form with messages and with what was typed; the row keeps them until the next submission. Raises CSRFViolation."""
        if submission is None:  # nothing was read that could say where it is from
            kind.check_owner(visit, flow)
        container.forget_messages(flow)
        if submission is not None:
            kind.echo(flow, submission, said)
            for method in kind.methods(submission):
                if method.claims(submission):
                    method.echo(submission, said)
        container.say(flow, said)
        flow.keep()
        return Shown(flow, status, refused=True)

    try:
        if work is not None:
            return work()
        if outcome := kind.follow(visit, flow):
            return outcome
        submission = kind.read(visit, flow)
        if kind.checks_origin(flow, submission):
            check_origin(visit, kind, flow, submission)
        flow.transient_payload = submission.transient_payload
        return kind.perform(visit, flow, submission)
    except AlreadyUsed:
        return replace(visit, kind, flow, kind.used_message(), expired=False)
    except StartAnew as useless:
        visit.type = BROWSER if useless.as_browser else flow.type
        return _replaced_by(kind.retry(visit, flow), flow, useless.messages, expired=False)
    except InvalidSubmission as refused:
        return again(*refused.messages, status=int(refused.status))
    except InvalidTraits as invalid:
        return again(*(messages.trait_error(error) for error in invalid.errors))
    except Taken as taken:
        return again(kind.taken_message(taken))
    except IdentityDisabled:
        return again(messages.identity_disabled())
    except Problem as problem:
        if problem.status != 400 or isinstance(problem, SignedInAlready):
            raise
        return again(messages.generic(problem.reason or problem.title))


def check_origin(visit: Visit, kind: FlowKind[Any], flow: Flow, submission: Submission) -> None:
    """A browser's form must come back from its browser; an app must not look like one.

    Raises:
        CSRFViolation: The form is from elsewhere.
        BadRequest: An app's request carries cookies or Origin: a page has got hold of its flow.
    """
    if flow.is_browser:
        if not any(method.claims(submission) for method in kind.methods(submission) if not method.needs_token(submission)):
            csrf.check(visit.request, submission.text("csrf_token"), kind.browsers(flow))
        elif not csrf.belongs(visit.request, kind.browsers(flow)):
            raise csrf.violation(visit.request, None)
        return
    foreign = [name for name in visit.request.COOKIES if not name.startswith(PROXY_COOKIES)]
    if (foreign or visit.request.META.get("HTTP_ORIGIN")) and not conf.accepts_browser_signs_from_apps():
        raise BadRequest("Apps may not send cookies or an Origin header. Browsers have to use the browser flow.")


def replace(visit: Visit, kind: FlowKind[Any], flow: Flow, why: Message, *, expired: bool) -> Outcome:
    """Answer with a new flow that says why the old one cannot be used."""
    visit.type = flow.type
    return _replaced_by(kind.replacement(visit, flow), flow, [why], expired=expired)


def _replaced_by(new: Flow, old: Flow, said: Sequence[Message], *, expired: bool) -> Outcome:
    container.say(new, said)
    new.keep("ui")
    return Replaced(old, new, expired, said[0].text if said else "")
