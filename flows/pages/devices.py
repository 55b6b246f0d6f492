"""What a browser says of itself, in words that its owner knows it by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from identity.sessions.models import Session

BROWSERS = (  # the first that is named decides: most of them name others too
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
PHONES = frozenset(("iPhone", "iPad", "Android"))
METHODS = {
    "password": "password",
    "totp": "authenticator app",
    "lookup_secret": "backup code",
    "webauthn": "security key",
    "passkey": "passkey",
    "oidc": "linked account",
    "code": "one-time code",
    "code_recovery": "recovery code",
    "link_recovery": "recovery link",
}


@dataclass(frozen=True)
class Device:
    name: str
    is_phone: bool = False


def named(user_agent: str) -> Device:
    """Return "Firefox on Windows" for what Firefox on Windows sends."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        return Device(f"{browser} on {system}", system in PHONES)
    if browser or system:
        return Device(browser or system, system in PHONES)
    program = re.match(r"[A-Za-z][\w .-]{1,30}(?=/|$)", user_agent)
    return Device(program[0].strip() if program else "Unknown device")


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for sign, name in known if sign in text), "")


def address(text: str) -> str:
    """Return a network address without its port."""
    host, _, port = text.rpartition(":")
    if port.isdigit() and (host.startswith("[") or ":" not in host) and host:
        return host.strip("[]")
    return text


@dataclass(frozen=True)
class SignedIn:
    """A session as its owner sees it."""

    session: Session
    device: Device
    address: str
    location: str
    ways: str  # "Password and authenticator app"
    is_two_step: bool
    is_current: bool


def signed_in(session: Session, *, is_current: bool = False) -> SignedIn:
    seen: dict[str, Any] = (session.devices or [{}])[-1]
    ways = list(dict.fromkeys(METHODS.get(method, method) for method in session.methods_used()))
    return SignedIn(
        session=session,
        device=named(str(seen.get("user_agent") or "")),
        address=address(str(seen.get("ip_address") or "")),
        location=str(seen.get("location") or ""),
        ways=_listed(ways).capitalize(),
        is_two_step=session.aal == "aal2",
        is_current=is_current,
    )


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
