"""Proving an address by a link that is sent to it (contract: methods.md 9).

Opening the link spends nothing: mail scanners open links, too. The page that it leads to asks for one click.
"""

from __future__ import annotations

from flows import codes, letters, states
from flows.errors import StartAnew
from flows.methods.base import NextStep, ProvenAddress, RecoveryMethod, VerificationMethod, register
from flows.methods.code.proving import email_field, read_email
from flows.models import RecoveryFlow, VerificationFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity.identities import normalize


@register
class LinkMethod(RecoveryMethod, VerificationMethod):
    name = "link"
    says_disabled = True

    def recovery_nodes(self, flow: RecoveryFlow) -> list[Node]:
        return self._nodes()

    def verification_nodes(self, flow: VerificationFlow) -> list[Node]:
        return self._nodes()

    def _nodes(self, address: str | None = None) -> list[Node]:
        return [nodes.csrf(), email_field(self.name, address), nodes.submit("method", self.name, self.name, messages.continue_button())]

    def recover(self, submission: Submission) -> NextStep | ProvenAddress:
        flow = submission.flow
        assert isinstance(flow, RecoveryFlow)
        if submission.text("token"):
            return self._open(submission, messages.recovery_link_invalid(), messages.recovery_expired(flow.expires_at))
        address = read_email(submission)
        letters.send_link(flow, letters.recovery(normalize.identifier(address)), submission.visit.told_headers)
        flow.state, flow.active = states.SENT_EMAIL, self.name
        container.put(flow, self._nodes(address), [messages.recovery_link_mailed()])
        return NextStep(200)

    def verify(self, submission: Submission) -> NextStep | ProvenAddress:
        flow = submission.flow
        assert isinstance(flow, VerificationFlow)
        if submission.text("token"):
            return self._open(submission, messages.verification_link_invalid(), messages.verification_expired(flow.expires_at))
        if not submission.text("email"):
            container.set_value(flow, "email", "")
        address = read_email(submission)
        to = letters.verifiable(flow, normalize.identifier(address), "email")
        letters.send_link(flow, to, submission.visit.told_headers)
        flow.state, flow.active = states.SENT_EMAIL, self.name
        container.put(flow, self._nodes(address), [messages.verification_link_mailed()])
        return NextStep(200)

    def _open(self, submission: Submission, invalid: Message, expired: Message) -> ProvenAddress:
        """Spend the link. Raises StartAnew: what is dead can be asked for again in a new flow, in this browser."""
        flow, token = submission.flow, submission.text("token")
        row = codes.find(flow, token, is_link=True)
        try:
            spent = codes.spend(flow, token, is_link=True)
        except codes.Spent:
            raise StartAnew(invalid, as_browser=True) from None
        if spent is None:
            raise StartAnew(expired if row is not None else invalid, as_browser=True)
        assert spent.identity is not None
        return ProvenAddress(spent.identity, spent.via, spent.address, is_self_service=not spent.by_operator)

    def follow_recovery(self, flow: RecoveryFlow, query: dict[str, str]) -> bool:
        return self._ask_for_a_click(flow, query)

    def follow_verification(self, flow: VerificationFlow, query: dict[str, str]) -> bool:
        return self._ask_for_a_click(flow, query)

    def _ask_for_a_click(self, flow: RecoveryFlow | VerificationFlow, query: dict[str, str]) -> bool:
        token = query.get("token")
        if token:
            button = nodes.submit("method", self.name, self.name, messages.continue_button())
            kept = nodes.sealed(nodes.hidden("token", self.name, token[:64]), "value")  # scanners open links that nobody follows
            container.put(flow, [nodes.csrf(), kept, button], [])
        return bool(token)
