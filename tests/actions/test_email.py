"""Mail by SMTP: encrypted, signed in, given up for good or tried again."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session, syntax
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from actions import courier
from actions.delivery import sending
from actions.delivery.models import Delivery, DeliveryAttempt
from flows.courier import CourierMessage
from identity import config
from tests.services import free_port

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"


class Postman:
    """A mail server that keeps what it gets and answers as a test says."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.was_encrypted: list[bool] = []
        self.logins: list[str] = []
        self.to_recipient, self.to_data = "250 OK", "250 OK"
        self.dies = False

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.envelopes.append(envelope)
        self.was_encrypted.append(session.ssl is not None)
        if self.dies:
            server.transport.abort()
        return self.to_data

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.logins.append(f"{data.login.decode()}:{data.password.decode()}")
        return AuthResult(success=data.password == b"s3cr:et/")


class QuitsBadly(SMTP):
    @syntax("QUIT")
    async def smtp_QUIT(self, arg: str) -> None:
        self.transport.abort()


class Quitting(Controller):
    def factory(self) -> SMTP:
        return QuitsBadly(self.handler)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate of nobody that anybody knows, for 127.0.0.1's sake."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("mail.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("certificate") / "both.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    context.trusted = str(path)  # type: ignore[attr-defined]
    return context


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def plain(postman: Postman) -> Iterator[str]:
    yield from running(Controller(postman, hostname="127.0.0.1", port=free_port()), "smtp", "disable_starttls=true")


@pytest.fixture
def starttls(postman: Postman, certificate: ssl.SSLContext) -> Iterator[str]:
    more = {"require_starttls": True, "authenticator": postman.authenticate, "tls_context": certificate}
    yield from running(Controller(postman, hostname="127.0.0.1", port=free_port(), **more), "smtp", "skip_ssl_verify=true")


@pytest.fixture
def smtps(postman: Postman, certificate: ssl.SSLContext) -> Iterator[str]:
    yield from running(
        Controller(postman, hostname="127.0.0.1", port=free_port(), ssl_context=certificate), "smtps", "skip_ssl_verify=true"
    )


def running(controller: Controller, scheme: str, query: str) -> Iterator[str]:
    controller.start()
    try:
        yield f"{scheme}://127.0.0.1:{controller.port}/?{query}"
    finally:
        controller.stop()


def mail(uri: str, to: str = ADA, **more: Any) -> Delivery:
    """Send one mail at once, and return what became of it."""
    with config.override({"courier": {"smtp": {"connection_uri": uri, "from_address": "no-reply@example.org", **more}}}):
        data = {"to": to, "verification_code": "123456", "verification_url": "http://localhost/x", "expires_in_minutes": 60}
        courier.send(CourierMessage("verification_code_valid", "email", to, data))
        delivery = Delivery.objects.latest("created_at", "id")
        sending.attempt(delivery.pk)
    return Delivery.objects.get(pk=delivery.pk)


def tries(delivery: Delivery) -> list[DeliveryAttempt]:
    return list(DeliveryAttempt.objects.filter(delivery=delivery))


def test_it_sends_a_plain_part_and_an_html_part(postman: Postman, plain: str) -> None:
    delivery = mail(plain, from_name="Müller & Söhne")

    assert delivery.status == Delivery.SENT
    [got] = postman.mails
    assert got["To"] == ADA
    assert got["From"] == "Müller & Söhne <no-reply@example.org>"
    assert "123456" in got["Subject"]
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]
    assert all("123456" in part.get_content() for part in got.iter_parts())


def test_what_was_sent_is_blanked(postman: Postman, plain: str) -> None:
    assert mail(plain).content == ""


def test_it_encrypts_by_starttls(postman: Postman, starttls: str) -> None:
    assert mail(starttls).status == Delivery.SENT
    assert postman.was_encrypted == [True]


def test_it_encrypts_from_the_first_byte(postman: Postman, smtps: str) -> None:
    assert mail(smtps).status == Delivery.SENT
    assert len(postman.mails) == 1


@pytest.mark.parametrize("kind", ["starttls", "smtps"])
def test_it_tells_nothing_to_a_server_that_it_cannot_trust(postman: Postman, kind: str, request: pytest.FixtureRequest) -> None:
    uri = request.getfixturevalue(kind).replace("skip_ssl_verify=true", "")

    assert mail(uri).status == Delivery.QUEUED
    assert postman.mails == []


@pytest.mark.parametrize("kind", ["starttls", "smtps"])
def test_server_name_says_whose_certificate_is_wanted(
    postman: Postman, kind: str, request: pytest.FixtureRequest, certificate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate.trusted)
    uri = request.getfixturevalue(kind)

    assert mail(uri.replace("skip_ssl_verify=true", "server_name=other.test")).status == Delivery.QUEUED
    assert mail(uri.replace("skip_ssl_verify=true", "server_name=mail.test")).status == Delivery.SENT


def test_it_does_not_fall_back_to_clear_text(postman: Postman, plain: str) -> None:
    assert mail(plain.replace("disable_starttls=true", "")).status == Delivery.QUEUED
    assert postman.mails == []


def test_it_signs_in(postman: Postman, starttls: str) -> None:
    delivery = mail(starttls.replace("://", "://ada%40example.org:s3cr%3Aet%2F@"))

    assert delivery.status == Delivery.SENT
    assert postman.logins == ["ada@example.org:s3cr:et/"]


def test_a_wrong_password_of_ours_does_not_cost_the_mail(postman: Postman, starttls: str) -> None:
    delivery = mail(starttls.replace("://", "://ada:wrong@"))

    assert delivery.status == Delivery.QUEUED
    assert "wrong" not in str(list(DeliveryAttempt.objects.values()))


@pytest.mark.parametrize("where", ["to_recipient", "to_data"])
def test_a_permanent_rejection_is_final(postman: Postman, plain: str, where: str) -> None:
    setattr(postman, where, "550 no such person")

    delivery = mail(plain)

    assert (delivery.status, tries(delivery)[0].answer_status) == (Delivery.ABANDONED, 550)
    assert "no such person" in tries(delivery)[0].answer


@pytest.mark.parametrize("where", ["to_recipient", "to_data"])
def test_a_temporary_rejection_is_tried_again(postman: Postman, plain: str, where: str) -> None:
    setattr(postman, where, "451 come back later")
    delivery = mail(plain)
    assert (delivery.status, tries(delivery)[0].answer_status) == (Delivery.QUEUED, 451)
    setattr(postman, where, "250 OK")

    again(delivery, plain)

    assert Delivery.objects.get(pk=delivery.pk).status == Delivery.SENT
    assert [one.number for one in tries(delivery)] == [1, 2]


def again(delivery: Delivery, uri: str) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(due_at=delivery.created_at)
    with config.override({"courier": {"smtp": {"connection_uri": uri, "from_address": "no-reply@example.org"}}}):
        sending.attempt(delivery.pk)


def test_a_server_that_dies_before_it_answers_gets_the_same_mail_again(postman: Postman, plain: str) -> None:
    postman.dies = True
    delivery = mail(plain)
    assert delivery.status == Delivery.QUEUED
    postman.dies = False

    again(delivery, plain)

    assert Delivery.objects.get(pk=delivery.pk).status == Delivery.SENT
    first, second = postman.mails
    assert first.get_content_type() == second.get_content_type()
    assert first["Message-ID"] == second["Message-ID"] == f"<{delivery.message_id}@example.org>"


def test_a_mail_that_was_accepted_is_sent_however_the_connection_ends(postman: Postman) -> None:
    for uri in running(Quitting(postman, hostname="127.0.0.1", port=free_port()), "smtp", "disable_starttls=true"):
        assert mail(uri).status == Delivery.SENT


def test_nobody_there_is_tried_again(postman: Postman) -> None:
    assert mail(f"smtp://127.0.0.1:{free_port()}/").status == Delivery.QUEUED


def test_headers_of_the_operator_are_added_and_bring_their_recipients(postman: Postman, plain: str) -> None:
    mail(plain, headers={"Bcc": "archive@example.org", "X-Tenant": "acme", "Subject": "Ours"})

    assert postman.mails[0]["X-Tenant"] == "acme"
    assert postman.mails[0]["Subject"] == "Ours"
    assert "Bcc" not in postman.mails[0]
    assert postman.envelopes[0].rcpt_tos == [ADA, "archive@example.org"]


@pytest.mark.parametrize(
    "to", ["ada@example.org\r\nBcc: eve@example.org", "ada@example.org\nSubject: x", "ada@example.org, eve@example.org"]
)
def test_an_address_cannot_bring_headers_or_recipients(postman: Postman, plain: str, to: str) -> None:
    delivery = mail(plain, to=to)

    assert "eve@example.org" not in [one for envelope in postman.envelopes for one in envelope.rcpt_tos]
    assert delivery.status == Delivery.ABANDONED
