"""The pages under /ui/."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views import View

from flows import conf, present
from flows.errors import FlowDisabled, MethodOff
from flows.kind import KINDS, FlowKind
from flows.pages import colours, devices, layout, words
from flows.pages.layout import Section
from flows.visit import Visit
from identity import conf as identity_conf
from identity.errors import CSRFViolation, Problem, SessionAAL2Required
from identity.http import csrf, problems, return_to
from identity.http.models import ParkedError
from identity.identities.models import Identity
from identity.ids import parse_uuid
from identity.sessions import authentication
from identity.sessions import services as sessions
from identity.sessions.models import Session

LISTED = 100  # sessions on one page; nobody has more devices
BEGUN_AGAIN = "begun"  # in the address of a flow that this page started because the browser could not show the one it had


class Page(View):
    """A page for one person: never cached, errors drawn in place."""

    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = super().dispatch(request, *args, **kwargs)
        except Problem as problem:
            response = draw_error(request, problem.as_dict(), int(problem.status))

        response["Referrer-Policy"] = "same-origin"  # the address holds the id of a flow
        response["X-Content-Type-Options"] = "nosniff"
        return response  # type: ignore[return-value]


class FlowPage(Page):
    """GET /ui/<flow>?flow=: the form of a flow. Without one, or with one that is not this browser's to see, a new one is begun."""

    kind = ""

    def get(self, request: HttpRequest) -> HttpResponse:
        flow_kind = KINDS.get(self.kind)
        if flow_kind is None:
            raise FlowDisabled
        visit = Visit(request)
        if not visit.query("flow"):
            return self._start(visit)
        try:
            flow = flow_kind.fetch(visit, visit.query("flow"))
        except SessionAAL2Required as problem:
            return problems.redirect(self.request, problem.extra["redirect_browser_to"])
        except (FlowDisabled, MethodOff):
            raise
        except Problem as problem:
            return self._start_over(visit, flow_kind, problem)
        return render(request, "flows/flow.html", self._context(present.shown_flow(visit, flow)))

    def _start(self, visit: Visit, wanted: str = "", **more: str) -> HttpResponse:
        wanted = visit.query("return_to") or wanted
        url = identity_conf.public_url(f"/self-service/{self.kind}/browser")
        return problems.redirect(self.request, problems.with_query(url, **more, **({"return_to": wanted} if wanted else {})))

    def _start_over(self, visit: Visit, kind: FlowKind[Any], problem: Problem) -> HttpResponse:
        """Begin anew; but a browser that keeps no cookies would begin for ever, and is told so the second time."""
        if isinstance(problem, CSRFViolation) and csrf.secret_of(visit.request) is None:
            if f"{BEGUN_AGAIN}=again" in kind.find(visit.query("flow")).request_url:
                raise problem
            return self._start(visit, **{BEGUN_AGAIN: "again"})
        return self._start(visit, str(problem.details.get("return_to") or ""))

    def _context(self, flow: dict[str, Any]) -> dict[str, Any]:
        page = layout.of(self.kind, flow)
        last = page.last_factor(are_keys_factors=not identity_conf.webauthn().passwordless) if self.kind == "settings" else ""
        return {
            "kind": self.kind,
            "flow": flow,
            "layout": page,
            "heading": words.heading(self.kind, flow, page),
            "sections": [
                (section, words.section(section.group, _names(section), is_last_factor=section.group == last)) for section in page.sections
            ],
            "return_to": flow.get("return_to", ""),
            "links": _links(self.kind, flow),
        }


def _names(section: Section) -> set[str]:
    return {part.name for form in section.forms for part in (*form.main, *form.more, *form.removals)}


def _links(kind: str, flow: dict[str, Any]) -> dict[str, str]:
    """Return the other ways that can be taken from here, as far as they are switched on; where one wanted to go is kept."""
    wanted = flow.get("return_to")
    keep = {"return_to": wanted} if wanted else {}
    is_second_look = bool(flow.get("refresh")) or flow.get("requested_aal") == "aal2"

    def to(name: str) -> str:
        url = identity_conf.public_url(f"/self-service/{name}/browser")
        return problems.with_query(url, **keep) if conf.flow(name).enabled else ""

    match kind:
        case "login" if not is_second_look:
            return {"registration": to("registration"), "recovery": to("recovery"), "restart": to("login")}
        case "login":
            lost = {"lost": "factor"} if flow.get("requested_aal") == "aal2" else {}
            return {"cancel": identity_conf.public_url("/ui/welcome"), **lost}
        case "registration" | "recovery":
            return {"login": to("login")}
        case _:
            return {}


def draw_error(request: HttpRequest, error: dict[str, Any], status: int, id: str = "") -> HttpResponse:
    context = {
        "error": error,
        "heading": words.error(error),
        "is_plain": str(error.get("id")) in words.PLAIN,  # said already; the reason is for who builds pages
        "id": id,
        "signed_in": authentication.session_of(request) is not None,
        "go_on": error.get("redirect_browser_to") or (error.get("details") or {}).get("redirect_browser_to") or "",
    }
    return render(request, "errors/problem.html", context, status=status)


class ErrorPage(Page):
    """GET /ui/error?id=: what ended a browser's request, in plain words."""

    SAMPLE = "stub:500"

    def get(self, request: HttpRequest) -> HttpResponse:
        id = request.GET.get("id") or request.GET.get("error", "")
        if id == self.SAMPLE:
            return draw_error(request, Problem("This is an example.").as_dict(), 200, id)
        key = parse_uuid(id)
        parked = ParkedError.objects.filter(pk=key).first() if key else None
        if parked is None:
            return render(
                request, "errors/problem.html", {"unknown": True, "signed_in": authentication.session_of(request) is not None}, status=404
            )
        return draw_error(request, parked.error, 200, str(parked.id))


class WelcomePage(Page):
    """GET /ui/welcome: where one lands who asked for nothing else."""

    def get(self, request: HttpRequest) -> HttpResponse:
        session = authentication.session_of(request)
        context: dict[str, Any] = {"session": session}
        if session is not None:
            context |= {"who": name_of(session.identity), "logout_url": logout_url(session), "step_up": _step_up(session)}
        return render(request, "flows/welcome.html", context)


def _step_up(session: Session) -> str:
    """Return where the second factor is asked for, if nothing opens without it; else ""."""
    try:
        authentication.require_aal(session, identity_conf.sessions().whoami_aal, authentication.step_up_url())
    except SessionAAL2Required as problem:
        return str(problem.extra["redirect_browser_to"])
    return ""


def logout_url(session: Session) -> str:
    return problems.with_query(identity_conf.public_url("/self-service/logout"), token=sessions.logout_token(session))


def name_of(identity: Identity) -> str:
    """Return what a person is called here: the address or name they would know themselves by."""
    traits = identity.traits if isinstance(identity.traits, dict) else {}
    for trait in ("email", "username", "phone", "name"):
        held = traits.get(trait)
        if isinstance(held, dict):
            held = " ".join(str(part) for part in held.values() if isinstance(part, str))
        if isinstance(held, str) and held.strip():
            return held.strip()
    return next((text for text in traits.values() if isinstance(text, str) and text.strip()), "") or f"account {str(identity.pk)[:8]}"


class SessionsPage(Page):
    """GET /ui/sessions: where one is signed in. POST: sign out there. Nobody learns of, or ends, sessions of somebody else."""

    http_method_names = ["get", "head", "post"]
    NOTICES = {"one": "That device is signed out.", "others": "All your other devices are signed out."}

    def get(self, request: HttpRequest) -> HttpResponse:
        mine = self._session(request)
        if not isinstance(mine, Session):
            return mine
        others = (
            Session.objects.filter(sessions.live(), identity_id=mine.identity_id).exclude(pk=mine.pk).order_by("-authenticated_at", "-id")
        )
        rows = list(others[: LISTED + 1])
        return render(
            request,
            "flows/sessions.html",
            {
                "current": devices.signed_in(mine, is_current=True),
                "others": [devices.signed_in(row) for row in rows[:LISTED]],
                "has_more": len(rows) > LISTED,
                "logout_url": logout_url(mine),
                "form_token": csrf.mask(csrf.ensure_secret(request)),
                "notice": self.NOTICES.get(request.GET.get("done", ""), ""),
            },
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        mine = self._session(request)
        if not isinstance(mine, Session):
            return mine
        token, secret = str(request.POST.get("csrf_token") or ""), csrf.secret_of(request)
        if secret is None or not csrf.fits(token, secret):
            raise csrf.violation(request, token)
        if request.POST.get("others"):
            sessions.revoke_others(mine.identity, keep=mine)
            return self._done("others")
        if wanted := parse_uuid(request.POST.get("session", "")):
            self._revoke_own(mine, wanted)
        return self._done("one")

    def _revoke_own(self, mine: Session, wanted: uuid.UUID) -> None:
        """End it if it is theirs, and not the one that is used right now; who asks for another's learns nothing."""
        for row in Session.objects.filter(pk=wanted, identity_id=mine.identity_id, active=True).exclude(pk=mine.pk):
            sessions.revoke(row)

    def _done(self, what: str) -> HttpResponse:
        return problems.redirect(self.request, f"{self.request.path}?done={what}")

    def _session(self, request: HttpRequest) -> Session | HttpResponse:
        """Return who is signed in, or where a browser has to go first."""
        session = authentication.session_of(request)
        back = _allowed_return(identity_conf.public_url(self.request.path))
        if session is None:
            return problems.redirect(self.request, problems.with_query(identity_conf.public_url("/self-service/login/browser"), **back))
        try:
            authentication.require_aal(session, identity_conf.sessions().whoami_aal, authentication.step_up_url(**back))
        except SessionAAL2Required as problem:
            return problems.redirect(self.request, problem.extra["redirect_browser_to"])
        return session


def _allowed_return(url: str) -> dict[str, str]:
    """Return the way back to one of these pages, if the configuration lets a browser come back to it."""
    try:
        return {"return_to": return_to.resolve(url, return_to.default())}
    except Problem:
        return {}


class Theme(View):
    """GET /ui/theme.css: the operator's colours. A file of its own, since the pages allow no style inside them."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        brand = conf.brand()
        response = HttpResponse(colours.theme(brand.accent, brand.accent_dark), content_type="text/css; charset=utf-8")
        patch_cache_control(response, public=True, max_age=86400)
        return response
