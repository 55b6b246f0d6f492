"""GET /self-service/methods/oidc/callback[/<provider>]: the browser is back from the provider (contract: methods.md 10.2)."""

from __future__ import annotations

import hmac
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from flows import engine, exchange, present
from flows.kind import KINDS
from flows.methods.base import METHODS
from flows.methods.oidc import arrival, providers, state
from flows.methods.oidc.claims import Account
from flows.methods.oidc.providers.base import Provider
from flows.methods.oidc.state import Record, State
from flows.models import Flow, RegistrationFlow, TokenExchange
from flows.outcome import Done, Elsewhere, Outcome, Replaced, Shown
from flows.submission import Submission
from flows.visit import API, BROWSER, Visit
from identity.errors import BadRequest, NotFound, Problem
from identity.http import cookies, problems, return_to
from identity.http.views import JSONView


@method_decorator(csrf_exempt, name="dispatch")
class Callback(JSONView):
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, provider: str = "") -> HttpResponse:
        visit = Visit(request)
        try:
            return present.submitted(visit, come_back(visit, provider))
        except Problem as problem:
            return present.problem(visit, problem)
        finally:
            visit.type = BROWSER

    def post(self, request: HttpRequest, provider: str = "") -> HttpResponse:
        """Some providers send a form. The cookies of this site do not come with it, so the browser comes once more, by itself."""
        sent = {name: value for name, value in request.POST.items() if isinstance(value, str)}
        return problems.redirect(request, problems.with_query(request.path, **sent), 302)


def come_back(visit: Visit, provider_id: str) -> Outcome:
    """Go on with the flow in which this browser left.

    Raises:
        BadRequest: It did not leave here, or it is back already.
    """
    known = state.read(visit.query("state"))
    if known is None or provider_id not in ("", known.provider):
        raise BadRequest("This address belongs to no sign-in that was begun here. Please start again.")
    kind = KINDS[known.kind]
    try:
        flow = kind.find(known.flow)
    except NotFound:
        raise BadRequest("The sign-in that this address belongs to is over. Please start again.") from None
    waiting = None if flow.is_browser else exchange.of(flow)
    _require_same_browser(visit, flow, known, waiting)
    visit.type = flow.type
    record = state.take(flow, known)
    if record is None:
        visit.type = BROWSER
        return _again(visit)
    fields = {name: value for name, value in record.fields.items() if name != "is_form"}
    submission = Submission(visit, flow, fields | {"transient_payload": record.payload}, record.fields["is_form"])
    if waiting is None:
        return engine.come_back(visit, kind, submission, lambda: _finish(visit, submission, record))
    return _for_app(visit, kind, submission, record, waiting)


def _require_same_browser(visit: Visit, flow: Flow, known: State, waiting: TokenExchange | None) -> None:
    """Raises BadRequest: somebody else's journey, such as an attacker's whose account a victim would be signed in to."""
    carried = cookies.read_continuity(visit.request, "oidc") or ""
    if flow.is_browser and hmac.compare_digest(carried.encode(), known.key.encode()):
        return
    if not flow.is_browser and waiting is not None:
        return
    raise BadRequest("This sign-in was begun in another browser. Please start again here.")


def _again(visit: Visit) -> Outcome:
    """The address was opened before. Whoever is signed in by it goes on; otherwise it is worth nothing."""
    if visit.session is not None:
        return Elsewhere(return_to.default())
    raise BadRequest("This address was used already. Please start again.")


def _finish(visit: Visit, submission: Submission, record: Record) -> Outcome:
    """Let the provider say whose account it is. Raises Refused and what providers raise: the form says it."""
    flow = submission.flow
    provider = providers.find(record.provider)
    if provider is None or not METHODS["oidc"].is_enabled():
        raise NotFound("There is no such provider any more.")
    try:
        account = _account(visit, provider, record)
    except Problem:
        if isinstance(flow, RegistrationFlow):
            arrival.only_the_way_back(flow, provider.rules)
        raise
    return arrival.land(submission, account)


def _account(visit: Visit, provider: Provider, record: Record) -> Account:
    """Return the account that the browser brings word of. Raises what providers raise."""
    query = {name: value for name, value in visit.request.GET.items() if isinstance(value, str)}
    return provider.arrive(query=query, nonce=record.nonce, verifier=record.verifier, temporary=record.temporary)


# -- the browser belongs to an app that waits


def _for_app(visit: Visit, kind: Any, submission: Submission, record: Record, waiting: TokenExchange) -> Outcome:
    """Return where the app's page goes on, with its second code, whatever became of the sign-in."""
    visit.type = API
    outcome = engine.come_back(visit, kind, submission, lambda: _finish(visit, submission, record))
    flow = outcome.flow if isinstance(outcome, Shown | Done | Replaced) else submission.flow
    visit.type = BROWSER
    waiting = exchange.of(flow) or waiting
    goes_to = KINDS[flow.kind].return_to(KINDS[flow.kind].wanted_return(flow))
    session = outcome.opened.session if isinstance(outcome, Done) and outcome.opened else None
    is_elsewhere = flow.pk != submission.flow.pk or isinstance(flow, RegistrationFlow)
    about = {"flow": str(flow.pk)} if session is None and is_elsewhere else {}
    return Elsewhere(exchange.return_address(waiting, goes_to, session, **about))
