"""The only place that answers for a flow: an outcome becomes JSON, or a redirect for a browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse, HttpResponseRedirect

from flows import conf
from flows.errors import BrowserLocationChangeRequired, FlowExpired, FlowReplaced
from flows.models import Flow, LoginFlow, RecoveryFlow, RegistrationFlow, SettingsFlow, VerificationFlow
from flows.outcome import Done, Elsewhere, Outcome, Replaced, Shown
from flows.ui import nodes
from flows.visit import Visit
from identity import conf as identity_conf
from identity.api import representations
from identity.errors import Problem, SessionAAL2Required, SessionRefreshRequired
from identity.http import cookies, csrf, problems
from identity.http.problems import SeeOther
from identity.http.views import json_response
from identity.sessions.services import rfc3339


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
    return as_dict(flow, csrf.mask(visit.csrf_secret()) if flow.is_browser else "", secrets=True)


def page_of(flow: Flow) -> str:
    """Return the page that draws this flow."""
    return problems.with_query(conf.flow(flow.kind).ui_url, flow=str(flow.id))


# -- answers


def started(visit: Visit, outcome: Flow | Elsewhere) -> HttpResponse:
    """Answer the start of a flow."""
    if isinstance(outcome, Elsewhere):
        return _redirect(outcome)
    if visit.is_api or visit.accepts_json:
        return json_response(shown_flow(visit, outcome))
    response = SeeOther(page_of(outcome))
    response["Content-Type"] = "text/html; charset=utf-8"
    return response


def fetched(visit: Visit, flow: Flow) -> HttpResponse:
    return json_response(shown_flow(visit, flow))


def submitted(visit: Visit, outcome: Outcome) -> HttpResponse:
    """Answer a submission."""
    match outcome:
        case Elsewhere():
            return _redirect(outcome)
        case Shown():
            return _shown(visit, outcome)
        case Replaced():
            return _replaced(visit, outcome)
        case Done():
            return _done(visit, outcome)


def _redirect(outcome: Elsewhere) -> HttpResponse:
    response = HttpResponseRedirect(outcome.url) if outcome.status == 302 else SeeOther(outcome.url)
    del response["Content-Type"]
    return response


def _shown(visit: Visit, outcome: Shown) -> HttpResponse:
    flow = outcome.flow
    if visit.answers_json:
        return json_response(shown_flow(visit, flow), outcome.status)
    return _redirect(Elsewhere(page_of(flow), 302 if flow.kind == "registration" and outcome.refused else 303))


def _replaced(visit: Visit, outcome: Replaced) -> HttpResponse:
    if not visit.answers_json:
        return _redirect(Elsewhere(page_of(outcome.flow)))
    kind, old = (FlowExpired, outcome.old) if outcome.expired else (FlowReplaced, outcome.old)
    extra: dict[str, Any] = {"use_flow_id": str(outcome.flow.id)}
    if outcome.expired:
        age = old.expires_at - outcome.flow.issued_at
        extra |= {"expired_at": rfc3339(old.expires_at), "since": -int(age.total_seconds() * 1_000_000_000)}
    return problems.as_json(visit.request, kind("Go on with the flow that took its place.", extra=extra))


def _done(visit: Visit, outcome: Done) -> HttpResponse:
    """Answer the end of a flow, and hand out the session if there is one: a cookie for browsers, a token for apps."""
    if visit.answers_json:
        response = _done_for_programs(visit, outcome)
    else:
        response = _redirect(Elsewhere(outcome.browser_goes_to or outcome.step_up_to or outcome.return_to))
    if outcome.opened and not visit.is_api:
        cookies.set_session(response, outcome.opened)
    if isinstance(outcome.flow, SettingsFlow) and visit.request.COOKIES.get(cookies.CONTINUITY):
        cookies.clear_continuity(response)
    return response


def _done_for_programs(visit: Visit, outcome: Done) -> HttpResponse:
    if outcome.step_up_to and not visit.is_api:
        refusal = BrowserLocationChangeRequired("Use your second factor.", extra={"redirect_browser_to": outcome.step_up_to})
        return problems.as_json(visit.request, refusal)
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
    if isinstance(outcome.flow, RegistrationFlow) and outcome.identity:
        body["identity"] = representations.identity(outcome.identity)
    body["continue_with"] = outcome.continue_with or None
    return json_response(body)


def problem(visit: Visit, problem: Problem, *, always_json: bool = False) -> HttpResponse:
    """Answer what a form cannot say: JSON for programs, the error page for a browser; some send it elsewhere (contract: flows.md 1.4)."""
    if always_json or visit.answers_json:
        return problems.as_json(visit.request, problem)
    if isinstance(problem, SessionAAL2Required | SessionRefreshRequired) and "redirect_browser_to" in problem.extra:
        response: HttpResponse = SeeOther(problem.extra["redirect_browser_to"])
        if parked := getattr(visit.request, "vestibule_parked", None):
            cookies.set_continuity(response, parked)
        return response
    if visit.accepts_json:
        return problems.as_json(visit.request, problem)
    return problems.as_page(problem)

