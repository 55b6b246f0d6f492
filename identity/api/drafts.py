"""What a request says of an identity, read and checked before anything is locked, hashed or stored (contract: identities.md 3.1)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from identity.api import credentials
from identity.api.credentials import Import
from identity.api.operator import only, text
from identity.errors import BadRequest, Malformed
from identity.identities import services
from identity.identities.models import Identity
from identity.ids import parse_uuid

MEMBERS = frozenset(
    (
        "schema_id", "traits", "credentials", "verifiable_addresses", "recovery_addresses", "metadata_public", "metadata_admin", "state",
        "organization_id", "external_id", "region",
    )
)  # fmt: skip
ADDRESS = frozenset(("id", "value", "verified", "via", "status", "verified_at", "created_at", "updated_at", "break_glass_for_organization"))
STATES = (Identity.ACTIVE, Identity.INACTIVE)
REGIONS = ("eu-central", "asia-northeast", "us-east", "us-west", "eu", "asia", "us", "global")
Entries = list[dict[str, Any]]


@dataclass
class Draft:
    """An identity that an operator wants to have."""

    schema_id: str
    traits: dict[str, Any]
    fields: dict[str, Any]  # columns beside them
    imported: Import = field(default_factory=dict)
    known: Entries = field(default_factory=list)  # what is said of addresses

    @classmethod
    def of(cls, body: dict[str, Any]) -> Draft:
        """Read the body of a create request.

        Raises:
            Malformed: It is not what is documented; unknown members are not.
            BadRequest: A state, a hash, an import cannot be used.
        """
        only(body, MEMBERS)
        addresses(body, "recovery_addresses")
        return cls(
            schema_id=text(body, "schema_id"),
            traits=traits(body),
            imported=credentials.read(body.get("credentials"), strict=True),
            known=addresses(body, "verifiable_addresses"),
            fields={
                "state": state(body) or Identity.ACTIVE,
                "metadata_public": body.get("metadata_public"),
                "metadata_admin": body.get("metadata_admin"),
                "external_id": external_id(body),
                "organization_id": organization_id(body),
            },
        )

    def propose(self) -> Identity:
        """Return the identity, complete and checked, but not stored. Raises BadRequest, InvalidTraits."""
        identity = services.propose(self.schema_id, self.traits, **self.fields)
        credentials.put(identity, self.imported)
        services.derive(identity, self.known)
        return identity


def traits(body: dict[str, Any]) -> dict[str, Any]:
    found = body.get("traits", {})
    if not isinstance(found, dict):
        raise BadRequest("`traits` is an object.")
    return found


def state(body: dict[str, Any]) -> str:
    """Return the wanted state, "" when nothing is said of it, after a look at the region, which nobody keeps."""
    wanted, region = text(body, "state"), text(body, "region")
    if wanted and wanted not in STATES:
        raise BadRequest("`state` is active or inactive.")
    if region and region not in REGIONS:
        raise BadRequest("There is no such region.")
    return wanted


def external_id(body: dict[str, Any]) -> str | None:
    found = text(body, "external_id")
    if len(found) > services.EXTERNAL_ID:
        raise BadRequest(f"`external_id` has at most {services.EXTERNAL_ID} characters.")
    return found or None


def organization_id(body: dict[str, Any]) -> uuid.UUID | None:
    said = text(body, "organization_id")
    found = parse_uuid(said)
    if said and found is None:
        raise Malformed('"organization_id" is not a UUID.')
    return found


def addresses(body: dict[str, Any], name: str) -> Entries:
    """Return what is said of addresses, as `services.derive` takes it."""
    found = body.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise Malformed(f'"{name}" is not a list of objects.')
    return [address(entry) for entry in found]


def address(entry: dict[str, Any]) -> dict[str, Any]:
    only(entry, ADDRESS)
    verified = entry.get("verified")
    if not isinstance(verified, bool | None):
        raise Malformed('"verified" is neither true nor false.')
    status = text(entry, "status")
    if len(status) > 16:
        raise BadRequest("`status` of an address is pending, sent or completed.")
    return {
        "value": text(entry, "value"),
        "via": text(entry, "via"),
        "verified": bool(verified),
        "status": status,
        "verified_at": moment(entry, "verified_at"),
    }


def moment(body: dict[str, Any], name: str) -> datetime | None:
    """Return a time (RFC 3339), None when it is missing or null. Raises Malformed."""
    said = text(body, name)
    try:
        found = parse_datetime(said) if said else None
    except ValueError:
        found = None
    if said and (found is None or found.tzinfo is None):
        raise Malformed(f'"{name}" is not a time such as 2026-01-31T12:00:00Z.')
    try:
        return found.astimezone(UTC) if found else None
    except OverflowError as error:
        raise Malformed(f'"{name}" lies outside of the years that can be kept.') from error
