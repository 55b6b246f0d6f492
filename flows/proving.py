"""What recovery and verification have in common: one method serves the flow, and links lead back to it."""

from __future__ import annotations

from typing import TypeVar

import orjson

from flows import conf, states
from flows.errors import MethodOff
from flows.kind import FlowKind
from flows.methods.base import METHODS, Method
from flows.models import RecoveryFlow, VerificationFlow
from flows.outcome import Elsewhere, Outcome
from flows.submission import Submission
from flows.ui import container, nodes
from flows.visit import BROWSER, Visit
from identity import crypto
from identity.http import csrf, problems

F_ = TypeVar("F_", bound=RecoveryFlow | VerificationFlow)
OPENED = "opened"  # in flow.internal: with which link, by whose browsers, and whose the flow was before
OPENERS = 10  # browsers that are remembered: a phone, a computer, some mail scanners


class ProvingKind(FlowKind[F_]):
    takes_at_least = 0.04  # known and unknown addresses cost the same statements; what is left of a difference is slept over

    def require_enabled(self) -> None:
        """Raises MethodOff."""
        if not conf.flow(self.name).enabled:
            raise MethodOff(f"{self.name.capitalize()} is switched off.")

    def serving(self) -> Method:
        """Return the method that serves new flows. Raises MethodOff."""
        name = conf.flow(self.name).use
        method = METHODS.get(name)
        if method is None or not isinstance(method, self.method_base) or not method.is_enabled():
            raise MethodOff(f"{self.name.capitalize()} is to use the method {name}, which is switched off.")
        return method

    def methods(self, submission: Submission) -> list[Method]:
        """Only the method that the flow was begun with is asked."""
        return [METHODS.get(submission.flow.active) or self.serving()]

    def fetch(self, visit: Visit, id: str | None = None) -> F_:
        self.require_enabled()
        return super().fetch(visit, id)

    def check_owner(self, visit: Visit, flow: F_) -> None:
        opened = flow.internal.get(OPENED) or {}
        is_of_an_app = opened.get("begun_by") == "" and flow.state == states.PASSED_CHALLENGE  # it looks whether the link was used
        if not is_of_an_app and not flow.internal.get("operators"):
            super().check_owner(visit, flow)

    def browsers(self, flow: F_) -> tuple[str, ...]:
        """A flow whose link was opened belongs to who can read the mail: who began it may have typed an address of somebody else.

        Once nothing in it is worth a look any more, the browser in which it was begun may see how it ended.
        """
        opened = flow.internal.get(OPENED)
        if not opened:
            return super().browsers(flow)
        return (*opened["by"], opened["begun_by"]) if flow.state == states.PASSED_CHALLENGE else tuple(opened["by"])

    def shows_secrets(self, visit: Visit, flow: F_) -> bool:
        """What was mailed is shown to who opened the mail, whatever else led somebody to this flow."""
        opened = flow.internal.get(OPENED)
        return not opened or csrf.belongs(visit.request, opened["by"])

    def read(self, visit: Visit, flow: F_) -> Submission:
        """Return what was sent, with the token of the link that was opened.

        Clients made from the API's document know the token as a parameter of the address only, and send no field of that name:
        whoever opened the link means the one that the page holds.
        """
        submission = super().read(visit, flow)
        is_wanted = not any(submission.text(name) for name in ("token", "email", "code"))
        if is_wanted and (token := visit.query("token") or self._held_token(visit, flow)):
            submission.fields["token"] = token
        return submission

    def _held_token(self, visit: Visit, flow: F_) -> str:
        node = container.find(flow, "token")
        if node is None or not self.shows_secrets(visit, flow):
            return ""
        return str(nodes.shown(node, secrets=True)["attributes"].get("value") or "")

    def checks_origin(self, flow: F_, submission: Submission) -> bool:
        return not flow.internal.get("operators")

    def follow(self, visit: Visit, flow: F_) -> Outcome | None:
        """Somebody opened a mailed link: nothing is spent, the page that the flow is shown on asks for one click."""
        if visit.request.method == "POST":
            return None
        query = {name: visit.query(name) for name in ("code", "token") if visit.query(name)}
        method = METHODS.get("link" if "token" in query else flow.active)
        if not query or method is None or not self.prepare_followed(method, flow, query):
            return None
        visit.type = BROWSER
        visit.renew_csrf()
        self._open_for(flow, csrf.fingerprint(visit.csrf_secret()), query)
        flow.keep("ui", "type", "csrf_hash", "internal")
        return Elsewhere(problems.with_query(conf.flow(self.name).ui_url, flow=str(flow.id)))

    def _open_for(self, flow: F_, browser: str, query: dict[str, str]) -> None:
        """Let this browser see the flow. Others stay that opened the same link: the person's own, after a scanner's, or their phone.

        The page holds what was mailed. So nobody stays who came with anything else, be it right or wrong.
        """
        before = flow.internal.get(OPENED) or {"begun_by": flow.csrf_hash}
        link = crypto.keyed_hash(orjson.dumps(query, option=orjson.OPT_SORT_KEYS).decode())
        known = before["by"] if before.get("link") == link else []
        flow.internal[OPENED] = {"begun_by": before["begun_by"], "link": link, "by": [*known, browser][-OPENERS:]}
        flow.type, flow.csrf_hash = BROWSER, browser

    def prepare_followed(self, method: Method, flow: F_, query: dict[str, str]) -> bool:
        """Make the form one of what the link holds, and nothing that another one held. Returns whether it holds something for *method*."""
        raise NotImplementedError
