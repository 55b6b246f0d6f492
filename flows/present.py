"""The only place that answers for a flow: an outcome becomes JSON, or a redirect for a browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse

from flows import conf, continue_with, states
from flows.errors import BrowserLocationChangeRequired, FlowExpired, FlowReplaced, MethodOff
from flows.kind import KINDS
from flows.models import Flow, LoginFlow, RecoveryFlow, RegistrationFlow, SettingsFlow, VerificationFlow
from flows.outcome import Done, Elsewhere, Outcome, Recovered, Replaced, Shown
from flows.ui import nodes
from flows.visit import Visit
from identity import conf as identity_conf
from identity.api import representations
from identity.errors import BadRequest, Problem, SessionAAL2Required, SessionRefreshRequired
from identity.http import cookies, csrf, problems
from identity.http.views import json_response
from identity.sessions.services import rfc3339

NOT_KEPT = "00000000-0000-0000-0000-000000000000"  # id of a device that no row has: a step-up is told with it, as upstream

# -- a flow as JSON


def as_dict(flow: Flow, csrf_token: str = "", *, secrets: bool = False) -> dict[str, Any]:
    """Return the flow as clients see it (contract: flows.md 2.1), with *csrf_token* in its field.

    Fields that show a person a secret of theirs, such as a key to scan, are empty without *secrets*.
    """
    seen: dict[str, Any] = {
        "id": str(flow.id),
        "type": flow.type,
        "expires_at": rfc3339(flow.expires_at),
        "issued_at": rfc3339(flow.issued_at),
        "request_url": flow.request_url,
        "ui": _ui(flow, csrf_token, secrets),
        "state": flow.state,
    }
    if wanted := return_to_of(flow):
        seen["return_to"] = wanted
    if flow.active:
        seen["active"] = flow.active
    if flow.exchange_code:
        seen["session_token_exchange_code"] = flow.exchange_code
    if flow.transient_payload is not None:
        seen["transient_payload"] = flow.transient_payload
    match flow:
        case LoginFlow():
            seen |= {
                "organization_id": _text_or_none(flow.organization_id),
                "created_at": rfc3339(flow.created_at),
                "updated_at": rfc3339(flow.updated_at),
                "refresh": flow.refresh,
                "requested_aal": flow.requested_aal,
            }
        case RegistrationFlow():
            seen["organization_id"] = _text_or_none(flow.organization_id)
        case SettingsFlow():
            seen |= {"organization_id": _text_or_none(flow.organization_id), "identity": representations.identity(flow.identity)}
        case RecoveryFlow() | VerificationFlow():
            pass
    if isinstance(flow, LoginFlow | RegistrationFlow) and flow.identity_schema:
        seen["identity_schema"] = flow.identity_schema
    return seen


def _text_or_none(value: object) -> str | None:
    return str(value) if value else None


def _ui(flow: Flow, csrf_token: str, secrets: bool) -> dict[str, Any]:
    held = flow.ui
    form = [nodes.shown(node, secrets=secrets) for node in held["nodes"]]
    shown: dict[str, Any] = {
        "action": held.get("action") or f"{identity_conf.listeners().public}/self-service/{flow.kind}?flow={flow.id}",
        "method": held.get("method", "POST"),
        "nodes": form or None,
    }
    if held.get("messages"):
        shown["messages"] = held["messages"]
    for node in form:
        if nodes.name_of(node) == nodes.CSRF:
            node["attributes"]["value"] = csrf_token
            break
    return shown


def return_to_of(flow: Flow) -> str:
    return flow.return_to or (parse_qs(urlsplit(flow.request_url).query).get("return_to") or [""])[0]


def shown_flow(visit: Visit, flow: Flow) -> dict[str, Any]:
    """Return the flow for this visitor, with a token for this browser."""
    token = csrf.mask(visit.csrf_secret()) if flow.is_browser else ""
    return as_dict(flow, token, secrets=KINDS[flow.kind].shows_secrets(visit, flow))


def page_of(flow: Flow) -> str:
    """Return the page that draws this flow."""
    return problems.with_query(conf.flow(flow.kind).ui_url, flow=str(flow.id))


# -- answers


def started(visit: Visit, outcome: Flow | Elsewhere) -> HttpResponse:
    """Answer the start of a flow."""
    if isinstance(outcome, Elsewhere):
        return _redirect(visit, outcome)
    if visit.is_api or visit.accepts_json:
        return json_response(shown_flow(visit, outcome))
    return _redirect(visit, Elsewhere(page_of(outcome)))


def fetched(visit: Visit, flow: Flow) -> HttpResponse:
    return json_response(shown_flow(visit, flow))


def submitted(visit: Visit, outcome: Outcome) -> HttpResponse:
    """Answer a submission."""
    match outcome:
        case Elsewhere():
            return _redirect(visit, outcome)
        case Shown():
            return _shown(visit, outcome)
        case Replaced():
            return _replaced(visit, outcome)
        case Recovered():
            return _recovered(visit, outcome)
        case Done():
            return _done(visit, outcome)


def _redirect(visit: Visit, outcome: Elsewhere) -> HttpResponse:
    if outcome.leaves and visit.answers_json:
        refusal = BrowserLocationChangeRequired("Go on at the other site.", extra={"redirect_browser_to": outcome.url})
        response = problems.as_json(visit.request, refusal)
    else:
        response = problems.redirect(visit.request, outcome.url, outcome.status)
    if outcome.carries and not visit.is_api:
        cookies.set_continuity(visit.request, response, "oidc", outcome.carries)
    return response


def _shown(visit: Visit, outcome: Shown) -> HttpResponse:
    flow = outcome.flow
    if not _echoes_payload(outcome):
        flow.transient_payload = None
    if visit.answers_json and outcome.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        refusal = BrowserLocationChangeRequired("Go on at the page.", extra={"redirect_browser_to": page_of(flow)})
        return problems.as_json(visit.request, refusal)
    if visit.answers_json:
        return json_response(shown_flow(visit, flow), outcome.status)
    page = problems.with_query(page_of(flow), **outcome.query)
    return _redirect(visit, Elsewhere(page, 302 if flow.kind == "registration" and outcome.refused else 303))


def _echoes_payload(outcome: Shown) -> bool:
    """Whether the answer repeats `transient_payload`: on a next step, and on a wrong code; not otherwise, as upstream."""
    if outcome.flow.state in states.CHOOSING and outcome.refused:
        return False
    return outcome.status == 200 if outcome.refused else outcome.flow.kind != "verification"


def _replaced(visit: Visit, outcome: Replaced) -> HttpResponse:
    """Lead on to the new flow; programs are told in the way that each flow has (contract: flows.md 4.4, 9.2)."""
    if not visit.answers_json:
        return _redirect(visit, Elsewhere(page_of(outcome.flow)))
    old, new = outcome.old, outcome.flow
    extra: dict[str, Any] = {"use_flow_id": str(new.id)}
    details: dict[str, Any] = {}
    if old.kind == "recovery" or (old.kind == "verification" and outcome.expired):
        told_in_json = old.kind == "recovery" and conf.uses_transitions() and (not old.is_browser or not outcome.expired)
        if not told_in_json:
            return _redirect(visit, Elsewhere(f"{identity_conf.listeners().public}/self-service/{old.kind}/flows?id={new.id}"))
        details = {"continue_with": [continue_with.show_recovery_ui(str(new.id))]}
        if not outcome.expired:
            return problems.as_json(visit.request, BadRequest(outcome.why, details=details))
    if not outcome.expired:
        return problems.as_json(visit.request, FlowReplaced("Go on with the flow that took its place.", extra=extra))
    age = new.issued_at - old.expires_at
    extra |= {"expired_at": rfc3339(old.expires_at), "since": int(age.total_seconds() * 1_000_000_000)}
    return problems.as_json(visit.request, FlowExpired("Go on with the flow that took its place.", details=details, extra=extra))


def _recovered(visit: Visit, outcome: Recovered) -> HttpResponse:
    """Hand out the session, and lead on to settings: by redirect, or by continue_with where the flag says so (contract: flows.md 9.3)."""
    goes_to = page_of(outcome.settings) if outcome.settings else outcome.return_to
    is_app = not outcome.flow.is_browser
    if not visit.is_json and not (is_app and conf.uses_transitions()):
        response: HttpResponse = _redirect(visit, Elsewhere(goes_to))
    elif conf.uses_transitions() or outcome.settings is None:
        shown = shown_flow(visit, outcome.flow)
        steps = [continue_with.set_ory_session_token(outcome.opened.token)] if is_app else []
        if outcome.settings:
            steps.append(continue_with.show_settings_ui(str(outcome.settings.id), goes_to))
        response = json_response(shown | ({"continue_with": [*steps, *outcome.continue_with]} if steps or outcome.continue_with else {}))
    else:
        refusal = BrowserLocationChangeRequired("Choose how to sign in from now on.", extra={"redirect_browser_to": goes_to})
        response = problems.as_json(visit.request, refusal)
    if not is_app:
        cookies.set_session(response, outcome.opened)
    return response


def _done(visit: Visit, outcome: Done) -> HttpResponse:
    """Answer the end of a flow, and hand out the session if there is one: a cookie for browsers, a token for apps."""
    if visit.answers_json:
        response = _done_for_programs(visit, outcome)
    else:
        response = _redirect(visit, Elsewhere(outcome.browser_goes_to or outcome.step_up_to or outcome.return_to))
    if outcome.opened and not visit.is_api:
        cookies.set_session(response, outcome.opened)
    if isinstance(outcome.flow, SettingsFlow) and cookies.read_continuity(visit.request, "settings"):
        cookies.clear_continuity(response)
    return response


def _done_for_programs(visit: Visit, outcome: Done) -> HttpResponse:
    if outcome.step_up_to and not visit.is_api:
        refusal = BrowserLocationChangeRequired("Use your second factor.", extra={"redirect_browser_to": outcome.step_up_to})
        return problems.as_json(visit.request, refusal)
    outcome.flow.transient_payload = None
    if isinstance(outcome.flow, SettingsFlow):
        settings = shown_flow(visit, outcome.flow)
        if outcome.continue_with:
            settings["continue_with"] = outcome.continue_with
        return json_response(settings)
    body: dict[str, Any] = {}
    if outcome.opened:
        if visit.is_api:
            body["session_token"] = outcome.opened.token
        body["session"] = representations.session(outcome.opened.session, with_identity=not outcome.step_up_to)
        if not outcome.opened.is_new:
            body["session"]["devices"][-1] = body["session"]["devices"][-1] | {"id": NOT_KEPT}
    if isinstance(outcome.flow, RegistrationFlow) and outcome.identity:
        body["identity"] = representations.identity(outcome.identity)
    body["continue_with"] = outcome.continue_with or None
    return json_response(body)


def problem(visit: Visit, problem: Problem, *, always_json: bool = False) -> HttpResponse:
    """Answer what a form cannot say: JSON for programs, the error page for a browser; some send it elsewhere (contract: flows.md 1.4)."""
    if parked := getattr(visit.request, "vestibule_parked", None):
        del visit.request.vestibule_parked  # type: ignore[attr-defined]
        response = _problem(visit, problem, always_json)
        cookies.set_continuity(visit.request, response, "settings", parked)
        return response
    return _problem(visit, problem, always_json)


def _problem(visit: Visit, problem: Problem, always_json: bool) -> HttpResponse:
    if isinstance(problem, MethodOff) and not visit.is_json:
        return problems.as_page(visit.request, problem)
    if always_json or visit.answers_json:
        return problems.as_json(visit.request, problem)
    if isinstance(problem, SessionAAL2Required | SessionRefreshRequired) and "redirect_browser_to" in problem.extra:
        return _redirect(visit, Elsewhere(problem.extra["redirect_browser_to"]))
    if problem.browser_goes_to:
        return _redirect(visit, Elsewhere(problem.browser_goes_to))
    if visit.accepts_json:
        return problems.as_json(visit.request, problem)
    return problems.as_page(visit.request, problem)
