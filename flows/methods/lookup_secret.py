"""Backup codes as a second factor: made in settings, each used once (contract: methods.md 5.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from flows.errors import InvalidSubmission
from flows.methods.base import LoginMethod, NextStep, SettingsMethod, register
from flows.models import LoginFlow, SettingsFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity import crypto
from identity.credentials import attempts, lookup_secret
from identity.credentials.lookup_secret import Code, Verdict
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import aal
from identity.sessions import services as sessions

REVEAL, REGENERATE, CONFIRM, DISABLE = (f"lookup_secret_{act}" for act in ("reveal", "regenerate", "confirm", "disable"))
PROPOSED = "lookup_secret_codes"  # in flow.internal: codes that were shown and not confirmed yet, encrypted


@register
class LookupSecret(LoginMethod, SettingsMethod):
    name = "lookup_secret"
    aal = aal.AAL2
    says_disabled = True

    def claims(self, submission: Submission) -> bool:
        if submission.flow.kind == "settings":
            return any(submission.flag(act) for act in (CONFIRM, REVEAL, DISABLE, REGENERATE))
        return submission.method == self.name

    # login

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        if identity is None or identity.credential(self.name) is None:
            return []
        return [
            nodes.field(self.name, self.name, value="", required=True, label=login_label()),
            nodes.submit("method", self.name, self.name, login_button()),
        ]

    def login(self, submission: Submission) -> Identity:
        """Return the identity of the open session once one of its codes was given.

        Raises:
            InvalidSubmission: There is no such code, or it was used before.
            TooManyGuesses: It was guessed too often.
        """
        assert submission.session is not None
        submission.require(self.name)
        identity = submission.session.identity
        credential = identity.credential(self.name)
        if credential is None:
            raise InvalidSubmission(no_codes())
        attempts.take(identity, self.name, submission.session)
        verdict = lookup_secret.verify(credential, submission.text(self.name))
        if verdict is not Verdict.RIGHT:
            raise InvalidSubmission(code_used() if verdict is Verdict.USED else code_invalid())
        attempts.forgive(identity, self.name, submission.session)
        return identity

    def echo(self, submission: Submission, said: Sequence[Message]) -> None:
        container.set_value(submission.flow, self.name, None)

    # settings

    def settings_nodes(self, flow: SettingsFlow, identity: Identity) -> list[Node]:
        flow.internal.pop(PROPOSED, None)
        if identity.credential(self.name) is None:
            return [self._button(REGENERATE, regenerate_button())]
        return [self._button(REVEAL, reveal_button()), self._button(DISABLE, disable_button())]

    def _button(self, act: str, label: Message) -> Node:
        return nodes.submit(act, self.name, "true", label)

    def change(self, submission: Submission, identity: Identity) -> NextStep | None:
        if submission.flag(CONFIRM):
            self._confirm(submission, identity)
        elif submission.flag(REVEAL):
            return self._reveal(submission, identity)
        elif submission.flag(DISABLE):
            services.drop_credential(identity, self.name)
        else:
            return self._regenerate(submission)
        return None

    def _regenerate(self, submission: Submission) -> NextStep:
        """Show new codes. The old ones are good until the new ones are confirmed."""
        codes = lookup_secret.new_codes()
        submission.flow.internal[PROPOSED] = crypto.encrypt(orjson.dumps(codes).decode())
        self._show(submission, [Code(code) for code in codes], self._button(CONFIRM, confirm_button()))
        return NextStep(200)

    def _reveal(self, submission: Submission, identity: Identity) -> NextStep:
        credential = identity.credential(self.name)
        if credential is None:
            raise InvalidSubmission(messages.generic("There are no backup codes yet."))
        again = (self._button(DISABLE, disable_button()), self._button(REGENERATE, regenerate_button()))
        self._show(submission, lookup_secret.codes_of(credential.config), *again)
        return NextStep(200)

    def _show(self, submission: Submission, codes: list[Code], *buttons: Node) -> None:
        shown = nodes.sealed(nodes.text("lookup_secret_codes", self.name, codes_text(codes), codes_label()), "text")
        container.replace_group(submission.flow, self.name, [shown, *buttons])

    def _confirm(self, submission: Submission, identity: Identity) -> None:
        codes = orjson.loads(crypto.decrypt(submission.flow.internal.get(PROPOSED, "")) or "[]")
        if not codes:
            raise InvalidSubmission(messages.generic("There are no new backup codes to confirm. Please make some first."))
        services.put_credential(identity, self.name, lookup_secret.new_config(codes), [str(identity.pk)])

    def proves(self, submission: Submission, before: Identity, after: Identity) -> dict[str, Any] | None:
        return sessions.proof(self.name, self.aal) if submission.flag(CONFIRM) else None


# words


def login_label() -> Message:
    return Message(1010007, "Backup code", "info")


def login_button() -> Message:
    return Message(1010010, "Use this backup code", "info")


def code_invalid() -> Message:
    return Message(4000016, "That is none of your backup codes. Check the spelling.")


def code_used() -> Message:
    return Message(4000012, "This backup code was used before. Take another one.")


def no_codes() -> Message:
    return Message(4000014, "This account has no backup codes.")


def reveal_button() -> Message:
    return Message(1050007, "Show the backup codes", "info")


def regenerate_button() -> Message:
    return Message(1050008, "Make new backup codes", "info")


def codes_label() -> Message:
    return Message(1050010, "Your backup codes. Each works once, when nothing else is at hand.", "info")


def confirm_button() -> Message:
    return Message(1050011, "I have kept these codes", "info")


def disable_button() -> Message:
    return Message(1050016, "Turn backup codes off", "info")


def codes_text(codes: list[Code]) -> Message:
    listed = [_one(code) for code in codes]
    text = ", ".join("used" if code.used_at else code.text for code in codes)
    return Message(1050015, text, "info", {"secrets": [message.as_dict() for message in listed]})


def _one(code: Code) -> Message:
    if not code.used_at:
        return Message(1050009, code.text, "info", {"secret": code.text})
    at = datetime.fromisoformat(code.used_at)
    return Message(1050014, f"Used on {at:%d %B %Y}", "info", {"used_at": code.used_at, "used_at_unix": int(at.timestamp())})
