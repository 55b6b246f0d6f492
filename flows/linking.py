"""A provider's account waits until the owner of the address that it names has proved the account here (contract: flows.md 6.9).

An address that a provider tells is never enough: whoever holds the account signs in to it once, in the way they always
do, and the provider's account is linked then.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson
from django.db import transaction

from flows import conf
from flows.errors import InvalidSubmission
from flows.models import Flow, LoginFlow
from flows.ui import container, nodes
from flows.ui.messages import Message
from identity import crypto
from identity.credentials import oidc
from identity.credentials.models import Credential
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import services as sessions

LINK = "link"  # in flow.internal: what waits, encrypted


@dataclass(frozen=True)
class Pending:
    """A provider's account, proved, and the identifier or address here that it has in common with somebody."""

    entry: dict[str, Any]  # as it shall rest among the providers of the credential, in clear
    label: str  # of the provider
    identifier: str
    proved: dict[str, Any]  # as an entry of a session's `authentication_methods`

    def proof(self) -> dict[str, Any]:
        return sessions.proof("oidc", "aal1") | {name: value for name, value in self.proved.items() if name != "completed_at"}


def attach(flow: LoginFlow, pending: Pending) -> None:
    flow.internal[LINK] = crypto.encrypt(orjson.dumps(asdict(pending)).decode())


def pending(flow: Flow) -> Pending | None:
    """Return what waits in this flow, or None."""
    held = crypto.decrypt(flow.internal.get(LINK, ""))
    return Pending(**orjson.loads(held)) if held else None


def is_pending(flow: Flow) -> bool:
    return LINK in flow.internal


def require_owner(waiting: Pending, identity: Identity) -> None:
    """Raises InvalidSubmission: who signed in is not who has the identifier."""
    named = {name for credential in identity.factors.values() for name in credential.names}
    reached = {row.value for row in (*identity.verifiable, *identity.recovery)}
    if waiting.identifier not in named | reached:
        raise InvalidSubmission(other_account())


def link(waiting: Pending, flow: LoginFlow, identity: Identity, used: Credential | None) -> Identity:
    """Store the link, in a transaction of its own, and return the identity with it. *used* is what its person was proved by.

    Raises:
        InvalidSubmission: The provider's account belongs to somebody else by now.
        IdentityDisabled, ChangedMeanwhile, NotFound: The proof does not hold any more.
    """
    after = services.revise(identity)
    oidc.add(after, waiting.entry)
    try:
        with transaction.atomic():
            services.require_as_proved(identity, used)
            services.update(identity, after)
            flow.internal.pop(LINK, None)
            flow.keep("internal")
    except services.Taken as taken:
        raise InvalidSubmission(linked_elsewhere()) from taken
    return after


# -- the form


def dress(flow: LoginFlow, waiting: Pending, owner: Identity) -> None:
    """Turn the form to sign in into one that says why, without the provider that somebody just comes from.

    What the account has is shown with `login_hints` only.
    """
    types, providers = _ways(owner) if conf.registration().login_hints else ([], [])
    flow.ui["messages"] = [linking_offered(waiting, types, providers).as_dict()]
    came_from = waiting.entry["provider"]
    flow.ui["nodes"] = [node for node in flow.ui["nodes"] if _stays(node, came_from, types, providers)]
    for node in flow.ui["nodes"]:
        label = node["meta"].get("label", {})
        if nodes.name_of(node) == "identifier":
            node["attributes"] |= {"type": "hidden", "value": waiting.identifier}
        elif label.get("id") == 1010002:
            node["meta"] = {"label": confirm_with(label["context"]["provider"]).as_dict()}
        elif label.get("id") == 1010001:
            node["meta"] = {"label": sign_in_and_link().as_dict()}
    if container.find(flow, "identifier") is None:
        flow.ui["nodes"].append(nodes.hidden("identifier", "default", waiting.identifier))


def _stays(node: nodes.Node, came_from: str, types: list[str], providers: list[str]) -> bool:
    if nodes.name_of(node) == "provider":
        return node["attributes"]["value"] != came_from and (not types or node["attributes"]["value"] in providers)
    return node["group"] == "default" or not types or node["group"] in types


def _ways(identity: Identity) -> tuple[list[str], list[str]]:
    """Return how somebody can sign in: credential types, and providers."""
    types = sorted(type for type, credential in identity.factors.items() if _signs_in(credential))
    return types, sorted({entry["provider"] for entry in oidc.entries(identity)})


def _signs_in(credential: Credential) -> bool:
    held = credential.config
    match credential.type:
        case "password":
            return bool(held.get("hashed_password"))
        case "code":
            return True
        case "oidc":
            return bool(held.get("providers"))
        case "passkey":
            return bool(held.get("credentials"))
        case "webauthn":
            return any(key.get("is_passwordless") for key in held.get("credentials", ()))
    return False


# -- words


def linking_offered(waiting: Pending, types: list[str], providers: list[str]) -> Message:
    url = conf.flow("login").ui_url
    return Message(
        1010016,
        f"You signed in with {waiting.label}. There is an account with {waiting.identifier} already: sign in to it once to link the two.",
        "info",
        {
            "duplicateIdentifier": waiting.identifier,
            "duplicate_identifier": waiting.identifier,
            "provider": waiting.label,
            "newLoginUrl": url,
            "new_login_url": url,
            "available_credential_types": types,
            "available_providers": providers,
        },
    )


def confirm_with(provider: str) -> Message:
    return Message(1010018, f"Confirm with {provider}", "info", {"provider": provider})


def sign_in_and_link() -> Message:
    return Message(1010017, "Sign in and link", "info")


def other_account() -> Message:
    return Message(4010009, "This is not the account that is to be linked. Sign in to the one with the address above.")


def linked_elsewhere() -> Message:
    return Message(4000027, "This account of the provider is linked to another account here already.")
