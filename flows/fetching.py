"""GET /self-service/<flow>/flows?id=, answered before the framework's request stack: every page that draws a form asks for it.

It is what views.GetFlow does when all goes well (contract: flows.md 3.4). Refusals are left to that view.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.handlers.wsgi import WSGIRequest

from flows import present
from flows.kind import KINDS, FlowKind
from flows.visit import Visit
from identity.errors import Problem
from identity.http import csrf, listener
from identity.http.shortcuts import Answer, Environ, Shortcut


def answer(kind: FlowKind[Any], environ: Environ) -> Answer | None:
    request = WSGIRequest(environ)
    visit = Visit(request)
    try:
        response = present.fetched(visit, kind.fetch(visit))
    except Problem:
        return None
    response["Cache-Control"] = listener.NOT_CACHED
    csrf.hand_out(request, response)
    cookies = [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
    return [*response.items(), *cookies], response.content


SHORTCUTS: dict[str, Shortcut] = {f"/self-service/{name}/flows": partial(answer, kind) for name, kind in KINDS.items()}
