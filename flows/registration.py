"""Signing up (contract: flows.md 7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from flows import conf, continue_with, exchange, hooks, states
from flows import submission as submissions
from flows.errors import FlowDisabled, InvalidSubmission
from flows.hooks import HookContext
from flows.kind import FlowKind, register
from flows.methods import base as methods
from flows.methods.base import Converted, NextStep, Redirect, RegistrationMethod
from flows.models import Flow, RegistrationFlow
from flows.outcome import Done, Elsewhere, Outcome, Shown
from flows.submission import Submission
from flows.ui import container, messages, nodes, traits
from flows.ui.messages import Message
from flows.ui.nodes import Node
from flows.visit import Visit
from identity.errors import IdentityDisabled, SessionAlreadyAvailable
from identity.http import return_to
from identity.identities import schemas, services
from identity.identities.models import Identity
from identity.identities.schemas import Schema
from identity.identities.services import Taken
from identity.sessions import services as sessions
from identity.sessions.services import OpenedSession

PREVIOUS, CREDENTIALS = "previous", "credential-selection"  # the screens of the two-step form
LEGACY_BACK = "profile:back"


@register
class Registration(FlowKind[RegistrationFlow]):
    name = "registration"
    model = RegistrationFlow
    method_base = RegistrationMethod

    # -- starting

    def open(self, visit: Visit) -> RegistrationFlow | Elsewhere:
        """Hooks run before it is looked at whether somebody is signed in (contract: actions.md 2.1)."""
        self._refuse_when_closed()
        schema = visit.query("identity_schema")
        if schema:
            schemas.selectable(schema)
        flow = self.new(visit, identity_schema=schema)
        self.fill(flow)
        if visit.session is None:
            self.store(visit, flow)
            exchange.begin(visit, flow)
            return flow
        hooks.runner().before(HookContext(flow, visit.facts, self.name, session=visit.session)).ask()
        if visit.is_api or visit.accepts_json:
            raise SessionAlreadyAvailable("Somebody is signed in already. Sign out to sign up.")
        return Elsewhere(self.return_to(visit.query("return_to")))

    def _refuse_when_closed(self) -> None:
        if not conf.flow(self.name).enabled:
            raise FlowDisabled("Nobody can sign up here at the moment.")

    def fill(self, flow: RegistrationFlow, values: Any = None) -> None:
        """Give the flow its first form: the traits, and in one step the credentials beside them."""
        schema = schemas.get(flow.identity_schema)
        if conf.registration().two_steps:
            form = self._profile_step(flow, schema, values)
        else:
            form = [*traits.fields(schema, conf.profile_group(), values), *self._credentials(flow, schema)]
        container.build(flow, [nodes.csrf(), *form])

    def _profile_step(self, flow: RegistrationFlow, schema: Schema, values: Any) -> list[Node]:
        instead = [method for method in methods.enabled(RegistrationMethod) if method.brings_traits]
        return [
            *(node for method in instead for node in method.registration_nodes(flow, schema)),
            *traits.fields(schema, "default", values),
            nodes.submit("method", "profile", "profile", messages.registration_button()),
        ]

    def _credentials(self, flow: RegistrationFlow, schema: Schema) -> list[Node]:
        return [node for method in methods.enabled(RegistrationMethod) for node in method.registration_nodes(flow, schema)]

    def fetch(self, visit: Visit, id: str | None = None) -> RegistrationFlow:
        self._refuse_when_closed()
        return super().fetch(visit, id)

    def open_from(self, visit: Visit, old: Flow) -> RegistrationFlow:
        """Return a flow, stored, for somebody who wanted to sign in and has no account. Raises FlowDisabled."""
        self._refuse_when_closed()
        new = self.new(visit, identity_schema=getattr(old, "identity_schema", ""))
        new.request_url, new.return_to, new.transient_payload = old.request_url, old.return_to, old.transient_payload
        self.fill(new)
        return self.store(visit, new)

    # -- submitting

    def read(self, visit: Visit, flow: RegistrationFlow) -> Submission:
        """Return what was sent. A link to a provider may be followed with GET."""
        if visit.request.method == "GET" and visit.query("provider"):
            return submissions.decode(visit, flow)
        return super().read(visit, flow)

    def admit_visitor(self, visit: Visit) -> Outcome | None:
        if visit.session is None:
            return None
        if visit.is_json:
            raise SessionAlreadyAvailable("Somebody is signed in already. Sign out to sign up.")
        wanted = visit.query("return_to")
        return Elsewhere(return_to.resolve(wanted, return_to.default(), own_pages_only=True), status=302)

    def no_method(self) -> Message:
        return messages.registration_no_method()

    def perform(self, visit: Visit, flow: RegistrationFlow, submission: Submission) -> Outcome:
        schema = schemas.get(flow.identity_schema)
        values = submission.traits(schema)
        if conf.registration().two_steps and (step := self._screen(submission)):
            return self._turn_page(flow, schema, values, step)
        identity = services.propose(schema.id, values)
        if not self._brings_traits(submission):
            services.derive(identity)
        method = self.choose(submission)
        assert isinstance(method, RegistrationMethod)
        done = method.register(submission, identity)
        if isinstance(done, NextStep):
            flow.keep()
            return Shown(flow, done.status)
        if isinstance(done, Converted):
            return done.outcome
        if isinstance(done, Redirect):
            flow.keep()
            return Elsewhere(done.url, leaves=True, carries=done.carries)
        return self.finish(visit, flow, method, identity)

    def _brings_traits(self, submission: Submission) -> bool:
        return any(method.brings_traits and method.claims(submission) for method in methods.of(RegistrationMethod))

    def echo(self, flow: RegistrationFlow, submission: Submission, said: Sequence[Message]) -> None:
        if all(message.id != self.no_method().id for message in said):
            container.set_traits(flow, submission.legible_traits(schemas.get(flow.identity_schema)))

    def _screen(self, submission: Submission) -> str:
        """Return the page of the two-step form that was asked for, "" when a credential was sent."""
        screen = submission.text("screen")
        if screen not in ("", PREVIOUS, CREDENTIALS):
            raise InvalidSubmission(messages.generic(f"There is no such page: {screen[:50]}.").on("screen"))
        if screen == PREVIOUS or submission.method == LEGACY_BACK:
            return PREVIOUS
        return CREDENTIALS if submission.method == "profile" or (screen and not submission.method) else ""

    def _turn_page(self, flow: RegistrationFlow, schema: Schema, values: Any, screen: str) -> Outcome:
        """Show the other page of the two-step form. Going on keeps the traits in hidden fields; nothing is remembered here."""
        if errors := schema.errors(values):
            raise schemas.InvalidTraits(errors)
        if screen == PREVIOUS:
            container.build(flow, [nodes.csrf(), *self._profile_step(flow, schema, values)])
            flow.transient_payload = None  # not repeated on the way back, as upstream
        else:
            credentials = self._credentials(flow, schema)
            if not credentials:
                raise InvalidSubmission(self.no_method())
            hidden = traits.fields(schema, "default", values)
            for node in hidden:
                node["attributes"]["type"] = "hidden"
            back = nodes.submit("screen", "profile", PREVIOUS, messages.registration_back())
            container.build(flow, [nodes.csrf(), *hidden, *credentials, back], [messages.registration_choose_credential()])
        flow.active, flow.state = "", states.CHOOSE_METHOD
        flow.keep()
        return Shown(flow)

    # -- storing

    def finish(
        self, visit: Visit, flow: RegistrationFlow, method: RegistrationMethod, identity: Identity, proof: dict[str, Any] | None = None
    ) -> Outcome:
        """Store a new person. What may refuse runs before; a hook that is awaited stands between two commits.

        *proof* is what was proved, where the method's name does not say it all.
        """
        proof = proof or sessions.proof(method.name, "aal1")
        goes_to = self.return_to(self.wanted_return(flow), method.name)
        context = HookContext(flow, visit.facts, self.name, method.name, identity=identity, transient_payload=flow.transient_payload or {})
        if not visit.is_api:
            context.continue_with.append(continue_with.redirect_browser_to(goes_to))
        plan = hooks.runner().after(context)
        opened: OpenedSession | None = None
        with self.claimed(flow, plan.calls_out):
            plan.interrupt()
            plan.prepare()
            with transaction.atomic():
                self.spend(flow)
                services.create(identity)
                if plan.opens_session or method.renews_csrf:
                    visit.renew_csrf(flow)
                if identity.is_active:
                    plan.record_early()
                    if not plan.waits:
                        opened = self._record(visit, plan, context, proof)
            if identity.is_active and plan.waits:
                plan.wait()
                with transaction.atomic():
                    identity.state = services.lock(identity.pk).state  # who was asked may have closed the account
                    opened = self._record(visit, plan, context, proof)
            if not identity.is_active:
                raise IdentityDisabled("This account is disabled.")
        if opened is not None and visit.is_api:
            context.continue_with.append(continue_with.set_ory_session_token(opened.token))
        return Done(flow, goes_to, context.continue_with, identity=identity, opened=opened, browser_goes_to=context.browser_goes_to)

    def _record(self, visit: Visit, plan: hooks.Plan, context: HookContext, proof: dict[str, Any]) -> OpenedSession | None:
        """Record the rest, and open a session if an action asked for one."""
        plan.record()
        if not context.hands_out_session or context.identity is None or not context.identity.is_active:
            return None
        opened = sessions.issue(context.identity, [proof], visit.device())
        sessions.save(opened)
        return opened

    # -- ending

    def taken_message(self, taken: Taken) -> Message:
        return messages.duplicate()

    def expired_message(self, at: datetime) -> Message:
        return messages.registration_expired(at)

    def used_message(self) -> Message:
        return messages.registration_used()

    def replacement(self, visit: Visit, flow: RegistrationFlow) -> RegistrationFlow:
        new = self.new(visit, identity_schema=flow.identity_schema)
        new.request_url, new.return_to = flow.request_url, flow.return_to
        self.fill(new)
        return self.store(visit, new)
