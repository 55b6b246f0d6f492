"""What the pages say around a form. What a form itself says comes with the flow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flows.pages.layout import Layout


@dataclass(frozen=True)
class Heading:
    title: str
    lead: str = ""
    warning: str = ""


CODE_SENT = Heading("Enter your code", "Type the code that we sent you.")
LINK_SENT = Heading("Check your inbox", "Open the link that we sent you.")


def heading(kind: str, flow: dict[str, Any], layout: Layout) -> Heading:
    """Return what stands on top of a flow's page. What the flow itself instructs is better than what we could say in general."""
    found = _HEADINGS[kind](flow, layout)
    return Heading(found.title) if layout.instructions else found


def _login(flow: dict[str, Any], layout: Layout) -> Heading:
    if flow.get("state") == "sent_email":
        return CODE_SENT
    if flow.get("requested_aal") == "aal2":
        return Heading("Two-step verification", "Confirm your sign-in with your second factor.")
    if flow.get("refresh"):
        return Heading("Confirm it is you", "You are about to change something important.")
    return Heading("Welcome back" if layout.identifier else "Sign in")


def _registration(flow: dict[str, Any], layout: Layout) -> Heading:
    if flow.get("state") == "sent_email":
        return CODE_SENT
    return Heading("Create your account")


def _settings(flow: dict[str, Any], layout: Layout) -> Heading:
    return Heading("Account settings", "Who you are here, and how you sign in.")


def _recovery(flow: dict[str, Any], layout: Layout) -> Heading:
    state = str(flow.get("state"))
    if layout.was_opened:
        return Heading("Get back into your account", "Go on to sign in, and to choose a new password. The link works once.")
    if state in ("sent_email", "recovery_awaiting_code"):
        return LINK_SENT if flow.get("active") == "link" else CODE_SENT
    if state == "recovery_awaiting_address_choice":
        return Heading("Where shall we send it?")
    return Heading("Recover your account", "Tell us your address, and we help you back in.")


def _verification(flow: dict[str, Any], layout: Layout) -> Heading:
    state = flow.get("state")
    if state == "passed_challenge":
        return Heading("Address verified")
    if layout.was_opened:
        return Heading("Verify your address", "One more click, and we know that this address is yours.")
    if state == "sent_email":
        return LINK_SENT if flow.get("active") == "link" else Heading("Verify your address", CODE_SENT.lead)
    return Heading("Verify your address", "We send you something to show that the address is yours.")


_HEADINGS = {"login": _login, "registration": _registration, "settings": _settings, "recovery": _recovery, "verification": _verification}

SECTIONS = {
    "default": Heading("More"),
    "profile": Heading("Profile", "What we know about you."),
    "password": Heading("Password", "A long one that you use nowhere else. A passphrase of a few words is fine."),
    "totp": Heading("Authenticator app"),
    "lookup_secret": Heading("Backup codes", "For the day your phone is lost: each code gets you past the second step once."),
    "webauthn": Heading("Security keys", "A small device that you plug in or hold to your phone."),
    "passkey": Heading("Passkeys", "Sign in with your fingerprint, face or screen lock instead of a password."),
    "oidc": Heading("Linked accounts", "Sign in with an account that you have elsewhere."),
    "code": Heading("One-time codes"),
}
TOTP_NEW = Heading("Authenticator app", "Scan the picture with an authenticator app, then type the six digits that it shows.")
TOTP_ON = Heading("Authenticator app", "It is set up. After your password, you are asked for the code that the app shows.")


LAST_FACTOR = "This is your only second step. Without it, your password alone opens this account to whoever learns it."


def section(group: str, names: set[str], *, is_last_factor: bool = False) -> Heading:
    """Return the heading of a section of the settings that holds nodes of these names, with a warning before the last factor goes."""
    if group == "totp":
        found = TOTP_ON if "totp_unlink" in names else TOTP_NEW
    else:
        found = SECTIONS.get(group) or Heading(group.replace("_", " ").capitalize())
    return replace(found, warning=LAST_FACTOR) if is_last_factor else found


ERRORS = {
    400: "We could not use that request",
    401: "You need to sign in",
    403: "That was refused",
    404: "We could not find that",
    410: "This page is too old",
    429: "Too many tries",
    500: "Something went wrong on our side",
    502: "Another service did not answer",
    503: "We are busy right now",
    504: "Another service took too long",
}
PLAIN = {
    "security_csrf_violation": Heading(
        "Please try that again",
        "The form was not the one that this browser was given. That happens when cookies are blocked, or when a page was open for long.",
    ),
    "session_already_available": Heading("You are signed in already", "There is no need to do it again."),
    "session_inactive": Heading("You are signed out", "Sign in to go on."),
    "self_service_flow_expired": Heading("This page is too old", "For your safety a form is good for a limited time. Please start again."),
    "self_service_flow_disabled": Heading("This is switched off", "Whoever runs this service does not offer it here."),
    "self_service_flow_return_to_forbidden": Heading(
        "That link leads somewhere else", "The page that sent you here asked us to send you on to an address that we do not know."
    ),
    "identity_disabled": Heading("This account is disabled", "If you think that is a mistake, ask whoever runs this service."),
}


def error(held: dict[str, Any]) -> Heading:
    """Return a parked error in plain words."""
    if plain := PLAIN.get(str(held.get("id"))):
        return plain
    code = held.get("code")
    fallback = ERRORS[400] if isinstance(code, int) and 400 <= code < 500 else ERRORS[500]
    return Heading(ERRORS.get(code, fallback) if isinstance(code, int) else fallback, str(held.get("message") or ""))
