"""Somebody holds an account at a provider, and proved it: sign them in, sign them up, or link it (contract: methods.md 10.5, 10.8).

Whoever wants to sign in and has no account signs up, and the other way round; each flow runs its own hooks. An account
here is never found by an address that a provider tells: its owner is asked to sign in to it once, see flows/linking.py.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from flows import engine, exchange, linking
from flows.errors import FlowDisabled, InvalidSubmission
from flows.kind import KINDS
from flows.linking import Pending
from flows.login import Login
from flows.methods.base import METHODS, LoginMethod, RegistrationMethod, SettingsMethod
from flows.methods.oidc import claims, words
from flows.methods.oidc.claims import Account
from flows.methods.oidc.conf import ProviderRules
from flows.models import Flow, LoginFlow, RegistrationFlow, SettingsFlow
from flows.outcome import Outcome, Shown
from flows.registration import Registration
from flows.settings import Settings
from flows.submission import Submission
from flows.ui import container, messages, nodes, traits
from identity.credentials import oidc
from identity.credentials import services as credentials
from identity.identities import schemas, services
from identity.identities.models import Identity, RecoveryAddress, VerifiableAddress


def land(submission: Submission, account: Account) -> Outcome:
    """Go on with the flow in which somebody left. Raises what its submission would raise."""
    match submission.flow:
        case LoginFlow():
            return _at_login(submission, account)
        case RegistrationFlow():
            return _at_registration(submission, account)
    return _at_settings(submission, account)


def _find(account: Account) -> Identity | None:
    """Raises InvalidSubmission: the subject is known from another issuer."""
    try:
        return oidc.find(account.rules.id, account.subject, account.issuer)
    except oidc.OtherIssuer:
        raise InvalidSubmission(messages.generic(f"{account.rules.label} is not who it was when this account was linked.")) from None


# -- signing in


def _at_login(submission: Submission, account: Account) -> Outcome:
    flow = submission.flow
    assert isinstance(flow, LoginFlow)
    identity = _find(account)
    if identity is not None:
        return _sign_in(submission, flow, account, identity)
    if flow.refresh:
        raise InvalidSubmission(messages.generic(f"This account at {account.rules.label} is not linked to yours."))
    waiting = linking.pending(flow)
    if waiting is not None:
        raise InvalidSubmission(linking.other_account())
    try:
        new = _registration().open_from(submission.visit, flow)
    except FlowDisabled as closed:
        return _link_where_closed(submission, flow, account, closed)
    return _carry_on(submission, new, account)


def _link_where_closed(submission: Submission, flow: LoginFlow, account: Account, closed: FlowDisabled) -> Outcome:
    """Nobody can sign up, but who has an account can link it. Raises *closed* when nobody here is known by what the provider tells."""
    identity = services.propose(flow.identity_schema, claims.map_claims(account).traits)
    try:
        services.derive(identity)
    except schemas.InvalidTraits:
        raise closed from None
    owner, identifier = _owner(identity)
    if owner is None:
        raise closed
    return _linking_form(submission, flow, account, owner, identifier)


def _sign_in(submission: Submission, flow: LoginFlow, account: Account, identity: Identity) -> Outcome:
    method = METHODS["oidc"]
    assert isinstance(method, LoginMethod)
    if account.rules.updates_identity and identity.is_active:
        identity = _updated(identity, account)
    return _login().finish(submission.visit, flow, method, identity, account.proof())


def _updated(identity: Identity, account: Account) -> Identity:
    """Return the identity as the provider describes it now; what the mapper does not mention stays."""
    mapped = claims.map_claims(account, identity)
    after = services.revise(identity)
    after.traits = {**identity.traits, **mapped.traits}
    if mapped.has_public:
        after.metadata_public = mapped.metadata_public
    if mapped.has_admin:
        after.metadata_admin = mapped.metadata_admin
    known = {row.key for row in identity.verifiable}
    services.derive(after, [entry for entry in mapped.verified if (entry["via"], entry["value"]) not in known])
    same = (after.traits, after.metadata_public, after.metadata_admin) == (
        identity.traits,
        identity.metadata_public,
        identity.metadata_admin,
    )
    if same:
        return identity
    with transaction.atomic():
        services.require_as_proved(identity, identity.credential("oidc"))
        services.update(identity, after)
    return after


# -- signing up


def _at_registration(submission: Submission, account: Account) -> Outcome:
    flow = submission.flow
    assert isinstance(flow, RegistrationFlow)
    if _find(account) is not None:
        return _carry_on(submission, _login().open_from(submission.visit, flow), account)
    return _sign_up(submission, flow, account)


def _sign_up(submission: Submission, flow: RegistrationFlow, account: Account) -> Outcome:
    form = flow.ui
    only_the_way_back(flow, account.rules)
    schema = schemas.get(flow.identity_schema)
    mapped = claims.map_claims(account)
    values = claims.merged(mapped.traits, submission.traits(schema))
    _ask_for_the_rest(flow, account.rules, values)
    identity = services.propose(schema.id, values, metadata_public=mapped.metadata_public, metadata_admin=mapped.metadata_admin)
    services.derive(identity, mapped.verified)
    oidc.add(identity, _entry(account))
    method = METHODS["oidc"]
    assert isinstance(method, RegistrationMethod)
    form, flow.ui = flow.ui, form  # hooks are told of the form as it was sent; the other is shown when one of them refuses
    try:
        return _registration().finish(submission.visit, flow, method, identity, account.proof())
    except services.Taken:
        flow.completed_at = None
        return _offer_linking(submission, flow, account, identity)
    except Exception:
        flow.ui = form
        raise


def _entry(account: Account) -> dict[str, Any]:
    return oidc.entry(account.rules.id, account.subject, account.issuer, account.tokens)


def only_the_way_back(flow: Flow, rules: ProviderRules) -> None:
    """Leave nothing in a form to sign up but the way back to the provider."""
    container.put(flow, [nodes.submit("provider", "oidc", rules.id, words.go_on()), nodes.csrf()])


def _ask_for_the_rest(flow: RegistrationFlow, rules: ProviderRules, values: Any) -> None:
    """Prepare the form in which a person adds what the provider did not tell. Sending it goes to the provider again."""
    only_the_way_back(flow, rules)
    flow.active = "oidc"
    flow.ui["nodes"] += traits.fields(schemas.get(flow.identity_schema), "default", values)


def _offer_linking(submission: Submission, flow: RegistrationFlow, account: Account, identity: Identity) -> Outcome:
    """Answer with a form in which the owner of what is taken signs in. Raises Taken: it is not known whose it is."""
    if _find(account) is not None:  # the same account was faster in another window
        return _carry_on(submission, _login().open_from(submission.visit, flow), account)
    owner, identifier = _owner(identity)
    if owner is None:
        raise services.Taken(identifier)
    return _linking_form(submission, flow, account, owner, identifier)


def _linking_form(submission: Submission, flow: Flow, account: Account, owner: Identity, identifier: str) -> Outcome:
    waiting = Pending(_entry(account), account.rules.label, identifier, account.proof())
    new = _login().open_for_linking(submission.visit, flow, waiting, owner)
    exchange.move(flow, new)
    return Shown(new, query={"no_org_ui": "true"})


def _owner(identity: Identity) -> tuple[Identity | None, str]:
    """Return whose an identifier or address of a proposed identity is, and which."""
    for type in credentials.FROM_TRAITS:
        credential = identity.credential(type)
        for name in credential.names if credential else ():
            if found := credentials.find_exactly(type, name):
                return found.identity, name
    for rows, model in ((identity.verifiable, VerifiableAddress), (identity.recovery, RecoveryAddress)):
        for row in rows:
            if known := model._default_manager.select_related("identity").filter(via=row.via, value=row.value).first():
                return known.identity, row.value
    return None, ""


# -- linking in the settings


def _at_settings(submission: Submission, account: Account) -> Outcome:
    flow, visit = submission.flow, submission.visit
    assert isinstance(flow, SettingsFlow)
    assert visit.session is not None
    kind, method = KINDS["settings"], METHODS["oidc"]
    assert isinstance(kind, Settings)
    assert isinstance(method, SettingsMethod)
    container.forget_messages(flow)
    kind.require_young_session(visit, flow, submission, method)
    before = visit.session.identity
    after = services.revise(before)
    if any(held["provider"] == account.rules.id for held in oidc.entries(after)):
        raise InvalidSubmission(messages.generic(f"An account at {account.rules.label} is linked already."))
    oidc.add(after, _entry(account))
    return kind.finish(visit, flow, submission, method, before, after)


# -- from one flow to another


def _carry_on(submission: Submission, new: LoginFlow | RegistrationFlow, account: Account) -> Outcome:
    """Go on in a flow that took the place of another: what is wrong from here on is said in it."""
    exchange.move(submission.flow, new)
    moved = Submission(submission.visit, new, submission.fields, submission.is_form)
    return engine.come_back(submission.visit, KINDS[new.kind], moved, lambda: land(moved, account))


def _login() -> Login:
    kind = KINDS["login"]
    assert isinstance(kind, Login)
    return kind


def _registration() -> Registration:
    kind = KINDS["registration"]
    assert isinstance(kind, Registration)
    return kind
