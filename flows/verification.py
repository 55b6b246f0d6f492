"""Proving that an address is one's own (contract: flows.md 10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db import transaction
from django.utils import timezone

from flows import conf, hooks, letters, pending, states
from flows.errors import FlowGone, InvalidSubmission, StartAnew
from flows.hooks import HookContext
from flows.kind import register
from flows.letters import Addressee
from flows.methods.base import METHODS, Method, NextStep, ProvenAddress, VerificationMethod
from flows.models import PendingChange, VerificationFlow
from flows.outcome import Elsewhere, Outcome, Shown
from flows.proving import ProvingKind
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from flows.visit import BROWSER, Visit
from identity.errors import BadRequest
from identity.http import csrf, problems
from identity.identities import services
from identity.identities.models import Identity, VerifiableAddress

CHANNELS = ("email", "sms")
AFTERWARDS = "after_verification_return_to"  # query of the flow before: where this one leads to


@register
class Verification(ProvingKind[VerificationFlow]):
    name = "verification"
    model = VerificationFlow
    method_base = VerificationMethod
    gone = FlowGone
    tells_in_json = True
    lookup_reason = "There is no such form. Please ask for a new code."

    # -- starting

    def open(self, visit: Visit) -> VerificationFlow | Elsewhere:
        self.require_enabled()
        return self.store(visit, self.begun(visit, self.serving()))

    def begun(self, visit: Visit, method: Method) -> VerificationFlow:
        """Return a flow at its first page, not stored."""
        assert isinstance(method, VerificationMethod)
        flow = self.new(visit, state=states.CHOOSE_METHOD, active=method.name)
        container.put(flow, method.verification_nodes(flow))
        return flow

    # -- submitting

    def no_method(self) -> Message:
        return messages.verification_no_method()

    def checks_origin(self, flow: VerificationFlow, submission: Submission) -> bool:
        """What came by mail may be typed anywhere: the code itself is the proof."""
        return not submission.text("code")

    def prepare_followed(self, method: Method, flow: VerificationFlow, query: dict[str, str]) -> bool:
        assert isinstance(method, VerificationMethod)
        if flow.state == states.PASSED_CHALLENGE:
            raise StartAnew(messages.verification_link_invalid() if "token" in query else messages.verification_used())
        return method.follow_verification(flow, query)

    def perform(self, visit: Visit, flow: VerificationFlow, submission: Submission) -> Outcome:
        if flow.state == states.PASSED_CHALLENGE:
            raise StartAnew(messages.verification_used())
        method = self._method(submission)
        _accept_own_resend(submission)
        proven = method.verify(submission)
        if isinstance(proven, NextStep):
            flow.keep()
            return Shown(flow, proven.status)
        return self.finish(visit, flow, method, proven)

    def _method(self, submission: Submission) -> VerificationMethod:
        sent = submission.method
        if sent and sent not in CHANNELS and sent not in ("code", "link"):
            raise InvalidSubmission(messages.generic("This is neither code nor link.").on("method"))
        method = next(iter(self.methods(submission)), None)
        if not isinstance(method, VerificationMethod) or not method.is_enabled():
            raise BadRequest("This way of verifying an address is switched off.")
        if sent and sent not in CHANNELS and sent != method.name:
            raise InvalidSubmission(self.no_method())
        if not sent and not (submission.text("code") or submission.text("token")):
            raise InvalidSubmission(self.no_method())
        return method

    def finish(self, visit: Visit, flow: VerificationFlow, method: VerificationMethod, proven: ProvenAddress) -> Outcome:
        """The address is verified whatever hooks say; they may only say something."""
        change = pending.find(flow, proven)
        if change is not None:
            identity = self._carry_out(visit, flow, method, change)
        else:
            identity = proven.identity
            with transaction.atomic():
                if not services.prove_address(identity, proven.via, proven.value):
                    raise self._refusal()
                self._succeed(flow, method, identity, proven.via)
        context = HookContext(flow, visit.facts, self.name, method.name, identity=identity, transient_payload=flow.transient_payload or {})
        plan = hooks.runner().after(context)
        try:
            plan.ask()
        except InvalidSubmission as refused:
            raise StartAnew(*refused.messages) from refused
        plan.prepare()
        with transaction.atomic():
            plan.record()
        return Shown(flow, 200)

    def _carry_out(self, visit: Visit, flow: VerificationFlow, method: VerificationMethod, change: PendingChange) -> Identity:
        """Make the change that waited for this proof; then what stands after settings runs, except what may refuse it."""
        try:
            before, after = pending.proposal(change)
            context = HookContext(
                change.settings_flow,
                visit.facts,
                "settings",
                "profile",
                identity=after,
                session=change.session,
                previous=before,
                transient_payload=pending.payload(change),
            )
            plan = hooks.runner().after(context)
            plan.prepare()
            with transaction.atomic():
                pending.carry_out(change, before, after)
                self._succeed(flow, method, after, change.via)
                plan.record_early()
                if not plan.waits:
                    plan.record()
        except pending.Void:
            raise self._refusal() from None
        if plan.waits:
            plan.wait()
            with transaction.atomic():
                plan.record()
        return after

    def _succeed(self, flow: VerificationFlow, method: VerificationMethod, identity: Identity, via: str) -> None:
        """Store that the flow reached its end, in the caller's transaction."""
        goes_to = self.return_to(self.wanted_return(flow))
        flow.state, flow.identity, flow.active = states.PASSED_CHALLENGE, identity, method.name
        container.put(flow, _finished(method.name, goes_to), [_success(via)])
        flow.ui |= {"method": "GET", "action": goes_to}
        flow.keep("ui", "state", "identity_id", "active")

    def _refusal(self) -> InvalidSubmission:
        return InvalidSubmission(messages.verification_code_invalid(), status=200)  # type: ignore[arg-type]

    # -- ending

    def default_return(self, method: str = "") -> str:
        return super().default_return()

    def expired_message(self, at: datetime) -> Message:
        return messages.verification_expired(at)

    def used_message(self) -> Message:
        return messages.verification_used()

    def replacement(self, visit: Visit, flow: VerificationFlow) -> VerificationFlow:
        visit.type = BROWSER  # always, as upstream (contract: flows.md 4.4)
        visit.renew_csrf()
        new = self.begun(visit, self.serving())
        new.request_url, new.return_to = flow.request_url, flow.return_to
        new.save(force_insert=True)
        return new

    def retry(self, visit: Visit, flow: VerificationFlow) -> VerificationFlow:
        """Return a new flow for somebody whose old one is spent. No hook runs: the verification was begun before."""
        csrf.rotate(visit.request)  # an app is handed a cookie, too, as upstream
        new = self.begun(visit, self.serving())
        new.save(force_insert=True)
        return new


def _accept_own_resend(submission: Submission) -> None:
    """Read the button of a flow that was begun for the person, which is named after its channel, as the address to send to."""
    for channel in CHANNELS:
        if submission.text(channel) and not submission.text("email"):
            submission.fields["email"] = submission.text(channel)


def _finished(group: str, goes_to: str) -> list[Node]:
    anchor: dict[str, Any] = nodes.anchor("continue", group, goes_to, messages.continue_button())
    return [nodes.csrf(), anchor]


def _success(via: str) -> Message:
    return messages.verification_success_phone() if via == "sms" else messages.verification_success()


# -- verifications that others begin for a person


def start(
    identity: Identity,
    address: VerifiableAddress,
    *,
    kind_of_client: str,
    request_url: str,
    return_to: str = "",
    csrf_hash: str = "",
    transient_payload: dict[str, Any] | None = None,
    request_headers: dict[str, list[str]] | None = None,
) -> VerificationFlow:
    """Begin a verification on the person's behalf: the flow waits for what this mails. In the caller's transaction."""
    now, method = timezone.now(), conf.flow("verification").use
    flow = VerificationFlow(
        type=kind_of_client,
        state=states.SENT_EMAIL,
        active=method,
        identity=identity,
        request_url=_led_to(request_url, return_to),
        csrf_hash=csrf_hash,
        issued_at=now,
        created_at=now,
        updated_at=now,
        expires_at=now + conf.flow("verification").lifespan,
    )
    flow.transient_payload = transient_payload
    to = Addressee(address.via, address.value, identity, address.pk)
    if method == "link" and address.via == "email":
        serving = METHODS["link"]
        assert isinstance(serving, VerificationMethod)
        container.put(flow, serving.verification_nodes(flow), [messages.verification_link_mailed(address.value)])
        container.set_value(flow, "email", address.value)
        flow.save(force_insert=True)
        letters.send_link(flow, to, request_headers or {})
    else:
        container.put(flow, _waiting_for_a_code(address, with_token=flow.is_browser), [_sent(address)])
        flow.active = "code"
        flow.save(force_insert=True)
        letters.send_code(flow, to, request_headers or {})
    if not address.verified:
        address.status = VerifiableAddress.SENT
    return flow


def _waiting_for_a_code(address: VerifiableAddress, *, with_token: bool) -> list[Node]:
    form = [
        nodes.hidden("method", "code", "code"),
        nodes.field("code", "code", required=True, autocomplete="one-time-code", label=messages.verification_code_label()),
        nodes.submit("method", "code", "code", messages.continue_button()),
        nodes.submit(address.via, "code", address.value, messages.resend_button()),
    ]
    return [*form, nodes.csrf()] if with_token else form


def _sent(address: VerifiableAddress) -> Message:
    said = messages.verification_code_texted if address.via == "sms" else messages.verification_code_mailed
    return said(address.value)


def ui_url(flow: VerificationFlow) -> str:
    return problems.with_query(conf.flow("verification").ui_url, flow=str(flow.id))


def address_of(flow: VerificationFlow) -> str:
    """Return the address that a flow which somebody began for the person is about: the value of its field or resend button."""
    return next((str(node["attributes"].get("value") or "") for node in flow.ui["nodes"] if nodes.name_of(node) in CHANNELS), "")


def _led_to(url: str, return_to: str) -> str:
    """Return the URL that a flow was asked for by, as if its verification had been asked for, leading to *return_to*."""
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != AFTERWARDS]
    if return_to:
        query = [*(pair for pair in query if pair[0] != "return_to"), ("return_to", return_to)]
    return urlunsplit(parts._replace(query=urlencode(query)))
