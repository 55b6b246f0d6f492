"""Every key that a configuration may have, with its type and its default (contract: config.md 2-14; ours are marked so).

Defaults that need other values (addresses, for one) are filled in by layers.complete.
"""

from __future__ import annotations

from typing import Any

from identity.config.nodes import Anything, Duration, Flag, Ignored, Items, Later, Number, Report, Section, Size, Source, Table, Text, Url
from identity.config.schema.courier import COURIER
from identity.config.schema.flows import AAL, FLOWS, REF
from identity.config.schema.listeners import SERVE
from identity.config.schema.methods import METHODS

SAME_SITE = Text(choices=("Strict", "Lax", "None"))
SECRET = Text(shortest=16)
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
