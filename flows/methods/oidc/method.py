"""The method `oidc`: buttons, and the way to the provider. What happens on the way back is in arrival.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flows import linking
from flows.errors import InvalidSubmission
from flows.methods.base import Converted, LoginMethod, Redirect, RegistrationMethod, SettingsMethod, register
from flows.methods.oidc import arrival, conf, outgoing, providers, state, words
from flows.methods.oidc.claims import Account, normalized, subject_of
from flows.methods.oidc.providers.base import OpenIDProvider, Provider, Refused
from flows.models import LoginFlow, RegistrationFlow, SettingsFlow
from flows.submission import Submission
from flows.ui import messages, nodes
from flows.ui.nodes import Node
from identity.credentials import oidc
from identity.db import values
from identity.errors import Forbidden, NotFound, UpstreamError
from identity.http import bodies
from identity.identities.models import Identity
from identity.identities.schemas import Schema
from identity.sessions import aal
from identity.sessions import services as sessions

UPSTREAM = ("hd", "prompt", "auth_type", "acr_values")  # what a page may ask of the provider; the rest is dropped
UPSTREAM_IN_SETTINGS = ("hd", "prompt", "acr_values")


@register
class OIDC(LoginMethod, RegistrationMethod, SettingsMethod):
    name = "oidc"
    says_disabled = True
    brings_traits = True
    replaces_session = True

    def claims(self, submission: Submission) -> bool:
        if submission.method not in ("", self.name):
            return False
        if isinstance(submission.flow, SettingsFlow):
            return bool(submission.text("link") or submission.text("unlink"))
        return bool(submission.text("provider"))

    def needs_token(self, submission: Submission) -> bool:
        """To leave for a provider proves nothing yet, and pages link to it; what an account is linked to is another matter."""
        return isinstance(submission.flow, SettingsFlow)

    # login

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        linked = {held["provider"] for held in oidc.entries(identity)} if identity else None
        return [
            nodes.submit("provider", self.name, rules.id, words.sign_in_with(rules))
            for rules in _offered()
            if linked is None or rules.id in linked
        ]

    def first_step_nodes(self, flow: LoginFlow) -> list[Node]:
        return self.login_nodes(flow, None)

    def second_step_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        return self.login_nodes(flow, identity)

    def login(self, submission: Submission) -> Redirect | Converted:
        """Send the browser to the provider, or take the id_token that an app got there.

        Raises:
            NotFound: There is no such provider.
            InvalidSubmission: The provider does not answer.
        """
        flow = submission.flow
        assert isinstance(flow, LoginFlow)
        if linking.is_pending(flow) and not flow.is_browser:
            # whoever holds the app's form could let somebody else's browser complete it
            raise InvalidSubmission(messages.generic("To prove your account with another provider, begin in a browser."))
        flow.active = self.name
        return self._go(submission, _require(submission.text("provider")), is_refresh=flow.refresh)

    def _go(self, submission: Submission, provider: Provider, *, is_refresh: bool = False) -> Redirect | Converted:
        if submission.text("id_token"):
            return Converted(arrival.land(submission, _account_of(submission, provider)))
        return leave(submission, provider, UPSTREAM, is_refresh=is_refresh)

    # registration

    def registration_nodes(self, flow: RegistrationFlow, schema: Schema) -> list[Node]:
        return [nodes.submit("provider", self.name, rules.id, words.sign_up_with(rules)) for rules in _offered()]

    def register(self, submission: Submission, identity: Identity) -> Redirect | Converted:
        """As `login`."""
        return self._go(submission, _require(submission.text("provider")))

    # settings

    def settings_nodes(self, flow: SettingsFlow, identity: Identity) -> list[Node]:
        linked = {held["provider"] for held in oidc.entries(identity)}
        may_go = aal.first_factors(identity) > 1
        form = []
        for rules in _offered():
            if rules.id not in linked:
                form.append(nodes.submit("link", self.name, rules.id, words.link_with(rules)))
            elif may_go:
                form.append(nodes.submit("unlink", self.name, rules.id, words.unlink_from(rules)))
        return form

    def change(self, submission: Submission, identity: Identity) -> Redirect | None:
        """Unlink an account, or send the browser to the provider where one is to be linked.

        Raises:
            NotFound: There is nothing to unlink at all.
            InvalidSubmission: There is no such provider, the account is linked already or not at all, or it is the last way in.
        """
        wanted, unwanted = submission.text("link"), submission.text("unlink")
        if wanted and unwanted:
            raise InvalidSubmission(messages.generic("Link or unlink: one at a time."))
        linked = {held["provider"] for held in oidc.entries(identity)}
        if unwanted:
            self._unlink(unwanted, linked, identity)
            return None
        provider = providers.find(wanted)
        if provider is None:
            raise InvalidSubmission(messages.generic("There is no such provider."))
        if wanted in linked:
            raise InvalidSubmission(messages.generic(f"An account at {provider.rules.label} is linked already."))
        submission.flow.active = self.name
        return leave(submission, provider, UPSTREAM_IN_SETTINGS)

    def _unlink(self, unwanted: str, linked: set[str], identity: Identity) -> None:
        if not linked:
            raise NotFound("No account at a provider is linked.")
        if unwanted not in linked:
            raise InvalidSubmission(messages.generic("No account at this provider is linked."))
        if aal.first_factors(identity) < 2:
            raise InvalidSubmission(messages.generic("This is the last way to sign in to your account. Set up another one first."))
        oidc.remove(identity, unwanted)

    def proves(self, submission: Submission, before: Identity, after: Identity) -> dict[str, Any] | None:
        old = {held["provider"] for held in oidc.entries(before)}
        new = [held["provider"] for held in oidc.entries(after) if held["provider"] not in old]
        return sessions.proof(self.name, self.aal, provider=new[0]) if new else None


def _offered() -> list[conf.ProviderRules]:
    return [provider.rules for provider in providers.all_configured()]


def _require(id: str) -> Provider:
    """Raises NotFound."""
    provider = providers.find(id)
    if provider is None:
        raise NotFound("There is no such provider.")
    return provider


def leave(submission: Submission, provider: Provider, allowed: tuple[str, ...], *, is_refresh: bool = False) -> Redirect:
    """Return where the browser goes, and remember in the flow what it left for; the caller saves it.

    Raises:
        Refused, ProviderSilent: It cannot be found out where to go.
    """
    flow = submission.flow
    uses_pkce = provider.uses_pkce()
    record, sealed = state.begin(flow, provider.rules.id, _kept(submission), submission.transient_payload, uses_pkce=uses_pkce)
    temporary = provider.prepare(state=sealed)
    url = provider.leave(
        state=sealed,
        nonce=record.nonce,
        verifier=record.verifier,
        temporary=temporary,
        is_refresh=is_refresh,
        upstream=_upstream(submission, allowed),
    )
    state.keep(flow, replace(record, temporary=temporary))
    return Redirect(url, carries=record.key if flow.is_browser else "")


def _kept(submission: Submission) -> dict[str, Any]:
    """Return what was sent and counts once the person is back."""
    names = ("provider", "link", "traits", "csrf_token")
    return {name: value for name, value in submission.fields.items() if name in names or name.startswith("traits.")} | {
        "is_form": submission.is_form
    }


def _upstream(submission: Submission, allowed: tuple[str, ...]) -> dict[str, str]:
    sent = submission.fields.get("upstream_parameters") or {}
    if isinstance(sent, str):
        sent = values.storable(bodies.parse_json(sent.encode()))
    given = dict(sent) if isinstance(sent, dict) else {}
    prefix = "upstream_parameters."
    given |= {name.removeprefix(prefix): value for name, value in submission.fields.items() if name.startswith(prefix)}
    return {name: str(given[name]) for name in allowed if given.get(name)}


def _account_of(submission: Submission, provider: Provider) -> Account:
    """Return the account that an app's id_token is about. It goes no other way, so nothing is stored of it.

    Raises:
        UpstreamError: This provider's tokens are not taken.
        Forbidden: The token proves nothing here.
    """
    if not isinstance(provider, OpenIDProvider) or not provider.takes_id_tokens or submission.flow.is_browser:
        raise UpstreamError(f"An id_token of {provider.rules.label} cannot be used. Sign in there with a browser.")
    try:
        said = provider.verify(submission.text("id_token"), audiences=[provider.rules.client_id, *provider.rules.more_audiences])
    except Refused as refused:
        raise Forbidden(refused.reason) from refused
    except outgoing.ProviderSilent as silent:
        raise UpstreamError(silent.reason) from silent
    nonce = str(said.get("nonce") or "")
    may_lack_it = provider.preset == "google" or said.get("nonce_supported") is False
    if nonce != submission.text("id_token_nonce") if nonce else not may_lack_it:
        raise Forbidden("The id_token was made for another sign-in.")
    subject = subject_of(provider.rules, said)
    if not subject:
        raise Forbidden("The id_token names nobody.")
    return Account(provider.rules, provider.who_vouches(said), subject, normalized(said))
