"""What the outside sees of our rows (contract: flows.md 12.3, identities.md 1). Never a credential's secret, never a token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from identity.identities import schemas
from identity.identities.models import Identity, RecoveryAddress, VerifiableAddress
from identity.sessions.models import Session
from identity.sessions.services import rfc3339


def moment(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def identity(row: Identity, *, admin: bool = False, with_addresses: bool = True) -> dict[str, Any]:
    """The public view; with *admin*, what an operator sees beside it."""
    seen: dict[str, Any] = {"id": str(row.id)}
    if row.external_id:
        seen["external_id"] = row.external_id
    seen |= {"schema_id": row.schema_id, "schema_url": schemas.url_of(row.schema_id), "state": row.state}
    if row.state_changed_at:
        seen["state_changed_at"] = rfc3339(row.state_changed_at)
    seen["traits"] = row.traits
    if with_addresses and row.verifiable:
        seen["verifiable_addresses"] = [verifiable(address) for address in row.verifiable]
    if with_addresses and row.recovery:
        seen["recovery_addresses"] = [recovery(address) for address in row.recovery]
    seen["metadata_public"] = row.metadata_public
    if admin:
        seen["metadata_admin"] = row.metadata_admin
    return seen | {
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
        "organization_id": str(row.organization_id) if row.organization_id else None,
    }


def verifiable(row: VerifiableAddress) -> dict[str, Any]:
    seen: dict[str, Any] = {"id": str(row.id), "value": row.value, "verified": row.verified, "via": row.via, "status": row.status}
    if row.verified_at:
        seen["verified_at"] = moment(row.verified_at) if isinstance(row.verified_at, datetime) else row.verified_at
    return seen | {"created_at": rfc3339(row.created_at), "updated_at": rfc3339(row.updated_at)}


def recovery(row: RecoveryAddress) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "value": row.value,
        "via": row.via,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def session(row: Session, *, admin: bool = False, with_identity: bool = True) -> dict[str, Any]:
    """A session with its identity and devices."""
    return _session(row, identity(row.identity, admin=admin) if with_identity else None)


def sessions_of(owner: Identity, rows: Sequence[Session]) -> list[dict[str, Any]]:
    """Sessions of one identity, which is shown without its addresses, and drawn once for all of them."""
    seen = identity(owner, with_addresses=False)
    for row in rows:
        row.identity = owner
    return [_session(row, seen) for row in rows]


def _session(row: Session, seen: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "active": row.is_live,
        "expires_at": rfc3339(row.expires_at),
        "authenticated_at": rfc3339(row.authenticated_at),
        "authenticator_assurance_level": row.aal,
        "authentication_methods": row.authentication_methods,
        "issued_at": rfc3339(row.issued_at),
        "identity": seen,
        "devices": row.devices,
    }
