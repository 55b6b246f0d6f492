"""A second factor from an authenticator app (TOTP, RFC 6238; contract: methods.md 5.1-5.3)."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Sequence
from typing import Any

import zxingcpp
from PIL import Image

from flows.errors import InvalidSubmission
from flows.methods.base import LoginMethod, SettingsMethod, register
from flows.models import LoginFlow, SettingsFlow
from flows.submission import Submission
from flows.ui import container, messages, nodes
from flows.ui.messages import Message
from flows.ui.nodes import Node
from identity import conf, crypto
from identity.credentials import attempts, totp
from identity.identities import schemas, services
from identity.identities.models import Identity
from identity.sessions import aal
from identity.sessions import services as sessions

CODE, UNLINK = "totp_code", "totp_unlink"
URL = "totp_url"  # in flow.internal: the key that this flow offers, encrypted
SHORTEST = 6  # digits
SIDE = 256  # pixels, on a page
MASK = 3  # of the code: every reader takes each of the eight, and to try which looks best takes ten times as long as to draw it
LONGEST_NAME, LONGEST_ISSUER = 100, 50  # characters: a QR code holds 2331 bytes, one may take nine, and the issuer stands there twice


@register
class TOTP(LoginMethod, SettingsMethod):
    name = "totp"
    aal = aal.AAL2
    says_disabled = True

    def claims(self, submission: Submission) -> bool:
        removes = submission.flow.kind == "settings" and submission.flag(UNLINK)
        return removes or submission.method == self.name

    # login

    def login_nodes(self, flow: LoginFlow, identity: Identity | None) -> list[Node]:
        if identity is None or identity.credential(self.name) is None:
            return []
        return [
            nodes.field(CODE, self.name, value="", required=True, label=login_label()),
            nodes.submit("method", self.name, self.name, login_button()),
        ]

    def login(self, submission: Submission) -> Identity:
        """Return the identity of the open session once its code is right.

        Raises:
            InvalidSubmission: The code is missing, wrong, out of date, or spent.
            TooManyGuesses: It was guessed too often.
        """
        assert submission.session is not None
        submission.require(CODE)
        code = submission.text(CODE)
        if len(code) < SHORTEST:
            raise InvalidSubmission(code_too_short(len(code)).on(CODE))
        identity = submission.session.identity
        credential = identity.credential(self.name)
        if credential is None:
            raise InvalidSubmission(no_device())
        attempts.take(identity, self.name, submission.session)
        if not totp.verify(credential, code):
            raise InvalidSubmission(code_invalid())
        attempts.forgive(identity, self.name, submission.session)
        return identity

    def echo(self, submission: Submission, said: Sequence[Message]) -> None:
        container.set_value(submission.flow, CODE, None)

    # settings

    def settings_nodes(self, flow: SettingsFlow, identity: Identity) -> list[Node]:
        """Return the way to remove the app, or a key to set one up with: each flow offers its own until it is used."""
        offered = crypto.decrypt(flow.internal.pop(URL, ""))
        if identity.credential(self.name) is not None:
            return [nodes.field(UNLINK, self.name, "submit", value="true", required=True, label=unlink_button())]
        issuer, account = conf.totp_issuer()[:LONGEST_ISSUER], _account(identity)
        if offered and totp.is_labelled(offered, issuer=issuer, account=account):
            flow.internal[URL] = crypto.encrypt(offered)
            return self._as_offered(flow)
        url = totp.new_url(issuer=issuer, account=account)
        flow.internal[URL] = crypto.encrypt(url)
        secret = totp.secret_of(url)
        picture = nodes.image("totp_qr", self.name, _picture(url), width=SIDE, height=SIDE, label=picture_label())
        return [
            nodes.sealed(picture, "src"),
            nodes.sealed(nodes.text("totp_secret_key", self.name, secret_text(secret), secret_label()), "text"),
            nodes.field(CODE, self.name, required=True, label=code_label()),
            nodes.submit("method", self.name, self.name, messages.save_button()),
        ]

    def _as_offered(self, flow: SettingsFlow) -> list[Node]:
        """Return the fields as the form has them: drawing the picture anew costs more than saving a profile."""
        kept = [{**node, "messages": []} for node in flow.ui["nodes"] if node["group"] == self.name]
        for node in kept:
            if nodes.name_of(node) == CODE:
                node["attributes"] = {name: value for name, value in node["attributes"].items() if name != "value"}
        return kept

    def change(self, submission: Submission, identity: Identity) -> None:
        if submission.flag(UNLINK):
            services.drop_credential(identity, self.name)
        elif identity.credential(self.name) is None:
            self._enrol(submission, identity)

    def _enrol(self, submission: Submission, identity: Identity) -> None:
        submission.require(CODE)
        url = crypto.decrypt(submission.flow.internal.get(URL, ""))
        if not url:
            raise InvalidSubmission(messages.generic("This form has no key for an app. Please load it again."))
        step = totp.matching_step(url, submission.text(CODE), at=time.time())
        if step is None:
            raise InvalidSubmission(code_invalid().on(CODE))
        services.put_credential(identity, self.name, totp.new_config(url, step), [str(identity.pk)])

    def proves(self, submission: Submission, before: Identity, after: Identity) -> dict[str, Any] | None:
        is_new = before.credential(self.name) is None and after.credential(self.name) is not None
        return sessions.proof(self.name, self.aal) if is_new else None


def _account(identity: Identity) -> str:
    """Return the name that the app shows: the trait that the schema names for it, else the identity's id."""
    named = schemas.get_readable(identity.schema_id).collect(identity.traits).totp_account
    return named[:LONGEST_NAME] or str(identity.pk)


def _picture(url: str) -> str:
    """Return the QR code of *url* as a data: address of a PNG."""
    code = zxingcpp.create_barcode(url, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=MASK).to_image()
    modules, _ = code.shape
    side = modules * max(1, SIDE // modules)  # whole pixels for each module, no more than are shown: the file is half as large
    picture = Image.frombuffer("L", (modules, modules), code, "raw", "L", 0, 1).convert("1", dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.resize((side, side), Image.Resampling.NEAREST).save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


# words


def login_label() -> Message:
    return Message(1010006, "Code from your authenticator app", "info")


def login_button() -> Message:
    return Message(1010009, "Use this code", "info")


def code_invalid() -> Message:
    return Message(4000008, "That code is not right. Take the one that your app shows now; each works once.")


def no_device() -> Message:
    return Message(4000011, "This account has no authenticator app.")


def code_too_short(actual: int) -> Message:
    return Message(
        4000003, f"A code has at least {SHORTEST} digits; this one has {actual}.", context={"min_length": SHORTEST, "actual_length": actual}
    )


def unlink_button() -> Message:
    return Message(1050004, "Remove the authenticator app", "info")


def picture_label() -> Message:
    return Message(1050005, "Scan this with your authenticator app", "info")


def secret_text(secret: str) -> Message:
    return Message(1050006, secret, "info", {"secret": secret})


def secret_label() -> Message:
    return Message(1050017, "Or type this key into the app", "info")


def code_label() -> Message:
    return Message(1070006, "The code that the app shows now", "info")
