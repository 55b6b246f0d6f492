"""GET /sessions/whoami, answered before the framework's request stack: it is asked with every request of every application.

One prepared statement finds the session by the hash of its token, with its identity and addresses. Left to the view
(identity/api/sessions.py, see identity/http/shortcuts.py) are refusals, queries, bearer tokens, and a cookie that has to be sent anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from identity import conf, crypto
from identity.db.postgresql import base as postgresql
from identity.http import cookies, listener
from identity.http.shortcuts import Answer, Environ, Shortcut
from identity.identities import schemas

PATH = "/sessions/whoami"
TOKEN = "ory_st_"  # noqa: S105  how every token begins
LONGEST_TOKEN = 64

# How each database spells a moment (RFC 3339, UTC) and a UUID as text; a list of JSON objects, and one of them.
SPELLED: dict[str, tuple[Callable[[str], str], Callable[[str], str], str, str, str]] = {
    "postgresql": (
        lambda column: f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        lambda column: f"{column}::text",
        "coalesce(json_agg(json_build_object({})), '[]')::text",
        "{}::text",
        "a.verified",
    ),
    "sqlite": (
        lambda column: f"replace({column}, ' ', 'T') || 'Z'",
        lambda column: "||'-'||".join(
            f"substr({column},{start},{length})" for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        ),
        "json_group_array(json_object({}))",
        "{}",
        "json(iif(a.verified, 'true', 'false'))",
    ),
}


def statement(vendor: str, hashes: int) -> str:
    """Return the one statement; its parameters are the hashes and the present moment."""
    moment, uuid, objects, text, verified = SPELLED[vendor]
    common = f"'created_at', {moment('a.created_at')}, 'updated_at', {moment('a.updated_at')}"
    address = f"'id', {uuid('a.id')}, 'value', a.value, 'via', a.via"
    verifiable = objects.format(
        f"{address}, 'verified', {verified}, 'status', a.status, 'verified_at', {moment('a.verified_at')}, {common}"
    )
    recovery = objects.format(f"{address}, {common}")
    mark = "%s" if vendor == "postgresql" else "?"
    # Every value below is a name of ours; what comes from outside is a parameter.
    return f"""
        SELECT {uuid("s.id")}, {moment("s.expires_at")}, {moment("s.authenticated_at")}, s.aal, {text.format("s.authentication_methods")},
            {moment("s.issued_at")}, {text.format("s.devices")},
            {uuid("i.id")}, i.external_id, i.schema_id, i.state, {moment("i.state_changed_at")}, {text.format("i.traits")},
            (SELECT {verifiable} FROM (SELECT * FROM identity_verifiableaddress WHERE identity_id = i.id ORDER BY id) a),
            (SELECT {recovery} FROM (SELECT * FROM identity_recoveryaddress WHERE identity_id = i.id ORDER BY id) a),
            {text.format("i.metadata_public")}, {moment("i.created_at")}, {moment("i.updated_at")}, {uuid("i.organization_id")},
            i.available_aal
        FROM identity_session s JOIN identity_identity i ON i.id = s.identity_id
        WHERE s.token_hash IN ({", ".join([mark] * hashes)}) AND s.active AND s.expires_at > {mark} AND i.state = 'active'
    """  # noqa: S608


def _row(token: str) -> tuple[Any, ...] | None:
    """Return the live session of *token*, or None."""
    hashes, held = crypto.keyed_hashes(token), connections[DEFAULT_DB_ALIAS]
    if isinstance(held, postgresql.DatabaseWrapper):
        rows, _ = held.run(statement_for("postgresql", len(hashes)), (*hashes, timezone.now()))
        return rows[0] if rows else None
    held.ensure_connection()
    now = timezone.now().replace(tzinfo=None).isoformat(" ", "microseconds")
    found: tuple[Any, ...] | None = held.connection.execute(statement_for("sqlite", len(hashes)), (*hashes, now)).fetchone()
    return found


_statements: dict[tuple[str, int], str] = {}


def statement_for(vendor: str, hashes: int) -> str:
    key = (vendor, hashes)
    if key not in _statements:
        _statements[key] = statement(vendor, hashes)
    return _statements[key]


def _token(environ: Environ) -> tuple[str, float] | None:
    """Return the token that the request carries, and when the cookie that held it ends (0: it came without a cookie)."""
    if token := environ.get("HTTP_X_SESSION_TOKEN"):
        return token, 0.0
    name = conf.cookies().session_name
    for pair in environ.get("HTTP_COOKIE", "").split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return cookies.read_session(value)
    return None


def _json(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)


def _body(row: tuple[Any, ...]) -> bytes:
    id, expires_at, authenticated_at, aal, methods, issued_at, devices, *who = row
    identity_id, external_id, schema_id, state, state_changed_at, traits, verifiable, recovery, *rest = who
    metadata, created_at, updated_at, organization_id, _ = rest
    identity: dict[str, Any] = {"id": identity_id}
    if external_id:
        identity["external_id"] = external_id
    identity |= {"schema_id": schema_id, "schema_url": schemas.url_of(schema_id), "state": state}
    if state_changed_at:
        identity["state_changed_at"] = state_changed_at
    identity["traits"] = _json(traits)
    if verifiable != "[]":
        # inside a JSON text a quote is escaped, so these can only be members
        identity["verifiable_addresses"] = _json(verifiable.replace(', "verified_at" : null', "").replace(',"verified_at":null', ""))
    if recovery != "[]":
        identity["recovery_addresses"] = _json(recovery)
    identity |= {
        "metadata_public": _json(metadata),
        "created_at": created_at,
        "updated_at": updated_at,
        "organization_id": organization_id,
    }
    return orjson.dumps(
        {
            "id": id,
            "active": True,
            "expires_at": expires_at,
            "authenticated_at": authenticated_at,
            "authenticator_assurance_level": aal,
            "authentication_methods": _json(methods),
            "issued_at": issued_at,
            "identity": identity,
            "devices": _json(devices),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def answer(environ: Environ) -> Answer | None:
    if environ.get("QUERY_STRING") or "HTTP_AUTHORIZATION" in environ:
        return None
    carried = _token(environ)
    rules = conf.sessions()
    if carried is None or rules.cacheable or not carried[0].startswith(TOKEN) or len(carried[0]) > LONGEST_TOKEN:
        return None
    row = _row(carried[0])
    if row is None or (rules.whoami_aal != "aal1" and row[3] != "aal2" and row[-1] == "aal2"):
        return None
    if carried[1] and datetime.fromisoformat(row[1]).timestamp() > carried[1] + 1:
        return None
    body = _body(row)
    return [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Cache-Control", listener.NOT_CACHED),
        ("X-Kratos-Authenticated-Identity-Id", row[7]),
        ("Content-Length", str(len(body))),
    ], body


SHORTCUTS: dict[str, Shortcut] = {PATH: answer}
