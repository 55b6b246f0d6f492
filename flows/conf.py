"""The operator's configuration as flows read it: typed, frozen, one object per configuration in force."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from identity import conf, config
from identity.config import Config, units

KINDS = ("login", "registration", "settings", "recovery", "verification")


@dataclass(frozen=True)
class FlowRules:
    ui_url: str
    lifespan: timedelta
    enabled: bool
    style: str
    use: str  # recovery and verification: the method that serves them
    after: str  # where browsers go afterwards; "" when the flow does not say
    after_method: dict[str, str]  # the same by method


@config.per_config
def _flows(c: Config) -> dict[str, FlowRules]:
    return {kind: _rules(c, kind) for kind in KINDS}


def _rules(c: Config, kind: str) -> FlowRules:
    at = f"selfservice.flows.{kind}."
    after: dict[str, Any] = c.get(at + "after") or {}
    return FlowRules(
        ui_url=_absolute(c.get(at + "ui_url") or f"/ui/{kind}"),
        lifespan=units.duration(c.get(at + "lifespan") or "1h"),
        enabled=bool(c.get(at + "enabled", kind in ("login", "registration", "settings"))),
        style=str(c.get(at + "style") or ""),
        use=str(c.get(at + "use") or ""),
        after=after.get("default_browser_return_url") or "",
        after_method={name: rules["default_browser_return_url"] for name, rules in after.items() if _has_return(rules)},
    )


def _has_return(rules: Any) -> bool:
    return isinstance(rules, dict) and bool(rules.get("default_browser_return_url"))


def _absolute(url: str) -> str:
    return conf.public_url(url) if url.startswith("/") else url


def flow(kind: str) -> FlowRules:
    return _flows()[kind]


def after_url(kind: str, method: str = "") -> str:
    """Return where a browser goes after this flow, as far as the flow's own configuration says; "" when it does not."""
    rules = flow(kind)
    return rules.after_method.get(method) or rules.after


@config.per_config
def logout_url(c: Config) -> str:
    return str(c.get("selfservice.flows.logout.after.default_browser_return_url") or "")


@config.per_config
def clears_browser_data(c: Config) -> bool:
    return bool(c.get("selfservice.flows.logout.clear_browser_data"))


@dataclass(frozen=True)
class Registration:
    two_steps: bool
    login_hints: bool


@config.per_config
def registration(c: Config) -> Registration:
    rules = flow("registration")
    legacy = c.get("selfservice.flows.registration.enable_legacy_one_step")
    return Registration(rules.style != "unified" and not legacy, bool(c.get("selfservice.flows.registration.login_hints")))


@dataclass(frozen=True)
class Settings:
    privileged_max_age: timedelta
    required_aal: str


@config.per_config
def settings(c: Config) -> Settings:
    return Settings(
        units.duration(c.get("selfservice.flows.settings.privileged_session_max_age")), c.get("selfservice.flows.settings.required_aal")
    )


@config.per_config
def _enabled_methods(c: Config) -> frozenset[str]:
    methods: dict[str, Any] = c.get("selfservice.methods") or {}
    return frozenset(name for name, rules in methods.items() if isinstance(rules, dict) and rules.get("enabled"))


def is_method_enabled(name: str) -> bool:
    return name in _enabled_methods()


@dataclass(frozen=True)
class Codes:
    lifespan: timedelta
    max_submissions: int
    is_first_factor: bool
    is_second_factor: bool
    any_known_address: bool  # an identity that has no credential of this type is sent its code all the same


@config.per_config
def codes(c: Config) -> Codes:
    at = "selfservice.methods.code."
    return Codes(
        units.duration(c.get(at + "config.lifespan")),
        int(c.get(at + "config.max_submissions")),
        bool(c.get(at + "passwordless_enabled")),
        bool(c.get(at + "mfa_enabled")),
        bool(c.get(at + "config.missing_credential_fallback_enabled")),
    )


def asks_identifier_first() -> bool:
    return flow("login").style == "identifier_first"


@config.per_config
def hides_accounts(c: Config) -> bool:
    """Whether a form that asks for the identifier first answers for unknown ones as for known ones."""
    return bool(c.get("security.account_enumeration.mitigate"))


@config.per_config
def link_lifespan(c: Config) -> timedelta:
    return units.duration(c.get("selfservice.methods.link.config.lifespan") or "1h")


@config.per_config
def uses_transitions(c: Config) -> bool:
    """Whether programs are told what to do next by `continue_with` instead of 422 (feature_flags.use_continue_with_transitions)."""
    return bool(c.get("feature_flags.use_continue_with_transitions"))


@config.per_config
def lets_choose_address(c: Config) -> bool:
    """Whether somebody with several addresses may choose where a recovery code goes (feature_flags.choose_recovery_address)."""
    return bool(c.get("feature_flags.choose_recovery_address"))


@dataclass(frozen=True)
class Notices:
    unknown_recipients: bool


@config.per_config
def _notices(c: Config) -> dict[str, Notices]:
    return {kind: Notices(bool(c.get(f"selfservice.flows.{kind}.notify_unknown_recipients"))) for kind in ("recovery", "verification")}


def notices(kind: str) -> Notices:
    return _notices()[kind]


@config.per_config
def sends_sms(c: Config) -> bool:
    return any(channel.get("id") == "sms" for channel in c.get("courier.channels") or ())


@config.per_config
def profile_group(c: Config) -> str:
    return str(c.get("feature_flags.password_profile_registration_node_group") or "default")


@dataclass(frozen=True)
class Brand:
    """Whose pages these are. Colours are "#rrggbb"; what is not one is as if it were not there. Addresses may be ""."""

    name: str
    logo_url: str
    accent: str
    accent_dark: str  # "" when the page derives it from `accent`
    support_url: str
    privacy_url: str
    terms_url: str


ACCENT = "#3f5bd8"


@config.per_config
def brand(c: Config) -> Brand:
    return Brand(
        name=str(c.get("ui.name") or "Vestibule").strip(),
        logo_url=_link(c.get("ui.logo_url"), "https:", "http:", "data:image/", "/"),
        accent=_colour(c.get("ui.accent")) or ACCENT,
        accent_dark=_colour(c.get("ui.accent_dark")),
        support_url=_link(c.get("ui.support_url")),
        privacy_url=_link(c.get("ui.privacy_url")),
        terms_url=_link(c.get("ui.terms_url")),
    )


def _colour(written: Any) -> str:
    """Return a CSS hex colour in its long form, or ""."""
    found = re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", str(written or "").strip().lower())
    if not found:
        return ""
    digits = found[1]
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def _link(written: Any, *starts: str) -> str:
    """Return an address that a page may point at, or "" for anything else, such as a script in disguise."""
    url = str(written or "").strip()
    return url if url.lower().startswith(starts or ("https:", "http:", "mailto:", "tel:", "/")) else ""
