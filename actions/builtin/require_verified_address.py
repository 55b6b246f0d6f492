"""Letting in only who has proved an address (contract: actions.md 3.3)."""

from __future__ import annotations

from http import HTTPStatus

from django.db import transaction

from actions.base import Action, Run, register
from actions.builtin import verification
from flows import continue_with
from flows import verification as verification_flow
from flows.errors import InvalidSubmission
from flows.ui import messages
from identity import config
from identity.config import Config
from identity.errors import BadRequest, InvalidConfiguration, Problem


@config.per_config
def _answers_in_form(c: Config) -> bool:
    return bool(c.get("feature_flags.legacy_require_verified_login_error"))


@config.per_config
def _can_verify(c: Config) -> bool:
    use = c.get("selfservice.flows.verification.use")
    return bool(c.get(f"selfservice.methods.{use}.enabled"))


class SessionVerifiedAddressRequired(Problem):
    """The person has to prove an address first; the answer says where. The body's code is 400, the status 403 (contract)."""

    id, status, title = "session_verified_address_required", HTTPStatus.FORBIDDEN, "Please verify your address first."
    code = HTTPStatus.BAD_REQUEST


@register
class RequireVerifiedAddress(Action):
    """Refuse a sign-in until one address is verified, and send a code."""

    name = "require_verified_address"

    def phases(self, config: dict[str, object], flow: str) -> frozenset[str]:
        return frozenset(("ask",))

    def ask(self, run: Run) -> None:
        context = run.context
        assert context.identity is not None
        addresses = context.identity.verifiable
        if not addresses:
            raise InvalidConfiguration("This account has no address that could be verified, but the configuration requires one.")
        if any(address.verified for address in addresses):
            return
        if _answers_in_form():
            if context.method == "password":
                raise InvalidSubmission(messages.address_not_verified())
            return
        if not _can_verify():
            raise BadRequest("The address cannot be verified: that method is switched off.")
        with transaction.atomic():
            verification.begin(context, addresses[0])
        assert context.verification is not None
        url = verification_flow.ui_url(context.verification)
        item = continue_with.show_verification_ui(str(context.verification.id), addresses[0].value, url)
        refusal = SessionVerifiedAddressRequired("None of the account's addresses is verified yet.", details={"continue_with": [item]})
        refusal.browser_goes_to = url
        raise refusal
