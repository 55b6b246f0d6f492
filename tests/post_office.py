"""A mail server whose letters are read as their reader does: the words, the picture, the code and the link in them."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.actions.test_email import Postman
from tests.services import free_port

PATIENCE = 60.0  # seconds until a mail has to be there


@dataclass(frozen=True)
class Letter:
    """One mail. Its two parts say the same, or a reader of one of them is left without."""

    subject: str
    text: str
    html: str

    @property
    def code(self) -> str:
        [code] = set(re.findall(r"(?<![\w=-])\d{6}(?![\w-])", self.text))
        assert f">{code}<" in self.html
        return str(code)

    @property
    def link(self) -> str:
        [link] = re.findall(r"https?://\S+", self.text)
        assert [html.unescape(found) for found in re.findall(r'href="([^"]+)"', self.html)] == [link]
        return str(link)


def letter(mail: EmailMessage) -> Letter:
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    return Letter(mail["Subject"], plain.get_content(), rich.get_content())


class PostOffice(Postman):
    """What reached whom by SMTP."""

    def __init__(self) -> None:
        super().__init__()
        self.uri = ""
        self._arrived = threading.Condition()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        with self._arrived:
            self._arrived.notify_all()
        return answer

    def letter_to(self, address: str, about: str, flow: str = "") -> Letter:
        """Wait for the mail to this address with *about* in its subject, and *flow* in its link; mails come in any order."""

        def found() -> list[Letter]:
            mails = [letter(mail) for mail in self.mails if mail["To"] == address and about in mail["Subject"]]
            return [one for one in mails if flow in one.text]

        with self._arrived:
            assert self._arrived.wait_for(found, PATIENCE), f"no mail about {about!r} to {address}"
        [one] = found()
        return one


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """Run one on loopback, in clear text."""
    office = PostOffice()
    controller = Controller(office, hostname="127.0.0.1", port=free_port())
    office.uri = f"smtp://127.0.0.1:{controller.port}/?disable_starttls=true"
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
