"""The console's pages about people: find somebody, see what is known of them, disable them, end their sessions."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from identity.console import ReadOnlyAdmin, ReadOnlyInline, pretty
from identity.credentials.models import CredentialIdentifier
from identity.identities import normalize, services
from identity.identities.models import VIAS, Identity, RecoveryAddress, VerifiableAddress
from identity.ids import parse_uuid
from identity.sessions import services as sessions
from identity.sessions.models import Session

admin.site.unregister(Group)
admin.site.unregister(User)


@admin.register(User)
class ConsoleUserAdmin(auth_admin.UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    """Who may use the console. They are not identities."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_filter = ("is_staff", "is_superuser", "is_active")
    filter_horizontal = ("user_permissions",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("When", {"fields": ("last_login", "date_joined")}),
    )


class OpenSessions(ReadOnlyInline):
    model = Session
    verbose_name_plural = "open sessions"
    fields = readonly_fields = ("issued_at", "expires_at", "aal", "used", "device", "end")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        rows: QuerySet[Session] = super().get_queryset(request)
        return rows.filter(sessions.live()).order_by("-issued_at")

    @admin.display(description="methods")
    def used(self, session: Session) -> str:
        return ", ".join(session.methods_used())

    def device(self, session: Session) -> str:
        return "; ".join(f"{device.get('ip_address', '')} {device.get('user_agent', '')}".strip() for device in session.devices)

    @admin.display(description="")
    def end(self, session: Session) -> SafeString:
        """A button of the page's own form, which holds the token against forgery."""
        url = reverse("admin:identity_identity_end_session", args=[session.identity_id, session.pk])
        return format_html(
            '<button type="submit" formaction="{}" formnovalidate class="cursor-pointer font-medium text-red-600">End session</button>', url
        )


@admin.register(Identity)
class IdentityAdmin(ReadOnlyAdmin):
    list_display = ("id", "in_state", "first_address", "external_id", "created_at")
    list_filter = ("state",)
    search_fields = ("external_id",)  # what is searched: see get_search_results
    search_help_text = "An identifier, an address, an external id or an id, as a whole"
    ordering = ("-id",)
    inlines = (OpenSessions,)
    actions = ("disable", "enable", "end_sessions")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "id",
                    "in_state",
                    "state_changed_at",
                    "schema_id",
                    "external_id",
                    "organization_id",
                    "available_aal",
                    "created_at",
                    "updated_at",
                )
            },
        ),
        ("Traits", {"fields": ("pretty_traits",)}),
        ("Addresses and credentials", {"fields": ("addresses", "credentials")}),
        ("Metadata", {"fields": ("pretty_public", "pretty_admin")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Identity]:
        rows: QuerySet[Identity] = super().get_queryset(request)
        return rows.prefetch_related("verifiable_rows")

    def get_search_results(self, request: HttpRequest, rows: QuerySet[Identity], term: str) -> tuple[QuerySet[Identity], bool]:
        return (rows.filter(pk__in=found(term)) if term.strip() else rows), False

    def get_urls(self) -> list[URLPattern]:
        end = path(
            "<uuid:id>/sessions/<uuid:session_id>/end", self.admin_site.admin_view(self.end_session), name="identity_identity_end_session"
        )
        return [end, *super().get_urls()]

    @display(description="state", ordering="state", label={Identity.ACTIVE: "success", Identity.INACTIVE: "danger"})  # type: ignore[untyped-decorator]  # unfold has no types
    def in_state(self, identity: Identity) -> str:
        return identity.state

    @admin.display(description="address")
    def first_address(self, identity: Identity) -> str:
        return next((row.value for row in sorted(identity.verifiable_rows.all(), key=lambda row: row.id)), "")

    def addresses(self, identity: Identity) -> SafeString:
        seen = [(row.via, row.value, "verified" if row.verified else row.status) for row in identity.verifiable]
        return format_html_join("", "<div>{}: {} ({})</div>", [*seen, *((row.via, row.value, "for recovery") for row in identity.recovery)])

    def credentials(self, identity: Identity) -> SafeString:
        """Which there are and how they are named; what is in them is nobody's business here."""
        return format_html_join(
            "", "<div>{}: {}</div>", ((type, ", ".join(row.names) or "-") for type, row in sorted(identity.factors.items()))
        )

    @admin.display(description="traits")
    def pretty_traits(self, identity: Identity) -> SafeString:
        return pretty(identity.traits)

    @admin.display(description="public")
    def pretty_public(self, identity: Identity) -> SafeString:
        return pretty(identity.metadata_public)

    @admin.display(description="for operators")
    def pretty_admin(self, identity: Identity) -> SafeString:
        return pretty(identity.metadata_admin)

    @admin.action(description="Disable: nobody signs in, no session opens anything", permissions=["operate"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Identity]) -> None:
        messages.success(request, f"{_put_into(chosen, Identity.INACTIVE)} disabled.")

    @admin.action(description="Enable", permissions=["operate"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Identity]) -> None:
        messages.success(request, f"{_put_into(chosen, Identity.ACTIVE)} enabled.")

    @admin.action(description="End all sessions", permissions=["operate"])
    def end_sessions(self, request: HttpRequest, chosen: QuerySet[Identity]) -> None:
        ids = list(chosen.values_list("pk", flat=True))
        messages.success(request, f"{sessions.end(Session.objects.filter(identity_id__in=ids))} sessions ended.")

    def end_session(self, request: HttpRequest, id: uuid.UUID, session_id: uuid.UUID) -> HttpResponse:
        """End one session; reached by the button beside it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        session = Session.objects.filter(pk=session_id, identity_id=id).first()
        if session is None or not self.has_operate_permission(request):
            raise Http404
        sessions.revoke(session)
        messages.success(request, "The session was ended.")
        return HttpResponseRedirect(reverse("admin:identity_identity_change", args=[id]))


def found(term: str) -> set[uuid.UUID]:
    """Return the keys of the identities that a search means; each way to name one is looked up in its index."""
    typed = term.strip()
    if "\x00" in typed:
        return set()
    spelled = {typed, normalize.identifier(typed)}
    keys: set[uuid.UUID] = set(Identity.objects.filter(Q(external_id=typed) | Q(pk=parse_uuid(typed.lower()))).values_list("pk", flat=True))
    keys |= set(CredentialIdentifier.objects.filter(identifier__in=spelled).values_list("identity_id", flat=True)[:100])
    for kind in (VerifiableAddress, RecoveryAddress):
        keys |= set(kind._default_manager.filter(via__in=VIAS, value__in=spelled).values_list("identity_id", flat=True))
    return keys


def _put_into(chosen: QuerySet[Identity], state: str) -> int:
    """Returns how many were in another state before."""
    changed = 0
    for id in list(chosen.exclude(state=state).values_list("pk", flat=True)):
        with transaction.atomic():
            before = services.lock(id)
            after: Any = services.revise(before)
            after.state = state
            services.update(before, after)
            changed += 1
    return changed
