"""Sending the person on to where they type the code (contract: actions.md 3.5)."""

import logging

from actions.base import Action, Run, register
from flows import continue_with, verification

log = logging.getLogger("vestibule.actions")


@register
class ShowVerificationUI(Action):
    """Show the verification page next, if a code was sent in this very request."""

    name = "show_verification_ui"

    def phases(self, config: dict[str, object], flow: str) -> frozenset[str]:
        return frozenset(("record",))

    def record(self, run: Run) -> None:
        flow = run.context.verification
        if flow is None:
            log.warning("%s: nothing to show, no code was sent in this request", run.entry.path)
            return
        url = verification.ui_url(flow)
        run.context.continue_with.append(
            continue_with.show_verification_ui(str(flow.id), verification.address_of(flow), url if flow.is_browser else "")
        )
        run.context.browser_goes_to = url
