"""The base of the operator's API: one view class on the REST framework, and how its requests are read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from identity.db import values
from identity.errors import BadRequest, Malformed
from identity.http import bodies
from identity.http.views import is_race

TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


class Undecodable(Malformed):
    """Upstream says 400 on the wire and 500 in the envelope where it cannot decode some requests, and clients may know it so."""

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "code": 500, "status": "Internal Server Error"}


class OnlyJSON(BaseContentNegotiation):
    """Answers are JSON, whatever a client says that it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class OperatorView(APIView):
    """A view of the admin listener. Its methods may raise Problems."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    content_negotiation_class = OnlyJSON

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}

    def handle_exception(self, exc: Exception) -> Response:
        if is_race(exc):
            exc = BadRequest("Somebody else changed this at the same time. Please try again.")
        return super().handle_exception(exc)

    def http_method_not_allowed(self, request: HttpRequest | Request, *args: Any, **kwargs: Any) -> Any:
        response = HttpResponse("Method Not Allowed\n", status=405, content_type="text/plain; charset=utf-8")
        response["Allow"] = ", ".join(self.allowed_methods)
        return response


def body_of(request: Request) -> Any:
    """Return the body as JSON that can be stored. Raises Malformed."""
    try:
        raw = bodies.read(request._request)
        if not raw:
            raise Malformed("EOF")
        return values.storable(bodies.parse_json(raw))
    except Malformed:
        raise
    except BadRequest as problem:
        raise Malformed(problem.reason) from problem


def object_of(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object that can be stored. Raises Malformed."""
    value = body_of(request)
    if not isinstance(value, dict):
        raise Malformed("The body is not a JSON object.")
    return value


def only(body: dict[str, Any], known: frozenset[str], where: str = "") -> None:
    """Raises Malformed for a member that nobody knows: a typo should not be taken for silence."""
    for name in body:
        if name not in known:
            raise Malformed(f'There is no member "{where}{name}" here.')


def text(body: dict[str, Any], name: str) -> str:
    """Return a member that is text; "" when it is missing or null. Raises Malformed."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f'"{name}" is not a string.')
    return value


def flag(request: HttpRequest | Request, name: str) -> bool | None:
    """Return a boolean of the query, None when it is not there. Raises Malformed."""
    value = request.GET.get(name)
    if value is None or value in TRUE or value in FALSE:
        return None if value is None else value in TRUE
    raise Malformed(f'"{name}" is neither true nor false.')
