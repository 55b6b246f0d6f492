"""The console's pages about flows: which forms are open, which expired, which were finished. Nothing can be changed."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from flows.models import Flow, LoginFlow, RecoveryFlow, RegistrationFlow, SettingsFlow, VerificationFlow
from identity.console import ReadOnlyAdmin

SHOWN = ("id", "standing", "type", "state", "active", "request_url", "return_to", "submissions", "issued_at", "expires_at", "completed_at")
FINISHED, EXPIRED, OPEN = "finished", "expired", "open"


class FlowAdmin(ReadOnlyAdmin):
    """What a method keeps inside a flow, and what it asked for, stays there."""

    list_display = ("id", "standing", "type", "state", "active", "submissions", "issued_at", "expires_at")
    list_filter = ("type", "state")
    ordering = ("-expires_at",)
    fields = SHOWN

    @display(description="standing", label={FINISHED: "success", EXPIRED: "warning", OPEN: "info"})
    def standing(self, flow: Flow) -> str:
        if flow.completed_at:
            return FINISHED
        return EXPIRED if flow.is_expired else OPEN


@admin.register(LoginFlow)
class LoginFlowAdmin(FlowAdmin):
    fields = (*SHOWN, "refresh", "requested_aal", "identity_schema")


@admin.register(RegistrationFlow)
class RegistrationFlowAdmin(FlowAdmin):
    fields = (*SHOWN, "identity_schema")


@admin.register(SettingsFlow, RecoveryFlow, VerificationFlow)
class FlowOfIdentityAdmin(FlowAdmin):
    fields = (*SHOWN, "identity")
