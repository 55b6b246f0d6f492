"""The base of the public listener's views: JSON out, Problems out, nothing cached."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from django.db import IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import View

from identity.errors import Conflict, Problem
from identity.http import problems

JSON = "application/json; charset=utf-8"
RACES = ("40001", "40P01")  # of SQLSTATE: serialization failure, deadlock
log = logging.getLogger("vestibule.http")


def is_race(error: Exception) -> bool:
    """Whether the database gave one of two requests up, so that the other could go on."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) in RACES


def json_response(body: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(body) + b"\n", status=status, content_type=JSON)


def no_content() -> HttpResponse:
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response


class JSONView(View):
    """A view whose methods may raise Problems; they are answered in JSON."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = super().dispatch(request, *args, **kwargs)
        except Problem as problem:
            response = self.problem(request, problem)
        except OperationalError as error:
            if not is_race(error):
                raise
            response = self.problem(request, Conflict("Somebody else changed this at the same time. Please try again."))
        except IntegrityError:
            log.info("something that a request builds on was removed or taken meanwhile", exc_info=True)
            response = self.problem(request, Conflict("What this builds on was changed or removed meanwhile. Please start again."))
        return response

    def problem(self, request: HttpRequest, problem: Problem) -> HttpResponse:
        """Answer a request that cannot go on."""
        return problems.as_json(request, problem)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse("Method Not Allowed\n", status=405, content_type="text/plain; charset=utf-8")
        response["Allow"] = ", ".join([name.upper() for name in self.http_method_names if hasattr(self, name)])
        return response
