"""Getting back in (contract: flows.md 9)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from flows import codes, conf, hooks, states
from flows.errors import FlowExpired, FlowGone, InvalidSubmission, SignedInAlready, StartAnew
from flows.hooks import HookContext
from flows.kind import KINDS, query_of, register
from flows.methods.base import Method, NextStep, ProvenAddress, RecoveryMethod
from flows.models import RecoveryFlow
from flows.outcome import Elsewhere, Outcome, Recovered, Shown
from flows.proving import ProvingKind
from flows.settings import Settings
from flows.submission import Submission
from flows.ui import container, messages
from flows.ui.messages import Message
from flows.visit import Visit
from identity import conf as identity_conf
from identity.errors import BadRequest, IdentityDisabled, Problem, SessionAlreadyAvailable
from identity.http import facts, return_to
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import services as sessions

NONE_CHOSEN = "default"  # what a flow is told to be active with after a submission for no method


@register
class Recovery(ProvingKind[RecoveryFlow]):
    name = "recovery"
    model = RecoveryFlow
    method_base = RecoveryMethod
    gone = FlowGone
    lookup_reason = "There is no such form. Please ask for a new code."

    # -- starting

    def open(self, visit: Visit) -> RecoveryFlow | Elsewhere:
        self.require_enabled()
        if visit.session is not None:
            if visit.is_api or visit.accepts_json:
                raise SessionAlreadyAvailable("Somebody is signed in already.")
            return Elsewhere(self._default_of_who_is_signed_in(visit), status=302)
        return self.store(visit, self.begun(visit, self.serving()))

    def _default_of_who_is_signed_in(self, visit: Visit) -> str:
        return return_to.resolve(visit.query("return_to"), return_to.default(), own_pages_only=True)

    def begun(self, visit: Visit, method: Method) -> RecoveryFlow:
        """Return a flow at its first page, not stored."""
        assert isinstance(method, RecoveryMethod)
        flow = self.new(visit, state=method.recovery_begins(), active=method.name)
        container.put(flow, method.recovery_nodes(flow))
        return flow

    def expired(self, flow: RecoveryFlow) -> Problem:
        told = super().expired(flow)
        return told if flow.is_browser else FlowExpired(told.reason, details=told.details)

    # -- submitting

    def no_method(self) -> Message:
        return messages.recovery_no_method()

    def prepare_followed(self, method: Method, flow: RecoveryFlow, query: dict[str, str]) -> bool:
        assert isinstance(method, RecoveryMethod)
        if flow.state == states.PASSED_CHALLENGE:
            said = messages.recovery_link_invalid() if "token" in query else messages.recovery_used()
            raise StartAnew(said, as_browser=True)
        return method.follow_recovery(flow, query)

    def perform(self, visit: Visit, flow: RecoveryFlow, submission: Submission) -> Outcome:
        is_attempt = self._is_attempt(flow, submission)
        if not is_attempt and visit.session is not None:
            if visit.answers_json:
                raise SignedInAlready("Somebody is signed in already.")
            return Elsewhere(self._default_of_who_is_signed_in(visit), status=302)
        if not is_attempt and flow.state == states.PASSED_CHALLENGE:
            raise StartAnew(messages.recovery_used())
        container.forget_messages(flow)
        method = self._method(submission)
        if not is_attempt and flow.state not in states.CHOOSING and submission.method != method.name:
            flow.active = NONE_CHOSEN
            raise InvalidSubmission(self.no_method())
        proven = method.recover(submission)
        if isinstance(proven, NextStep):
            flow.keep()
            return Shown(flow, proven.status)
        return self.finish(visit, flow, method, proven)

    def _is_attempt(self, flow: RecoveryFlow, submission: Submission) -> bool:
        """Whether something that was mailed comes back; anything else asks for a message."""
        if submission.text("token"):
            return True
        if flow.state == states.PASSED_CHALLENGE:
            return bool(submission.text("code"))
        if flow.state in states.CHOOSING:
            return flow.state == states.AWAITING_CODE and bool(submission.text("code")) and not submission.text("screen")
        return flow.state != states.CHOOSE_METHOD and not submission.text("email")

    def _method(self, submission: Submission) -> RecoveryMethod:
        method = next(iter(self.methods(submission)), None)
        if not isinstance(method, RecoveryMethod) or not method.is_enabled():
            raise BadRequest("This way of getting back in is switched off.")
        return method

    def finish(self, visit: Visit, flow: RecoveryFlow, method: RecoveryMethod, proven: ProvenAddress) -> Outcome:
        """Let somebody back in: the address is proven whatever hooks say; then hooks; then one commit with the session.

        What was sent to an address that the account has no more opens nothing: its mailbox may be somebody else's by now.
        """
        identity = proven.identity
        password = identity.credential("password")
        self._require_theirs(proven, identity, method)
        with transaction.atomic():
            if proven.is_self_service:
                services.prove_address(identity, proven.via, proven.value)
            flow.state, flow.identity = states.PASSED_CHALLENGE, identity
            flow.keep("state", "identity_id", "updated_at")
        if not identity.is_active:
            raise StartAnew(messages.identity_disabled())
        opened = sessions.issue(identity, [sessions.proof(f"{method.name}_recovery", "aal1")], visit.device())
        context = HookContext(
            flow,
            visit.facts,
            self.name,
            method.name,
            identity=identity,
            session=opened.session,
            transient_payload=flow.transient_payload or {},
        )
        plan = hooks.runner().after(context)
        try:
            plan.ask()
        except InvalidSubmission as refused:  # the code is spent: what the hook says is said in a new flow
            raise StartAnew(*refused.messages) from refused
        plan.prepare()
        with transaction.atomic():
            try:
                stored = services.require_as_proved(identity, password)
            except IdentityDisabled:
                raise StartAnew(messages.identity_disabled()) from None
            except services.ChangedMeanwhile:  # its owner, who has just chosen another password, is not thrown out
                raise StartAnew(self._invalid(method)) from None
            self._require_theirs(proven, stored, method)
            sessions.save(opened)
            if "recovery" in identity_conf.sessions().revoke_others_on:
                sessions.revoke_others(identity, keep=opened.session)
            codes.revoke_all(identity)
            plan.record()
        return self._lead_on(visit, flow, opened, context)

    def _require_theirs(self, proven: ProvenAddress, identity: Identity, method: RecoveryMethod) -> None:
        """Raises StartAnew when the account does not have the address any more."""
        if proven.is_self_service and not any(row.key == (proven.via, proven.value) for row in identity.recovery):
            raise StartAnew(self._invalid(method))

    def _invalid(self, method: RecoveryMethod) -> Message:
        return messages.recovery_link_invalid() if method.name == "link" else messages.recovery_code_invalid()

    def _lead_on(self, visit: Visit, flow: RecoveryFlow, opened: sessions.OpenedSession, context: HookContext) -> Outcome:
        """Open the settings in which a new credential is chosen."""
        visit.renew_csrf()
        container.forget_messages(flow)
        wanted = self.wanted_return(flow)
        if self._skips_settings(flow):
            flow.keep("ui")
            return Recovered(flow, self.return_to(wanted), opened, None, context.continue_with)
        settings = KINDS["settings"]
        assert isinstance(settings, Settings)
        goes_to = wanted or conf.flow(self.name).after
        return Recovered(flow, goes_to, opened, settings.open_after_recovery(visit, opened.session, goes_to), context.continue_with)

    def _skips_settings(self, flow: RecoveryFlow) -> bool:
        return bool(facts.truth(query_of(flow.request_url, "skip_settings")))

    # -- ending

    def expired_message(self, at: datetime) -> Message:
        return messages.recovery_expired(at)

    def used_message(self) -> Message:
        return messages.recovery_used()

    def replacement(self, visit: Visit, flow: RecoveryFlow) -> RecoveryFlow:
        new = self.begun(visit, self.serving())
        new.request_url, new.return_to = flow.request_url, flow.return_to
        new.save(force_insert=True)
        return new

    def retry(self, visit: Visit, flow: RecoveryFlow) -> RecoveryFlow:
        """Return a new flow for somebody whose old one is spent. No hook runs: the recovery was begun before."""
        visit.renew_csrf()
        new = self.begun(visit, self.serving())
        new.save(force_insert=True)
        return new
