"""What is said of providers, in forms."""

from __future__ import annotations

from flows.methods.oidc.conf import ProviderRules
from flows.ui.messages import Message


def sign_in_with(rules: ProviderRules) -> Message:
    return Message(1010002, f"Sign in with {rules.label}", "info", {"provider": rules.label, "provider_id": rules.id})


def sign_up_with(rules: ProviderRules) -> Message:
    return Message(1040002, f"Sign up with {rules.label}", "info", {"provider": rules.label, "provider_id": rules.id})


def go_on() -> Message:
    return Message(1040003, "Continue", "info")


def link_with(rules: ProviderRules) -> Message:
    return Message(1050002, f"Link {rules.label}", "info", {"provider": rules.label})


def unlink_from(rules: ProviderRules) -> Message:
    return Message(1050003, f"Unlink {rules.label}", "info", {"provider": rules.label})
