"""Providers of social sign-in, and what each needs."""

from __future__ import annotations

from typing import Any

from identity.config.nodes import Anything, Ignored, Items, Report, Section, Source, Text, Url

AMAZON_SCOPES = ("profile", "profile:user_id", "postal_code")


def _provider_rule(value: dict[str, Any], path: str, report: Report) -> None:
    kind = value.get("provider")
    if kind == "microsoft" and not value.get("microsoft_tenant"):
        report.fault(f"{path}.microsoft_tenant", "is required for microsoft.")
    if kind == "apple" and value.get("client_secret"):
        report.fault(f"{path}.client_secret", "must be left out for apple: it is made from the private key.")
    if kind not in (None, "apple") and not value.get("client_secret"):
        report.fault(f"{path}.client_secret", "is required.")
    if kind == "amazon":
        _amazon_rule(value, path, report)


def _amazon_rule(value: dict[str, Any], path: str, report: Report) -> None:
    if value.get("pkce") == "auto":
        report.fault(f"{path}.pkce", "must be never or force for amazon: it does not say by itself whether it knows PKCE.")
    asked = value.get("scope")
    if unknown := [scope for scope in asked if scope not in AMAZON_SCOPES] if isinstance(asked, list) else []:
        report.fault(f"{path}.scope", f"cannot hold {', '.join(map(str, unknown))}: amazon knows {', '.join(AMAZON_SCOPES)}.")


PROVIDERS = (
    *("github", "github-app", "gitlab", "generic", "google", "microsoft", "discord", "salesforce", "slack", "facebook", "auth0", "vk"),
    *("yandex", "apple", "spotify", "netid", "dingtalk", "patreon", "line", "linkedin", "linkedin_v2", "lark", "x", "fedcm-test"),
    *("amazon", "uaepass"),
)
PROVIDER = Section(
    keys={
        "id": Text(required=True),
        "provider": Text(choices=PROVIDERS, required=True),
        "label": Text(),
        "client_id": Text(required=True),
        "client_secret": Text(),
        "issuer_url": Url(),
        "auth_url": Url(),
        "token_url": Url(),
        "mapper_url": Source(required=True),
        "scope": Items(of=Text()),
        "requested_claims": Anything(),
        "claims_source": Text(choices=("id_token", "userinfo")),
        "pkce": Text(choices=("auto", "never", "force")),
        "additional_id_token_audiences": Items(of=Text()),
        "microsoft_tenant": Text(),
        "subject_source": Text(choices=("userinfo", "me", "oid")),
        "apple_team_id": Text(),
        "apple_private_key_id": Text(),
        "apple_private_key": Text(),
        "aal2_acr_values": Items(of=Text()),
        "aal2_amr_values": Items(of=Text()),
        "update_identity_on_login": Text(choices=("never", "automatic")),
        "account_linking_mode": Ignored(),
        "organization_id": Ignored(),
        "fedcm_config_url": Ignored(),
        "net_id_token_origin_header": Ignored(),
    },
    rule=_provider_rule,
)
