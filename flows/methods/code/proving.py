"""Proving an address by a code that is sent to it: recovery and verification (contract: methods.md 6.5, 6.7)."""

from __future__ import annotations

from flows import codes, conf, letters, states
from flows.errors import InvalidSubmission, StartAnew
from flows.methods import recovery_choice
from flows.methods.base import NextStep, ProvenAddress, RecoveryMethod, VerificationMethod
from flows.models import Code, RecoveryFlow, VerificationFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity.identities import formats, normalize

LONGEST = 320  # characters of an address


class CodeProof(RecoveryMethod, VerificationMethod):
    name = "code"

    # recovery

    def recovery_begins(self) -> str:
        return states.AWAITING_ADDRESS if conf.lets_choose_address() else states.CHOOSE_METHOD

    def recovery_nodes(self, flow: RecoveryFlow) -> list[Node]:
        if recovery_choice.owns(flow):
            return recovery_choice.first_nodes()
        return [nodes.csrf(), email_field(self.name), self._continue()]

    def _continue(self) -> Node:
        return nodes.submit("method", self.name, self.name, messages.continue_button())

    def recover(self, submission: Submission) -> NextStep | ProvenAddress:
        flow = submission.flow
        assert isinstance(flow, RecoveryFlow)
        if recovery_choice.owns(flow):
            return recovery_choice.recover(submission, lambda: self._spend(submission, messages.recovery_code_invalid()))
        if flow.state != states.CHOOSE_METHOD and not submission.text("email"):
            row = self._spend(submission, messages.recovery_code_invalid())
            assert row.identity is not None
            return ProvenAddress(row.identity, row.via, row.address, is_self_service=not row.by_operator)
        address = read_email(submission)
        letters.send_code(flow, letters.recovery(normalize.identifier(address)), submission.visit.told_headers)
        flow.state, flow.active = states.SENT_EMAIL, self.name
        form = [nodes.csrf(), *self.recovery_code_nodes(), nodes.submit("email", self.name, address, messages.resend_button())]
        container.put(flow, form, [messages.recovery_code_mailed()])
        return NextStep(200)

    def recovery_code_nodes(self) -> list[Node]:
        """Return the fields that ask for the code."""
        return [recovery_choice.code_field(), nodes.hidden("method", self.name, self.name), self._continue()]

    def _spend(self, submission: Submission, wrong: Message) -> Code:
        """Return the row of the code that was typed. Raises InvalidSubmission, StartAnew."""
        flow = submission.flow
        try:
            codes.count_attempt(flow)
            row = codes.spend(flow, submission.text("code").strip())
        except codes.TooManyAttempts:
            raise StartAnew(messages.too_many_attempts()) from None
        except codes.Spent:
            raise StartAnew(messages.code_used()) from None
        if row is None:
            raise InvalidSubmission(wrong, status=200)  # type: ignore[arg-type]
        return row

    # verification

    def verification_nodes(self, flow: VerificationFlow) -> list[Node]:
        form = [self._address_field(), self._continue()]
        return [*form, nodes.csrf()] if flow.is_browser else form

    def _address_field(self) -> Node:
        if conf.sends_sms():
            return nodes.field("email", self.name, "text", required=True, label=messages.email_or_phone_label())
        return email_field(self.name)

    def verify(self, submission: Submission) -> NextStep | ProvenAddress:
        flow = submission.flow
        assert isinstance(flow, VerificationFlow)
        if submission.text("code"):
            row = self._spend(submission, messages.verification_code_invalid())
            assert row.identity is not None
            return ProvenAddress(row.identity, row.via, row.address)
        if not submission.text("email"):
            self._ask_again(flow)
            submission.require("email")
        typed = submission.text("email")
        via = "email" if "@" in typed else "sms"
        to = letters.verifiable(flow, normalize.identifier(typed), via)
        letters.send_code(flow, to, submission.visit.told_headers)
        flow.state, flow.active = states.SENT_EMAIL, self.name
        said = messages.verification_code_mailed() if via == "email" else messages.verification_code_texted()
        resend = nodes.submit("email", self.name, typed, messages.resend_button())
        token = [nodes.csrf()] if flow.is_browser else []
        container.put(flow, [*self.verification_code_nodes(), *token, resend], [said])
        return NextStep(200)

    def verification_code_nodes(self) -> list[Node]:
        return [
            nodes.hidden("method", self.name, self.name),
            nodes.field("code", self.name, required=True, autocomplete="one-time-code", label=messages.verification_code_label()),
            self._continue(),
        ]

    def _ask_again(self, flow: VerificationFlow) -> None:
        """Make a place for the address that is missing: the button that sends again becomes a field."""
        if flow.state == states.SENT_EMAIL:
            field = email_field(self.name, "")
            flow.ui["nodes"] = [field if nodes.name_of(node) == "email" else node for node in flow.ui["nodes"]]
        container.set_value(flow, "email", "")
        if container.find(flow, nodes.CSRF) is None:
            flow.ui["nodes"].append(nodes.csrf())

    def follow_verification(self, flow: VerificationFlow, query: dict[str, str]) -> bool:
        has_place = container.find(flow, "code") is not None
        if has_place:
            filled_in = self._code_field(query.get("code", "")[:50])
            flow.ui["nodes"] = [filled_in if nodes.name_of(node) == "code" else node for node in flow.ui["nodes"]]
        return has_place

    def _code_field(self, value: str) -> Node:
        """Return the field with the code in it, which must not rest in the flow's row."""
        label = messages.verification_code_label()
        filled_in = nodes.field("code", self.name, required=True, autocomplete="one-time-code", label=label, value=value)
        return nodes.sealed(filled_in, "value")


def email_field(group: str, value: str | None = None) -> Node:
    return nodes.field("email", group, "email", value=value, required=True, label=messages.email_label())


def read_email(submission: Submission) -> str:
    """Return the address that was typed. Raises InvalidSubmission at the field."""
    submission.require("email")
    address = submission.text("email").strip()
    if len(address) > LONGEST:
        raise InvalidSubmission(messages.too_long(LONGEST, len(address)).on("email"))
    if not formats.email(address):
        raise InvalidSubmission(messages.email_format(address).on("email"))
    container.set_value(submission.flow, "email", address)
    return address
