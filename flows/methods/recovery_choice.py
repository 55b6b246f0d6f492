"""Recovery in which somebody with several addresses chooses where the code goes (contract: methods.md 6.6, flows.md 9.4).

    address -> (choice -> (the whole address)) -> code

Who knows one address of an account sees the others masked only, and has to type the one that they choose. Whoever has one
address, and whoever is unknown, goes straight to the code: the two cannot be told apart.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from flows import codes, letters, states
from flows.errors import InvalidSubmission
from flows.letters import Addressee
from flows.methods.base import NextStep, ProvenAddress
from flows.models import Code, RecoveryFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.nodes import Node
from identity.identities import normalize
from identity.identities.models import RecoveryAddress

GROUP = "code"
TYPED, CHOSEN, CONFIRMED, SCREEN = "recovery_address", "recovery_select_address", "recovery_confirm_address", "screen"
HIDDEN = "****"


def first_nodes() -> list[Node]:
    return [nodes.csrf(), nodes.field(TYPED, GROUP, required=True, label=messages.recovery_address_label()), _continue()]


def _continue() -> Node:
    return nodes.submit("method", GROUP, GROUP, messages.continue_button())


def owns(flow: RecoveryFlow) -> bool:
    """Whether the flow was begun in this way."""
    return flow.state in states.CHOOSING


@dataclass(frozen=True)
class Typed:
    """The address that somebody typed, and the recovery addresses of whom it belongs to."""

    text: str
    value: str  # normalised
    known: list[RecoveryAddress]

    def addressee(self, text: str) -> Addressee:
        """Return where a code for this person goes when they name *text*: nobody, when it is none of theirs."""
        value = normalize.identifier(text.strip())
        row = next((row for row in self.known if row.value == value), None)
        return Addressee(row.via, value, row.identity) if row else Addressee("email" if "@" in value else "sms", value, None)


def recover(submission: Submission, spend: Callable[[], Code]) -> NextStep | ProvenAddress:
    """Lead one step on. Raises InvalidSubmission, and what *spend* raises: it looks at the code that was typed."""
    flow = submission.flow
    assert isinstance(flow, RecoveryFlow)
    if submission.text(SCREEN) == "previous":
        return _go_back(submission, flow)
    if flow.state == states.AWAITING_CODE and submission.text("code"):
        row = spend()
        assert row.identity is not None
        return ProvenAddress(row.identity, row.via, row.address)
    step = {
        states.AWAITING_ADDRESS: _take_address,
        states.AWAITING_CHOICE: _take_choice,
        states.CONFIRMING_ADDRESS: _take_confirmation,
        states.AWAITING_CODE: _send_again,
    }
    return step[flow.state](submission, flow)


def _typed(submission: Submission) -> Typed:
    """Raises InvalidSubmission when no address was sent."""
    submission.require(TYPED)
    text = submission.text(TYPED).strip()
    value = normalize.identifier(text)
    rows = RecoveryAddress.objects.select_related("identity").filter(identity__recovery_rows__value=value[:400])
    return Typed(text, value, [] if "\x00" in value else sorted(set(rows), key=lambda row: row.value))


def _take_address(submission: Submission, flow: RecoveryFlow) -> NextStep:
    typed = _typed(submission)
    if len(typed.known) > 1:
        return _show_choice(flow, typed)
    return _send(submission, flow, typed, typed.text)


def _take_choice(submission: Submission, flow: RecoveryFlow) -> NextStep:
    typed = _typed(submission)
    submission.require(CHOSEN)
    chosen = next((row for row in typed.known if _name(row.value) == submission.text(CHOSEN)), None)
    if chosen is None:
        raise InvalidSubmission(messages.generic("This is none of the addresses. Please choose one of them."))
    if chosen.value == typed.value:
        return _send(submission, flow, typed, typed.text)
    return _ask_for_all_of_it(flow, typed, chosen)


def _take_confirmation(submission: Submission, flow: RecoveryFlow) -> NextStep:
    typed = _typed(submission)
    submission.require(CONFIRMED)
    return _send(submission, flow, typed, submission.text(CONFIRMED).strip())


def _send_again(submission: Submission, flow: RecoveryFlow) -> NextStep:
    if not submission.text(CONFIRMED):
        submission.require("code")
    return _take_confirmation(submission, flow)


def _go_back(submission: Submission, flow: RecoveryFlow) -> NextStep:
    if flow.state != states.AWAITING_CHOICE and submission.text(TYPED):
        typed = _typed(submission)
        if len(typed.known) > 1:
            return _show_choice(flow, typed)
    flow.state = states.AWAITING_ADDRESS
    container.put(flow, first_nodes())
    return NextStep(200)


# -- the pages


def _show_choice(flow: RecoveryFlow, typed: Typed) -> NextStep:
    flow.state = states.AWAITING_CHOICE
    buttons = [nodes.submit(CHOSEN, GROUP, _name(row.value), messages.plain(masked(row.value))) for row in typed.known]
    kept = [nodes.hidden("method", GROUP, GROUP), nodes.hidden(TYPED, GROUP, typed.text)]
    container.put(flow, [nodes.csrf(), *buttons, *kept], [messages.recovery_choose_address()])
    return NextStep(200)


def _ask_for_all_of_it(flow: RecoveryFlow, typed: Typed, chosen: RecoveryAddress) -> NextStep:
    flow.state = states.CONFIRMING_ADDRESS
    is_email = chosen.via == "email"
    label = messages.email_label() if is_email else messages.phone_label()
    field = nodes.field(CONFIRMED, GROUP, "email" if is_email else "tel", value="", required=True, label=label)
    form = [nodes.csrf(), field, nodes.hidden(TYPED, GROUP, typed.text), _continue(), nodes.hidden("method", GROUP, GROUP), _back()]
    container.put(flow, form, [messages.recovery_confirm_address()])
    return NextStep(200)


def _send(submission: Submission, flow: RecoveryFlow, typed: Typed, text: str) -> NextStep:
    letters.send_code(flow, typed.addressee(text), submission.visit.told_headers)
    flow.state = states.AWAITING_CODE
    form = [
        nodes.csrf(),
        code_field(),
        _continue(),
        nodes.hidden("method", GROUP, GROUP),
        nodes.submit(CONFIRMED, GROUP, text, messages.resend_button()),
        nodes.hidden(TYPED, GROUP, typed.text),
        _back(),
    ]
    container.put(flow, form, [messages.recovery_code_sent_to(masked(text))])
    return NextStep(200)


def code_field() -> Node:
    return nodes.field(
        "code",
        GROUP,
        required=True,
        autocomplete="one-time-code",
        pattern="[0-9]+",
        maxlength=codes.DIGITS,
        label=messages.recovery_code_label(),
    )


def _back() -> Node:
    return nodes.submit(SCREEN, GROUP, "previous", messages.recovery_back())


def _name(address: str) -> str:
    """Return what a button names an address by: nothing that can be read back."""
    return base64.b64encode(hashlib.sha256(address.encode()).digest()).decode()


def masked(address: str) -> str:
    """Return as much of an address as its owner needs to recognise it."""
    local, at, domain = address.partition("@")
    if at:
        return address if len(local) < 2 else f"{local[:2]}{HIDDEN}@{domain}"
    return address if len(address) < 6 else f"{address[:3]}{HIDDEN}{address[-2:]}"
