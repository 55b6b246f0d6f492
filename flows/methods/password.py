"""Signing in, signing up and changing it with a password (contract: methods.md 2)."""

from __future__ import annotations

import contextlib

from flows import hooks
from flows.errors import InvalidSubmission
from flows.hooks import HookContext
from flows.methods.base import LoginMethod, RegistrationMethod, SettingsMethod, register
from flows.models import LoginFlow, RegistrationFlow, SettingsFlow
from flows.submission import Submission
from flows.ui import messages, nodes, traits
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity.credentials import password, policy
from identity.credentials import services as credentials
from identity.credentials.models import Credential
from identity.identities import schemas, services
from identity.identities.models import Identity
from identity.identities.schemas import Schema

MIGRATES = "use_password_migration_hook"  # in the config of a credential whose password another system has


@register
class Password(LoginMethod, RegistrationMethod, SettingsMethod):
    name = "password"
    says_disabled = True

    # login

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        if identity is None:
            schema = schemas.get(flow.identity_schema)
            name = nodes.field("identifier", "default", value="", required=True, label=traits.identifier_label(schema))
            return [name, self._field("current-password"), nodes.submit("method", self.name, self.name, messages.login_password_button())]
        credential = identity.credential(self.name)
        if credential is None or not credential.names or not credential.config.get("hashed_password"):
            return []
        return [
            nodes.hidden("identifier", "default", credential.names[0]),
            self._field("current-password"),
            nodes.submit("method", self.name, self.name, messages.login_confirm_button()),
        ]

    def second_step_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        credential = identity.credential(self.name) if identity else None
        if identity is not None and (credential is None or not credential.config.get("hashed_password")):
            return []
        return [self._field("current-password"), nodes.submit("method", self.name, self.name, messages.login_password_button())]

    def _field(self, autocomplete: str) -> Node:
        return nodes.field("password", self.name, "password", required=True, autocomplete=autocomplete, label=messages.password_label())

    def login(self, submission: Submission) -> Identity:
        """Return the identity that identifier and password name.

        Raises:
            InvalidSubmission: They do not fit. Unknown identifier and wrong password are the same answer after the same time.
        """
        identifier = submission.text("identifier") or submission.text("password_identifier")
        if not submission.text("password"):
            submission.require("password")
        if not identifier:
            submission.require("identifier")
        credential = credentials.find(self.name, identifier)
        stored = credential.config.get("hashed_password") if credential else None
        typed = submission.text("password")
        if credential and not stored and credential.config.get(MIGRATES):
            return self._migrate(submission, credential, identifier, typed)
        if credential is None or not stored:
            password.waste_time(typed)
            raise InvalidSubmission(messages.credentials_invalid())
        if not password.verify(stored, typed):
            raise InvalidSubmission(messages.credentials_invalid())
        if password.needs_renewal(stored):
            _renew(credential, typed)
        return _proved(credential)

    def _migrate(self, submission: Submission, credential: Credential, identifier: str, typed: str) -> Identity:
        """Ask the system that still has the password. If it fits it is ours from now on, and nobody is asked again."""
        visit = submission.visit
        context = HookContext(submission.flow, visit.facts, "login", self.name, identity=credential.identity)
        if not hooks.runner().password_fits(context, identifier, typed):
            raise InvalidSubmission(messages.credentials_invalid())
        credential.config = {"hashed_password": password.make_hash(typed)}
        try:
            services.save_credential(credential)
        except services.ChangedMeanwhile:  # another sign-in brought it over first
            return self.login(submission)
        return _proved(credential)

    # registration

    def registration_nodes(self, flow: RegistrationFlow, schema: Schema) -> list[Node]:
        return [
            self._field("new-password"),
            nodes.submit("method", self.name, self.name, messages.registration_button()),
        ]

    def register(self, submission: Submission, identity: Identity) -> None:
        submission.require("password")
        credential = identity.credential(self.name)
        if credential is None or not credential.names:
            raise InvalidSubmission(messages.no_identifier())
        credential.config = {"hashed_password": _checked_hash(submission.text("password"), credential.names)}

    # settings

    def settings_nodes(self, flow: SettingsFlow, identity: Identity) -> list[Node]:
        return [
            self._field("new-password"),
            nodes.submit("method", self.name, self.name, messages.save_button()),
        ]

    def change(self, submission: Submission, identity: Identity) -> None:
        submission.require("password")
        typed = submission.text("password")
        credential = identity.credential(self.name)
        if credential is None or not credential.names:
            raise InvalidSubmission(messages.no_identifier())
        stored = credential.config.get("hashed_password")
        hashed = _checked_hash(typed, credential.names)
        if stored and password.verify(stored, typed):
            raise InvalidSubmission(messages.same_password().on("password"))
        credential.config = {"hashed_password": hashed}


def _proved(credential: Credential) -> Identity:
    """Return whose password it is. It stays among their credentials as it was read before the proof: a new one was not proved."""
    identity = credential.identity
    identity.factors[credential.type] = credential
    return identity


def _checked_hash(typed: str, identifiers: list[str]) -> str:
    """Return the hash of a new password. Raises InvalidSubmission at the field when the policy refuses it."""
    try:
        policy.check(typed, identifiers)
        return password.make_hash(typed)
    except (policy.WeakPassword, password.PasswordTooLong) as weak:
        raise InvalidSubmission(_said_of(weak).on("password")) from weak


def _said_of(weak: Exception) -> Message:
    match weak:
        case policy.PasswordTooShort():
            return messages.password_too_short(weak.minimum, weak.actual)
        case policy.PasswordTooSimilar():
            return messages.password_too_similar()
        case policy.PasswordBreached():
            return messages.password_breached(weak.breaches)
        case password.PasswordTooLong():
            return messages.password_too_long(password.BCRYPT_LIMIT, weak.length)
    return messages.policy(str(weak))


def _renew(credential: Credential, typed: str) -> None:
    """Keep the password under the configured algorithm from now on. One that it cannot hold stays as it is."""
    try:
        credential.config = {**credential.config, "hashed_password": password.make_hash(typed)}
    except password.PasswordTooLong:
        return
    with contextlib.suppress(services.ChangedMeanwhile):  # another sign-in did, or it is another password: that is seen later
        services.save_credential(credential)
