"""The operator's configuration as identity reads it: typed, frozen, one object per configuration in force."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
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


@dataclass(frozen=True)
class RelyingParty:
    """Who we are to an authenticator. `origins` are those of the pages that may ask, exactly as browsers spell them."""

    id: str
    name: str
    origins: tuple[str, ...]


def _relying_party(c: Config, method: str) -> RelyingParty:
    rp: dict[str, Any] = c.get(f"selfservice.methods.{method}.config.rp") or {}
    id = str(rp.get("id") or "")
    scheme = urlsplit(c.get("serve.public.base_url")).scheme
    written = rp.get("origins") or ([rp["origin"]] if rp.get("origin") else [f"{scheme}://{id}"])
    return RelyingParty(id, str(rp.get("display_name") or id), tuple(_origin(str(each)) for each in written))


def _origin(written: str) -> str:
    """Return an origin without the slash or path that somebody wrote after it; those of apps stay as they are."""
    parts = urlsplit(written)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme in ("http", "https") else written


@dataclass(frozen=True)
class WebAuthn:
    rp: RelyingParty
    passwordless: bool  # a first factor, instead of a second one


@config.per_config
def webauthn(c: Config) -> WebAuthn:
    return WebAuthn(_relying_party(c, "webauthn"), bool(c.get("selfservice.methods.webauthn.config.passwordless")))


@dataclass(frozen=True)
class Passkeys:
    rp: RelyingParty
    attachment: str  # platform, cross-platform or ""
    resident_key: str  # required, preferred or discouraged
    user_verification: str  # the same
    attestation: str
    registration_timeout: int  # milliseconds
    login_timeout: int


@config.per_config
def passkeys(c: Config) -> Passkeys:
    at = "selfservice.methods.passkey.config."
    verification = str(c.get(at + "authenticator_selection.user_verification") or "preferred")
    usual = "2m" if verification == "discouraged" else "5m"
    timeouts = [units.duration(c.get(f"{at}timeouts.{flow}") or usual) for flow in ("registration", "login")]
    registration, login = (int(timeout.total_seconds() * 1000) for timeout in timeouts)
    return Passkeys(
        rp=_relying_party(c, "passkey"),
        attachment=str(c.get(at + "authenticator_selection.attachment") or ""),
        resident_key=str(c.get(at + "authenticator_selection.resident_key") or "required"),
        user_verification=verification,
        attestation=str(c.get(at + "attestation.preference") or "none"),
        registration_timeout=registration,
        login_timeout=login,
    )


@config.per_config
def hides_accounts(c: Config) -> bool:
    """Whether nobody may learn who has an account."""
    return bool(c.get("security.account_enumeration.mitigate"))
