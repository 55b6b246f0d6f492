"""Signing in (contract: flows.md 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from flows import conf, continue_with, exchange, hooks, linking
from flows import submission as submissions
from flows.hooks import HookContext
from flows.kind import FlowKind, register
from flows.methods import base as methods
from flows.methods.base import Converted, LoginMethod, Method, NextStep, Redirect
from flows.models import Flow, LoginFlow
from flows.outcome import Done, Elsewhere, Outcome, Shown
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from flows.visit import Visit
from identity import conf as identity_conf
from identity.errors import BadRequest, IdentityDisabled, SessionAAL1Required, SessionAlreadyAvailable
from identity.http import facts, problems, return_to
from identity.identities import schemas, services
from identity.identities.models import Identity
from identity.sessions import aal, authentication
from identity.sessions import services as sessions
from identity.sessions.models import Session
from identity.sessions.services import OpenedSession


@register
class Login(FlowKind[LoginFlow]):
    name = "login"
    model = LoginFlow
    method_base = LoginMethod

    def open(self, visit: Visit) -> LoginFlow | Elsewhere:
        wanted = (visit.query("aal") or aal.AAL1).lower()
        if wanted not in (aal.AAL1, aal.AAL2):
            raise BadRequest("`aal` is aal1 or aal2.")
        session = visit.session
        refresh = bool(facts.truth(visit.query("refresh"))) and session is not None
        if session is None and wanted == aal.AAL2:
            raise SessionAAL1Required("A second factor needs somebody who is signed in.")
        if session is not None and not refresh and not wanted > session.aal:
            if visit.is_api or visit.accepts_json:
                raise SessionAlreadyAvailable("Somebody is signed in already. Ask with refresh=true to sign in again.")
            return Elsewhere(self.return_to(visit.query("return_to")))
        schema = visit.query("identity_schema")
        if schema and wanted == aal.AAL1:
            schemas.selectable(schema)
        flow = self.new(visit, refresh=refresh, requested_aal=wanted, identity_schema=schema)
        self.fill(flow, session)
        self.store(visit, flow)
        exchange.begin(visit, flow)
        if wanted == aal.AAL2:
            self._begin_alone(visit, flow)
        return flow

    def _begin_alone(self, visit: Visit, flow: LoginFlow) -> None:
        """Let the one method that the form offers go ahead: a second factor that is sent is on its way at once."""
        groups = {node["group"] for node in flow.ui["nodes"]} - {"default"}
        for method in self.offered(flow):
            if groups == {method.name} and method.begin_alone(visit, flow, ""):
                flow.keep()

    def fill(self, flow: LoginFlow, session: Session | None) -> None:
        """Give the flow its form: what this person can prove, or everything when nobody is known yet."""
        identity = session.identity if session and (flow.refresh or flow.requested_aal == aal.AAL2) else None
        said = []
        if flow.refresh:
            said.append(messages.login_refresh())
        if session and flow.requested_aal > session.aal:
            said.append(messages.login_second_factor())
        asked = [(method, self._asks(method, flow, identity)) for method in self.offered(flow)]
        form = [node for _, fields in asked for node in fields]
        if flow.is_browser or any(fields and method.tells_apps_of_csrf for method, fields in asked):
            form.insert(0, nodes.csrf())
        container.build(flow, form, said)

    def _asks(self, method: LoginMethod, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        asks_first = conf.asks_identifier_first() and not linking.is_pending(flow)
        if asks_first and identity is None and flow.requested_aal == aal.AAL1:
            return method.first_step_nodes(flow)
        return method.login_nodes(flow, identity)

    def offered(self, flow: LoginFlow) -> list[LoginMethod]:
        return [method for method in methods.enabled(LoginMethod) if method.aal == flow.requested_aal]

    # -- submitting

    def echo(self, flow: LoginFlow, submission: Submission, said: Sequence[Message]) -> None:
        """Keep who one said to be, until it was proved, or turned out to have no key here."""
        has_no_key = any(message.id == messages.NO_ACCOUNT_WITH_KEY for message in said)
        typed = "" if submission.is_proved or has_no_key else submission.text("identifier") or submission.text("password_identifier")
        if typed or submission.is_proved or has_no_key:
            container.set_value(flow, "identifier", typed)

    def read(self, visit: Visit, flow: LoginFlow) -> Submission:
        """Return what was sent. A link to a provider may be followed with GET."""
        if visit.request.method == "GET" and visit.query("provider"):
            return submissions.decode(visit, flow)
        return super().read(visit, flow)

    def admit(self, visit: Visit, flow: LoginFlow) -> Outcome | None:
        session = visit.session
        if session is None and flow.requested_aal == aal.AAL2:
            raise SessionAAL1Required("A second factor needs somebody who is signed in.")
        if session is None or flow.refresh or flow.requested_aal > session.aal:
            return None
        if not visit.answers_json:
            return Elsewhere(return_to.default())
        container.forget_messages(flow)
        container.say(flow, [messages.generic("You are signed in already.")])
        return Shown(flow)

    def methods(self, submission: Submission) -> list[Method]:
        assert isinstance(submission.flow, LoginFlow)
        wanted = submission.flow.requested_aal
        return [method for method in methods.of(LoginMethod) if method.aal == wanted]

    def no_method(self) -> Message:
        return messages.login_no_method()

    def perform(self, visit: Visit, flow: LoginFlow, submission: Submission) -> Outcome:
        method = self.choose(submission)
        assert isinstance(method, LoginMethod)
        proved = method.login(submission)
        if isinstance(proved, NextStep):
            flow.keep()
            return Shown(flow, proved.status)
        if isinstance(proved, Converted):
            return proved.outcome
        if isinstance(proved, Redirect):
            flow.keep()
            return Elsewhere(proved.url, leaves=True, carries=proved.carries)
        submission.is_proved = True
        return self.finish(visit, flow, method, proved)

    def finish(
        self, visit: Visit, flow: LoginFlow, method: LoginMethod, identity: Identity, proof: dict[str, Any] | None = None
    ) -> Outcome:
        """Sign *identity* in: hooks first, then one commit with the session, the flow's end and what is recorded.

        *proof* is what was proved, where the method's name and level do not say it all. An account of a provider that
        waits for this proof is linked before the hooks, whatever they say, once nothing more has to be proved.
        """
        flow.active = method.name
        if not identity.is_active:
            raise IdentityDisabled("This account is disabled.")
        used = identity.credential(method.name)
        goes_to = self.return_to(self.wanted_return(flow), method.name)
        pending = linking.pending(flow)
        if pending is not None:
            linking.require_owner(pending, identity)
        opened = self._session(visit, method, identity, proof or sessions.proof(method.name, method.aal))
        step_up = self._step_up(flow, opened.session)
        if pending is not None and not step_up:
            identity = opened.session.identity = linking.link(pending, flow, identity, used)
            sessions.prove(opened.session, pending.proof())
        context = HookContext(
            flow,
            visit.facts,
            self.name,
            method.name,
            identity=identity,
            session=opened.session,
            transient_payload=flow.transient_payload or {},
        )
        if not visit.is_api:
            context.continue_with.append(continue_with.redirect_browser_to(goes_to))
        plan = hooks.runner().after(context)
        with self.claimed(flow, plan.calls_out):
            plan.ask()
            plan.prepare()
            with transaction.atomic():
                services.require_as_proved(identity, used)
                self._open(visit, flow, method, opened)
                plan.record()
        if pending is not None and step_up:
            step_up = self._carry_on_linking(visit, flow, pending, opened.session)
        return Done(
            flow,
            goes_to,
            context.continue_with,
            identity=identity,
            opened=opened,
            step_up_to=step_up,
            browser_goes_to=context.browser_goes_to,
        )

    def _open(self, visit: Visit, flow: LoginFlow, method: LoginMethod, opened: OpenedSession) -> None:
        """End the flow with the session that it opens."""
        self.spend(flow)
        replaced = self._replaced(visit, flow, method, opened.session.identity)
        if replaced is not None:
            sessions.revoke(replaced)
        elif opened.is_new:
            visit.renew_csrf(flow)
        sessions.save(opened)

    def _session(self, visit: Visit, method: LoginMethod, identity: Identity, proof: dict[str, Any]) -> OpenedSession:
        """Return the session as it shall be: the present one raised, when it is the same person, else a new one."""
        present = visit.session
        if present is not None and present.identity_id == identity.pk and not method.replaces_session:
            present.identity = identity  # as it is now that the proof was taken
            return sessions.upgrade(present, [proof], visit.device())
        return sessions.issue(identity, [proof], visit.device())

    def _replaced(self, visit: Visit, flow: LoginFlow, method: LoginMethod, identity: Identity) -> Session | None:
        """Return the session whose place the new one takes."""
        present = visit.session
        is_same = present is not None and present.identity_id == identity.pk
        return present if flow.refresh and method.replaces_session and is_same else None

    def _carry_on_linking(self, visit: Visit, flow: LoginFlow, pending: linking.Pending, session: Session) -> str:
        """Let the account of a provider wait for the second factor, too. Returns the page that asks for it."""
        new = self.new(visit, requested_aal=aal.AAL2, identity_schema=flow.identity_schema)
        new.request_url, new.return_to = flow.request_url, flow.return_to
        linking.attach(new, pending)
        self.fill(new, session)
        self.store(visit, new)
        return problems.with_query(conf.flow(self.name).ui_url, flow=str(new.id))

    # -- from and to other flows

    def open_from(self, visit: Visit, old: Flow) -> LoginFlow:
        """Return a flow, stored, for somebody who wanted to sign up and has an account."""
        new = self._successor(visit, old)
        self.fill(new, None)
        return self.store(visit, new)

    def open_for_linking(self, visit: Visit, old: Flow, pending: linking.Pending, owner: Identity) -> LoginFlow:
        """Return a flow, stored, in which the owner of an account proves it, so that a provider's account is linked to it."""
        new = self._successor(visit, old)
        linking.attach(new, pending)
        self.fill(new, None)
        linking.dress(new, pending, owner)
        new.active = "oidc"
        return self.store(visit, new)

    def _successor(self, visit: Visit, old: Flow) -> LoginFlow:
        new = self.new(visit, identity_schema=getattr(old, "identity_schema", ""))
        new.request_url, new.return_to, new.transient_payload = old.request_url, old.return_to, old.transient_payload
        return new

    def _step_up(self, flow: LoginFlow, session: Session) -> str:
        """Return where the second factor is asked for, when nothing opens without it; else ""."""
        rule = identity_conf.sessions().whoami_aal
        if rule != authentication.HIGHEST or session.aal == aal.AAL2 or session.identity.available_aal != aal.AAL2:
            return ""
        wanted = self.wanted_return(flow)
        return authentication.step_up_url(**({"return_to": wanted} if wanted else {}))

    # -- ending

    def expired_message(self, at: datetime) -> Message:
        return messages.login_expired(at)

    def used_message(self) -> Message:
        return messages.login_used()

    def replacement(self, visit: Visit, flow: LoginFlow) -> LoginFlow:
        if visit.session is not None:
            raise BadRequest("This form has expired. You are signed in already.")
        new = self.new(visit, identity_schema=flow.identity_schema)
        new.request_url, new.return_to = flow.request_url, flow.return_to
        self.fill(new, None)
        return self.store(visit, new)
