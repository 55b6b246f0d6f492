"""What a program does next (contract: flows.md 2.4)."""

from typing import Any


def redirect_browser_to(url: str) -> dict[str, Any]:
    return {"action": "redirect_browser_to", "redirect_browser_to": url}


def set_ory_session_token(token: str) -> dict[str, Any]:
    return {"action": "set_ory_session_token", "ory_session_token": token}


def show_verification_ui(id: str, address: str, url: str = "") -> dict[str, Any]:
    return {"action": "show_verification_ui", "flow": {"id": id, "verifiable_address": address, **({"url": url} if url else {})}}


def show_settings_ui(id: str, url: str = "") -> dict[str, Any]:
    return {"action": "show_settings_ui", "flow": {"id": id, **({"url": url} if url else {})}}


def show_recovery_ui(id: str) -> dict[str, Any]:
    return {"action": "show_recovery_ui", "flow": {"id": id}}
