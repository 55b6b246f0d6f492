"""The ways to sign in, and what each can be told."""

from __future__ import annotations

from typing import Any

from identity.config.nodes import Duration, Flag, Ignored, Items, Number, Report, Section, Text, Url
from identity.config.schema.providers import PROVIDER
from identity.config.schema.requests import REQUEST


def _needs_config(name: str) -> Any:
    def rule(value: dict[str, Any], path: str, report: Report) -> None:
        if value.get("enabled") is True and not value.get("config"):
            report.fault(f"{path}.config", f"is required for {name}.")

    return rule


def _one_origin(value: dict[str, Any], path: str, report: Report) -> None:
    if "origin" in value and "origins" in value:
        report.fault(f"{path}.origin", "cannot stand beside origins.")


def _one_use_of_codes(value: dict[str, Any], path: str, report: Report) -> None:
    if value.get("passwordless_enabled") and value.get("mfa_enabled"):
        report.fault(f"{path}.mfa_enabled", "cannot be on together with passwordless_enabled: a code is a first factor or a second one.")


RP = Section(
    keys={
        "id": Text(required=True),
        "display_name": Text(required=True),
        "origins": Items(of=Url()),
        "origin": Url(),
        "icon": Ignored(),
    },
    open=True,
    rule=_one_origin,
)
STRENGTH = Text(choices=("required", "preferred", "discouraged"))
METHODS = Section(
    keys={
        "profile": Section(keys={"enabled": Flag(True)}),
        "link": Section(
            keys={"enabled": Flag(False), "config": Section(keys={"lifespan": Duration("1h"), "base_url": Ignored()}, open=True)}
        ),
        "code": Section(
            keys={
                "enabled": Flag(True),
                "passwordless_enabled": Flag(False),
                "mfa_enabled": Flag(False),
                "config": Section(
                    keys={
                        "lifespan": Duration("1h"),
                        "max_submissions": Number(5, low=1, high=255),
                        "missing_credential_fallback_enabled": Flag(False),
                    },
                    open=True,
                ),
            },
            open=True,
            rule=_one_use_of_codes,
        ),
        "password": Section(
            keys={
                "enabled": Flag(True),
                "config": Section(
                    keys={
                        "min_password_length": Number(8, low=6),
                        "identifier_similarity_check_enabled": Flag(True),
                        "haveibeenpwned_enabled": Flag(True),
                        "haveibeenpwned_host": Text("api.pwnedpasswords.com"),
                        "max_breaches": Number(0, low=0, high=100),
                        "ignore_network_errors": Flag(True),
                        "migrate_hook": Section(keys={"enabled": Flag(False), "config": REQUEST}),
                    }
                ),
            }
        ),
        "totp": Section(keys={"enabled": Flag(False), "config": Section(keys={"issuer": Text()})}),
        "lookup_secret": Section(keys={"enabled": Flag(False)}),
        "webauthn": Section(
            keys={"enabled": Flag(False), "config": Section(keys={"passwordless": Flag(), "rp": RP})}, rule=_needs_config("webauthn")
        ),
        "passkey": Section(
            keys={
                "enabled": Flag(False),
                "config": Section(
                    keys={
                        "rp": RP,
                        "authenticator_selection": Section(
                            keys={
                                "attachment": Text(choices=("platform", "cross-platform")),
                                "resident_key": STRENGTH,
                                "user_verification": STRENGTH,
                            }
                        ),
                        "attestation": Section(keys={"preference": Text(choices=("none", "indirect", "direct", "enterprise"))}),
                        "timeouts": Section(keys={"registration": Duration(), "login": Duration()}),
                    }
                ),
            },
            rule=_needs_config("passkey"),
        ),
        "oidc": Section(
            keys={
                "enabled": Flag(False),
                "config": Section(keys={"base_redirect_uri": Url(), "providers": Items([], of=PROVIDER)}),
            }
        ),
        "b2b": Ignored(),
        "saml": Ignored(),
        "deviceauthn": Ignored(),
        "captcha": Ignored(),
    }
)
