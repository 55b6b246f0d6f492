"""Authenticator assurance levels (NIST SP 800-63B; contract: methods.md 1.9): what a session has, what its identity could reach."""

from collections.abc import Iterable
from typing import Any

from identity import config
from identity.credentials.models import Credential
from identity.identities.models import Identity

AAL0, AAL1, AAL2 = "aal0", "aal1", "aal2"


def of_methods(used: Iterable[dict[str, Any]]) -> str:
    """Return the level that the methods used add up to: aal2 needs one of each level; a provider may vouch for both."""
    entries = list(used)
    levels = {entry.get("aal") for entry in entries}
    if {AAL1, AAL2} <= levels or any(entry.get("aal") == AAL2 and entry.get("method") in ("oidc", "saml") for entry in entries):
        return AAL2
    return AAL1 if entries else AAL0


def first_factors(identity: Identity) -> int:
    """Return in how many ways somebody can sign in as this identity (contract: identities.md 1.5)."""
    count = sum(_first(credential) for credential in identity.factors.values())
    return count + (1 if config.current().get("selfservice.methods.code.passwordless_enabled") else 0)


def _first(credential: Credential) -> int:
    data, names = credential.config, credential.names
    if credential.type == "password":
        migrates = data.get("use_password_migration_hook") and config.current().get(
            "selfservice.methods.password.config.migrate_hook.enabled"
        )
        return int(bool(any(names) and (data.get("hashed_password") or migrates)))
    if credential.type == "oidc":
        return sum(1 for p in data.get("providers", []) if f"{p.get('provider')}:{p.get('subject')}" in names and not p.get("organization"))
    if credential.type == "webauthn":
        return sum(1 for key in data.get("credentials", []) if key.get("is_passwordless")) if any(names) else 0
    if credential.type == "passkey":
        return len(data.get("credentials", [])) if any(names) else 0
    return 0


def second_factors(identity: Identity) -> int:
    return sum(_second(credential) for credential in identity.factors.values())


def _second(credential: Credential) -> int:
    data = credential.config
    if credential.type == "totp":
        return int(bool(data.get("totp_url")))
    if credential.type == "lookup_secret":
        return int(bool(data.get("recovery_codes")))
    if credential.type == "webauthn":
        return sum(1 for key in data.get("credentials", []) if not key.get("is_passwordless"))
    if credential.type == "code" and config.current().get("selfservice.methods.code.mfa_enabled"):
        return len(data.get("addresses", []))
    return 0


def available(identity: Identity) -> str:
    """Return the highest level this identity can reach with what it has."""
    if second_factors(identity):
        return AAL2
    return AAL1 if first_factors(identity) else AAL0
