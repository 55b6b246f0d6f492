"""Signing up with a code that is sent to each address of the new account (contract: methods.md 6.3)."""

from __future__ import annotations

import hmac

import orjson
from django.db import transaction

from flows import codes, conf, letters, states
from flows.errors import InvalidSubmission
from flows.letters import Addressee
from flows.methods.base import NextStep, RegistrationMethod
from flows.methods.code.form import code_fields, spend
from flows.models import RegistrationFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity import crypto
from identity.identities.models import Identity
from identity.identities.schemas import Schema

TRAITS = "code_traits"  # in flow.internal: a keyed hash of what was submitted when the code was sent


class CodeRegistration(RegistrationMethod):
    name = "code"
    renews_csrf = False  # as upstream

    def registration_nodes(self, flow: RegistrationFlow, schema: Schema) -> list[Node]:
        return [nodes.submit("method", self.name, self.name, sign_up_button())]

    def register(self, submission: Submission, identity: Identity) -> NextStep | None:
        """Send a code to each address, or take one that came back; its address is the person's own from then on.

        Raises:
            InvalidSubmission: There is no address; the traits are not those that the code was sent for; the code is
                missing, wrong, out of date or spent.
        """
        flow = submission.flow
        assert isinstance(flow, RegistrationFlow)
        credential = identity.credential(self.name)
        if credential is None or not credential.config.get("addresses"):
            raise InvalidSubmission(messages.no_identifier())
        asks_again = bool(submission.text("resend"))  # some pages send an empty one along with the code
        if flow.state == states.PASSED_CHALLENGE and not asks_again:
            raise InvalidSubmission(messages.registration_no_method())
        if flow.state == states.SENT_EMAIL and not asks_again:
            _enter(submission, flow, identity)
            return None
        _send(submission, flow, identity)
        return NextStep()


def _send(submission: Submission, flow: RegistrationFlow, identity: Identity) -> None:
    credential = identity.credential("code")
    assert credential is not None
    container.set_traits(flow, identity.traits, replaces=True)
    form = [_kept(node) for node in flow.ui["nodes"] if _is_profile(node)]
    form += code_fields(sign_up_code_label())
    if conf.registration().two_steps:
        form.append(nodes.submit("screen", "profile", "credential-selection", messages.registration_back()))
    container.put(flow, form, [code_sent()])
    flow.internal[TRAITS] = crypto.keyed_hash(_canonical(identity))
    flow.state, flow.active = states.SENT_EMAIL, "code"
    to = [Addressee(entry["channel"], entry["address"], None) for entry in credential.config["addresses"]]
    letters.send_sign_in_codes(flow, to, submission.visit.told_headers, identity.traits)


def _enter(submission: Submission, flow: RegistrationFlow, identity: Identity) -> None:
    submission.require("code")
    if not any(hmac.compare_digest(flow.internal.get(TRAITS, ""), each) for each in crypto.keyed_hashes(_canonical(identity))):
        raise InvalidSubmission(traits_changed())
    try:
        codes.count_attempt(flow)
    except codes.TooManyAttempts:
        raise InvalidSubmission(messages.too_many_attempts()) from None
    with transaction.atomic():
        row = spend(submission, code_invalid())
        flow.state = states.PASSED_CHALLENGE
        flow.keep("state", "updated_at")
    for address in identity.verifiable:
        if address.key == (row.via, row.address):
            address.prove()


def _canonical(identity: Identity) -> str:
    return orjson.dumps(identity.traits, option=orjson.OPT_SORT_KEYS).decode()


def _is_profile(node: Node) -> bool:
    name = nodes.name_of(node)
    return name == nodes.CSRF or name.startswith("traits.")


def _kept(node: Node) -> Node:
    """Return a field as it is carried along, unseen."""
    node["messages"] = []
    node["attributes"]["type"] = "hidden"
    return node


# -- words


def sign_up_button() -> Message:
    return Message(1040006, "Send a code to sign up", "info")


def code_sent() -> Message:
    return Message(1040005, "We have sent a code to your address. Type it below.", "info")


def sign_up_code_label() -> Message:
    return Message(1070012, "Code to sign up", "info")


def code_invalid() -> Message:
    return Message(4040003, "This code is wrong or out of date. Check it, or ask for a new one.")


def traits_changed() -> Message:
    return Message(4000036, "What you typed is no longer what the code was sent for. Ask for a new code.")
