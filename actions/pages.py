"""Pages for development: what was mailed, and what webhooks were sent. They exist in development mode only."""

from __future__ import annotations

import json
import re
from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from actions.delivery import outbox
from actions.delivery.models import Delivery, DevRequest
from identity import conf
from identity.http import bodies, csrf

KEPT = 200  # requests that the receiver remembers
SHOWN = 100
LONGEST_BODY = 64 * 1024  # characters


class DevelopmentPage(View):
    """Answers 404 outside development mode."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not conf.is_dev():
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class Mailbox(DevelopmentPage):
    """GET /ui/dev/mailbox: the messages that were sent, or would have been."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = Delivery.objects.filter(channel__in=(Delivery.EMAIL, Delivery.SMS)).exclude(status=Delivery.WITHHELD).order_by("-id")[:SHOWN]
        found = [(row, outbox.content_of(row)) for row in rows]
        messages = [
            {"row": row, "subject": held.get("subject") or row.subject, "body": _linked(str(held.get("body", "")))} for row, held in found
        ]
        return render(request, "dev/mailbox.html", {"messages": messages})


def _linked(text: str) -> list[dict[str, str]]:
    """Return *text* in pieces, addresses apart, so that a page can make links of them."""
    pieces = re.split(r"(https?://\S+)", text)
    return [{"text": piece, "url": piece if piece.startswith(("http://", "https://")) else ""} for piece in pieces if piece]


@method_decorator(csp_replace({"style-src": [UNSAFE_INLINE]}), name="dispatch")  # mails are styled inline
class Mail(DevelopmentPage):
    """GET /ui/dev/mailbox/{id}: one message as a mail program would show it."""

    def get(self, request: HttpRequest, id: Any) -> HttpResponse:
        row = Delivery.objects.filter(pk=id, channel=Delivery.EMAIL).exclude(status=Delivery.WITHHELD).first()
        if row is None:
            raise Http404
        return HttpResponse(outbox.content_of(row).get("html_body", ""))


class Hooks(DevelopmentPage):
    """GET /ui/dev/hooks: the requests that arrived at the receiver, newest first. POST forgets them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        requests = [{"row": row, "body": _pretty(row.body)} for row in DevRequest.objects.order_by("-id")[:SHOWN]]
        address = conf.public_url("/ui/dev/hooks/hook_1")
        return render(
            request, "dev/hooks.html", {"requests": requests, "address": address, "csrf_token": csrf.mask(csrf.ensure_secret(request))}
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        secret = csrf.secret_of(request)
        if secret and csrf.fits(bodies.form_field(request, "csrf_token"), secret):
            DevRequest.objects.all().delete()
        return redirect("dev-hooks")


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


class Hook(DevelopmentPage):
    """Any verb on /ui/dev/hooks/{name}: a receiver that writes down what it gets and says yes."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        request.method = "POST" if request.method != "OPTIONS" else request.method
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        body = bodies.read(request).decode("utf-8", "replace").replace("\x00", "")[:LONGEST_BODY]
        DevRequest.objects.create(name=name[:100], method=request.META["REQUEST_METHOD"][:16], headers=dict(request.headers), body=body)
        _forget_old()
        return HttpResponse("{}\n", content_type="application/json")


def _forget_old() -> None:
    old = list(DevRequest.objects.order_by("-id").values_list("pk", flat=True)[KEPT : KEPT + 50])
    if old:
        DevRequest.objects.filter(pk__in=old).delete()


urlpatterns = [
    path("ui/dev/mailbox", Mailbox.as_view(), name="dev-mailbox"),
    path("ui/dev/mailbox/<uuid:id>", Mail.as_view(), name="dev-mail"),
    path("ui/dev/hooks", Hooks.as_view(), name="dev-hooks"),
    path("ui/dev/hooks/<str:name>", Hook.as_view(), name="dev-hook"),
]
