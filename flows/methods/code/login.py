"""Signing in with a code that is sent to an address: as first factor, or as second one (contract: methods.md 6.2, 6.4).

Somebody unknown is answered as somebody known: the same form, the same work, a code that nobody can use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from flows import codes, conf, letters, states
from flows.errors import InvalidSubmission
from flows.kind import query_of
from flows.letters import Addressee
from flows.methods.base import LoginMethod, NextStep
from flows.methods.code.form import code_fields, spend
from flows.models import LoginFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes, traits
from flows.ui.messages import Message
from flows.ui.nodes import Node
from flows.visit import Visit
from identity.credentials import attempts
from identity.credentials import services as credentials
from identity.errors import BadRequest
from identity.identities import normalize, schemas, services
from identity.identities.models import Identity
from identity.ids import parse_uuid
from identity.sessions import aal
from identity.sessions.models import Session

ADDRESS = "address"
ASKED = "code"  # in flow.internal: who was sent a code, and by which name
LONGEST = 320  # characters of an address


@dataclass(frozen=True)
class Address:
    """Where an identity can be sent a code."""

    via: str
    value: str


class CodeLogin(LoginMethod):
    name = "code"
    tells_apps_of_csrf = False

    @property
    def aal(self) -> str:  # type: ignore[override]  # the operator decides
        return aal.AAL2 if conf.codes().is_second_factor else aal.AAL1

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        if flow.requested_aal == aal.AAL2:
            return [_address_button(address) for address in _candidates(flow, identity)] if identity else []
        schema = schemas.get(flow.identity_schema)
        name = nodes.field("identifier", "default", value="", required=True, label=traits.identifier_label(schema))
        return [name, nodes.submit("method", self.name, self.name, send_button())]

    def second_step_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        if identity is not None and not addresses_of(identity):
            return []
        return [nodes.submit("method", self.name, self.name, send_button())]

    def begin_alone(self, visit: Visit, flow: LoginFlow, identifier: str) -> bool:
        if flow.requested_aal == aal.AAL1:
            self._send_to(flow, identifier, _addressees(identifier), visit)
            return True
        assert visit.session is not None
        addresses = _candidates(flow, visit.session.identity)
        if len(addresses) != 1:
            return False
        to = Addressee(addresses[0].via, addresses[0].value, visit.session.identity)
        self._send_to(flow, to.value, [to], visit)
        return True

    def login(self, submission: Submission) -> Identity | NextStep:
        """Send a code, or return who sent the right one back.

        Raises:
            InvalidSubmission: Something is missing; the code is wrong, out of date or spent; it was tried too often.
        """
        flow = submission.flow
        assert isinstance(flow, LoginFlow)
        asks_again = bool(submission.text("resend"))  # some pages send an empty one along with the code
        if flow.state == states.PASSED_CHALLENGE and not asks_again:
            raise InvalidSubmission(messages.login_no_method())
        if flow.state == states.SENT_EMAIL and not asks_again:
            return self._enter(submission, flow)
        if flow.requested_aal == aal.AAL2:
            return self._send_second(submission, flow)
        return self._send_first(submission, flow)

    # sending

    def _send_first(self, submission: Submission, flow: LoginFlow) -> NextStep:
        typed = submission.text("identifier") or submission.text(ADDRESS)
        if not typed:
            submission.require("identifier")
        to = _addressees(typed)
        if flow.refresh and submission.session and to[0].identity != submission.session.identity:
            raise InvalidSubmission(address_unknown())
        self._send_to(flow, typed, to, submission.visit)
        return NextStep()

    def _send_second(self, submission: Submission, flow: LoginFlow) -> NextStep:
        session = submission.session
        assert session is not None
        picked = submission.text(ADDRESS) or submission.text("identifier") or _name_asked(flow)
        if not picked:
            submission.require("identifier")
        wanted = normalize.identifier(picked)
        for address in _candidates(flow, session.identity):
            if address.value == wanted:
                self._send_to(flow, address.value, [Addressee(address.via, address.value, session.identity)], submission.visit)
                return NextStep()
        raise InvalidSubmission(address_foreign() if conf.codes().any_known_address else address_unknown())

    def _send_to(self, flow: LoginFlow, typed: str, to: list[Addressee], visit: Visit) -> None:
        """Send the codes, and show the form that asks for one."""
        is_again = flow.refresh or flow.requested_aal == aal.AAL2
        flow.internal[ASKED] = {"name": normalize.identifier(typed), "identity": str(to[0].identity.pk) if to[0].identity else ""}
        flow.state, flow.active = states.SENT_EMAIL, self.name
        form = [_name_kept(flow, typed, to), *code_fields(login_code_label())]
        if flow.is_browser:
            form.append(nodes.csrf())
        container.put(flow, form, [code_sent_again() if is_again else code_sent()])
        letters.send_sign_in_codes(flow, to, visit.told_headers)

    # checking

    def _enter(self, submission: Submission, flow: LoginFlow) -> Identity:
        try:
            return self._checked(submission, flow)
        except (InvalidSubmission, attempts.TooManyGuesses):
            _ask_anew(flow, submission.text("identifier"))
            raise

    def _checked(self, submission: Submission, flow: LoginFlow) -> Identity:
        is_second = flow.requested_aal == aal.AAL2
        submission.require("code")
        if not is_second:
            submission.require("identifier")
        identity = _counted(flow, submission.session if is_second else None)
        is_same = is_second or normalize.identifier(submission.text("identifier")) == _name_asked(flow)
        if identity is None or not is_same or not _may_be(identity, flow, submission.session):
            codes.find(flow, submission.text("code"))  # what a known one costs
            raise InvalidSubmission(code_invalid())
        with transaction.atomic():
            row = spend(submission, code_invalid())
            services.prove_address(identity, row.via, row.address)
            flow.state = states.PASSED_CHALLENGE
            flow.keep("state", "updated_at")
        attempts.forgive(identity, self.name, submission.session if is_second else None)
        return identity


def _counted(flow: LoginFlow, session: Session | None) -> Identity | None:
    """Count a guess, and return who was sent a code; None for nobody, and for somebody of whom it was guessed too often.

    Whoever is signed in is told to wait. A stranger is not: that would tell that there is an account.
    """
    try:
        codes.count_attempt(flow)
    except codes.TooManyAttempts:
        raise InvalidSubmission(messages.too_many_attempts()) from None
    asked = parse_uuid(flow.internal.get(ASKED, {}).get("identity"))
    identity = Identity.objects.filter(pk=asked).first() if asked else None
    if identity is None:
        return None
    try:
        attempts.take(identity, "code", session)
    except attempts.TooManyGuesses:
        if session is not None:
            raise
        return None
    return identity


def _may_be(identity: Identity, flow: LoginFlow, session: Session | None) -> bool:
    """A second factor, and a proof that one is still there, are those of who is signed in."""
    if flow.requested_aal == aal.AAL1 and not (flow.refresh and session):
        return True
    return session is not None and session.identity_id == identity.pk


def _name_asked(flow: LoginFlow) -> str:
    return str(flow.internal.get(ASKED, {}).get("name", ""))


def _candidates(flow: LoginFlow, identity: Identity | None) -> list[Address]:
    """Return the addresses that a second factor can be sent to, all or those of the trait that `via` names.

    Raises:
        BadRequest: `via` names none.
    """
    known = addresses_of(identity) if identity else []
    via = query_of(flow.request_url, "via")
    if not via or identity is None:
        return known
    value: Any = identity.traits
    for part in via.removeprefix("traits.").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    wanted = normalize.identifier(value) if isinstance(value, str) else ""
    found = [address for address in known if address.value == wanted]
    if not found:
        raise BadRequest(f"No code can be sent to the trait {via[:100]}.")
    return found


def addresses_of(identity: Identity) -> list[Address]:
    """Return where a code can be sent: the addresses of the credential, else, if wanted, all that are known."""
    credential = identity.credential("code")
    if credential is not None and credential.config.get("addresses"):
        return [Address(entry["channel"], entry["address"]) for entry in credential.config["addresses"]]
    return [Address(row.via, row.value) for row in identity.verifiable] if conf.codes().any_known_address else []


def find_owner(identifier: str) -> Identity | None:
    """Return who could be sent a code under this name."""
    anyhow = conf.codes().any_known_address
    return credentials.owner_of(identifier, ("code", "password", "webauthn") if anyhow else ("code",), by_address=anyhow)


def _addressees(identifier: str) -> list[Addressee]:
    """Return where the code goes: to the address that was typed, else to all that its owner has. For nobody it is made all the same."""
    value = normalize.identifier(identifier)[:LONGEST]
    owner = find_owner(identifier)
    known = addresses_of(owner) if owner else []
    same = [address for address in known if address.value == value]
    if not known:
        return [Addressee("email" if "@" in value else "sms", value, None)]
    return [Addressee(address.via, address.value, owner) for address in same or known]


# -- the form


def _address_button(address: Address) -> Node:
    return nodes.submit(ADDRESS, "code", address.value, address_button(address))


def _name_kept(flow: LoginFlow, typed: str, to: list[Addressee]) -> Node:
    """Return the field that says who one is, hidden from now on."""
    if flow.requested_aal == aal.AAL2:
        address = Address(to[0].via, to[0].value)
        return nodes.hidden("identifier", "code", address.value) | {"meta": {"label": address_button(address).as_dict()}}
    node = container.find(flow, "identifier") or nodes.hidden("identifier", "default", "")
    node["messages"] = []
    node["attributes"] |= {"type": "hidden", "value": typed}
    return node


def _ask_anew(flow: LoginFlow, identifier: str) -> None:
    """Prepare the form for being shown again: with the name that was sent along, and the token against forgery."""
    kept = [node for node in flow.ui["nodes"] if nodes.name_of(node) not in ("identifier", nodes.CSRF)]
    flow.ui["nodes"] = [nodes.csrf(), nodes.hidden("identifier", "default", identifier), *kept]


# -- words


def send_button() -> Message:
    return Message(1010015, "Send a code to sign in", "info")


def address_button(address: Address) -> Message:
    return Message(1010023, f"Send a code to {address.value}", "info", {"address": address.value, "channel": address.via})


def code_sent() -> Message:
    return Message(1010014, "If this address belongs to an account, we have sent a code to it. Type it below.", "info")


def code_sent_again() -> Message:
    return Message(1010025, "We have sent a code to your address. Type it below.", "info")


def login_code_label() -> Message:
    return Message(1070013, "Code to sign in", "info")


def code_invalid() -> Message:
    return Message(4010008, "This code is wrong or out of date. Check it, or ask for a new one.")


def address_unknown() -> Message:
    return Message(4000035, "There is no account that a code could be sent to under this address.")


def address_foreign() -> Message:
    return Message(4010010, "This address is not one of this account.")
