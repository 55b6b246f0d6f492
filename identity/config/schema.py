"""Every key that a configuration may have, with its type and its default (contract: config.md 2-14; ours are marked so).

Defaults that need other values (addresses, for one) are filled in by layers.complete.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from identity.config.nodes import (
    Anything,
    Duration,
    Flag,
    Ignored,
    Items,
    Later,
    Node,
    Number,
    Report,
    Section,
    Size,
    Source,
    Table,
    Text,
    Url,
)

REF = Url(relative=True)
SAME_SITE = Text(choices=("Strict", "Lax", "None"))
SECRET = Text(shortest=16)
AAL = ("aal1", "highest_available")

# -- listeners

SOCKET = Section(keys={"owner": Text(), "group": Text(), "mode": Number(low=0, high=511)})
PEM = Section(keys={"path": Text(), "base64": Text()})
TLS = Section(keys={"cert": PEM, "key": PEM, "enabled": Ignored(), "allow_termination_from": Ignored()})
VERBS = ("POST", "GET", "PUT", "PATCH", "DELETE", "CONNECT", "HEAD", "OPTIONS", "TRACE")


def _listener(host: str, port: int, **more: Node) -> Section:
    return Section(
        keys={
            "base_url": Url(),
            "host": Text(host),
            "port": Number(port, low=1, high=65535),
            "socket": Later(node=SOCKET),
            "tls": Later(node=TLS),
            "request_log": Section(keys={"disable_for_health": Flag(False)}),
            "write_listen_file": Ignored(),
            **more,
        }
    )


CORS = Section(
    keys={
        "enabled": Flag(False),
        "allowed_origins": Items(["*"], of=Text(), unique=True),
        "allowed_methods": Items(["POST", "GET", "PUT", "PATCH", "DELETE"], of=Text(choices=VERBS)),
        "allowed_headers": Items(
            ["Authorization", "Content-Type", "Max-Age", "X-Session-Token", "X-XSRF-TOKEN", "X-CSRF-TOKEN"], of=Text()
        ),
        "exposed_headers": Items(["Content-Type"], of=Text()),
        "allow_credentials": Flag(True),
        "max_age": Number(0, low=0),
        "options_passthrough": Ignored(),
        "debug": Ignored(),
    }
)
SERVE = Section(
    keys={
        "public": _listener("0.0.0.0", 4433, cors=CORS),  # noqa: S104  the public listener is for the public
        "admin": _listener(
            "127.0.0.1",
            4434,
            api_keys=Items([], of=Text(shortest=16)),  # ours
            insecure_no_auth=Flag(False),  # ours
            cors=Ignored(why="has no effect: the admin listener never answers pages of other origins"),
        ),
    }
)

# -- hooks: their names and places are checked by the actions app

HOOKS = Items([], of=Section(keys={"hook": Text(required=True), "config": Anything()}, open=True), unique=True)


def _after(*methods: str) -> Section:
    one = Section(keys={"default_browser_return_url": REF, "hooks": HOOKS})
    return Section(keys={"default_browser_return_url": REF, "hooks": HOOKS, **dict.fromkeys(methods, one)})


def _flow(*methods: str, **more: Node) -> Section:
    return Section(
        keys={
            "ui_url": REF,
            "lifespan": Duration("1h"),
            "before": Section(keys={"hooks": HOOKS}),
            "after": _after(*methods),
            **more,
        }
    )


PROVEN = {
    "enabled": Flag(False),
    "use": Text("code", choices=("link", "code")),
    "notify_unknown_recipients": Flag(False),
}
FLOWS = Section(
    keys={
        "error": Section(keys={"ui_url": REF}),
        "login": _flow(
            *("password", "webauthn", "passkey", "oidc", "code", "totp", "lookup_secret"),
            style=Text("unified", choices=("unified", "identifier_first")),
        ),
        "registration": _flow(
            *("password", "webauthn", "passkey", "oidc", "code"),
            enabled=Flag(True),
            login_hints=Flag(False),
            style=Text("profile_first", choices=("unified", "profile_first")),
            enable_legacy_one_step=Flag(False),
        ),
        "settings": _flow(
            *("password", "totp", "oidc", "webauthn", "passkey", "lookup_secret", "profile"),
            privileged_session_max_age=Duration("1h"),
            required_aal=Text("highest_available", choices=AAL),
        ),
        "recovery": _flow(**PROVEN),
        "verification": _flow(**PROVEN),
        "logout": Section(keys={"after": Section(keys={"default_browser_return_url": REF}), "clear_browser_data": Flag(False)}),
    }
)

# -- requests that we send

AUTH = Section(keys={"type": Text(choices=("basic_auth", "api_key"), required=True), "config": Anything(required=True)})
REQUEST = Section(
    keys={
        "url": Url(pattern=r"https?://.*"),
        "method": Text("POST"),
        "headers": Table(of=Text()),
        "body": Source(),
        "auth": AUTH,
        "emit_analytics_event": Flag(),
    }
)

# -- methods


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
SELFSERVICE = Section(
    keys={
        "default_browser_return_url": REF,
        "allowed_return_urls": Items([], of=Text()),
        "whitelisted_return_urls": Ignored(why="is the old name of allowed_return_urls"),
        "whitelisted_return_to_urls": Ignored(why="is the old name of allowed_return_urls"),
        "flows": FLOWS,
        "methods": METHODS,
    }
)

# -- secrets, hashes, cookies, sessions

HASHERS = Section(
    keys={
        "algorithm": Text("argon2", choices=("argon2", "bcrypt")),
        "bcrypt": Section(keys={"cost": Number(12, low=4, high=31)}),
        "argon2": Section(
            keys={
                "memory": Size("19456KB"),
                "iterations": Number(2, low=1),
                "parallelism": Number(1, low=1),
                "salt_length": Number(16, low=16),
                "key_length": Number(32, low=16),
                "expected_duration": Duration("500ms"),
                "expected_deviation": Duration("500ms"),
                "dedicated_memory": Size("1GB"),
                "min_duration": Ignored(),
            }
        ),
        "pbkdf2": Ignored(),
    }
)


def _cipher_needs_secrets(value: dict[str, Any], path: str, report: Report) -> None:
    if (value.get("ciphers") or {}).get("algorithm") in ("aes", "xchacha20-poly1305") and not (value.get("secrets") or {}).get("cipher"):
        report.fault("secrets.cipher", "is required by ciphers.algorithm.")


TEMPLATE_EMAIL = Section(keys={"subject": Source(), "body": Section(keys={"html": Source(), "plaintext": Source()})})
TEMPLATE_SMS = Section(keys={"body": Section(keys={"plaintext": Source()})})
MESSAGE = Section(keys={"email": TEMPLATE_EMAIL, "sms": TEMPLATE_SMS})
VALID = Section(keys={"email": replace(TEMPLATE_EMAIL, required=True), "sms": TEMPLATE_SMS})
INVALID = Section(keys={"email": replace(TEMPLATE_EMAIL, required=True)})
BOTH = Section(keys={"valid": VALID, "invalid": INVALID})
COURIER = Section(
    keys={
        "message_retries": Number(5, low=0),
        "worker": Section(keys={"pull_count": Number(10, low=1), "pull_wait": Duration("1s")}, open=True),
        "delivery_strategy": Text("smtp", choices=("smtp", "http")),
        "smtp": Section(
            keys={
                "connection_uri": Text(pattern=r"smtps?://.*", kind="an smtp:// or smtps:// address"),
                "from_address": Text("no-reply@localhost"),
                "from_name": Text(""),
                "headers": Table({}, of=Text()),
                "local_name": Text("localhost"),
                "client_cert_path": Text(""),
                "client_key_path": Text(""),
                "templates": Ignored(),
            }
        ),
        "http": Section(keys={"request_config": REQUEST}),
        "channels": Items(
            [], of=Section(keys={"id": Text(choices=("sms",), required=True), "type": Text(choices=("http",)), "request_config": REQUEST})
        ),
        "sms": Ignored(why="is the old form of courier.channels"),
        "template_override_path": Text(),
        "templates": Section(
            keys={
                "recovery": BOTH,
                "recovery_code": BOTH,
                "verification": BOTH,
                "verification_code": BOTH,
                "registration_code": Section(keys={"valid": VALID}),
                "login_code": Section(keys={"valid": VALID}),
                "verifiable_address_changed": MESSAGE,
                "authenticator_key_added": Later(node=MESSAGE),
            }
        ),
    }
)
HEADER_ALLOWLIST = [
    "Accept", "Accept-Encoding", "Accept-Language", "Content-Length", "Content-Type", "Origin", "Priority", "Referer", "Sec-Ch-Ua",
    "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "True-Client-Ip",
    "User-Agent",
]  # fmt: skip
COLOUR = Text(pattern=r"#(?:[0-9a-fA-F]{3}){1,2}", kind="a colour such as #1a5fb4")

TREE = Section(
    keys={
        "dsn": Text(""),
        "version": Text(),
        "dev": Flag(False),
        "watch-courier": Ignored(why="has no effect: serve always delivers messages"),
        "config": Ignored(),
        "help": Ignored(),
        "expose-metrics-port": Ignored(),
        "sqa-opt-out": Ignored(why="has no effect: nothing is reported to anybody"),
        "revision": Text(),
        "organizations": Ignored(),
        "enterprise": Ignored(),
        "preview": Ignored(),
        "profiling": Ignored(),
        "serve": SERVE,
        "secrets": Section(
            keys={
                "default": Items(of=SECRET, unique=True),
                "cookie": Items(of=SECRET, unique=True),
                "cipher": Items(of=Text(shortest=32, longest=32), unique=True, least=1),
                "pagination": Items(of=SECRET, unique=True, least=1),
            }
        ),
        "ciphers": Section(keys={"algorithm": Text("aes", choices=("noop", "aes", "xchacha20-poly1305"))}, open=True),
        "hashers": HASHERS,
        "identity": Section(
            keys={
                "default_schema_id": Text("default"),
                "default_schema_url": Ignored(why="is the old form of identity.schemas"),
                "schemas": Items(
                    of=Section(keys={"id": Text(required=True), "url": Source(required=True), "selfservice_selectable": Flag()}, open=True),
                    least=1,
                ),
            }
        ),
        "session": Section(
            keys={
                "lifespan": Duration("24h"),
                "earliest_possible_extend": Duration(),
                "revoke_others_on": Items(["password", "recovery"], of=Text(choices=("password", "recovery"))),  # ours
                "whoami": Section(
                    keys={
                        "required_aal": Text("highest_available", choices=AAL),
                        "tokenizer": Later(node=Anything()),
                    }
                ),
                "cookie": Section(
                    keys={
                        "name": Text("ory_kratos_session", pattern=r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", kind="a cookie name"),
                        "domain": Text(),
                        "path": Text(),
                        "same_site": SAME_SITE,
                        "secure": Flag(also_text=True),
                        "persistent": Flag(True),
                    }
                ),
            }
        ),
        "cookies": Section(keys={"domain": Text(), "path": Text(), "same_site": SAME_SITE, "secure": Flag(also_text=True)}),
        "selfservice": SELFSERVICE,
        "courier": COURIER,
        "clients": Section(
            keys={
                "http": Section(
                    keys={"disallow_private_ip_ranges": Flag(False), "private_ip_exception_urls": Items([], of=Text())}, open=True
                ),
                "smtp": Section(keys={"disallow_private_ip_ranges": Flag(False)}, open=True),
                "web_hook": Section(keys={"header_allowlist": Items(HEADER_ALLOWLIST, of=Text())}, open=True),
            },
            open=True,
        ),
        "security": Section(
            keys={
                "account_enumeration": Section(keys={"mitigate": Flag(False)}, open=True),
                "disallow_ref_in_identity_schemas": Flag(False),
                "messages_per_inbox_and_hour": Number(30, low=1),  # ours
            },
            open=True,
        ),
        "deliveries": Section(  # ours
            keys={
                "schedule": Items(["2s", "10s", "1m", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"], of=Duration()),
                "threads": Number(8, low=1, high=64),
                "broker_url": Text(""),
            }
        ),
        "ui": Section(  # ours
            keys={
                "name": Text("Vestibule"),
                "logo_url": Url("", relative=True),
                "accent": COLOUR,
                "accent_dark": COLOUR,
                "support_url": Url(relative=True),
                "privacy_url": Url(relative=True),
                "terms_url": Url(relative=True),
                "template_dir": Text(""),
            }
        ),
        "log": Section(
            keys={
                "level": Text(
                    "info", choices=("trace", "debug", "info", "warning", "error", "fatal", "panic"), aliases={"warn": "warning"}
                ),
                "format": Text("text", choices=("json", "text")),
                "leak_sensitive_values": Flag(False),
                "redaction_text": Text(),
            }
        ),
        "tracing": Later(node=Anything()),
        "database": Later(node=Section(keys={"cleanup": Anything()})),
        "oauth2_provider": Later(node=Section(keys={"url": Url(), "headers": Table(of=Text()), "override_return_to": Flag()})),
        "feature_flags": Section(
            keys={
                "use_continue_with_transitions": Flag(False),
                "choose_recovery_address": Flag(False),
                "faster_session_extend": Flag(False),
                "refresh_login_choose_address": Later(node=Flag()),
                "legacy_continue_with_verification_ui": Later(node=Flag()),
                "legacy_require_verified_login_error": Flag(False),
                "password_profile_registration_node_group": Text("default", choices=("password", "default")),
                "legacy_oidc_registration_node_group": Later(node=Flag()),
                "cacheable_sessions": Flag(False),
                "cacheable_sessions_max_age": Duration(),
                "legacy_allow_insecure_origins": Ignored(),
            }
        ),
    },
    rule=_cipher_needs_secrets,
)
