"""Mail arrives, however often the process that sends it is killed meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from identity.serving.supervisor import HEALTHY
from tests.actions.test_email import Postman, running
from tests.clients import App, new_address
from tests.journeys.test_deliveries import wait_until
from tests.server import Server
from tests.services import free_port

PEOPLE = 50
FATAL = (5, 15, 30)  # which mails: who brings one of them dies before hearing that it was taken
PATIENCE = 90.0  # seconds; what the dead had claimed is free again after forty


class Informer(Postman):
    """A mail server that tells somebody of each mail before it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.tells: Callable[[int], None] = lambda count: None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        self.tells(len(self.mails))
        return answer

    def by_address(self) -> dict[str, list[str]]:
        """Return the `Message-ID`s of what each address got."""
        got: dict[str, list[str]] = defaultdict(list)
        for mail in list(self.mails):
            got[mail["To"]].append(mail["Message-ID"])
        return got

    def came_again(self) -> list[list[str]]:
        return [ids for ids in self.by_address().values() if len(ids) > 1]


@pytest.fixture
def postman() -> Informer:
    return Informer()


@pytest.fixture
def post_office(postman: Informer) -> Iterator[str]:
    yield from running(Controller(postman, hostname="127.0.0.1", port=free_port()), "smtp", "disable_starttls=true")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_it_loses_no_mail_while_the_worker_is_killed(
    database: str, postman: Informer, post_office: str, request: pytest.FixtureRequest
) -> None:
    dsn = request.getfixturevalue("postgres") if database == "postgres" else ""
    verification = {"selfservice": {"flows": {"verification": {"enabled": True}}}}
    people = [new_address() for _ in range(PEOPLE)]
    with Server({"courier": {"smtp": {"connection_uri": post_office}}, **verification}, dsn) as server:
        ready = time.monotonic()
        wait_until(lambda: time.monotonic() - ready > HEALTHY)  # three that die young, one after another, end the server
        postman.tells = lambda count: kill_worker(server) if count in FATAL else None
        for address in people:
            assert App(server.public).register(address).status_code == 200

        wait_until(lambda: postman.by_address().keys() >= set(people) and len(postman.came_again()) >= len(FATAL), PATIENCE)

    assert postman.by_address().keys() == set(people)
    assert [ids for ids in postman.came_again() if len(set(ids)) > 1] == [], "a mail that comes again is the same mail"


def kill_worker(server: Server) -> None:
    for worker in server.children("dispatcher"):
        os.kill(worker, signal.SIGKILL)
