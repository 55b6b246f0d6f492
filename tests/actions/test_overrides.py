"""The operator's own texts: where they come from, what is said of wrong ones, and that no message is lost by them."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from django.template.loader import render_to_string

from actions import courier, overrides
from actions.delivery import outbox, sending
from actions.delivery.models import Delivery
from flows.courier import CourierMessage
from identity import config
from identity.config import ConfigError, store
from tests.actions.test_courier import TEMPLATES
from tests.actions.test_email import Postman, running
from tests.factor_journeys import App, configuration, make_person, said
from tests.identity.test_config import LEAST
from tests.receiver import Receiver, Says
from tests.server import merged
from tests.services import free_port

pytestmark = pytest.mark.django_db
ADA, PHONE = "ada@example.org", "+4915112345678"
VALID = "courier.templates.recovery_code.valid"
HOSTILE = 'Eve\r\nBcc: eve@example.org\u2028<script>alert(1)</script>{{ .RecoveryCode }}{% now "Y" %}"onload="x'
DATA: dict[str, Any] = {
    "to": ADA,
    "identity": {"traits": {"email": ADA, "name": {"first": "Ada"}, "language": "de"}},
    "transient_payload": {"site": "javascript:alert(1)"},
    "request_url": "https://auth.example.org/self-service/recovery/browser",
    "expires_in_minutes": 60,
    "recovery_code": "654321",
    "verification_code": "654321",
    "request_url_domain": "auth.example.org",
}


def b64(text: str) -> str:
    return "base64://" + base64.b64encode(text.encode()).decode()


def named(kind: str = "recovery_code", **parts: str) -> dict[str, Any]:
    """Return the configuration that names these parts of the valid mail, and `sms` of the text message."""
    email: dict[str, Any] = {"body": {part: parts[part] for part in ("html", "plaintext") if part in parts}}
    if "subject" in parts:
        email["subject"] = parts["subject"]
    sms = {"sms": {"body": {"plaintext": parts["sms"]}}} if "sms" in parts else {}
    return {"courier": {"templates": {kind: {"valid": {"email": email} | sms}}}}


def written(root: Path, **files: str) -> dict[str, Any]:
    """Write files of recovery_code/valid, `_` for `.` in their names, and return the configuration that finds them."""
    folder = root / "recovery_code" / "valid"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / (name.replace("_", ".") + ".gotmpl")).write_text(text)
    return {"courier": {"template_override_path": str(root)}}


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override(merged(configuration(), {"selfservice": {"flows": {"recovery": {"enabled": True}}}})):
        yield


@pytest.fixture
def post() -> Iterator[tuple[Postman, dict[str, Any]]]:
    """A mail server, and the configuration that sends to it."""
    postman = Postman()
    for uri in running(Controller(postman, hostname="127.0.0.1", port=free_port()), "smtp", "disable_starttls=true"):
        yield postman, {"courier": {"smtp": {"connection_uri": uri, "from_address": "no-reply@example.org"}}}


def content(patch: dict[str, Any], template: str = "recovery_code_valid", via: str = "email", **data: Any) -> dict[str, Any]:
    """Return what is recorded of a message under a configuration."""
    with config.override(patch):
        courier.send(CourierMessage(template, via, ADA if via == "email" else PHONE, DATA | data))
        return outbox.content_of(Delivery.objects.latest("created_at", "id"))


def faults(patch: dict[str, Any]) -> list[str]:
    with config.override(patch) as c:
        return [str(fault) for fault in overrides.check(c)]


# -- where they come from


def test_a_part_comes_from_the_configuration_then_from_the_folder_then_from_here(tmp_path: Path) -> None:
    patch = merged(
        written(tmp_path, email_subject="of the folder", email_body_plaintext="folder {{ .RecoveryCode }}"),
        named(subject=b64("{{ .RecoveryCode }} for {{ .Identity.traits.name.first }}")),
    )

    got = content(patch)

    assert got["subject"] == "654321 for Ada"
    assert got["body"] == "folder 654321"
    assert "654321" in got["html_body"]
    assert "<!doctype html>" in got["html_body"]


def test_a_text_message_has_its_own(tmp_path: Path) -> None:
    text = "{{ .RecoveryCode }} is your code.\n\n@{{ .RequestURLDomain }} #{{ .RecoveryCode }}\n"
    for patch in (named(sms=b64(text)), written(tmp_path, sms_body=text)):
        assert content(patch, via="sms", recovery_code="")["body"].splitlines() == [
            "654321 is your code.",
            "",
            "@auth.example.org #654321",
        ]


def test_a_file_and_an_address_are_sources_too(tmp_path: Path, hooks: Receiver) -> None:
    (tmp_path / "subject").write_text("from a file")
    hooks.on("/body", Says(body=b"from the web: {{ .To }}"))

    got = content(named(subject=f"file://{tmp_path}/subject", plaintext=f"{hooks.url}/body"))

    assert (got["subject"], got["body"]) == ("from a file", f"from the web: {ADA}")


def test_a_source_is_fetched_once_per_configuration(hooks: Receiver) -> None:
    hooks.on("/body", Says(body=b"x"))
    with config.override(named(plaintext=f"{hooks.url}/body")):
        for _ in range(3):
            courier.send(CourierMessage("recovery_code_valid", "email", ADA, DATA))

    assert hooks.paths() == ["/body"]


def test_siblings_are_parsed_into_the_same_set(tmp_path: Path) -> None:
    patch = written(
        tmp_path,
        email_body="""{{ if eq .Identity.traits.language "de" }}{{ template "de" . }}
            {{- else }}{{ template "email.body.en.gotmpl" . }}{{ end }}""",
        email_body_de='{{ define "de" }}<p>Hallo {{ .Identity.traits.name.first }}</p>{{ end }}',
        email_body_en="<p>Hello {{ .Identity.traits.name.first }}</p>",
    )

    assert content(patch)["html_body"] == "<p>Hallo Ada</p>"
    assert content(patch, identity={"traits": {"name": {"first": "Bob"}}})["html_body"] == "<p>Hello Bob</p>"


def test_the_language_of_the_message_is_a_variable() -> None:
    assert content(named(subject=b64("{{ .Language }}")))["subject"] == "de"


def test_every_message_of_ours_can_be_overridden(tmp_path: Path) -> None:
    for template in TEMPLATES:
        folder = tmp_path / overrides._folder(template)
        folder.mkdir(parents=True)
        (folder / "email.subject.gotmpl").write_text(template)

    for template in TEMPLATES:
        assert content({"courier": {"template_override_path": str(tmp_path)}}, template)["subject"] == template


# -- what people's own words can do


def test_what_people_wrote_is_never_evaluated_nor_breaks_out() -> None:
    name = "{{ .Identity.traits.name }}"
    html = f'<p>{name}</p><img alt="{name}" title={name}><a href="{{{{ .TransientPayload.site }}}}">x</a><script>f({name})</script>'

    got = content(named(subject=b64(f"Hi {name}"), plaintext=b64(name), html=b64(html)), identity={"traits": {"name": HOSTILE}})

    assert got["subject"].splitlines() == [got["subject"]]
    assert "{{ .RecoveryCode }}" in got["body"]
    assert "654321" not in got["body"] + got["html_body"]
    seen = Elements(got["html_body"])
    assert seen.found == [("p", []), ("img", ["alt", "title"]), ("a", ["href"]), ("script", [])]
    assert "javascript:" not in got["html_body"]
    assert '<a href="#ZgotmplZ">' in got["html_body"]


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


def test_a_subject_has_no_line_break_whoever_brought_it() -> None:
    got = content(named(subject=b64("one\r\ntwo {{ .TransientPayload.x }}\n")), transient_payload={"x": "a\rb\u0085c\u2028d"})

    assert got["subject"] == "one two a b c d"


# -- what is wrong


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        (named(subject=b64("a\n{{ .RecoveryCode")), f"{VALID}.email.subject: base64://…, line 2: the action"),
        (named(html=b64("<a {{ .To }}>")), f"{VALID}.email.body.html: base64://…, line 1: an action cannot stand"),
        (named(plaintext=b64("{{ now }}")), 'line 1: the function "now" is left out'),
        (named(plaintext=b64("\n{{ .RecoveryCod }}")), "line 2: this message has no variable .RecoveryCod. It has: ExpiresInMin"),
        (named(sms=b64("{{ .RecoveryURL }}")), f"{VALID}.sms.body.plaintext: base64://…, line 1: this message has no"),
        (named("login_code", subject=b64("{{ .RecoveryCode }}")), "courier.templates.login_code.valid.email.subject"),
        (named(subject="base64://!!!"), f"{VALID}.email.subject: the template cannot be read: what follows base64://"),
        (named(subject="base64:///w=="), "the template cannot be read"),
        (named(subject="file:///nowhere/x"), "the template cannot be read"),
        (named(subject="ftp://example.org/x"), "the template cannot be read"),
        (named(subject=b64("x" * 300_000)), "longer than 262144"),
        ({"courier": {"template_override_path": "/nowhere"}}, "courier.template_override_path: there is no such folder: /nowhere"),
    ],
)
def test_a_template_that_cannot_be_used_is_said(patch: dict[str, Any], said: str) -> None:
    [fault] = faults(patch)
    assert said in fault


def test_a_wrong_file_is_said_with_its_path_and_line(tmp_path: Path) -> None:
    patch = written(tmp_path, email_body='<p>\n{{ template "de" . }}', email_body_de='\n\n{{ define "dee" }}{{ end }}')

    assert faults(patch) == [
        f'courier.template_override_path: {tmp_path}/recovery_code/valid/email.body.gotmpl, line 2: there is no template "de".'
    ]


def test_a_file_that_is_not_text_is_said(tmp_path: Path) -> None:
    patch = written(tmp_path, email_subject="x")
    (tmp_path / "recovery_code/valid/email.subject.gotmpl").write_bytes(b"\xff\xfe")

    assert "email.subject.gotmpl, line 1: the file is not UTF-8." in faults(patch)[0]


@pytest.mark.parametrize(("status", "said"), [(404, "status 404"), (500, "status 500")])
def test_an_address_that_does_not_answer_well_is_said(hooks: Receiver, status: int, said: str) -> None:
    hooks.on("/x", Says(status))

    assert said in faults(named(subject=f"{hooks.url}/x"))[0]


def test_an_address_that_nobody_answers_is_said_without_its_password() -> None:
    [fault] = faults(named(subject=f"http://ada:secret@127.0.0.1:{free_port()}/x?token=secret"))

    assert "the template cannot be read: no connection" in fault
    assert "secret" not in fault


def test_an_address_that_may_not_be_called_is_said(hooks: Receiver) -> None:
    patch = merged(named(subject=f"{hooks.url}/x"), {"clients": {"http": {"disallow_private_ip_ranges": True}}})

    assert "no such host" in faults(patch)[0]
    assert hooks.log == []


# -- the start, and a reload


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "_state", store._State())
    return tmp_path / "identity.yml"


def write(file: Path, patch: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(merged(LEAST, patch)))


def begin(file: Path, patch: dict[str, Any]) -> None:
    write(file, patch)
    store.start([file], {})
    store.verify()


def change(file: Path, patch: dict[str, Any]) -> bool:
    write(file, patch)
    return store.reload()


def subject() -> str:
    template = overrides.find("recovery_code_valid", "subject")
    assert template is not None
    return template.render(overrides.variables("recovery_code_valid", "email", DATA))


def test_a_wrong_template_stops_the_start(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"courier\.templates\.recovery_code\.valid\.email\.subject: .*, line 1: there is no function"):
        begin(file, named(subject=b64("{{ nope }}")))


def test_a_source_that_is_down_stops_the_start(file: Path) -> None:
    with pytest.raises(ConfigError, match="no connection"):
        begin(file, named(subject=f"http://127.0.0.1:{free_port()}/x"))


def test_a_reload_with_a_wrong_template_keeps_the_old_ones(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    begin(file, named(subject=b64("first")))

    assert not change(file, named(subject=b64("{{ if }}")))

    assert subject() == "first"
    assert "a value is missing after if" in caplog.text
    assert change(file, named(subject=b64("second")))
    assert subject() == "second"


def test_files_are_read_again_at_a_reload(file: Path, tmp_path: Path) -> None:
    patch = written(tmp_path / "mails", email_subject="first")
    begin(file, patch)
    assert subject() == "first"

    written(tmp_path / "mails", email_subject="second")

    assert subject() == "first"
    assert store.reload()
    assert subject() == "second"


def taken_over(is_so: Callable[[], bool]) -> bool:
    """Go on making requests until it is so, for ten seconds at most."""
    until = time.monotonic() + 10
    while not is_so() and time.monotonic() < until:
        store.refresh()
    return is_so()


def stalling(hooks: Receiver) -> threading.Event:
    """Let /x say "second" once the result is set, and nothing before."""
    stalls = threading.Event()
    hooks.on("/x", lambda got: Says(200 if stalls.wait(10) else 500, b"second"))
    return stalls


def test_requests_do_not_wait_for_a_source_that_has_stalled(file: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WAITED", 0.05)
    stalls = stalling(hooks)
    begin(file, named(subject=b64("first")))
    write(file, named(subject=f"{hooks.url}/x"))

    store.refresh()

    assert subject() == "first"
    stalls.set()
    assert taken_over(lambda: subject() == "second")


def test_a_source_that_was_down_is_asked_again(file: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(file, named(subject=b64("first")))
    hooks.on("/x", Says(503))
    write(file, named(subject=f"{hooks.url}/x"))
    monkeypatch.setattr(store, "AGAIN", 0.0)
    store.refresh()
    assert (subject(), "status 503" in store.last_failure()) == ("first", True)

    hooks.on("/x", Says(200, b"second"))

    assert taken_over(lambda: subject() == "second")
    assert store.last_failure() == ""


def test_nobody_waits_again_for_what_was_away_before(file: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(file, named(subject=b64("first")))
    hooks.on("/x", Says(503))
    write(file, named(subject=f"{hooks.url}/x"))
    monkeypatch.setattr(store, "AGAIN", 0.0)
    store.refresh()
    stalls = stalling(hooks)
    monkeypatch.setattr(store, "WAITED", 60.0)

    store.refresh()

    assert subject() == "first"
    stalls.set()
    assert taken_over(lambda: subject() == "second")


def test_a_file_that_was_emptied_is_looked_at_once(file: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(file, named(subject=b64("first")))
    monkeypatch.setattr(store, "AGAIN", 0.0)
    hooks.on("/x", Says(503))
    change(file, named(subject=f"{hooks.url}/x"))
    file.write_text("")
    store.refresh()
    monkeypatch.setattr(store, "reload", lambda: pytest.fail("it was read again"))

    assert store.refresh() is store.current()


def test_a_fault_of_ours_leaves_the_old_configuration_and_is_said(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begin(file, named(subject=b64("first")))

    def breaks(config: object) -> list[Any]:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(store, "_checks", [breaks])
    write(file, named(subject=b64("second")))
    store.refresh()

    assert subject() == "first"
    assert "a fault of ours" in store.last_failure()
    assert "the old one stays in force" in caplog.text


def test_what_is_wrong_with_a_template_is_not_looked_at_again_until_it_is_mended(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "AGAIN", 0.0)
    begin(file, named(subject=b64("first")))
    change(file, named(subject=b64("{{ nope }}")))
    monkeypatch.setattr(store, "reload", lambda: pytest.fail("it was read again"))

    assert store.refresh() is store.current()


def test_the_last_text_is_used_on_while_its_source_is_down(file: Path, hooks: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    hooks.on("/x", Says(200, b"fetched"))
    patch = named(subject=f"{hooks.url}/x")
    begin(file, patch)
    hooks.on("/x", Says(500))

    assert change(file, merged(patch, {"ui": {"name": "Another"}}))

    assert (subject(), store.current().get("ui.name")) == ("fetched", "Another")
    assert "could not be fetched again" in caplog.text


@pytest.mark.parametrize(
    ("templates", "said"),
    [
        ({"recovery_code": {"valid": {"sms": {"body": {"plaintext": "file:///x"}}}}}, "recovery_code.valid.email: is required."),
        ({"recovery_code": {"invalid": {}}}, "recovery_code.invalid.email: is required."),
        ({"recovery_code": {"invalid": {"email": {}, "sms": {}}}}, "recovery_code.invalid.sms: there is no such key."),
        ({"login_code": {"invalid": {"email": {}}}}, "login_code.invalid: there is no such key."),
        ({"login_code": {"valid": {"email": {"body": {"text": "x"}}}}}, "login_code.valid.email.body.text: there is no such key."),
        ({"recovery_coed": {}}, 'recovery_coed: there is no such key. Did you mean "recovery_code"?'),
    ],
)
def test_the_shape_of_the_keys_is_checked(file: Path, templates: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        begin(file, {"courier": {"templates": templates}})
    assert f"courier.templates.{said}" in str(caught.value)


def test_a_text_message_alone_is_overridden_beside_an_empty_mail(file: Path) -> None:
    begin(file, {"courier": {"templates": {"recovery_code": {"valid": {"email": {}, "sms": {"body": {"plaintext": b64("x")}}}}}}})

    assert overrides.find("recovery_code_valid", "sms") is not None
    assert overrides.find("recovery_code_valid", "subject") is None


# -- through a mail server


def sent(post: tuple[Postman, dict[str, Any]], patch: dict[str, Any]) -> Any:
    """Ask for a code to recover, and return the mail that arrives."""
    postman, transport = post
    make_person(ADA)
    with config.override(merged(transport, patch)):
        app = App()
        answer = app.submit(app.start("recovery"), method="code", email=ADA)
        assert (answer.status_code, said(answer.json())) == (200, [1060003])
        sending.attempt(Delivery.objects.get().pk)
    [mail] = postman.mails
    return mail


def test_all_parts_of_a_mail_are_the_operators(post: tuple[Postman, dict[str, Any]]) -> None:
    parts = {"subject": "Code {{ .RecoveryCode }}", "plaintext": "Hi {{ .To }}: {{ .RecoveryCode }}", "html": "<b>{{ .RecoveryCode }}</b>"}

    mail = sent(post, named(**{part: b64(text) for part, text in parts.items()}))

    code = mail["Subject"].removeprefix("Code ")
    plain, html = mail.iter_parts()
    assert len(code) == 6
    assert plain.get_content().strip() == f"Hi {ADA}: {code}"
    assert html.get_content().strip() == f"<b>{code}</b>"


def test_a_folder_of_mails_chooses_the_language(post: tuple[Postman, dict[str, Any]], tmp_path: Path) -> None:
    text = '{{ define "de" }}Hallo {{ .To }}{{ end }}{{ define "en" }}Hello {{ .To }}{{ end }}'
    body = '{{ if eq .Language "de" }}{{ template "de" . }}{{ else }}{{ template "en" . }}{{ end }}'

    mail = sent(post, written(tmp_path, email_body_plaintext=body, email_body_plaintext_words=text))

    plain, _ = mail.iter_parts()
    assert plain.get_content().strip() == f"Hello {ADA}"


@pytest.mark.parametrize(
    "broken",
    ["{{ upper .Identity.traits.nickname }}", "{{ index .Identity.traits.groups 3 }}", "{{ range 100000000 }}{{ end }}", '{{ fail "no" }}'],
)
def test_a_template_that_fails_costs_nobody_their_mail(
    post: tuple[Postman, dict[str, Any]], caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    with caplog.at_level(logging.WARNING, "vestibule.courier"):
        mail = sent(post, named(subject=b64("Ours"), plaintext=b64(broken), html=b64(f"<p>{broken}</p>")))

    plain, html = mail.iter_parts()
    assert mail["Subject"] == "Ours"
    assert "This is the code that lets you back into your account" in plain.get_content()
    assert "This is the code that lets you back into your account" in html.get_content()
    assert "body of recovery_code_valid cannot be rendered" in caplog.text


def test_what_is_sent_without_overrides_is_ours() -> None:
    expected = render_to_string("courier/recovery_code_valid/body.txt", DATA | {"brand": "Vestibule", "language": "en"})

    assert content({}, identity={"traits": {}})["body"] == expected
