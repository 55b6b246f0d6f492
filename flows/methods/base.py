"""What a method is. Its bases say in which flows it takes part; it asks for a secret and says whether it was right.

A method never sees the request or a response. By the time it is asked, the engine has checked that the flow is alive,
that the submission comes from where the flow was begun, and that the method is switched on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from flows import conf, states
from flows.models import LoginFlow, RecoveryFlow, RegistrationFlow, SettingsFlow, VerificationFlow
from flows.outcome import Outcome
from flows.submission import Submission
from flows.ui.messages import Message
from flows.ui.nodes import Node
from flows.visit import Visit
from identity.identities.models import Identity
from identity.identities.schemas import Schema


@dataclass(frozen=True)
class NextStep:
    """The submission was right, but the journey is not over: the form that the method left in the flow is shown."""

    status: int = 400  # intermediate steps answer 400 on purpose (contract: flows.md 17.5); 422 sends a page's script to the page


@dataclass(frozen=True)
class Redirect:
    """The browser has to go elsewhere to prove something."""

    url: str
    carries: str = ""  # what it has to bring back, so that nobody else comes back in its place


@dataclass(frozen=True)
class Converted:
    """It went on in another flow, to this end: who signs in and has no account signs up."""

    outcome: Outcome


@dataclass(frozen=True)
class ProvenAddress:
    """The person has shown that an address of this identity is theirs: a code or a link that was sent there came back."""

    identity: Identity
    via: str
    value: str
    is_self_service: bool = True  # an operator's code proves who somebody is, but no address


class Method:
    """`name` is the credential type, the node group and the wire name in one."""

    name: ClassVar[str]

    def is_enabled(self) -> bool:
        return conf.is_method_enabled(self.name)

    def is_offered(self, flow: str) -> bool:
        """Whether it is switched on for this kind of flow, such as "login"."""
        return self.is_enabled()

    def claims(self, submission: Submission) -> bool:
        """Whether this submission is for this method."""
        return submission.method == self.name

    def echo(self, submission: Submission, said: Sequence[Message]) -> None:
        """Put what was typed back into a form that is shown again, or take out of it what is not to be sent again."""

    says_disabled: ClassVar[bool] = False  # a submission for it while it is off is a 404; else nobody claims it

    def needs_token(self, submission: Submission) -> bool:
        """Whether a browser's form needs the token against forgery; else its cookie is enough."""
        return True


class LoginMethod(Method):
    aal: ClassVar[str] = "aal1"
    tells_apps_of_csrf: ClassVar[bool] = True  # its form has the field even where it stays empty
    replaces_session: ClassVar[bool] = False  # who proves again who they are gets another session; else the present one is raised

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        """Return the fields. *identity* is who is signed in already and proves it again, or None."""
        raise NotImplementedError

    def first_step_nodes(self, flow: LoginFlow) -> list[Node]:
        """Return what stands beside the question for the identifier, where that is asked first."""
        return []

    def second_step_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        """Return the fields for who said to be *identity*. None: it shall not show who has what, everybody sees them."""
        return []

    def begin_alone(self, visit: Visit, flow: LoginFlow, identifier: str) -> bool:
        """Do at once what the person would have to ask for, when the stored form leads nowhere else. Returns whether it did.

        *identifier* is whom they said to be, "" when it is who is signed in.
        """
        return False

    def login(self, submission: Submission) -> Identity | NextStep | Redirect | Converted:
        """Return who has proved to be whom.

        Raises:
            InvalidSubmission: It is not right.
        """
        raise NotImplementedError


class RegistrationMethod(Method):
    brings_traits: ClassVar[bool] = False  # it says who somebody is: what was typed need not be complete
    renews_csrf: ClassVar[bool] = True  # also where nobody is signed in by it

    def registration_nodes(self, flow: RegistrationFlow, schema: Schema) -> list[Node]:
        raise NotImplementedError

    def register(self, submission: Submission, identity: Identity) -> NextStep | Redirect | Converted | None:
        """Give the proposed identity, whose traits are valid, its credential.

        Raises:
            InvalidSubmission: It cannot be used.
        """
        raise NotImplementedError


class SettingsMethod(Method):
    is_privileged: ClassVar[bool] = True  # wants a session that proved itself a short while ago

    def settings_nodes(self, flow: SettingsFlow, identity: Identity) -> list[Node]:
        raise NotImplementedError

    def change(self, submission: Submission, identity: Identity) -> NextStep | Redirect | None:
        """Change the proposed identity.

        Raises:
            InvalidSubmission: The change cannot be made.
        """
        raise NotImplementedError

    def proves(self, submission: Submission, before: Identity, after: Identity) -> dict[str, Any] | None:
        """Return what the person proved by this change, as an entry of `authentication_methods`, or None.

        Asked once the change is stored: what a hook refused proves nothing (contract: actions.md 9.21).
        """
        return None


class RecoveryMethod(Method):
    def recovery_begins(self) -> str:
        """Return the state in which a new flow waits."""
        return states.CHOOSE_METHOD

    def recovery_nodes(self, flow: RecoveryFlow) -> list[Node]:
        raise NotImplementedError

    def recover(self, submission: Submission) -> NextStep | ProvenAddress:
        """Send what proves an address, or check what came back.

        Raises:
            InvalidSubmission: It is not right.
            StartAnew: It is not right, and the flow cannot be used any more.
        """
        raise NotImplementedError

    def follow_recovery(self, flow: RecoveryFlow, query: dict[str, str]) -> bool:
        """Prepare the form of a flow whose mailed link was opened; nothing is spent. Returns whether the link holds what it needs."""
        return False


class VerificationMethod(Method):
    def verification_nodes(self, flow: VerificationFlow) -> list[Node]:
        raise NotImplementedError

    def verify(self, submission: Submission) -> NextStep | ProvenAddress:
        """As RecoveryMethod.recover."""
        raise NotImplementedError

    def follow_verification(self, flow: VerificationFlow, query: dict[str, str]) -> bool:
        """As RecoveryMethod.follow_recovery."""
        return False


METHODS: dict[str, Method] = {}
M = TypeVar("M", bound=type[Method])


def register(method: M) -> M:
    """Make a method known under its name."""
    METHODS[method.name] = method()
    return method


ORDER = ("profile", "password", "oidc", "code", "link", "totp", "passkey", "webauthn", "lookup_secret", "identifier_first")
Kind = TypeVar("Kind", bound=Method)


def of(kind: type[Kind]) -> list[Kind]:
    """Return the methods that take part in a flow, in the order in which they are asked."""
    found = [method for method in METHODS.values() if isinstance(method, kind)]
    return sorted(found, key=lambda method: ORDER.index(method.name) if method.name in ORDER else len(ORDER))


FLOWS: dict[type[Method], str] = {
    LoginMethod: "login",
    RegistrationMethod: "registration",
    SettingsMethod: "settings",
    RecoveryMethod: "recovery",
    VerificationMethod: "verification",
}


def enabled(kind: type[Kind]) -> list[Kind]:
    return [method for method in of(kind) if method.is_offered(FLOWS[kind])]
