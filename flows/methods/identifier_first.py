"""Signing in in two steps: first who one is, then the ways in that this account has (contract: methods.md 4).

It takes every submission that no other method claims. With `security.account_enumeration.mitigate` the second step is
the same for everybody, and nobody is looked up.
"""

from __future__ import annotations

from flows import conf
from flows.errors import InvalidSubmission
from flows.methods import base as methods
from flows.methods.base import LoginMethod, NextStep, register
from flows.models import LoginFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes, traits
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity.credentials import services as credentials
from identity.identities import schemas
from identity.identities.models import Identity

NAME = "identifier"


@register
class IdentifierFirst(LoginMethod):
    name = "identifier_first"

    def is_enabled(self) -> bool:
        return conf.asks_identifier_first()

    def claims(self, submission: Submission) -> bool:
        if not self.is_enabled() or container.find(submission.flow, NAME) is None:
            return False
        return submission.method == self.name or submission.has(NAME)

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        return []

    def first_step_nodes(self, flow: LoginFlow) -> list[Node]:
        label = traits.identifier_label(schemas.get(flow.identity_schema))
        name = nodes.field(NAME, self.name, value="", required=True, autocomplete="username webauthn", label=label)
        return [name, nodes.submit("method", self.name, self.name, messages.continue_button())]

    def login(self, submission: Submission) -> NextStep:
        """Show the ways in. A code that is the only one is sent at once.

        Raises:
            InvalidSubmission: There is no such account, and it may be told.
        """
        flow, typed = submission.flow, submission.text(NAME)
        assert isinstance(flow, LoginFlow)
        identity = None if conf.hides_accounts() else find(typed)
        if identity is None and not conf.hides_accounts():
            raise InvalidSubmission(account_unknown().on(NAME))
        others = [method for method in methods.enabled(LoginMethod) if method.aal == self.aal]
        offered = {method: fields for method in others if (fields := method.second_step_nodes(flow, identity))}
        if not offered:
            raise InvalidSubmission(account_unknown().on(NAME))
        self._show(flow, typed, [node for fields in offered.values() for node in fields])
        if identity is not None and len(offered) == 1:
            next(iter(offered)).begin_alone(submission.visit, flow, typed)
        return NextStep()

    def _show(self, flow: LoginFlow, typed: str, ways: list[Node]) -> None:
        """Keep the identifier, hidden, and put the ways in below it. Providers that do not count here are gone."""
        kept = [node for node in flow.ui["nodes"] if not _is_button(node)]
        for node in kept:
            node["messages"] = []
            if nodes.name_of(node) == NAME:
                node["attributes"] |= {"type": "hidden", "value": typed}
        flow.active = self.name
        container.put(flow, [*kept, *ways])


def _is_button(node: Node) -> bool:
    return bool(node["attributes"].get("type") == "submit" and nodes.name_of(node) in ("method", "provider"))


def find(identifier: str) -> Identity | None:
    """Return who can be meant: by an identifier, or by an address that codes are sent to."""
    if not identifier:
        return None
    return credentials.owner_of(identifier, by_address=conf.codes().any_known_address)


# -- words


def account_unknown() -> Message:
    return Message(4000037, "There is no account with this identifier, or it cannot sign in here. Check the spelling.")
