"""Deliver an email by SMTP, or by an HTTP API (contract: identities.md 5.5, 5.6)."""

from __future__ import annotations

import contextlib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from smtplib import (
    SMTP,
    SMTP_SSL,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from urllib.parse import parse_qs, unquote, urlsplit

from actions.delivery import outbox
from actions.delivery.channels import api, certificate
from actions.delivery.models import Delivery
from identity import config
from identity.config import Config
from identity.http import guarded

TIMEOUT = 10.0  # seconds
PERMANENT = range(500, 600)


@config.per_config
def keeps_mail(c: Config) -> bool:
    """Whether the development mailbox shows what was sent."""
    return c.dev


@config.per_config
def has_only_the_mailbox(c: Config) -> bool:
    """Whether mail goes nowhere but to the development mailbox."""
    return c.dev and c.get("courier.delivery_strategy") == "smtp" and not c.get("courier.smtp.connection_uri")


def send(delivery: Delivery) -> tuple[str, int | None, str, bool]:
    """Return (error, status, answer, whether trying again is useless)."""
    content = outbox.content_of(delivery)
    if not content:
        return "its content cannot be opened: was a cipher secret removed?", None, "", True
    if has_only_the_mailbox():
        return "", None, "kept in the development mailbox", False
    if config.current().get("courier.delivery_strategy") == "http":
        return api.send(config.current().get("courier.http.request_config") or {}, delivery, content)
    uri = config.current().get("courier.smtp.connection_uri")
    if not uri:
        return "courier.smtp.connection_uri is not set", None, "", False
    return _by_smtp(uri, delivery, content)


def _by_smtp(uri: str, delivery: Delivery, content: dict[str, str]) -> tuple[str, int | None, str, bool]:
    try:
        mail = compose(delivery, content)
    except ValueError as error:  # an address that cannot stand in a header never will
        return f"the mail cannot be written: {error}", None, "", True
    try:
        _transmit(uri, mail)
    except SMTPRecipientsRefused as refused:
        said = [(code, text.decode("utf-8", "replace") if isinstance(text, bytes) else text) for code, text in refused.recipients.values()]
        code, text = said[0]
        return f"the mail server refused the recipient: {code}", code, text[:500], all(code in PERMANENT for code, _ in said)
    except SMTPResponseException as error:
        is_about_the_mail = isinstance(error, SMTPSenderRefused | SMTPDataError)  # else the operator can put it right meanwhile
        said_why = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        final = is_about_the_mail and error.smtp_code in PERMANENT
        return f"the mail server said {error.smtp_code}", error.smtp_code, said_why[:500], final
    except certificate.CertificateUnusable as error:
        return str(error), None, "", False
    except (SMTPException, OSError) as error:
        return f"the mail server could not be used: {_kind(error)}", None, "", False
    return "", None, "", False


def _kind(error: Exception) -> str:
    """Return what went wrong in a word, and what TLS has to say of it: whose certificate was refused, for one."""
    below = error if isinstance(error, ssl.SSLError) else error.__context__  # smtplib wraps what it meets while it reads
    return f"{type(error).__name__}, {below.reason}" if isinstance(below, ssl.SSLError) and below.reason else type(error).__name__


def _transmit(uri: str, mail: EmailMessage) -> None:
    """Once the server has accepted the mail it is sent, whatever becomes of the connection.

    Raises:
        SMTPException, OSError, CertificateUnusable: It was not.
    """
    server = _connect(uri)
    try:
        server.send_message(mail)
        with contextlib.suppress(SMTPException, OSError):
            server.quit()
    finally:
        server.close()


def compose(delivery: Delivery, content: dict[str, str]) -> EmailMessage:
    """Return the mail: a plain part and an HTML part."""
    rules: dict[str, object] = config.current().get("courier.smtp")
    mail = EmailMessage()
    sender = str(rules["from_address"])
    mail["From"] = Address(str(rules.get("from_name") or ""), addr_spec=sender)
    mail["To"] = _recipient(delivery.target)
    mail["Subject"] = content["subject"]
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{delivery.message_id}@{sender.rpartition('@')[2]}>"  # of every try, so that one that comes twice is known
    headers = rules.get("headers")
    for name, value in (headers if isinstance(headers, dict) else {}).items():
        del mail[name]
        mail[name] = value
    mail.set_content(content["body"])
    mail.add_alternative(content["html_body"], subtype="html")
    return mail


def _recipient(target: str) -> Address:
    """Return the one address that *target* is. Raises ValueError for several of them, and for what brings headers of its own."""
    if target.isascii():
        return Address(addr_spec=target)
    local, _, domain = target.rpartition("@")
    return Address(username=local, domain=domain)


def _connect(uri: str) -> SMTP:
    """Return a connection that is encrypted unless the operator said otherwise. Raises SMTPException, OSError, CertificateUnusable."""
    parts = urlsplit(uri)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if options.get("skip_ssl_verify") == "true":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate.show(context)
    host, local = parts.hostname or "localhost", config.current().get("courier.smtp.local_name")
    if config.current().get("clients.smtp.disallow_private_ip_ranges"):
        guarded.require_public(host)
    is_tls = parts.scheme == "smtps"
    server = SMTP_SSL(local_hostname=local, timeout=TIMEOUT, context=context) if is_tls else SMTP(local_hostname=local, timeout=TIMEOUT)
    server._host = options.get("server_name") or host  # type: ignore[attr-defined]  # whose certificate is wanted; smtplib has no public name for it
    try:
        _greet(server, host, parts.port or (465 if is_tls else 25))
        if not is_tls and options.get("disable_starttls") != "true":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _greet(server: SMTP, host: str, port: int) -> None:
    code, said = server.connect(host, port)
    if code != 220:
        raise SMTPConnectError(code, said)
