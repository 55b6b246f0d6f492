"""Accounts at OpenID Connect providers: one credential holds all of them (contract: methods.md 10.8).

An account is known by who vouched for it and by the subject. Its identifier, `provider:subject`, is unique; the issuer is
kept beside it, so that a provider's id that points elsewhere one day opens nothing.
"""

from __future__ import annotations

from typing import Any

from identity.credentials import sealing
from identity.credentials import services as credentials
from identity.identities import services
from identity.identities.models import Identity

TYPE = "oidc"
MAX = 255  # characters of an identifier


def identifier(provider: str, subject: str) -> str:
    return f"{provider}:{subject}"


def entry(provider: str, subject: str, issuer: str, tokens: dict[str, str]) -> dict[str, Any]:
    """Return an account as it rests in the credential, in clear."""
    return {"subject": subject, "provider": provider, sealing.ISSUER: issuer} | {name: tokens.get(name, "") for name in sealing.TOKENS}


class OtherIssuer(Exception):
    """The subject is known, but somebody else vouched for it."""


def find(provider: str, subject: str, issuer: str) -> Identity | None:
    """Return whose account this is.

    Raises:
        OtherIssuer: The account was linked when this provider was somebody else.
    """
    wanted = identifier(provider, subject)
    credential = credentials.find_exactly(TYPE, wanted)
    if credential is None:
        return None
    for held in credential.config.get("providers", ()):
        is_same = identifier(held.get("provider", ""), held.get("subject", "")) == wanted
        if is_same and held.get(sealing.ISSUER, issuer) != issuer:
            raise OtherIssuer
    return credential.identity


def entries(identity: Identity) -> list[dict[str, Any]]:
    """Return the linked accounts, tokens sealed."""
    credential = identity.credential(TYPE)
    return list(credential.config.get("providers", ())) if credential else []


def add(identity: Identity, new: dict[str, Any]) -> None:
    """Link an account to a proposed identity."""
    sealed: list[dict[str, Any]] = sealing.seal(TYPE, {"providers": [new]})["providers"]
    _put(identity, [*entries(identity), *sealed])


def remove(identity: Identity, provider: str) -> None:
    """Unlink every account at this provider from a proposed identity."""
    _put(identity, [held for held in entries(identity) if held.get("provider") != provider])


def _put(identity: Identity, held: list[dict[str, Any]]) -> None:
    if not held:
        services.drop_credential(identity, TYPE)
        return
    credential = identity.credential(TYPE)
    config = {**(credential.config if credential else {}), "providers": held}
    services.put_credential(identity, TYPE, config, {identifier(each["provider"], each["subject"]) for each in held})
