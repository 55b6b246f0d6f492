"""The operator's own texts of messages, in Go's template language (contract: identities.md 5.3, 5.4; config.md 10).

Each part of a message has its own: what `courier.templates` names, else a file below `courier.template_override_path`, else ours.
All of them are read, and held against the variables that their message has, when a configuration is taken over.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from actions.gotemplate import ParseError, Record, RenderError, Source, Template, TemplateError, UnknownVariable
from identity import config
from identity.config import Config, Fault, sources
from identity.http import outgoing

TIMEOUT, ATTEMPTS = 5.0, 2  # seconds, and tries, of a template that is fetched
PATIENCE = 20.0  # seconds for all of them


@dataclass(frozen=True)
class Part:
    """`key` is where `courier.templates` names it, `file` its name in a folder, `siblings` what may be called from it."""

    channel: str
    key: str
    file: str
    siblings: str


PARTS = {
    "subject": Part("email", "email.subject", "email.subject.gotmpl", "email.subject*"),
    "html_body": Part("email", "email.body.html", "email.body.gotmpl", "email.body*"),
    "body": Part("email", "email.body.plaintext", "email.body.plaintext.gotmpl", "email.body.plaintext*"),
    "sms": Part("sms", "sms.body.plaintext", "sms.body.gotmpl", "sms.body*"),
}
EVERYWHERE = {"To": "to", "TransientPayload": "transient_payload", "Language": "language"}
ASKED_FOR = EVERYWHERE | {"RequestURL": "request_url"}
PROOF = ASKED_FOR | {"Identity": "identity", "ExpiresInMinutes": "expires_in_minutes"}
LOGIN = {"OAuth2LoginRequest": "oauth2_login_request"}
DOMAIN = {"RequestURLDomain": "request_url_domain"}
VERIFYING = PROOF | LOGIN | {"VerificationCode": "verification_code"}
SIGNING_UP = ASKED_FOR | LOGIN | {"ExpiresInMinutes": "expires_in_minutes", "RegistrationCode": "registration_code"}

# what each message's templates know, by the name that it has in a message's data
VARIABLES: dict[tuple[str, str], dict[str, str]] = {
    ("recovery_valid", "email"): PROOF | {"RecoveryURL": "recovery_url"},
    ("recovery_invalid", "email"): ASKED_FOR,
    ("recovery_code_valid", "email"): PROOF | {"RecoveryCode": "recovery_code"},
    ("recovery_code_valid", "sms"): PROOF | DOMAIN | {"RecoveryCode": "verification_code"},
    ("recovery_code_invalid", "email"): ASKED_FOR,
    ("verification_valid", "email"): PROOF | LOGIN | {"VerificationURL": "verification_url"},
    ("verification_invalid", "email"): ASKED_FOR,
    ("verification_code_valid", "email"): VERIFYING | {"VerificationURL": "verification_url"},
    ("verification_code_valid", "sms"): VERIFYING | DOMAIN,
    ("verification_code_invalid", "email"): ASKED_FOR,
    ("login_code_valid", "email"): PROOF | LOGIN | {"LoginCode": "login_code"},
    ("login_code_valid", "sms"): PROOF | LOGIN | DOMAIN | {"LoginCode": "login_code"},
    ("registration_code_valid", "email"): SIGNING_UP | {"Traits": "traits"},
    ("registration_code_valid", "sms"): SIGNING_UP | DOMAIN | {"Identity": "identity"},
    ("verifiable_address_changed", "email"): EVERYWHERE | {"Identity": "identity", "ChangedAt": "changed_at"},
    ("verifiable_address_changed", "sms"): EVERYWHERE | {"Identity": "identity", "ChangedAt": "changed_at"},
}
MAPPINGS = frozenset(("Identity", "Traits", "TransientPayload"))


@dataclass
class _Read:
    """What was made of a configuration: the templates by message and part, and what is wrong."""

    templates: dict[tuple[str, str], Template] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    until: float = field(default_factory=lambda: time.monotonic() + PATIENCE)


def find(message: str, part: str) -> Template | None:
    """Return the operator's template of one part of a message."""
    return _read().templates.get((message, part))


def variables(message: str, channel: str, data: dict[str, Any]) -> Record:
    """Return what a template of this message sees of *data*."""
    return Record({name: data.get(key) for name, key in VARIABLES[message, channel].items()})


def check(c: Config) -> Iterable[Fault]:
    """Every template must be readable, be one of the language, and name no variable that its message does not have."""
    return _read().faults


@config.per_config
def _read(c: Config) -> _Read:
    found = _Read()
    root = c.get("courier.template_override_path")
    if root and not Path(root).is_dir():
        found.faults.append(Fault("courier.template_override_path", f"there is no such folder: {root}"))
    for message, channel in VARIABLES:
        for name, part in PARTS.items():
            if part.channel == channel:
                _read_part(c, found, message, name)
    return found


def _read_part(c: Config, found: _Read, message: str, name: str) -> None:
    path = f"courier.templates.{_folder(message).replace('/', '.')}.{PARTS[name].key}"
    try:
        given = (
            [_named(path, c.get(path), found.until)]
            if c.get(path)
            else list(_files(c.get("courier.template_override_path"), message, PARTS[name]))
        )
        path = path if c.get(path) else "courier.template_override_path"
        if given:
            template = Template(given, is_html=name == "html_body")
            _try_out(template, message, PARTS[name].channel)
            found.templates[message, name] = template
    except TemplateError as error:
        found.faults.append(Fault(path, f"{error.name}, line {error.line}: {error.message}"))
    except (OSError, ValueError, outgoing.OutgoingError) as error:
        found.faults.append(Fault(path, f"the template cannot be read: {error}", may_pass=not isinstance(error, ValueError)))


def _folder(message: str) -> str:
    """Return where a message's templates are: recovery_code_valid is recovery_code/valid."""
    kind, _, outcome = message.rpartition("_")
    return f"{kind}/{outcome}" if outcome in ("valid", "invalid") else message


def _try_out(template: Template, message: str, channel: str) -> None:
    """Raises UnknownVariable. Anything else may be well with another person's values."""
    data: dict[str, Any] = {name: {} if name in MAPPINGS else "x" for name in VARIABLES[message, channel]}
    if "Identity" in data:
        data["Identity"] = {"traits": {}}
    try:
        template.render(Record(data))
    except UnknownVariable:
        raise
    except RenderError:
        return


def _named(path: str, uri: str, until: float) -> Source:
    """Read what the configuration names. Raises OSError, ValueError, OutgoingError."""
    is_web = uri.startswith(("http://", "https://"))
    document = sources.kept(uri, lambda: _fetched(uri, until), seconds=0) if is_web else sources.read(uri)
    text = document.decode("utf-8-sig")
    return Source(path.rpartition(".")[2], text, _shown(uri))


def _shown(uri: str) -> str:
    """Return an address as errors say it: without what base64:// holds, and without passwords."""
    if uri.startswith("base64://"):
        return "base64://…"
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme in ("http", "https") else uri


def _fetched(uri: str, until: float) -> bytes:
    for left in reversed(range(ATTEMPTS)):
        seconds = min(TIMEOUT, until - time.monotonic())
        if seconds <= 0:
            break
        try:
            answer = outgoing.request("GET", uri, timeout=seconds)
        except outgoing.OutgoingError as error:
            if error.is_final or not left:
                raise
            continue
        if answer.status == 200 and not answer.is_cut:
            return answer.body
        if answer.status < 500 or not left:
            raise outgoing.OutgoingError(f"the answer is too large or has status {answer.status}")
    raise outgoing.OutgoingError(f"fetching all templates takes more than {PATIENCE:.0f} seconds")


def _files(root: str | None, message: str, part: Part) -> Iterator[Source]:
    """The file of a part with those that it may call, itself first; nothing when there is none. Raises OSError, ValueError."""
    folder = Path(root or "") / _folder(message)
    main = folder / part.file
    if not root or not main.is_file():
        return
    for path in (main, *sorted(other for other in folder.glob(part.siblings) if other.is_file() and other != main)):
        try:
            yield Source(path.name, path.read_text("utf-8-sig"), str(path))
        except UnicodeDecodeError as error:
            raise ParseError(str(path), 1, "the file is not UTF-8.") from error
