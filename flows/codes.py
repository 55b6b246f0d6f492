"""One-time codes: make one, send it, spend it (contract: flows.md 8, methods.md 6.1)."""

from __future__ import annotations

import secrets
from typing import Any

from django.utils import timezone

from flows import conf
from flows.models import Code, Flow
from identity import crypto
from identity.identities.models import Identity

DIGITS = 6


def issue(flow: Flow, via: str, address: str, identity: Identity | None) -> str:
    """Return a new code for this flow; earlier ones of the flow are void. The row holds its keyed hash only."""
    code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    now = timezone.now()
    Code.objects.filter(flow_id=flow.pk).delete()
    Code.objects.create(
        flow_id=flow.pk,
        purpose=flow.kind,
        identity=identity,
        via=via,
        address=address,
        code_hash=_hash(flow, code),
        issued_at=now,
        expires_at=now + conf.codes().lifespan,
    )
    return code


def _hash(flow: Flow, code: str) -> str:
    return crypto.keyed_hash(f"code {flow.pk} {code}")


def lifespan_minutes() -> int:
    return int(conf.codes().lifespan.total_seconds() // 60)


def template_data(flow: Flow, address: str, identity: dict[str, Any] | None) -> dict[str, Any]:
    """Return the variables that every message with a code has (contract: identities.md 5.3)."""
    return {
        "to": address,
        "identity": identity,
        "request_url": flow.request_url,
        "transient_payload": flow.transient_payload or {},
        "expires_in_minutes": lifespan_minutes(),
    }
