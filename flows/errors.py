"""Errors of flows. `InvalidSubmission` is for the person to put right; the others end the request, see identity/errors.py.

InvalidSubmission
Problem
├── BadRequest
│   ├── FlowDisabled
│   └── SecurityIdentityMismatch 403
├── FlowExpired 410
├── FlowReplaced 410
└── BrowserLocationChangeRequired 422
"""

from http import HTTPStatus

from flows.ui.messages import Message
from identity.errors import BadRequest, Forbidden, Problem, SessionAlreadyAvailable


class InvalidSubmission(Exception):
    """The person can put it right: the flow comes back with these messages on its nodes.

    Only the engine catches it. A message whose `at` is "" stands above the form.
    """

    def __init__(self, *messages: Message, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__("; ".join(message.text for message in messages))
        self.messages, self.status = messages, status


class StartAnew(Exception):
    """The flow is of no use any more: a new one takes its place, and says why. Only the engine catches it."""

    def __init__(self, *messages: Message, as_browser: bool = False) -> None:
        super().__init__("; ".join(message.text for message in messages))
        self.messages, self.as_browser = messages, as_browser


class SignedInAlready(SessionAlreadyAvailable):
    """As its parent; the one 400 that the form does not say: the person has to sign out first."""


class MethodOff(BadRequest):
    """Recovery or verification is switched off, or its method is."""

    title = "This is switched off."


class FlowRefused(BadRequest):
    """Something that an operator hung before the flow refused it; `details.messages` says why (contract: actions.md 9.2)."""

    title = "This cannot be started now."


class FlowDisabled(BadRequest):
    id, title = "self_service_flow_disabled", "This is switched off."


class SecurityIdentityMismatch(Forbidden):
    """The flow was begun by somebody else."""

    id, title = "security_identity_mismatch", "This form belongs to another account."


class FlowExpired(Problem):
    """The flow outlived its lifespan. `use_flow_id` beside the error names its replacement, if one was made."""

    id, status, title = "self_service_flow_expired", HTTPStatus.GONE, "This form has expired. Please start again."


class FlowGone(Problem):
    """As FlowExpired, on the flows whose fetch answers without an id (contract: flows.md 3.4)."""

    status, title = HTTPStatus.GONE, FlowExpired.title


class FlowReplaced(Problem):
    """The flow was used up. `use_flow_id` beside the error names the one to go on with."""

    id, status, title = "self_service_flow_replaced", HTTPStatus.GONE, "This form was used already. Please go on with a new one."


class BrowserLocationChangeRequired(Problem):
    """A page cannot go on by itself: the browser has to go to `redirect_browser_to`."""

    id, status, title = "browser_location_change_required", HTTPStatus.UNPROCESSABLE_ENTITY, "The browser has to go to another page."
