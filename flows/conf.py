"""The operator's configuration as flows read it: typed, frozen, one object per configuration in force."""

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


@config.per_config
def codes(c: Config) -> Codes:
    return Codes(units.duration(c.get("selfservice.methods.code.config.lifespan")), int(c.get("selfservice.methods.code.config.max_submissions")))


@config.per_config
def sends_sms(c: Config) -> bool:
    return any(channel.get("id") == "sms" for channel in c.get("courier.channels") or ())


@config.per_config
def profile_group(c: Config) -> str:
    return str(c.get("feature_flags.password_profile_registration_node_group") or "default")
