"""Security keys: as second factor, or instead of a password (contract: methods.md 7). In browsers only."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flows import keys
from flows.errors import InvalidSubmission
from flows.methods.base import LoginMethod, NextStep, RegistrationMethod, SettingsMethod, register
from flows.models import Flow, LoginFlow, RegistrationFlow, SettingsFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity import conf, crypto
from identity.credentials import services as credentials
from identity.credentials import webauthn
from identity.credentials.models import Credential
from identity.credentials.webauthn import Ceremony, Key
from identity.identities import normalize, schemas, services
from identity.identities.models import Identity
from identity.identities.schemas import Schema
from identity.sessions import aal
from identity.sessions import services as sessions

LOGIN, REGISTER, REMOVE, NAME = "webauthn_login", "webauthn_register", "webauthn_remove", "webauthn_register_displayname"
WHAT = "security key"
TIMEOUT = 120_000  # milliseconds
VERIFICATION = "discouraged"  # to touch the key is enough


@register
class WebAuthn(LoginMethod, RegistrationMethod, SettingsMethod):
    name = "webauthn"
    says_disabled = True

    @property
    def aal(self) -> str:  # type: ignore[override]  # the operator decides
        return aal.AAL1 if conf.webauthn().passwordless else aal.AAL2

    def claims(self, submission: Submission) -> bool:
        flow = submission.flow
        if not flow.is_browser:
            return False
        if isinstance(flow, LoginFlow):
            begins = submission.method == self.name and not _knows_person(flow)
            return begins or bool(submission.text(LOGIN))
        if isinstance(flow, RegistrationFlow):
            return conf.webauthn().passwordless and bool(submission.text(REGISTER))
        return bool(submission.text(REGISTER) or submission.text(REMOVE))

    def echo(self, submission: Submission, said: Sequence[Message]) -> None:
        container.set_value(submission.flow, LOGIN, None)
        if submission.flow.kind == "registration" and not any(message.at for message in said):
            container.set_value(submission.flow, NAME, submission.text(NAME))

    # login

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        if not flow.is_browser:
            return []
        if identity is None:
            return [keys.identifier(flow), nodes.submit("method", self.name, self.name, login_button())]
        credential = identity.credential(self.name)
        usable = self._usable(credential)
        if credential is None or not usable:
            return []
        named = [nodes.hidden("identifier", "default", credential.names[0])] if credential.names else []
        return [*named, *self._question(flow, usable, identity, login_button())]

    def second_step_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        if not flow.is_browser or (identity is not None and not self._usable(identity.credential(self.name))):
            return []
        return [nodes.submit("method", self.name, self.name, login_button())]

    def _usable(self, credential: Credential | None) -> list[Key]:
        """Return the keys for the way in which the operator uses them now."""
        passwordless = conf.webauthn().passwordless
        return [key for key in webauthn.keys_of(credential) if key.is_passwordless == passwordless]

    def _question(self, flow: LoginFlow, usable: list[Key], identity: Identity | None, label: Message) -> list[Node]:
        """Return the fields that ask for one of these keys, and remember what was asked."""
        ceremony = Ceremony.new(allowed=tuple(key.id for key in usable), identity=str(identity.pk) if identity else "")
        flow.internal[self.name] = ceremony.as_dict()
        options = keys.as_text(
            webauthn.request_options(
                ceremony,
                rp=conf.webauthn().rp,
                timeout=TIMEOUT,
                user_verification=VERIFICATION,
                transports={key.id: key.transports for key in usable},
            )
        )
        return [
            keys.script(),
            keys.button("webauthn_login_trigger", self.name, "oryWebAuthnLogin", label, flow, value=options, argument=options),
            nodes.hidden(LOGIN, self.name, ""),
        ]

    def login(self, submission: Submission) -> Identity | NextStep:
        """Return who holds the key that was asked for; ask for it first, when it is not known yet whose.

        Raises:
            InvalidSubmission: There is no such account, or the answer does not prove anything.
        """
        flow = submission.flow
        assert isinstance(flow, LoginFlow)
        if container.find(flow, "identifier") is not None:
            submission.require("identifier")
        if not submission.text(LOGIN):
            return self._ask(submission, flow)
        try:
            answer = webauthn.read_assertion(submission.text(LOGIN))
        except webauthn.Malformed as error:
            raise InvalidSubmission(keys.malformed(WHAT)) from error
        identity = self._person(submission, flow)
        credential = identity.credential(self.name) if identity else None
        usable = self._usable(credential)
        if _knows_person(flow) and not usable:
            raise InvalidSubmission(no_key())
        ceremony = keys.ceremony(flow, self.name)
        if ceremony is None or credential is None or identity is None:
            raise InvalidSubmission(keys.refused(WHAT))
        try:
            used = webauthn.authenticate(ceremony=ceremony, rp=conf.webauthn().rp, answer=answer, keys=usable)
            webauthn.remember_use(credential, used)
        except webauthn.CeremonyFailed as failure:
            raise InvalidSubmission(keys.refused(WHAT)) from failure
        return identity

    def _ask(self, submission: Submission, flow: LoginFlow) -> NextStep:
        """Ask for a key of whom the identifier names.

        Where nobody may learn who has an account, a stranger is asked for a key that does not exist: always the same one,
        as it would be for somebody who has one.
        """
        identifier = submission.text("identifier")
        credential = credentials.find(self.name, identifier)
        identity = credential.identity if credential else None
        usable = self._usable(credential)
        if not usable:
            identity = None
            if not conf.hides_accounts():
                raise InvalidSubmission(messages.no_account_with_key())
            made_up = crypto.keyed_hash(f"no key of {normalize.identifier(identifier)}")
            usable = [Key(id=bytes.fromhex(made_up), public_key=b"")]
        asked = self._question(flow, usable, identity, continue_button())
        container.put(flow, [nodes.csrf(), nodes.hidden("identifier", "default", identifier, required=True), *asked], [use_key()])
        return NextStep(422)

    def _person(self, submission: Submission, flow: LoginFlow) -> Identity | None:
        if _knows_person(flow):
            return submission.session.identity if submission.session else None
        ceremony = keys.ceremony(flow, self.name)
        return Identity.objects.filter(pk=ceremony.identity).first() if ceremony and ceremony.identity else None

    # registration

    def registration_nodes(self, flow: RegistrationFlow, schema: Schema) -> list[Node]:
        if not conf.webauthn().passwordless or not flow.is_browser:
            return []
        ceremony = keys.ceremony(flow, self.name) or Ceremony.new(user_handle=uuid.uuid4().bytes)
        return self._creation(flow, ceremony, [], registration_button())

    def _creation(self, flow: Flow, ceremony: Ceremony, exclude: list[Key], label: Message) -> list[Node]:
        """Return the fields that make a new key, and remember what was asked."""
        flow.internal[self.name] = ceremony.as_dict()
        rp = conf.webauthn().rp
        selection = {"userVerification": VERIFICATION}
        options = keys.as_text(
            webauthn.creation_options(ceremony, rp=rp, name=rp.name, timeout=TIMEOUT, selection=selection, exclude=exclude)
        )
        trigger = keys.button(
            "webauthn_register_trigger", self.name, "oryWebAuthnRegistration", label, flow, value=options, argument=options
        )
        return [
            nodes.field(NAME, self.name, value="", label=name_label()),
            nodes.hidden(REGISTER, self.name, ""),
            trigger,
            keys.script(),
        ]

    def register(self, submission: Submission, identity: Identity) -> None:
        key = self._made(submission)
        credential = identity.credential(self.name)
        if credential is None or not credential.names:
            raise InvalidSubmission(messages.no_identifier())
        ceremony = keys.ceremony(submission.flow, self.name)
        handle = ceremony.user_handle if ceremony else b""
        services.put_credential(identity, self.name, webauthn.config_with(credential, [key], handle), credential.names)

    def _made(self, submission: Submission) -> Key:
        """Return the key that was made. Raises InvalidSubmission."""
        return keys.made(
            submission.flow,
            self.name,
            submission.text(REGISTER),
            rp=conf.webauthn().rp,
            display_name=submission.text(NAME),
            is_passwordless=conf.webauthn().passwordless,
            what=WHAT,
        )

    # settings

    def settings_nodes(self, flow: SettingsFlow, identity: Identity) -> list[Node]:
        if not flow.is_browser:
            return []
        held = webauthn.keys_of(identity.credential(self.name))
        buttons = keys.remove_buttons(REMOVE, self.name, 1050018, held, needed=self._needed(identity, held))
        return [*buttons, *self._creation(flow, Ceremony.new(user_handle=identity.pk.bytes), held, add_button())]

    def _needed(self, identity: Identity, held: list[Key]) -> set[bytes]:
        """Return the keys without which nobody could sign in any more."""
        return {key.id for key in held if key.is_passwordless} if aal.first_factors(identity) < 2 else set()

    def change(self, submission: Submission, identity: Identity) -> None:
        if submission.text(REMOVE):
            self._remove(submission.text(REMOVE).lower(), identity)
        else:
            self._add(submission, identity)

    def _remove(self, hex_id: str, identity: Identity) -> None:
        credential = identity.credential(self.name)
        held = webauthn.keys_of(credential)
        kept = [key for key in held if key.hex_id != hex_id]
        if credential is None or len(kept) == len(held):
            raise InvalidSubmission(keys.not_yours(WHAT))
        if any(key.id in self._needed(identity, held) for key in held if key.hex_id == hex_id):
            raise InvalidSubmission(keys.last_way_in().on(REMOVE))
        services.put_credential(identity, self.name, webauthn.config_with(credential, kept), credential.names)

    def _add(self, submission: Submission, identity: Identity) -> None:
        submission.require(NAME)
        key = self._made(submission)
        credential = identity.credential(self.name)
        names = credential.names if credential else []
        if not names:
            names = schemas.get_readable(identity.schema_id).identifiers_of(self.name, identity.traits)
        if not names:
            raise InvalidSubmission(messages.no_identifier())
        held = webauthn.keys_of(credential)
        if any(each.id == key.id for each in held):
            raise InvalidSubmission(keys.is_known(WHAT).on(REGISTER))
        services.put_credential(identity, self.name, webauthn.config_with(credential, [*held, key], identity.pk.bytes), names)

    def proves(self, submission: Submission, before: Identity, after: Identity) -> dict[str, Any] | None:
        return sessions.proof(self.name, self.aal) if keys.is_added(self.name, before, after) else None


def _knows_person(flow: LoginFlow) -> bool:
    """Whether the flow is for who is signed in: their second factor, or to prove again who they are."""
    return flow.refresh or flow.requested_aal == aal.AAL2


# words


def login_button() -> Message:
    return Message(1010008, "Sign in with a security key", "info")


def use_key() -> Message:
    return Message(1010012, "Have your security key at hand, and go on.", "info")


def continue_button() -> Message:
    return Message(1010013, "Continue", "info")


def registration_button() -> Message:
    return Message(1040004, "Sign up with a security key", "info")


def add_button() -> Message:
    return Message(1050012, "Add a security key", "info")


def name_label() -> Message:
    return Message(1050013, "A name for the security key", "info")


def no_key() -> Message:
    return Message(4000013, "This account has no security key.")
