"""Passkeys: keys that know their person, so that nobody has to type who they are (contract: methods.md 8)."""

from __future__ import annotations

import uuid
from typing import Any

from flows import keys
from flows.errors import InvalidSubmission
from flows.methods.base import LoginMethod, NextStep, RegistrationMethod, SettingsMethod, register
from flows.models import Flow, LoginFlow, RegistrationFlow, SettingsFlow
from flows.submission import Submission
from flows.ui import messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity import conf
from identity.credentials import services as credentials
from identity.credentials import webauthn
from identity.credentials.models import Credential
from identity.credentials.webauthn import Ceremony, Key
from identity.identities import schemas, services
from identity.identities.models import Identity
from identity.identities.schemas import Leaf, Schema
from identity.ids import alphanumeric
from identity.sessions import aal
from identity.sessions import services as sessions

LOGIN, REGISTER, ADD, REMOVE = "passkey_login", "passkey_register", "passkey_settings_register", "passkey_remove"
CHALLENGE, CREATE = "passkey_challenge", "passkey_create_data"
WHAT = "passkey"
NOT_SENT = ("", "true")  # some clients send the word where they have no answer
HANDLE = 64  # characters


@register
class Passkey(LoginMethod, RegistrationMethod, SettingsMethod):
    name = "passkey"
    says_disabled = True

    def claims(self, submission: Submission) -> bool:
        match submission.flow:
            case LoginFlow():
                return submission.method == self.name or bool(submission.text(LOGIN))
            case RegistrationFlow():
                return submission.text(REGISTER) not in NOT_SENT
        return submission.text(ADD) not in NOT_SENT or bool(submission.text(REMOVE))

    # login

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        if identity is None:
            return [keys.identifier(flow), *self._question(flow, [], None), self._trigger(flow), self._offer(flow)]
        held = webauthn.keys_of(identity.credential(self.name))
        if not held:
            return []
        who = nodes.hidden("identifier", "default", _display_name(identity))
        return [who, *self._question(flow, held, identity), self._trigger(flow), nodes.field(LOGIN, self.name, "hidden")]

    def first_step_nodes(self, flow: LoginFlow) -> list[Node]:
        return [*self._question(flow, [], None), self._offer(flow)]

    def second_step_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        return [] if identity and not webauthn.keys_of(identity.credential(self.name)) else [self._trigger(flow)]

    def _offer(self, flow: LoginFlow) -> Node:
        """Return the field for the answer; while it is empty the browser offers passkeys where the identifier is typed."""
        onload = "oryPasskeyLoginAutocompleteInit"
        call = f"window.{onload}()" if flow.is_browser else None
        return nodes.field(LOGIN, self.name, "hidden", onload=call, onloadTrigger=onload)

    def _trigger(self, flow: LoginFlow) -> Node:
        return keys.button("passkey_login_trigger", self.name, "oryPasskeyLogin", login_button(), flow, value="")

    def _question(self, flow: LoginFlow, held: list[Key], identity: Identity | None) -> list[Node]:
        """Return the fields that ask for a passkey, one of *held* if somebody proves again who they are; remember what was asked."""
        rules = conf.passkeys()
        ceremony = Ceremony.new(
            allowed=tuple(key.id for key in held),
            requires_verification=rules.user_verification == "required",
            identity=str(identity.pk) if identity else "",
        )
        flow.internal[self.name] = ceremony.as_dict()
        options = webauthn.request_options(
            ceremony,
            rp=rules.rp,
            timeout=rules.login_timeout,
            user_verification=rules.user_verification,
            transports={key.id: key.transports for key in held},
        )
        return [
            nodes.hidden(CHALLENGE, self.name, keys.as_text(options)),
            *([keys.script()] if flow.is_browser else []),
        ]

    def login(self, submission: Submission) -> Identity | NextStep:
        """Return who holds the passkey.

        Raises:
            InvalidSubmission: The answer cannot be read, names nobody, or does not prove anything.
        """
        if not submission.text(LOGIN):
            return NextStep(422)
        try:
            answer = webauthn.read_assertion(submission.text(LOGIN))
        except webauthn.Malformed as error:
            raise InvalidSubmission(keys.malformed(WHAT)) from error
        found = _owner(answer.response.user_handle or b"")
        identity = found.identity if found else None
        credential = identity.credential(found.type) if identity and found else None
        if identity is None or credential is None:
            raise InvalidSubmission(messages.no_account_with_key())
        ceremony = keys.ceremony(submission.flow, self.name)
        if ceremony is None or ceremony.identity not in ("", str(identity.pk)):
            raise InvalidSubmission(keys.refused(WHAT))
        try:
            used = webauthn.authenticate(ceremony=ceremony, rp=conf.passkeys().rp, answer=answer, keys=_usable(credential))
            webauthn.remember_use(credential, used)
        except webauthn.CeremonyFailed as failure:
            raise InvalidSubmission(keys.refused(WHAT)) from failure
        return identity

    # registration

    def registration_nodes(self, flow: RegistrationFlow, schema: Schema) -> list[Node]:
        names = _naming_fields(schema)
        if not names:
            return []
        ceremony = keys.ceremony(flow, self.name) or self._new_ceremony()
        options = self._creation_options(flow, ceremony, conf.passkeys().rp.name, [])
        data = {"credentialOptions": options, "displayNameFieldName": names[0], "displayNameFieldNames": names}
        return [
            *([keys.script()] if flow.is_browser else []),
            keys.button("passkey_register_trigger", self.name, "oryPasskeyRegistration", registration_button(), flow),
            nodes.field(REGISTER, self.name, "hidden"),
            nodes.hidden(CREATE, self.name, keys.as_text(data)),
        ]

    def _new_ceremony(self) -> Ceremony:
        """Return a ceremony with a handle of its own: two passkeys of one person are told apart by the authenticator."""
        verification = conf.passkeys().user_verification
        return Ceremony.new(user_handle=alphanumeric(HANDLE).encode(), requires_verification=verification == "required")

    def _creation_options(self, flow: Flow, ceremony: Ceremony, name: str, exclude: list[Key]) -> dict[str, Any]:
        flow.internal[self.name] = ceremony.as_dict()
        rules = conf.passkeys()
        selection: dict[str, Any] = {"authenticatorAttachment": rules.attachment} if rules.attachment else {}
        selection |= {
            "requireResidentKey": rules.resident_key == "required",
            "residentKey": rules.resident_key,
            "userVerification": rules.user_verification,
        }
        return webauthn.creation_options(
            ceremony,
            rp=rules.rp,
            name=name,
            timeout=rules.registration_timeout,
            selection=selection,
            exclude=exclude,
            attestation=rules.attestation,
        )

    def register(self, submission: Submission, identity: Identity) -> None:
        self._keep(submission, submission.text(REGISTER), identity)

    def _keep(self, submission: Submission, answer: str, identity: Identity) -> None:
        """Give the identity the passkey that was made. Raises InvalidSubmission."""
        flow = submission.flow
        key = keys.made(flow, self.name, answer, rp=conf.passkeys().rp, display_name="", is_passwordless=True, what=WHAT)
        ceremony = keys.ceremony(flow, self.name)
        assert ceremony is not None
        credential = identity.credential(self.name)
        held = webauthn.keys_of(credential)
        if any(each.id == key.id for each in held):
            raise InvalidSubmission(keys.is_known(WHAT).on(ADD))
        names = {*(credential.names if credential else ()), ceremony.user_handle.decode()}
        config = webauthn.config_with(credential, [*held, key], ceremony.user_handle)
        services.put_credential(identity, self.name, config, names)

    # settings

    def settings_nodes(self, flow: SettingsFlow, identity: Identity) -> list[Node]:
        held = webauthn.keys_of(identity.credential(self.name))
        needed = {key.id for key in held} if aal.first_factors(identity) < 2 else set()
        form = keys.remove_buttons(REMOVE, self.name, 1050020, held, needed)
        if flow.is_browser:
            form.append(keys.script())
        name = _display_name(identity)
        if not name:
            return form
        options = self._creation_options(flow, self._new_ceremony(), name, held)
        return [
            *form,
            keys.button("passkey_register_trigger", self.name, "oryPasskeySettingsRegistration", add_button(), flow, value=""),
            nodes.field(ADD, self.name, "hidden"),
            nodes.hidden(CREATE, self.name, keys.as_text(options)),
        ]

    def change(self, submission: Submission, identity: Identity) -> None:
        if submission.text(REMOVE):
            self._remove(submission.text(REMOVE).lower(), identity)
        else:
            self._keep(submission, submission.text(ADD), identity)

    def _remove(self, hex_id: str, identity: Identity) -> None:
        credential = identity.credential(self.name)
        held = webauthn.keys_of(credential)
        kept = [key for key in held if key.hex_id != hex_id]
        if credential is None or len(kept) == len(held):
            raise InvalidSubmission(keys.not_yours(WHAT))
        if aal.first_factors(identity) < 2:
            raise InvalidSubmission(keys.last_way_in().on(REMOVE))
        if kept:
            services.put_credential(identity, self.name, webauthn.config_with(credential, kept), credential.names)
        else:
            services.drop_credential(identity, self.name)

    def proves(self, submission: Submission, before: Identity, after: Identity) -> dict[str, Any] | None:
        return sessions.proof(self.name, self.aal) if keys.is_added(self.name, before, after) else None


def _owner(handle: bytes) -> Credential | None:
    """Return the credential that a user handle names. A discoverable security key names its person by the identity's id."""
    found = credentials.find_exactly("passkey", webauthn.handle_name(handle)) if handle else None
    if found is not None or len(handle) != 16:
        return found
    identity = Identity.objects.filter(pk=uuid.UUID(bytes=handle)).first()
    credential = identity.credential("webauthn") if identity else None
    return credential if credential and webauthn.user_handle_of(credential) == handle else None


def _usable(credential: Credential) -> list[Key]:
    return [key for key in webauthn.keys_of(credential) if key.is_passwordless or credential.type == "passkey"]


def _display_name(identity: Identity) -> str:
    """Return what a passkey is called in the authenticator: the trait that the schema names for it, else an identifier."""
    found = schemas.get_readable(identity.schema_id).collect(identity.traits)
    return found.passkey_name or next(iter(found.identifiers.get("webauthn", [])), "")


def _naming_fields(schema: Schema) -> list[str]:
    """Return the names of the fields that say what a passkey is called, while nobody has an account yet."""
    for type, keyword in (("passkey", "display_name"), ("webauthn", "identifier")):
        if named := sorted(leaf.name for leaf in schema.leaves if _flagged(leaf, type, keyword)):
            return named
    return [leaf.name for leaf in schema.leaves if not leaf.schema.get("title")][:1]


def _flagged(leaf: Leaf, type: str, keyword: str) -> bool:
    return bool(((leaf.extension.get("credentials") or {}).get(type) or {}).get(keyword))


# words


def login_button() -> Message:
    return Message(1010021, "Sign in with a passkey", "info")


def registration_button() -> Message:
    return Message(1040007, "Sign up with a passkey", "info")


def add_button() -> Message:
    return Message(1050019, "Add a passkey", "info")
