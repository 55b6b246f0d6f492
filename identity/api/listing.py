"""Identities from the database into JSON, as operators see them: three statements for a page, however long it is.

Rows become members of the answer directly. Model instances would cost four times as much for nothing: a list changes
nothing, and what rests as JSON goes out as it rests.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection

from identity.credentials import sealing
from identity.db import cursors, rows
from identity.identities import normalize, schemas

OWNS = "i.id IN (SELECT identity_id FROM identity_credentialidentifier WHERE {})"
BY_TRAITS, BY_PROVIDER = "type IN ('password', 'webauthn', 'code')", "type IN ('oidc', 'saml')"
TEXT = "CAST({} AS text)"  # a uuid or a time made an object, only to be written out again, would be most of the work
FEW = 8  # identities


def _texts(*columns: str) -> str:
    return ", ".join(TEXT.format(column) for column in columns)


IDENTITY = (
    f"{_texts('i.id', 'i.state_changed_at', 'i.created_at', 'i.updated_at', 'i.organization_id')},"
    " i.external_id, i.schema_id, i.state, i.traits, i.metadata_public, i.metadata_admin"
)
ADDRESS = f"{_texts('identity_id', 'id', 'created_at', 'updated_at')}, via, value"
ADDRESSES = (
    f"SELECT {ADDRESS}, verified, status, {_texts('verified_at')} FROM identity_verifiableaddress WHERE {{0}}"  # noqa: S608  constants
    f" UNION ALL SELECT {ADDRESS}, NULL, NULL, NULL FROM identity_recoveryaddress WHERE {{0}} ORDER BY 2"
)
CREDENTIALS = (
    f"SELECT {_texts('c.identity_id', 'c.created_at', 'c.updated_at')}, c.type, c.config, c.version, n.identifier"  # noqa: S608  constants
    " FROM identity_credential c LEFT JOIN identity_credentialidentifier n ON n.credential_id = c.id"
    " WHERE {0} ORDER BY c.type, n.identifier"
)


@dataclass
class Search:
    """Conditions on identities, all of which must hold."""

    conditions: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def add(self, condition: str, *parameters: Any) -> None:
        self.conditions.append(condition)
        self.parameters += parameters

    def by_ids(self, ids: Collection[uuid.UUID]) -> None:
        condition, parameters = _among("i.id", ids)
        self.add(condition, *parameters)

    def by_external_id(self, external_id: str) -> None:
        self.add("i.external_id = %s", external_id)

    def by_organization(self, id: uuid.UUID) -> None:
        self.add("i.organization_id = %s", _key(id))

    def by_identifier(self, typed: str) -> None:
        """Whoever signs in with what was typed, in any spelling; a provider's subject has only one (contract: identities.md 3.2)."""
        self.add(
            OWNS.format(f"{BY_TRAITS} AND identifier IN (%s, %s) OR {BY_PROVIDER} AND identifier = %s"),
            typed,
            normalize.identifier(typed),
            typed,
        )

    def by_beginning(self, typed: str) -> None:
        """Whoever signs in with something that begins as typed."""
        start = normalize.identifier(typed)
        if _is_postgres():
            condition, parameters = "identifier LIKE %s", [start.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"]
        else:
            condition, parameters = "identifier >= %s AND identifier < %s", [start, start + "\U0010ffff"]
        self.add(OWNS.format(f"{BY_TRAITS} AND {condition}"), *parameters)

    def after(self, id: uuid.UUID) -> None:
        self.add("i.id > %s", _key(id))


def _is_postgres() -> bool:
    return connection.vendor == "postgresql"


def _key(id: uuid.UUID) -> Any:
    return id if _is_postgres() else id.hex


def _among(column: str, ids: Iterable[uuid.UUID | str]) -> tuple[str, list[Any]]:
    """Return the condition for one of these keys; on PostgreSQL one statement serves any number of them."""
    if _is_postgres():
        return f"{column} = ANY(CAST(%s AS uuid[]))", [[str(id) for id in ids]]
    keys = [id.hex if isinstance(id, uuid.UUID) else id for id in ids]
    return f"{column} IN ({', '.join(['%s'] * len(keys))})", keys


def count() -> int:
    return int(rows.found("SELECT count(*) FROM identity_identity", ())[0][0])


def find(search: Search, limit: int, offset: int = 0, *, credentials: bool, opened: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return identities in the order of their ids; *credentials*: with those of them, *opened*: types whose config is shown."""
    where = f" WHERE {' AND '.join(search.conditions)}" if search.conditions else ""
    found = rows.found(
        f"SELECT {IDENTITY} FROM identity_identity i{where} ORDER BY i.id LIMIT %s OFFSET %s",  # noqa: S608  conditions are constants
        [*search.parameters, limit, offset],
    )
    if not found:
        return []
    ask = rows.found if len(found) <= FEW else _planned
    condition, parameters = _among("identity_id", [row[0] for row in found])
    verifiable, recovery = _addresses(ask(ADDRESSES.format(condition), [*parameters, *parameters]))
    owned: dict[Any, dict[str, Any]] = {}
    if credentials:
        owned = _credentials(ask(CREDENTIALS.format("c." + condition), parameters), opened)
    return [_identity(row, verifiable.get(row[0]), recovery.get(row[0]), owned.get(row[0], {}) if credentials else None) for row in found]


def _planned(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return what is found by a plan for these values: for many keys another way is quicker than for few."""
    return cursors.run(connection, statement, values)[0]


def _identity(row: tuple[Any, ...], verifiable: Any, recovery: Any, credentials: dict[str, Any] | None) -> dict[str, Any]:
    id, changed, created, updated, organization, external_id, schema_id, state, traits, public, admin = row
    seen: dict[str, Any] = {"id": _uuid(id)}
    if external_id:
        seen["external_id"] = external_id
    if credentials is not None:
        seen["credentials"] = credentials
    seen["schema_id"], seen["schema_url"], seen["state"] = schema_id, schemas.url_of(schema_id), state
    if changed:
        seen["state_changed_at"] = _moment(changed)
    seen["traits"] = _json(traits)
    if verifiable:
        seen["verifiable_addresses"] = verifiable
    if recovery:
        seen["recovery_addresses"] = recovery
    seen["metadata_public"], seen["metadata_admin"] = _json(public), _json(admin)
    seen["created_at"], seen["updated_at"] = _moment(created), _moment(updated)
    seen["organization_id"] = _uuid(organization) if organization else None
    return seen


def _addresses(held: list[tuple[Any, ...]]) -> tuple[dict[Any, list[Any]], dict[Any, list[Any]]]:
    """Return verifiable and recovery addresses by identity."""
    verifiable: dict[Any, list[Any]] = {}
    recovery: dict[Any, list[Any]] = {}
    for identity, id, created, updated, via, value, verified, status, verified_at in held:
        seen: dict[str, Any] = {"id": _uuid(id), "value": value}
        if status is None:
            seen["via"] = via
            recovery.setdefault(identity, []).append(seen)
        else:
            seen["verified"], seen["via"], seen["status"] = bool(verified), via, status
            if verified_at:
                seen["verified_at"] = _moment(verified_at)
            verifiable.setdefault(identity, []).append(seen)
        seen["created_at"], seen["updated_at"] = _moment(created), _moment(updated)
    return verifiable, recovery


def _credentials(held: list[tuple[Any, ...]], opened: Collection[str]) -> dict[Any, dict[str, Any]]:
    """Return credentials by identity and type; a credential comes once for each of its identifiers."""
    owned: dict[Any, dict[str, Any]] = {}
    for identity, created, updated, type, config, version, name in held:
        mine = owned.setdefault(identity, {})
        if type not in mine:
            mine[type] = {"type": type, "identifiers": []}
            if type in opened:
                mine[type]["config"] = sealing.for_operators(type, json.loads(config))
            mine[type] |= {"version": version, "created_at": _moment(created), "updated_at": _moment(updated)}
        if name is not None:
            mine[type]["identifiers"].append(name)
    return owned


def _uuid(value: str) -> str:
    """Return a key as it is written; SQLite holds it as 32 hex digits."""
    return value if "-" in value else f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _moment(value: str) -> str:
    """Return a time as `sessions.services.rfc3339` does; every connection is in UTC."""
    whole, _, fraction = value.removesuffix("+00").replace(" ", "T").partition(".")
    return f"{whole}.{fraction:0<6}Z"


def _json(value: str | None) -> Any:
    return None if value is None else orjson.Fragment(value)
