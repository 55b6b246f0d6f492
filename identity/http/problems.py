"""The only place that writes an error: as JSON for programs, parked behind the error page for a browser (contract: flows.md 1.1, 1.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.html import format_html

from identity import conf, config
from identity.config import Config
from identity.errors import Problem, ServiceUnavailable
from identity.http import metrics
from identity.http.models import ParkedError

BUSY = ServiceUnavailable()


def redirect(request: HttpRequest, url: str, status: int = 303) -> HttpResponse:
    """Send a browser elsewhere: 303 is with GET, whatever the request was. Who came with GET gets a page with the link, too."""
    response = HttpResponseRedirect(url)
    response.status_code = status
    if request.method == "GET":
        response.content = format_html('<a href="{}">Go on</a>\n', url)
    else:
        del response["Content-Type"]
    return response


def envelope(request: HttpRequest, problem: Problem) -> dict[str, Any]:
    """Return the body of an error: `error`, and what stands beside it."""
    error = problem.as_dict()
    if not problem.extra and (said := request.META.get("HTTP_X_REQUEST_ID")):
        error["request"] = said[:256]
    return {"error": error, **problem.extra}


def as_json(request: HttpRequest, problem: Problem) -> HttpResponse:
    response = HttpResponse(orjson.dumps(envelope(request, problem)), status=int(problem.status), content_type="application/json")
    response["Ory-Error-Id"] = problem.id
    if isinstance(problem, ServiceUnavailable):
        response["Retry-After"] = str(problem.retry_after)
    return response


def as_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Park the error and send the browser to the error page, which fetches it by its id."""
    parked = ParkedError.objects.create(error={**problem.as_dict(), **problem.extra})
    return redirect(request, with_query(conf.error_ui_url(), id=str(parked.id)))


def busy(method: str, accept: str, content_type: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return the answer to a request for which there is no room: status, headers and body, at the least cost."""
    is_page = "text/html" in accept and content_type != "application/json"
    metrics.count(method, BUSY.status, metrics.UNKNOWN, 0.0)
    headers = [
        ("content-type", "text/html; charset=utf-8" if is_page else "application/json"),
        ("retry-after", str(BUSY.retry_after)),
        ("cache-control", "no-store"),
    ]
    return BUSY.status, headers, _busy_page() if is_page else orjson.dumps({"error": BUSY.as_dict()})


@config.per_config
def _busy_page(c: Config) -> bytes:
    return render_to_string("errors/busy.html", {"problem": BUSY}).encode()


def with_query(url: str, **parameters: str) -> str:
    """Return *url* with query parameters added, its own kept."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404: nobody's path."""
    return HttpResponse("404 page not found\n", status=404, content_type="text/plain; charset=utf-8")


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a bug. It was logged; the answer says nothing of it."""
    return as_json(request, Problem())
