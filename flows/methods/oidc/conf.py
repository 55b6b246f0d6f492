"""The providers of the configuration, typed and frozen (contract: methods.md 10.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from identity import conf, config
from identity.config import Config


@dataclass(frozen=True)
class ProviderRules:
    id: str
    preset: str
    label: str
    client_id: str
    client_secret: str
    issuer_url: str
    auth_url: str
    token_url: str
    mapper_url: str
    scopes: tuple[str, ...]
    requested_claims: Any
    claims_source: str  # "id_token" or "userinfo"
    pkce: str  # "auto", "never" or "force"
    more_audiences: tuple[str, ...]  # of id_tokens that apps send
    tenant: str
    subject_source: str
    apple_team_id: str
    apple_key_id: str
    apple_key: str
    aal2_acr: frozenset[str]
    aal2_amr: frozenset[str]
    updates_identity: bool


def _rules(entry: dict[str, Any]) -> ProviderRules:
    return ProviderRules(
        id=entry["id"],
        preset=entry["provider"],
        label=entry.get("label") or entry["id"],
        client_id=entry["client_id"],
        client_secret=entry.get("client_secret") or "",
        issuer_url=entry.get("issuer_url") or "",
        auth_url=entry.get("auth_url") or "",
        token_url=entry.get("token_url") or "",
        mapper_url=entry["mapper_url"],
        scopes=tuple(entry.get("scope") or ()),
        requested_claims=entry.get("requested_claims"),
        claims_source=entry.get("claims_source") or "id_token",
        pkce=entry.get("pkce") or "auto",
        more_audiences=tuple(entry.get("additional_id_token_audiences") or ()),
        tenant=entry.get("microsoft_tenant") or "",
        subject_source=entry.get("subject_source") or "userinfo",
        apple_team_id=entry.get("apple_team_id") or "",
        apple_key_id=entry.get("apple_private_key_id") or "",
        apple_key=entry.get("apple_private_key") or "",
        aal2_acr=frozenset(entry.get("aal2_acr_values") or ()),
        aal2_amr=frozenset(entry.get("aal2_amr_values") or ()),
        updates_identity=entry.get("update_identity_on_login") == "automatic",
    )


@config.per_config
def providers(c: Config) -> tuple[ProviderRules, ...]:
    """Return the providers in the order in which they are written."""
    return tuple(_rules(entry) for entry in c.get("selfservice.methods.oidc.config.providers") or ())


@config.per_config
def _base(c: Config) -> str:
    return str(c.get("selfservice.methods.oidc.config.base_redirect_uri") or "").rstrip("/")


def callback_url(rules: ProviderRules) -> str:
    """Return where the provider sends people back. With forced PKCE one address serves all providers."""
    path = "/self-service/methods/oidc/callback" + ("" if rules.pkce == "force" else f"/{rules.id}")
    return _base() + path if _base() else conf.public_url(path)
