"""What has to arrive, and what came of it: one row per message or webhook, one per attempt."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from identity.db.fields import JSONField
from identity.ids import uuid7


class Delivery(models.Model):
    """Something to be sent at least once. Its content is a credential at times, so it rests encrypted and is blanked once sent.

    queued -> (claimed until `lease_until`) -> sent | queued again | abandoned
    """

    QUEUED, SENT, ABANDONED, WITHHELD = "queued", "sent", "abandoned", "withheld"
    WEBHOOK, EMAIL, SMS = "webhook", "email", "sms"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel = models.CharField(max_length=16)
    status = models.CharField(max_length=16, default=QUEUED)
    message_id = models.CharField(max_length=64, unique=True)  # the same in every attempt, known to the receiver
    content = models.TextField()  # encrypted JSON
    target = models.TextField(default="", blank=True)  # the URL, or the recipient
    subject = models.CharField(max_length=255, default="", blank=True)  # of what: trigger or template type
    hook = models.CharField(max_length=255, default="", blank=True)  # path of the entry in the configuration
    flow_id = models.UUIDField(null=True, default=None)
    identity_id = models.UUIDField(null=True, default=None, db_index=True)
    attempts = models.IntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, default=None)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(status="queued"), name="delivery_due"),
            models.Index(fields=["channel", "target"], name="delivery_target"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.subject}"


class DeliveryAttempt(models.Model):
    """One try: when, how long, what came back. Never holds what was sent."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    number = models.IntegerField()
    started_at = models.DateTimeField()
    took_ms = models.IntegerField(default=0)
    answer_status = models.IntegerField(null=True, default=None)
    answer = models.TextField(default="", blank=True)  # its first characters
    error = models.TextField(default="", blank=True)

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["delivery", "number"])]

    def __str__(self) -> str:
        return f"attempt {self.number}"

    @property
    def is_success(self) -> bool:
        return not self.error


class DevRequest(models.Model):
    """A request that the development receiver got (/ui/dev/hooks)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    method = models.CharField(max_length=16)
    headers = JSONField(default=dict)
    body = models.TextField(default="", blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.name
