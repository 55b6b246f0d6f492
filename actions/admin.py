"""The console's pages about deliveries: what is waiting, what was given up and why, and the button to send it again."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from actions import admin_api
from actions.delivery import outbox
from actions.delivery.models import Delivery, DeliveryAttempt
from identity.console import ReadOnlyAdmin, ReadOnlyInline

EXCERPT = 200  # characters of an answer
LABELS = {Delivery.QUEUED: "info", admin_api.PROCESSING: "warning", Delivery.SENT: "success", Delivery.ABANDONED: "danger"}


class Attempts(ReadOnlyInline):
    model = DeliveryAttempt
    verbose_name_plural = "attempts"
    ordering = ("started_at",)  # numbers begin anew when a delivery is sent again
    fields = readonly_fields = ("started_at", "took", "answer_status", "excerpt", "error")

    def took(self, attempt: DeliveryAttempt) -> str:
        return f"{attempt.took_ms} ms"

    @admin.display(description="answer")
    def excerpt(self, attempt: DeliveryAttempt) -> str:
        return attempt.answer[:EXCERPT]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("id", "standing", "channel", "what", "target", "attempts", "due_at")
    list_filter = ("status", "channel")
    ordering = ("-id",)
    inlines = (Attempts,)
    actions = ("send_again",)
    fields = (
        "id", "standing", "channel", "what", "target", "hook", "message_id", "flow_id", "identity_id",
        "attempts", "due_at", "created_at", "updated_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = super().get_queryset(request).exclude(status=Delivery.WITHHELD)
        return rows.defer("content")

    @display(description="status", ordering="status", label=LABELS)  # type: ignore[untyped-decorator]  # unfold has no types
    def standing(self, delivery: Delivery) -> str:
        return admin_api.status_of(delivery)

    @admin.display(description="what", ordering="subject")
    def what(self, delivery: Delivery) -> str:
        return delivery.subject

    @admin.action(description="Send again", permissions=["operate"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        asked, queued = chosen.count(), outbox.requeue(chosen)
        if queued:
            messages.success(request, f"{queued} will be sent again.")
        if queued < asked:
            messages.warning(request, f"{asked - queued} cannot be sent again: what they said is not kept.")
