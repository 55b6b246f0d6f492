"""What operators do to flows: recovery on behalf of a person (contract: identities.md 3.10)."""

from django.urls import path

from flows import admin_api

urlpatterns = [
    path("recovery/code", admin_api.RecoveryCode.as_view(), name="admin-recovery-code"),
    path("recovery/link", admin_api.RecoveryLink.as_view(), name="admin-recovery-link"),
]
