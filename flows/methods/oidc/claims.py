"""What a provider says of somebody, and what the operator's mapper makes of it (contract: methods.md 10.7)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from flows.methods.oidc.conf import ProviderRules
from identity import jsonnet
from identity.config import sources
from identity.credentials import oidc
from identity.db import values
from identity.errors import BadRequest, InternalError, InvalidConfiguration
from identity.identities.models import Identity
from identity.sessions import aal
from identity.sessions import services as sessions

STANDARD = (
    *("iss", "sub", "oid", "name", "given_name", "family_name", "last_name", "middle_name", "nickname", "preferred_username", "profile"),
    *("picture", "website", "email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number"),
    *("phone_number_verified", "updated_at", "hd", "team", "nonce", "nonce_supported", "acr", "amr"),
)
FLAGS = ("email_verified", "phone_number_verified")
NESTED = 32  # levels of what a provider says that are kept


@dataclass(frozen=True)
class Account:
    """An account at a provider that somebody has just proved to hold. `tokens`: id_token, access_token, refresh_token."""

    rules: ProviderRules
    issuer: str
    subject: str
    claims: dict[str, Any]
    tokens: dict[str, str] = field(default_factory=dict)

    def proof(self) -> dict[str, Any]:
        """Return what was proved, as an entry of a session's `authentication_methods`."""
        acr, amr = self.claims.get("acr") or "", self.claims.get("amr") or []
        vouches = acr in self.rules.aal2_acr or any(each in self.rules.aal2_amr for each in amr)
        more: dict[str, Any] = {"provider": self.rules.id}
        more |= {"upstream_acr": acr} if acr else {}
        more |= {"upstream_amr": amr} if amr else {}
        return sessions.proof("oidc", aal.AAL2 if vouches else aal.AAL1, **more)


def subject_of(rules: ProviderRules, raw: dict[str, Any]) -> str:
    """Return the subject, "" where nobody is named by whom an account could be found again."""
    subject = raw.get("sub")
    if not isinstance(subject, str | int) or isinstance(subject, bool) or not subject:
        return ""
    named = str(subject)
    return named if _storable(named) == named and len(oidc.identifier(rules.id, named)) <= oidc.MAX else ""


def normalized(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the claims as a mapper sees them: without empty ones, with everything that was said in `raw_claims`.

    A claim of another type than its own (OpenID Connect Core section 5.1) is in `raw_claims` only.
    """
    raw = _storable(raw)
    seen = {name: _typed(name, raw[name]) for name in STANDARD if raw.get(name)}
    seen = {name: value for name, value in seen.items() if value}
    for name in FLAGS:
        if name in raw:
            seen[name] = raw[name] is True or str(raw[name]).lower() in ("true", "1")
    return seen | {"raw_claims": raw}


def _typed(name: str, value: Any) -> Any:
    match name, value:
        case "amr", list():
            return [each for each in value if isinstance(each, str)]
        case "amr", str():
            return [value]
        case "locale", dict():
            return "-".join(part for part in (value.get("language"), value.get("country")) if part and isinstance(part, str))
        case "updated_at", int() | float() if math.isfinite(value):
            return int(value)
        case "nonce_supported", _:
            return value is True or value == "true"
        case "amr" | "updated_at", _:
            return None
        case _, str():
            return value
        case _, int() if not isinstance(value, bool):
            return str(value)
    return None


def _storable(value: Any, levels: int = NESTED) -> Any:
    """Return *value* without what no row can hold: a NUL or half a character in a text, a huge number, nesting that no document needs."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_storable(name): _storable(below, levels - 1) for name, below in value.items()} if levels else None
    if isinstance(value, list):
        return [_storable(each, levels - 1) for each in value] if levels else None
    if isinstance(value, int | float) and not values.is_storable_number(value):
        return None
    return value


@dataclass(frozen=True)
class Mapped:
    """What the mapper makes of claims."""

    traits: dict[str, Any]
    metadata_public: Any
    metadata_admin: Any
    has_public: bool
    has_admin: bool
    verified: list[dict[str, Any]]  # addresses, as identities' `derive` knows them


def map_claims(account: Account, identity: Identity | None = None) -> Mapped:
    """Evaluate the mapper. *identity* is who signs in, None when somebody signs up.

    Raises:
        InvalidConfiguration: The mapper cannot be read, or returns what is no identity.
        InternalError: It failed, as it does when it refuses somebody.
        BadRequest: Its verified addresses are malformed.
    """
    try:
        program = sources.read(account.rules.mapper_url).decode()
    except (OSError, ValueError) as error:
        raise InvalidConfiguration(f"The mapper of {account.rules.label} cannot be read.") from error
    about: dict[str, Any] = {
        "traits": identity.traits if identity else {},
        "metadata_public": (identity.metadata_public if identity else None) or {},
        "metadata_admin": (identity.metadata_admin if identity else None) or {},
    }
    try:
        made = jsonnet.evaluate(program, ext={"claims": account.claims, "identity": about})
    except jsonnet.JsonnetError as error:
        raise InternalError(f"The account at {account.rules.label} could not be read: {error}") from error
    found = made.get("identity") if isinstance(made, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("traits"), dict):
        raise InvalidConfiguration(f"The mapper of {account.rules.label} returns no traits.")
    for name in ("metadata_public", "metadata_admin"):
        if found.get(name) is not None and not isinstance(found[name], dict):
            raise InvalidConfiguration(f"The mapper of {account.rules.label} returns {name} that is no object.")
    return Mapped(
        found["traits"],
        found.get("metadata_public"),
        found.get("metadata_admin"),
        "metadata_public" in found,
        "metadata_admin" in found,
        [_address(entry) for entry in _list(found.get("verified_addresses"))],
    )


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest("The mapper's verified addresses are no list.")
    return value


def _address(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict) or entry.get("via") not in ("email", "sms") or not isinstance(entry.get("value"), str):
        raise BadRequest("The mapper's verified addresses are malformed.")
    return {"via": entry["via"], "value": entry["value"], "verified": True}


def merged(given: dict[str, Any], typed: Any) -> dict[str, Any]:
    """Return the provider's traits with what a person typed laid over them; nothing typed counts as nothing."""
    out = dict(given)
    for name, value in typed.items() if isinstance(typed, dict) else ():
        if isinstance(value, dict) and isinstance(out.get(name, {}), dict):
            if below := merged(out.get(name, {}), value):
                out[name] = below
        elif value not in (None, "", [], {}):
            out[name] = value
    return out
