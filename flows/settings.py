"""Changing one's account (contract: flows.md 11). Not the project's settings: those are identity/settings.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson
from django.db import transaction
from django.utils import timezone

from flows import codes, conf, continue_with, hooks, keys, pending, states, verification
from flows import submission as submissions
from flows.errors import AwaitsProof, FlowGone, InvalidSubmission, SecurityIdentityMismatch
from flows.hooks import HookContext
from flows.kind import AlreadyUsed, FlowKind, query_of, register
from flows.methods import base as methods
from flows.methods.base import NextStep, Redirect, SettingsMethod
from flows.models import ParkedSubmission, SettingsFlow
from flows.outcome import Done, Elsewhere, Outcome, Shown
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.visit import Visit
from identity import conf as identity_conf
from identity import crypto
from identity.db import rows
from identity.errors import SessionAAL2Required, SessionInactive, SessionRefreshRequired, Unauthorized
from identity.http import cookies, problems
from identity.identities import schemas, services
from identity.identities.models import Identity, VerifiableAddress
from identity.ids import parse_uuid
from identity.sessions import aal, authentication
from identity.sessions import services as sessions
from identity.sessions.models import Session
from identity.sessions.services import OpenedSession

PARKED_FOR = timedelta(minutes=15)


@register
class Settings(FlowKind[SettingsFlow]):
    name = "settings"
    model = SettingsFlow
    method_base = SettingsMethod
    checks_csrf_on_fetch = False
    gone = FlowGone
    lookup_reason = "There is no such form. Please start again."

    # -- starting

    def open(self, visit: Visit) -> SettingsFlow | Elsewhere:
        session = visit.session
        if session is None:
            if visit.is_api or visit.accepts_json:
                raise SessionInactive("Settings are for who is signed in.", extra=None if visit.is_api else {"CredentialsMissing": False})
            wanted = visit.query("return_to")
            login = identity_conf.public_url("/self-service/login/browser")
            return Elsewhere(problems.with_query(login, return_to=wanted) if wanted else login)
        if away := self._needs_second_factor(visit, session, visit.url if visit.query("return_to") and not visit.is_api else ""):
            return away
        flow = self.new(visit, identity=session.identity, state=states.SHOW_FORM)
        return self._stored(visit, flow, session)

    def _needs_second_factor(self, visit: Visit, session: Session, back_to: str) -> Elsewhere | None:
        """Send a browser to its second factor, when the account has one that was not used. Raises SessionAAL2Required for programs."""
        url = authentication.step_up_url(**({"return_to": back_to} if back_to else {}))
        try:
            authentication.require_aal(session, conf.settings().required_aal, url)
        except SessionAAL2Required:
            if visit.is_api or visit.answers_json or visit.accepts_json:
                raise
            return Elsewhere(url)
        return None

    def _stored(self, visit: Visit, flow: SettingsFlow, session: Session, *said: Message) -> SettingsFlow:
        """Store a new flow. What runs before it does not see the form, which holds secrets (contract: actions.md 2.1)."""
        context = HookContext(flow, visit.facts, self.name, identity=session.identity, session=session)
        return self.store(visit, flow, context, fill=lambda: self.fill(flow, session.identity, said))

    def fill(self, flow: SettingsFlow, identity: Identity, said: tuple[Message, ...] = ()) -> None:
        form = [node for method in methods.enabled(SettingsMethod) for node in method.settings_nodes(flow, identity)]
        container.build(flow, [nodes.csrf(), *form], said)

    # -- showing

    def fetch(self, visit: Visit, id: str | None = None) -> SettingsFlow:
        session = visit.session
        if session is None:
            raise Unauthorized("Settings are for who is signed in.")
        flow = self.find(visit.query("id") if id is None else id)
        self.check_owner(visit, flow)
        back = problems.with_query(conf.flow(self.name).ui_url, flow=str(flow.id))
        authentication.require_aal(session, conf.settings().required_aal, authentication.step_up_url(return_to=back))
        if flow.is_expired:
            raise self.expired(flow)
        return flow

    def check_owner(self, visit: Visit, flow: SettingsFlow) -> None:
        if visit.session is None or flow.identity_id != visit.session.identity_id:
            raise SecurityIdentityMismatch("The form was begun by somebody else. Please start again.")
        flow.identity = visit.session.identity

    # -- submitting

    def admit_visitor(self, visit: Visit) -> Outcome | None:
        if visit.session is not None:
            return None
        if visit.is_json:
            raise Unauthorized("Settings are for who is signed in.")
        return Elsewhere(conf.flow("login").ui_url, status=302)

    def admit(self, visit: Visit, flow: SettingsFlow) -> Outcome | None:
        assert visit.session is not None
        if away := self._needs_second_factor(visit, visit.session, visit.url):
            return away
        if not flow.is_expired:
            self.check_owner(visit, flow)
        return None

    def read(self, visit: Visit, flow: SettingsFlow) -> Submission:
        """Return what was sent, or what waited until the person had signed in again (GET)."""
        if visit.request.method == "POST":
            return submissions.decode(visit, flow)
        return unpark(visit, flow, cookies.read_continuity(visit.request, "settings")) or submissions.decode(visit, flow)

    def echo(self, flow: SettingsFlow, submission: Submission, said: Sequence[Message]) -> None:
        if submission.method == "profile":
            schema = schemas.get_readable(flow.identity.schema_id)
            container.set_traits(flow, submission.legible_traits(schema), replaces=True)

    def open_after_recovery(self, visit: Visit, session: Session, return_to: str) -> SettingsFlow:
        """Return a flow, stored, in which somebody who has just come back in chooses a new credential."""
        flow = self.new(visit, identity=session.identity, state=states.SHOW_FORM)
        if return_to:
            flow.request_url = problems.with_query(visit.url, return_to=return_to)
        until = session.authenticated_at + conf.settings().privileged_max_age
        return self._stored(visit, flow, session, messages.recovery_success(until))

    def no_method(self) -> Message:
        return messages.settings_no_method()

    def perform(self, visit: Visit, flow: SettingsFlow, submission: Submission) -> Outcome:
        session = visit.session
        assert session is not None
        container.forget_messages(flow)
        method = self.choose(submission)
        assert isinstance(method, SettingsMethod)
        if method.is_privileged:
            self.require_young_session(visit, flow, submission, method)
        before = session.identity
        after = services.revise(before)
        done = method.change(submission, after)
        if isinstance(done, NextStep):
            flow.keep()
            return Shown(flow, done.status)
        if isinstance(done, Redirect):
            flow.keep()
            return Elsewhere(done.url, leaves=True, carries=done.carries)
        return self.finish(visit, flow, submission, method, before, after)

    def require_young_session(self, visit: Visit, flow: SettingsFlow, submission: Submission, method: SettingsMethod) -> None:
        """Raises SessionRefreshRequired; a plain browser's form is parked first, and goes on after the person has signed in again."""
        session = visit.session
        assert session is not None
        if is_privileged(session, always=method.name == "password"):
            return
        back = f"{identity_conf.public_url('/self-service/settings')}?flow={flow.id}"
        url = problems.with_query(identity_conf.public_url("/self-service/login/browser"), refresh="true", return_to=back)
        if flow.is_browser:
            park(visit, flow, submission)
        raise SessionRefreshRequired("You signed in a while ago. Please confirm that it is you.", extra={"redirect_browser_to": url})

    def finish(
        self, visit: Visit, flow: SettingsFlow, submission: Submission, method: SettingsMethod, before: Identity, after: Identity
    ) -> Outcome:
        """Store the change. What may refuse runs before; a hook that is awaited stands between two commits."""
        session = visit.session
        assert session is not None
        goes_to = self._goes_to(flow, method)
        context = HookContext(
            flow,
            visit.facts,
            self.name,
            method.name,
            identity=after,
            session=rows.copied(session),
            previous=before,
            transient_payload=flow.transient_payload or {},
        )
        plan = hooks.runner().after(context)
        opened: OpenedSession | None = None
        with self.claimed(flow, plan.calls_out):
            try:
                plan.interrupt()
            except AwaitsProof as waits:
                self.require_young_session(visit, flow, submission, method)
                return self._hold(visit, flow, goes_to, before, after, waits.addresses)
            if services.is_protected_change(before, after):
                self.require_young_session(visit, flow, submission, method)
            saved = self._as_saved(flow, after)
            context.flow = saved
            plan.prepare()
            with transaction.atomic():
                if plan.calls_out:
                    sessions.require_active(session)
                self._require_still_theirs(before, after, services.update(before, after))
                if method.name == "profile" and after.traits == before.traits:  # others void it by themselves
                    pending.forget(after)
                self._succeed(saved)
                opened = self._new_authentication(visit, session, submission, method, before, after)
                plan.record_early()
                if not plan.waits:
                    plan.record()
            if plan.waits:
                plan.wait()
                with transaction.atomic():
                    plan.record()
        if not visit.is_api:
            context.continue_with.append(continue_with.redirect_browser_to(goes_to))
        saved.identity = after
        return Done(saved, goes_to, context.continue_with, identity=after, opened=opened, browser_goes_to=context.browser_goes_to)

    def _require_still_theirs(self, before: Identity, after: Identity, stored: Identity) -> None:
        """See that a change fits what became of the account since it was asked for.

        Raises:
            SessionInactive: The account was closed meanwhile.
            InvalidSubmission: Two changes at once would each take away one of the last two ways to sign in.
        """
        if not after.is_active:
            raise SessionInactive
        if aal.first_factors(after) < aal.first_factors(before) and not aal.first_factors(stored):
            raise InvalidSubmission(keys.last_way_in())

    def _hold(
        self, visit: Visit, flow: SettingsFlow, goes_to: str, before: Identity, after: Identity, addresses: Sequence[VerifiableAddress]
    ) -> Outcome:
        """Keep the change until its new address is proved, and begin the flow in which that happens."""
        if len(addresses) > 1:
            raise InvalidSubmission(messages.too_many_address_changes(), status=200)  # type: ignore[arg-type]
        address = addresses[0]
        services.require_free(address)
        assert visit.session is not None
        with transaction.atomic():
            services.require_as_proved(before)
            proof = verification.start(
                before,
                address,
                kind_of_client=flow.type,
                request_url=flow.request_url,
                return_to=query_of(flow.request_url, verification.AFTERWARDS),
                csrf_hash=flow.csrf_hash,
                transient_payload=flow.transient_payload or None,
                request_headers=visit.told_headers,
            )
            pending.keep(flow, visit.session, before, after, address, proof)
            flow.keep("ui")
        url = verification.ui_url(proof)
        item = continue_with.show_verification_ui(str(proof.id), address.value, url if flow.is_browser else "")
        return Done(flow, goes_to, [item], identity=before, browser_goes_to=url)

    def _goes_to(self, flow: SettingsFlow, method: SettingsMethod) -> str:
        own_page = problems.with_query(conf.flow(self.name).ui_url, flow=str(flow.id))
        wanted = self.wanted_return(flow)
        return self.return_to(wanted, method.name) if wanted else conf.after_url(self.name, method.name) or own_page

    def default_return(self, method: str = "") -> str:
        return conf.after_url(self.name, method) or super().default_return(method)

    def _as_saved(self, flow: SettingsFlow, identity: Identity) -> SettingsFlow:
        """Return the flow with the form that it has once the change is stored. It still says who the person was."""
        saved = rows.copied(flow)
        saved.internal = dict(flow.internal)  # a change that is refused leaves the old form with what belongs to it
        saved.state = states.SUCCESS
        self.fill(saved, identity, (messages.settings_saved(),))
        return saved

    def _succeed(self, flow: SettingsFlow) -> None:
        """Store the flow's new form. Of two submissions at once the second is refused: it was made from what is no longer so."""
        seen = flow.submissions
        new = {"ui": flow.ui, "state": flow.state, "active": flow.active, "internal": flow.internal, "updated_at": timezone.now()}
        if not rows.update(SettingsFlow, {"pk": flow.pk, "submissions": seen}, {**new, "submissions": rows.ONE_MORE}):
            raise InvalidSubmission(messages.generic("This form was sent twice at once. Please look at your settings and try again."))
        flow.submissions = seen + 1

    def _new_authentication(
        self, visit: Visit, session: Session, submission: Submission, method: SettingsMethod, before: Identity, after: Identity
    ) -> OpenedSession | None:
        """A new password ends the other sessions and what was mailed to get in; a browser gets a new token for its own session.

        A new factor counts as used in this session. Hooks are told of the session as it was (contract: actions.md 2.4).
        """
        session = rows.copied(session)
        if method.name == "password":
            if "password" in identity_conf.sessions().revoke_others_on:
                sessions.revoke_others(after, keep=session)
            codes.revoke_all(after)
        if proof := method.proves(submission, before, after):
            sessions.prove(session, proof)
            sessions.save_proof(session)
        if visit.is_api or authentication.is_by_token(visit.request):  # a session is never moved from a token into a cookie
            return None
        opened = sessions.renew_token(session)
        sessions.save(opened)
        return opened

    # -- ending

    def expired_message(self, at: datetime) -> Message:
        return messages.settings_expired(at)

    def used_message(self) -> Message:
        return messages.generic("This form was used already. Please start again.")

    def replacement(self, visit: Visit, flow: SettingsFlow) -> SettingsFlow:
        session = visit.session
        assert session is not None
        new = self.new(visit, identity=session.identity, state=states.SHOW_FORM)
        new.request_url, new.return_to = flow.request_url, flow.return_to
        return self._stored(visit, new, session)


def is_privileged(session: Session, *, always: bool = False) -> bool:
    """Whether the person proved who they are a short while ago.

    A maximum age of zero switches the question off, except for passwords (*always*; contract: flows.md 17.27).
    """
    max_age = conf.settings().privileged_max_age
    if not max_age and not always:
        return True
    return session.authenticated_at + max_age > timezone.now()


# -- a plain browser's form waits while the person signs in again


def park(visit: Visit, flow: SettingsFlow, submission: Submission) -> None:
    """Keep the form, encrypted, for a quarter of an hour; the browser holds the key to it in a cookie (set by present.py)."""
    ParkedSubmission.objects.filter(flow=flow).delete()
    parked = ParkedSubmission.objects.create(
        flow=flow,
        identity=flow.identity,
        payload=crypto.encrypt(orjson.dumps({"fields": submission.fields, "is_form": submission.is_form}).decode()),
        expires_at=timezone.now() + PARKED_FOR,
    )
    visit.request.vestibule_parked = str(parked.id)  # type: ignore[attr-defined]


def unpark(visit: Visit, flow: SettingsFlow, key: str | None) -> Submission | None:
    """Return the form that waited for this browser and this person, once."""
    id = parse_uuid(key)
    waiting = ParkedSubmission.objects.filter(pk=id, flow=flow, identity_id=flow.identity_id, expires_at__gt=timezone.now()) if id else []
    for parked in waiting:
        if not ParkedSubmission.objects.filter(pk=parked.pk).delete()[0]:
            raise AlreadyUsed
        held = orjson.loads(crypto.decrypt(parked.payload) or "{}")
        if held:
            return Submission(visit, flow, held["fields"], held["is_form"])
    return None
