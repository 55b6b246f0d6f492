"""An app opens a browser for what only a browser can do, and trades two codes for the session (contract: flows.md 6.10)."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from flows import present
from flows.kind import KINDS
from flows.models import Flow, TokenExchange
from flows.visit import API, Visit
from identity import crypto
from identity.api import representations
from identity.errors import BadRequest, NotFound
from identity.http import facts, problems
from identity.http.views import JSONView, json_response
from identity.ids import alphanumeric
from identity.sessions import services as sessions
from identity.sessions.models import Session

CODE = 64  # characters
LIFESPAN = timedelta(hours=1)
WANTED = "return_session_token_exchange_code"


def begin(visit: Visit, flow: Flow) -> None:
    """Give an app that asks for it the code that it keeps; the flow tells it once."""
    if not visit.is_api or not facts.truth(visit.query(WANTED)):
        return
    flow.exchange_code = alphanumeric(CODE)
    TokenExchange.objects.create(
        kind=flow.kind, flow_id=flow.pk, init_hash=crypto.keyed_hash(flow.exchange_code), expires_at=timezone.now() + LIFESPAN
    )


def of(flow: Flow) -> TokenExchange | None:
    return TokenExchange.objects.filter(flow_id=flow.pk, expires_at__gt=timezone.now()).first()


def move(old: Flow, new: Flow) -> None:
    """Let the app wait for the flow that took the place of another."""
    TokenExchange.objects.filter(flow_id=old.pk).update(kind=new.kind, flow_id=new.pk)


def return_address(waiting: TokenExchange, url: str, session: Session | None, **query: str) -> str:
    """Return where the browser brings the app its second code. *session* is what it opened, None when it did not come to that."""
    code = alphanumeric(CODE)
    waiting.return_hash, waiting.session = crypto.keyed_hash(code), session
    waiting.save(update_fields=["return_hash", "session"])
    return problems.with_query(url, code=code, **query)


class ExchangeToken(JSONView):
    """GET /sessions/token-exchange?init_code=&return_to_code=: the session for who has both codes, once."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        init, returned = request.GET.get("init_code", ""), request.GET.get("return_to_code", "")
        if not init or not returned:
            raise BadRequest("Both codes are needed: `init_code` and `return_to_code`.")
        waiting = _find(init, returned)
        if waiting.session is None:
            visit = Visit(request, API)
            flow = KINDS[waiting.kind].find(str(waiting.flow_id))
            return json_response(present.shown_flow(visit, flow), 422)
        if not TokenExchange.objects.filter(pk=waiting.pk).delete()[0] or not waiting.session.is_live:
            raise NotFound("These codes were used already.")
        opened = sessions.renew_token(waiting.session)
        sessions.save(opened)
        told = representations.session(opened.session) | {"devices": []}
        return json_response({"session_token": opened.token, "session": told})


def _find(init: str, returned: str) -> TokenExchange:
    """Raises NotFound."""
    rows = TokenExchange.objects.select_related("session__identity").filter(
        init_hash__in=crypto.keyed_hashes(init), return_hash__in=crypto.keyed_hashes(returned), expires_at__gt=timezone.now()
    )
    if (waiting := rows.first()) is None:
        raise NotFound("There is no such pair of codes.")
    return waiting
