"""What of a credential's config rests encrypted: TOTP addresses, lookup codes, the tokens of providers.

`seal` and `open` keep the shape that contract identities.md 8.4 gives; only the secret strings in it change. What was
written in clear, by an older version or an import from elsewhere, is read as it is.
"""

from __future__ import annotations

from typing import Any

from identity import crypto

OURS = {("totp", "last_step")}  # (type, member)
ISSUER = "issuer"  # of a provider's entry: who vouched for the subject. Ours, too
TOKENS = ("initial_id_token", "initial_access_token", "initial_refresh_token")


def seal(type: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return *config* as it rests in the row."""
    return _map(type, config, crypto.encrypt)


def open(type: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return *config* in clear. A provider's token that no secret opens any more is ""."""
    return _map(type, config, _opened_token if type in ("oidc", "saml") else _opened)


def for_operators(type: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return *config* in clear as contract identities.md 8.4 gives it, without what only we keep in it."""
    opened = open(type, config)
    if type == "oidc":
        opened = _entries(opened, "providers", (), None, without=ISSUER)
    return {name: value for name, value in opened.items() if (type, name) not in OURS}


def _opened(sealed: str) -> str:
    plain = crypto.decrypt(sealed)
    return sealed if plain is None else plain


def _opened_token(sealed: str) -> str:
    return crypto.decrypt(sealed) or ""


def _map(type: str, config: dict[str, Any], change: Any) -> dict[str, Any]:
    if type == "totp":
        return _members(config, ("totp_url",), change)
    if type == "lookup_secret":
        return _entries(config, "recovery_codes", ("code",), change)
    if type in ("oidc", "saml"):
        return _entries(config, "providers", TOKENS, change)
    return config


def _entries(config: dict[str, Any], name: str, members: tuple[str, ...], change: Any, *, without: str = "") -> dict[str, Any]:
    found = config.get(name)
    if not isinstance(found, list):
        return config
    return {**config, name: [_members(entry, members, change, without) if isinstance(entry, dict) else entry for entry in found]}


def _members(entry: dict[str, Any], members: tuple[str, ...], change: Any, without: str = "") -> dict[str, Any]:
    changed = entry | {name: change(entry[name]) for name in members if isinstance(entry.get(name), str)}
    return {name: value for name, value in changed.items() if name != without}
