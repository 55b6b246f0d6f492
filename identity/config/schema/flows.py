"""The flows, and the hooks around them. Names and places of hooks are checked by the actions app."""

from __future__ import annotations

from identity.config.nodes import Anything, Duration, Flag, Items, Node, Section, Text, Url

REF = Url(relative=True)
AAL = ("aal1", "highest_available")
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
