"""The five flows as rows, and the one-time secrets that some of them hand out."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from identity.db import rows
from identity.db.fields import JSONField
from identity.errors import Conflict
from identity.identities.models import Identity
from identity.sessions.models import Session

FORM = ("ui", "active", "state", "internal")  # what a submission may change


class Flow(models.Model):
    """One form's journey from its first page to its end (contract: flows.md 2). Its id acts as a secret, so it is random."""

    BROWSER, API = "browser", "api"
    kind: ClassVar[str] = ""

    transient_payload: dict[str, Any] | None = None  # of this request only, never stored
    exchange_code = ""  # told once, when an app starts the flow

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=8, default=BROWSER)
    state = models.CharField(max_length=40, default="choose_method")
    active = models.CharField(max_length=32, default="", blank=True)
    request_url = models.TextField()
    return_to = models.TextField(default="", blank=True)  # set by us; else it is read from request_url
    csrf_hash = models.CharField(max_length=64, default="", blank=True)  # of the browser's secret
    ui = JSONField(default=dict)  # {nodes, messages, method?, action?}; csrf_token without its value
    internal = JSONField(default=dict)  # what a method keeps between two submits, never shown
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    submissions = models.IntegerField(default=0)  # counted up under concurrency control, see engine.claim
    claimed_until = models.DateTimeField(null=True, default=None)  # one submission is being worked on
    completed_at = models.DateTimeField(null=True, default=None)  # spent: nothing can be submitted any more

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    def keep(self, *names: str) -> None:
        """Store the form as it is now, or the attributes *names*. Raises Conflict when the flow was removed meanwhile."""
        if not rows.store(self, names or FORM):
            raise Conflict("This form was removed meanwhile. Please start again.")

    @property
    def is_browser(self) -> bool:
        return self.type == self.BROWSER

    @property
    def is_expired(self) -> bool:
        return self.expires_at < timezone.now()


class LoginFlow(Flow):
    kind = "login"

    refresh = models.BooleanField(default=False)
    requested_aal = models.CharField(max_length=4, default="aal1")
    organization_id = models.UUIDField(null=True, default=None)
    identity_schema = models.CharField(max_length=255, default="", blank=True)


class RegistrationFlow(Flow):
    kind = "registration"

    organization_id = models.UUIDField(null=True, default=None)
    identity_schema = models.CharField(max_length=255, default="", blank=True)


class SettingsFlow(Flow):
    kind = "settings"

    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="settings_flows")
    organization_id = models.UUIDField(null=True, default=None)


class RecoveryFlow(Flow):
    kind = "recovery"

    identity = models.ForeignKey(Identity, null=True, on_delete=models.CASCADE, related_name="recovery_flows")


class VerificationFlow(Flow):
    kind = "verification"

    identity = models.ForeignKey(Identity, null=True, on_delete=models.CASCADE, related_name="verification_flows")
    session = models.ForeignKey(Session, null=True, on_delete=models.SET_NULL, related_name="+")


class Code(models.Model):
    """A one-time code that was sent to an address, kept as a keyed hash (contract: flows.md 8)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    flow_id = models.UUIDField(db_index=True)
    purpose = models.CharField(max_length=32)  # the kind of the flow, with "_link" for a link's token
    identity = models.ForeignKey(Identity, null=True, on_delete=models.CASCADE, related_name="codes")
    via = models.CharField(max_length=16)
    address = models.CharField(max_length=400)
    code_hash = models.CharField(max_length=64)
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, default=None)
    by_operator = models.BooleanField(default=False)  # handed out by an operator: proves no address

    def __str__(self) -> str:
        return f"{self.purpose} code of {self.flow_id}"


class TokenExchange(models.Model):
    """An app waits for a session that its person opens in a browser; it knows one code, the browser brings the other
    (contract: flows.md 6.10)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16)  # of the flow
    flow_id = models.UUIDField(db_index=True)
    init_hash = models.CharField(max_length=64, unique=True)
    return_hash = models.CharField(max_length=64, default="", blank=True)
    session = models.ForeignKey(Session, null=True, default=None, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"of {self.kind} {self.flow_id}"


class ParkedSubmission(models.Model):
    """A sensitive change that waits until the person has proved again who they are (contract: flows.md 11.3)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    flow = models.ForeignKey(SettingsFlow, on_delete=models.CASCADE, related_name="parked")
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="+")
    payload = models.TextField()  # encrypted
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.id)


class PendingChange(models.Model):
    """New traits that wait until their new address is proved (contract: actions.md 3.6). One per person: a newer one replaces it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    identity = models.OneToOneField(Identity, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    settings_flow = models.ForeignKey(SettingsFlow, on_delete=models.CASCADE, related_name="+")
    verification_flow = models.OneToOneField(VerificationFlow, on_delete=models.CASCADE, related_name="pending_change")
    via = models.CharField(max_length=16)
    address = models.CharField(max_length=400)  # the new one
    traits = models.TextField()  # encrypted
    old_traits_hash = models.CharField(max_length=64)  # of the traits that the change was made from
    transient_payload = models.TextField(default="", blank=True)  # encrypted
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.id)
