"""Telling another server, and listening to what it says (contract: actions.md 4, 9).

mode             waits for the answer   may refuse   may change the identity
plain            yes                    no           no
can_interrupt    yes                    yes          no
parse            yes                    yes          registration and settings
ignore           no: a delivery is recorded and arrives, see actions/delivery/
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, ClassVar

from django.utils import timezone

from actions import answers, rendering
from actions.base import Action, Place, Run, register
from actions.builtin.web_hook import faults
from actions.delivery import outbox, signing
from flows.errors import FlowRefused, InvalidSubmission
from identity.config import Fault, units
from identity.errors import InternalError, Problem, UpstreamTimeout
from identity.http import outgoing
from identity.ids import uuid7

log = logging.getLogger("vestibule.actions")

ATTEMPTS, WAITS = 3, (1.0, 2.0)  # seconds between attempts
LONGEST_WAIT = 30.0  # seconds that Retry-After may ask for
DEFAULT_BUDGET = "30s"  # for all attempts together
NOT_IMPLEMENTED = 501


class HookAnsweredWithError(Problem):
    """A hook that may not refuse answered with an error."""

    status, title = HTTPStatus.BAD_GATEWAY, "A server that has to be asked refused or failed."


class HookFailed(InternalError):
    """No usable answer came. The person learns no more than that."""

    title = "A server that has to be asked could not be asked."


class HookTimedOut(UpstreamTimeout):
    title = "A server that has to be asked took too long."


@dataclass(frozen=True)
class Prepared:
    """A request, rendered when the hook was triggered."""

    url: str
    method: str
    headers: dict[str, str]
    body: bytes | None
    message_id: str  # the same in every attempt


@register
class WebHook(Action):
    """Send a request to another server."""

    name: ClassVar[str] = "web_hook"

    def faults(self, config: Any, path: str, place: Place) -> list[Fault]:
        return list(faults.of(config, f"{path}.config"))

    def phases(self, config: dict[str, Any], flow: str) -> frozenset[str]:
        if mode_of(config) == "ignore":
            return frozenset(("record",))
        if flow in ("registration", "settings"):
            return frozenset(("interrupt" if mode_of(config) in ("parse", "can_interrupt") else "wait",))
        return frozenset(("ask",))

    def ask(self, run: Run) -> None:
        try:
            self._call(run)
        except InvalidSubmission as refused:
            if run.trigger.endswith(".before"):
                raise FlowRefused("A hook refused.", details={"messages": refused.raw}) from refused  # type: ignore[attr-defined]
            raise

    def interrupt(self, run: Run) -> None:
        identity = self._call(run)
        if identity:
            answers.apply(run.context, identity)

    def wait(self, run: Run) -> None:
        self._call(run)

    def prepare(self, run: Run) -> None:
        """Render what will be delivered, as things are now. A template that fails is the operator's to mend: it is logged."""
        if mode_of(run.entry.config) != "ignore":
            return
        try:
            prepared = prepare(run)
        except rendering.RenderingFailed as failure:
            log.error("%s: nothing was sent, the template failed: %s", run.entry.path, failure)
            return
        if prepared is not None:
            run.held.append(prepared)

    def record(self, run: Run) -> None:
        for prepared in run.held:
            outbox.enqueue_web_hook(
                prepared.message_id,
                run.entry.path,
                run.trigger,
                {
                    "url": prepared.url,
                    "method": prepared.method,
                    "headers": prepared.headers,
                    "body": (prepared.body or b"").decode("utf-8", "replace"),
                },
                flow_id=run.context.flow.id,
                identity_id=run.context.identity.id if run.context.identity else None,
            )

    def _call(self, run: Run) -> dict[str, Any] | None:
        """Ask, and return the identity members of the answer, if the mode reads them.

        Raises:
            InvalidSubmission: It refused, with messages.
            HookAnsweredWithError, HookTimedOut, HookFailed: It failed.
        """
        config, mode = run.entry.config, mode_of(run.entry.config)
        try:
            prepared = prepare(run)
        except rendering.RenderingFailed as failure:
            log.error("%s: nothing was sent, the template failed: %s", run.entry.path, failure)
            raise HookFailed("Its request could not be made.") from failure
        if prepared is None:
            return None
        answer = send(prepared, config, run.entry.path)
        if answer.status >= 400:
            if mode != "plain" and answer.status != 429 and (refusal := answers.refusal(answer.body)):
                raise refusal
            failed = answer.status in (429, NOT_IMPLEMENTED) or answer.status >= 500
            if mode == "plain" or (failed and answer.status != NOT_IMPLEMENTED):
                raise HookAnsweredWithError(f"It answered with status {answer.status}.")
            raise HookFailed("Its refusal could not be read.")
        if mode != "parse" or answer.status != 200 or not answer.body.strip():
            return None
        try:
            if answer.is_cut:
                raise ValueError("it is longer than 5 MiB")
            identity = answers.identity_of(answer.body)
        except ValueError as broken:
            log.error("%s: the answer cannot be used: %s", run.entry.path, broken)
            raise HookFailed("Its answer could not be read.") from broken
        if identity and not (run.trigger.endswith(".after") and run.context.kind in ("registration", "settings")):
            log.warning(
                "%s: the answer's `identity` is ignored here: only hooks after registration and settings may change one", run.entry.path
            )
            return None
        return identity

    def describe(self, config: dict[str, Any], flow: str) -> str:
        name = f" ({config['id']})" if config.get("id") else ""
        what = {
            "plain": "waits for the answer, whose body is not read",
            "can_interrupt": "waits; may refuse",
            "parse": "waits; may refuse or change the identity",
            "ignore": "does not wait; delivered at least once",
        }[mode_of(config)]
        return f"{config.get('method')} {config.get('url')}{name}: {what}"


def mode_of(config: dict[str, Any]) -> str:
    response = config.get("response") or {}
    if response.get("ignore"):
        return "ignore"
    if response.get("parse"):
        return "parse"
    return "can_interrupt" if config.get("can_interrupt") else "plain"


def prepare(run: Run) -> Prepared | None:
    """Return the request that this run sends, None when its template called it off. Raises RenderingFailed."""
    config = run.entry.config
    headers = {str(name): str(value) for name, value in (config.get("headers") or {}).items()}
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if not kind:
        headers["Content-Type"] = kind = rendering.JSON
    method = str(config["method"]).upper()
    body: bytes | None = None
    if method != "TRACE":
        body = rendering.body(config.get("body"), kind, run)
        if body is None:
            return None
    return Prepared(config["url"], method, rendering.authorized(headers, config.get("auth")), body, f"msg_{uuid7().hex}")


def headers_of_attempt(prepared: Prepared, config: dict[str, Any], trigger_id: str) -> dict[str, str]:
    """Return what is new in each attempt: ids, the time, signatures."""
    sent = dict(prepared.headers)
    if config.get("emit_analytics_event", True):
        sent |= {"Ory-Webhook-Request-ID": str(uuid.uuid4()), "Ory-Webhook-Trigger-ID": trigger_id}
    return sent | signing.headers(config.get("signing"), prepared.message_id, timezone.now(), prepared.body or b"")


def send(prepared: Prepared, config: dict[str, Any], path: str) -> outgoing.Answer:
    """Send up to three times within the hook's budget, and return the last answer.

    Raises:
        HookTimedOut: No answer began in time.
        HookFailed: No connection, a forbidden address, a certificate that cannot be trusted.
    """
    until = time.monotonic() + units.duration(config.get("timeout") or DEFAULT_BUDGET).total_seconds()
    trigger_id, problem, answer = str(uuid.uuid4()), None, None
    for attempt in range(ATTEMPTS):
        problem = answer = None
        try:
            answer = outgoing.request(
                prepared.method,
                prepared.url,
                headers=headers_of_attempt(prepared, config, trigger_id),
                body=prepared.body,
                timeout=max(0.001, until - time.monotonic()),
            )
            if not _is_worth_another(answer.status):
                return answer
        except outgoing.OutgoingError as error:
            problem = error
            if error.is_final:
                break
        wait = min(_wait(attempt, answer), LONGEST_WAIT)
        if attempt + 1 == ATTEMPTS or time.monotonic() + wait >= until:
            break
        time.sleep(wait)
    if answer is not None:
        return answer
    log.error("%s: %s", path, problem)
    if isinstance(problem, outgoing.OutgoingTimeout):
        raise HookTimedOut("No answer came in time.")
    raise HookFailed("No answer came.")


def _is_worth_another(status: int) -> bool:
    return status == 429 or (status >= 500 and status != NOT_IMPLEMENTED)


def _wait(attempt: int, answer: outgoing.Answer | None) -> float:
    """Return the seconds until the next attempt; 429 and 503 may ask for a time of their own (RFC 9110 section 10.2.3)."""
    asked = answer.headers.get("Retry-After", "") if answer is not None and answer.status in (429, 503) else ""
    if asked.isdigit():
        return float(asked)
    if asked:
        try:
            return max(0.0, (parsedate_to_datetime(asked) - timezone.now()).total_seconds())
        except (ValueError, TypeError):
            pass
    return WAITS[min(attempt, len(WAITS) - 1)]
