"""The certificate that we show to a mail server: shown when it is asked for, and looked at before anybody is written to."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from actions.delivery.channels import certificate
from actions.delivery.models import Delivery
from identity import config
from identity.config import ConfigError, store
from tests.actions.test_email import Postman, mail, running, tries
from tests.certificates import Pair, in_pem, make_pair
from tests.server import Server
from tests.services import free_port

pytestmark = pytest.mark.django_db


class Guard(Postman):
    """A mail server that asks who brings the mail."""

    def __init__(self) -> None:
        super().__init__()
        self.brought_by: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        shown = server.transport.get_extra_info("peercert")
        self.brought_by.append(dict(entry[0] for entry in shown["subject"])["commonName"])
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture
def ours(tmp_path: Path, authority: Pair) -> Pair:
    return make_pair(tmp_path, "vestibule", by=authority)


@pytest.fixture
def guard() -> Guard:
    return Guard()


@pytest.fixture(scope="module")
def wants(authority: Pair) -> ssl.SSLContext:
    """What a server that talks to those only whom *authority* vouches for goes by."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.cert_path))
    context.load_cert_chain(authority.cert_path, authority.key_path)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture(params=["starttls", "smtps"])
def guarded(request: pytest.FixtureRequest, guard: Guard, wants: ssl.SSLContext) -> Iterator[str]:
    is_starttls = request.param == "starttls"
    more = {"tls_context": wants, "require_starttls": True} if is_starttls else {"ssl_context": wants}
    controller = Unasked(guard, hostname="127.0.0.1", port=free_port(), **more)
    yield from running(controller, "smtp" if is_starttls else "smtps", "skip_ssl_verify=true")


class Unasked(Controller):
    """A controller that finds out whether it is ready without a word: the client that would ask has no certificate."""

    def _trigger_server(self) -> None:
        socket.create_connection((self.hostname, self.port)).close()


def test_it_shows_its_certificate_to_a_server_that_wants_to_see_one(guard: Guard, guarded: str, ours: Pair) -> None:
    delivery = mail(guarded, **ours.given())

    assert delivery.status == Delivery.SENT
    assert guard.brought_by == ["vestibule"]


def test_without_one_the_mail_waits(guard: Guard, guarded: str) -> None:
    delivery = mail(guarded)

    assert delivery.status == Delivery.QUEUED
    assert guard.mails == []


def test_without_one_the_operator_is_told_what_the_server_wants(wants: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as threads:
        ended = threads.submit(refuse_one, listening, wants)

        delivery = mail(f"smtps://127.0.0.1:{listening.getsockname()[1]}/?skip_ssl_verify=true")

        assert ended.result(30) == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert "CERTIFICATE_REQUIRED" in tries(delivery)[0].error


def refuse_one(listening: socket.socket, wants: ssl.SSLContext) -> str:
    """Say why before hanging up, as mail servers do; asyncio's hang up only. Return what was wrong."""
    with wants.wrap_socket(listening.accept()[0], server_side=True, do_handshake_on_connect=False) as caller:
        with pytest.raises(ssl.SSLError) as refused:
            caller.do_handshake()
        caller.shutdown(socket.SHUT_WR)
        while caller.recv(4096):
            pass  # what is left unread would take the refusal away with it
    return str(refused.value.reason)


def test_one_that_nobody_vouches_for_does_not_cost_the_mail(guard: Guard, guarded: str, tmp_path: Path) -> None:
    delivery = mail(guarded, **make_pair(tmp_path / "own", "vestibule").given())

    assert delivery.status == Delivery.QUEUED
    assert guard.mails == []


def test_one_that_was_renewed_counts_at_once(guard: Guard, guarded: str, ours: Pair, authority: Pair) -> None:
    mail(guarded, **ours.given())
    renewed = make_pair(ours.cert_path.parent / "new", "renewed", by=authority)
    renewed.cert_path.replace(ours.cert_path)
    renewed.key_path.replace(ours.key_path)

    mail(guarded, **ours.given())

    assert guard.brought_by == ["vestibule", "renewed"]


def test_one_that_is_half_replaced_does_not_cost_the_mail(guard: Guard, guarded: str, ours: Pair, authority: Pair) -> None:
    make_pair(ours.cert_path.parent / "new", "renewed", by=authority).cert_path.replace(ours.cert_path)

    delivery = mail(guarded, **ours.given())

    assert delivery.status == Delivery.QUEUED
    assert str(ours.key_path) in tries(delivery)[0].error


# -- what the start says


def complaint(**smtp: str) -> str:
    with config.override({"courier": {"smtp": smtp}}), pytest.raises(ConfigError) as refused:
        store.verify()
    return str(refused.value).strip()


def test_a_pair_is_taken(ours: Pair) -> None:
    with config.override({"courier": {"smtp": ours.given()}}):
        store.verify()


@pytest.mark.parametrize("missing", ["client_cert_path", "client_key_path"])
def test_one_without_the_other_is_pointed_at(ours: Pair, missing: str) -> None:
    given = {name: path for name, path in ours.given().items() if name != missing}

    assert complaint(**given).startswith(f"courier.smtp.{missing}: is required by courier.smtp.{next(iter(given))}")


@pytest.mark.parametrize("key", ["client_cert_path", "client_key_path"])
@pytest.mark.parametrize("why", ["missing", "a folder", "not pem", "empty"])
def test_a_file_that_cannot_be_used_is_pointed_at(ours: Pair, tmp_path: Path, key: str, why: str) -> None:
    wrong = tmp_path / "wrong.pem"
    if why == "a folder":
        wrong.mkdir()
    elif why != "missing":
        wrong.write_text("not pem" if why == "not pem" else "")

    said = complaint(**ours.given() | {key: str(wrong)})

    assert said.startswith(f"courier.smtp.{key}: {wrong} ")


def test_a_key_of_another_certificate_is_pointed_at(ours: Pair, authority: Pair) -> None:
    said = complaint(**ours.given() | {"client_key_path": str(authority.key_path)})

    assert said == f"courier.smtp.client_key_path: {authority.key_path} is not the key of the certificate in {ours.cert_path}."


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(ours: Pair) -> None:
    ours.key_path.write_bytes(in_pem(ours.key, b"a passphrase"))

    assert "is locked with a passphrase" in complaint(**ours.given())


def test_the_server_does_not_start_with_half_of_it(ours: Pair) -> None:
    server = Server({"courier": {"smtp": {"client_cert_path": str(ours.cert_path)}}})
    server.write()

    answer = server.manage("check")

    assert answer.returncode != 0
    assert f"{certificate.KEY}: is required by" in answer.stderr
