"""A change of settings that waits until its new address is proved (contract: actions.md 3.6, flows.md 10).

Nothing of it touches the identity until then. It belongs to the session that asked for it, and to the traits that it was
made from: when either is gone, so is the change.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.utils import timezone

from flows.methods.base import ProvenAddress
from flows.models import PendingChange, SettingsFlow, VerificationFlow
from identity import crypto
from identity.errors import BadRequest
from identity.identities import schemas, services
from identity.identities.models import Identity, VerifiableAddress
from identity.sessions.models import Session


class Void(Exception):
    """The change cannot be made any more: who asked for it is signed out, or the traits are not what they were."""


def keep(
    flow: SettingsFlow, session: Session, before: Identity, after: Identity, address: VerifiableAddress, proof: VerificationFlow
) -> None:
    """Store a change until *address* is proved in the flow *proof*, instead of an older one. In the caller's transaction."""
    PendingChange.objects.update_or_create(
        identity=before,
        defaults={
            "session": session,
            "settings_flow": flow,
            "verification_flow": proof,
            "via": address.via,
            "address": address.value,
            "traits": _sealed(after.traits),
            "old_traits_hash": crypto.keyed_hash(_spelled(before.traits)),
            "transient_payload": _sealed(flow.transient_payload or {}),
            "created_at": timezone.now(),
        },
    )


def forget(identity: Identity) -> None:
    """Drop a change that waits: its person has saved the old traits again. In the caller's transaction."""
    PendingChange.objects.filter(identity=identity).delete()


def _sealed(value: Any) -> str:
    return crypto.encrypt(orjson.dumps(value).decode())


def _spelled(traits: Any) -> str:
    return orjson.dumps(traits, option=orjson.OPT_SORT_KEYS).decode()


def find(flow: VerificationFlow, proven: ProvenAddress) -> PendingChange | None:
    """Return the change that waited for just this proof."""
    rows = PendingChange.objects.select_related("settings_flow__identity", "session__identity", "identity")
    return rows.filter(verification_flow_id=flow.pk, identity_id=proven.identity.pk, via=proven.via, address=proven.value).first()


def proposal(change: PendingChange) -> tuple[Identity, Identity]:
    """Return the identity as it is, and as it shall be, with its new address proved. Raises Void."""
    before = change.identity
    _require_valid(change, before, change.session)
    after = services.revise(before)
    after.traits = orjson.loads(crypto.decrypt(change.traits) or "null")
    try:
        services.derive(after)
    except (schemas.InvalidTraits, BadRequest) as error:  # the schema was changed meanwhile
        raise Void from error
    for row in after.verifiable:
        if row.key == (change.via, change.address):
            row.prove()
    return before, after


def _require_valid(change: PendingChange, identity: Identity, session: Session | None) -> None:
    if session is None or not session.is_live:
        raise Void
    if change.old_traits_hash not in crypto.keyed_hashes(_spelled(identity.traits)):
        raise Void


def payload(change: PendingChange) -> dict[str, Any]:
    """Return what the application sent along with the change, for hooks."""
    held: dict[str, Any] = orjson.loads(crypto.decrypt(change.transient_payload) or "{}")
    return held


def carry_out(change: PendingChange, before: Identity, after: Identity) -> None:
    """Store the change, once, in the caller's transaction.

    Raises:
        Void: It cannot be made any more.
        Taken: Somebody else has the address meanwhile; the transaction must be rolled back.
    """
    stored = services.lock(change.identity_id)
    _require_valid(change, stored, Session.objects.select_related("identity").filter(pk=change.session_id).first())
    if not PendingChange.objects.filter(pk=change.pk, verification_flow_id=change.verification_flow_id).delete()[0]:
        raise Void
    services.update(before, after)
