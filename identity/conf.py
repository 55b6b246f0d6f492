"""The operator's configuration as identity reads it: typed, frozen, one object per configuration in force."""

import os
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from identity import config
from identity.config import Config, units


@dataclass(frozen=True)
class Listeners:
    public: str  # base URL without a slash at its end
    public_as_written: str  # names the CSRF cookie
    admin: str


@config.per_config
def listeners(c: Config) -> Listeners:
    written = c.get("serve.public.base_url")
    return Listeners(written.rstrip("/"), written, c.get("serve.admin.base_url").rstrip("/"))


def public_url(path: str) -> str:
    return listeners().public + path


@dataclass(frozen=True)
class Secrets:
    cookie: tuple[str, ...]  # the first one writes, all of them read
    cipher: tuple[str, ...]


@config.per_config
def secrets(c: Config) -> Secrets:
    default = tuple(c.get("secrets.default") or ())
    cookie = tuple(c.get("secrets.cookie") or ()) or default
    return Secrets(cookie, tuple(c.get("secrets.cipher") or ()) or cookie)


@dataclass(frozen=True)
class Cookies:
    session_name: str
    session_domain: str
    session_path: str
    session_same_site: str
    session_secure: bool
    persistent: bool
    domain: str
    path: str
    same_site: str
    secure: bool


def _flag(value: object, default: bool) -> bool:
    return default if value in (None, "") else str(value).lower() in ("true", "1", "t")


@config.per_config
def cookies(c: Config) -> Cookies:
    domain, path = c.get("cookies.domain") or "", c.get("cookies.path") or "/"
    same_site = c.get("cookies.same_site") or "Lax"
    secure = _flag(c.get("cookies.secure"), not c.dev)
    return Cookies(
        session_name=c.get("session.cookie.name"),
        session_domain=c.get("session.cookie.domain") or domain,
        session_path=c.get("session.cookie.path") or path,
        session_same_site=c.get("session.cookie.same_site") or same_site,
        session_secure=_flag(c.get("session.cookie.secure"), not c.dev),
        persistent=bool(c.get("session.cookie.persistent", True)),
        domain=domain,
        path=path,
        same_site=same_site if secure else "Lax",
        secure=secure,
    )


@dataclass(frozen=True)
class Sessions:
    lifespan: timedelta
    earliest_possible_extend: timedelta | None  # None: at any time
    whoami_aal: str  # aal1 or highest_available
    revoke_others_on: frozenset[str]  # password, recovery
    faster_extend: bool
    cacheable: bool
    cacheable_max_age: timedelta | None


@config.per_config
def sessions(c: Config) -> Sessions:
    earliest, max_age = c.get("session.earliest_possible_extend"), c.get("feature_flags.cacheable_sessions_max_age")
    return Sessions(
        lifespan=units.duration(c.get("session.lifespan")),
        earliest_possible_extend=units.duration(earliest) if earliest else None,
        whoami_aal=c.get("session.whoami.required_aal"),
        revoke_others_on=frozenset(c.get("session.revoke_others_on", ("password", "recovery"))),
        faster_extend=bool(c.get("feature_flags.faster_session_extend")),
        cacheable=bool(c.get("feature_flags.cacheable_sessions")),
        cacheable_max_age=units.duration(max_age) if max_age else None,
    )


@dataclass(frozen=True)
class Hashers:
    algorithm: str  # argon2 or bcrypt
    bcrypt_cost: int
    argon2_memory: int  # KiB
    argon2_iterations: int
    argon2_parallelism: int
    argon2_salt_length: int  # bytes
    argon2_key_length: int  # bytes


@config.per_config
def hashers(c: Config) -> Hashers:
    cost = int(c.get("hashers.bcrypt.cost"))
    return Hashers(
        algorithm=c.get("hashers.algorithm"),
        bcrypt_cost=cost if c.dev else max(cost, 12),  # a cheaper one is for tests only
        argon2_memory=units.size(c.get("hashers.argon2.memory")) // 1024,
        argon2_iterations=int(c.get("hashers.argon2.iterations")),
        argon2_parallelism=int(c.get("hashers.argon2.parallelism")),
        argon2_salt_length=int(c.get("hashers.argon2.salt_length")),
        argon2_key_length=int(c.get("hashers.argon2.key_length")),
    )


@dataclass(frozen=True)
class PasswordPolicy:
    min_length: int  # bytes of UTF-8
    similarity: bool
    breaches: bool
    breaches_host: str
    max_breaches: int
    ignore_network_errors: bool


@config.per_config
def password_policy(c: Config) -> PasswordPolicy:
    at = "selfservice.methods.password.config."
    return PasswordPolicy(
        min_length=int(c.get(at + "min_password_length")),
        similarity=bool(c.get(at + "identifier_similarity_check_enabled")),
        breaches=bool(c.get(at + "haveibeenpwned_enabled")),
        breaches_host=c.get(at + "haveibeenpwned_host"),
        max_breaches=int(c.get(at + "max_breaches")),
        ignore_network_errors=bool(c.get(at + "ignore_network_errors")),
    )


@dataclass(frozen=True)
class Returns:
    default: str
    allowed: tuple[str, ...]


@config.per_config
def returns(c: Config) -> Returns:
    return Returns(c.get("selfservice.default_browser_return_url"), tuple(c.get("selfservice.allowed_return_urls") or ()))


@config.per_config
def error_ui_url(c: Config) -> str:
    return str(c.get("selfservice.flows.error.ui_url"))


@config.per_config
def is_dev(c: Config) -> bool:
    return c.dev


@config.per_config
def accepts_browser_signs_from_apps(c: Config) -> bool:
    """Whether an app's request may carry cookies or Origin: for trying a native UI in a browser, in dev mode only."""
    return c.dev and os.environ.get("DEV_DISABLE_API_FLOW_ENFORCEMENT", "").lower() == "true"


@config.per_config
def public_host(c: Config) -> str:
    return urlsplit(c.get("serve.public.base_url")).hostname or "localhost"


@config.per_config
def totp_issuer(c: Config) -> str:
    """Return the name that authenticator apps show above an account."""
    return str(c.get("selfservice.methods.totp.config.issuer") or "") or public_host()
