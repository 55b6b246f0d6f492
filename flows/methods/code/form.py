"""What the forms that ask for a code have in common, and how a code that comes back is spent."""

from __future__ import annotations

from flows import codes
from flows.errors import InvalidSubmission
from flows.models import Code
from flows.submission import Submission
from flows.ui import messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node


def code_fields(label: Message) -> list[Node]:
    return [
        nodes.hidden("method", "code", "code"),
        nodes.field("code", "code", required=True, autocomplete="one-time-code", label=label),
        nodes.submit("method", "code", "code", messages.continue_button()),
        nodes.submit("resend", "code", "code", messages.resend_button()),
    ]


def spend(submission: Submission, wrong: Message) -> Code:
    """Return the row of the code that came back, used from now on. The guess was counted before. Raises InvalidSubmission."""
    try:
        row = codes.spend(submission.flow, submission.text("code").strip())
    except codes.Spent:
        raise InvalidSubmission(messages.code_used()) from None
    if row is None:
        raise InvalidSubmission(wrong)
    return row
