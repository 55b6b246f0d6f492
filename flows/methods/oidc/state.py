"""What is remembered while somebody is away at a provider.

Three things have to meet again: the sealed `state` that went through the provider, the cookie of the browser that left,
and the record in the flow. The record is used once. An app's flow has no cookie; there the app holds a code instead,
without which nobody gets the session (flows/exchange.py).
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from django.db import transaction

from flows.models import Flow
from identity import crypto
from identity.ids import alphanumeric

RECORD = "oidc"  # in flow.internal, encrypted
KEY = 32  # characters
LIFESPAN = 30 * 60  # seconds


@dataclass(frozen=True)
class State:
    """What the provider hands back unread."""

    flow: str
    kind: str
    provider: str
    key: str


@dataclass(frozen=True)
class Record:
    """One journey to a provider. `fields` and `payload` are what was submitted with it, `temporary` is the preset's own."""

    provider: str
    key: str
    nonce: str
    verifier: str  # of PKCE (RFC 7636); "" without
    fields: dict[str, Any]
    payload: dict[str, Any]
    begun_at: float  # unix seconds
    temporary: dict[str, str] = field(default_factory=dict)


def begin(flow: Flow, provider: str, fields: dict[str, Any], payload: dict[str, Any], *, uses_pkce: bool) -> tuple[Record, str]:
    """Return a record, to be kept, and the sealed state."""
    record = Record(provider, alphanumeric(KEY), alphanumeric(KEY), alphanumeric(64) if uses_pkce else "", fields, payload, time.time())
    return record, crypto.seal_state(orjson.dumps(asdict(State(str(flow.pk), flow.kind, provider, record.key))))


def keep(flow: Flow, record: Record) -> None:
    """Let the record wait in the flow, which the caller saves. An earlier journey of the flow is void."""
    flow.internal[RECORD] = crypto.encrypt(orjson.dumps(asdict(record)).decode())


def read(sealed: str) -> State | None:
    """Return what was sealed, or None for what is not ours."""
    plain = crypto.open_state(sealed) if sealed.isascii() else None
    held = orjson.loads(plain) if plain else {}
    return State(**held) if held.keys() == State.__annotations__.keys() else None


def take(flow: Flow, state: State) -> Record | None:
    """Return the record of this journey, once; None when it was taken already, or is too old. One that does not fit stays."""
    rows = type(flow)._default_manager
    with transaction.atomic():
        row = rows.select_for_update().filter(pk=flow.pk).first()
        if row is None:
            return None
        held = crypto.decrypt(row.internal.get(RECORD, ""))
        record = Record(**orjson.loads(held)) if held else None
        if record is None or record.key != state.key or record.provider != state.provider:
            return None
        del row.internal[RECORD]
        row.save(update_fields=["internal"])
    flow.internal.pop(RECORD, None)
    return record if record.begun_at + LIFESPAN > time.time() else None
