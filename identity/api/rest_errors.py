"""The errors of the REST framework, in the one envelope (EXCEPTION_HANDLER of the framework)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db import DataError, IntegrityError
from django.http import HttpRequest
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from identity.errors import BadRequest, Conflict, Problem, ServiceUnavailable
from identity.http.problems import envelope


def for_rest_framework(error: Exception, context: dict[str, Any]) -> Response | None:
    """The admin API's errors, in the same envelope (EXCEPTION_HANDLER of the REST framework)."""
    if isinstance(error, DataError):
        error = BadRequest("A value does not fit its column.")
    if isinstance(error, IntegrityError):
        error = Conflict("What this builds on was changed or removed meanwhile.")
    if isinstance(error, APIException):
        error = Refused(error)
    if not isinstance(error, Problem):
        return None
    request: HttpRequest = context["request"]._request
    response = Response(envelope(request, error), status=int(error.status), headers={"Ory-Error-Id": error.id})
    if isinstance(error, ServiceUnavailable):
        response["Retry-After"] = str(error.retry_after)
    return response


class Refused(Problem):
    """What the REST framework refuses by itself, with its own status."""

    title = "The request was refused."

    def __init__(self, error: APIException) -> None:
        super().__init__(str(error.detail))
        self.status = HTTPStatus(error.status_code)  # type: ignore[misc]  # the framework decides it per error
