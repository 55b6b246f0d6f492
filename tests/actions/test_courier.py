"""Messages: what people's own words can do to them, how many an inbox gets, and delivery through somebody's API."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.template.loader import render_to_string

from actions import courier
from actions.delivery import outbox, sending
from actions.delivery.channels import email
from actions.delivery.models import Delivery
from flows.courier import CourierMessage
from flows.models import Code
from identity import config
from identity.identities.models import Identity
from identity.sessions.models import Session
from tests.factor_journeys import App, configuration, make_person, said
from tests.receiver import Receiver, Says
from tests.server import merged

pytestmark = pytest.mark.django_db
ADA, PHONE = "ada@example.org", "+4915112345678"
FOLDER = Path(__file__).resolve().parents[2] / "templates" / "courier"
TEMPLATES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
HOSTILE = 'Eve\r\nBcc: eve@example.org\r\n\r\n<img src=x onerror=alert(1)>{{ 7 }}{% now "Y" %}'
DATA = {
    "to": HOSTILE,
    "identity": {"traits": {"email": HOSTILE, "name": HOSTILE}},
    "transient_payload": {"name": HOSTILE},
    "request_url": HOSTILE,
    "expires_in_minutes": 60,
    "verification_code": "654321",
    "recovery_code": "654321",
    "login_code": "654321",
    "registration_code": "654321",
    "verification_url": "http://localhost/x?a=1&b=2",
    "recovery_url": "http://localhost/x?a=1&b=2",
}


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    flows = {"recovery": {"enabled": True}, "verification": {"enabled": True}}
    with config.override(merged(configuration(), {"selfservice": {"flows": flows}})):
        yield


def send(template: str, via: str = "email", to: str = ADA, **data: Any) -> Delivery:
    courier.send(CourierMessage(template, via, to, DATA | data))
    return Delivery.objects.latest("created_at", "id")


# -- what people's own words can do


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_people_wrote_stays_text(template: str) -> None:
    with config.override({"ui": {"name": HOSTILE}}):
        delivery = send(template)

    content = outbox.content_of(delivery)
    mail = email.compose(delivery, content)
    assert "\n" not in content["subject"]
    assert "Bcc" not in mail
    assert "<img" not in content["html_body"]
    assert "7}}" not in content["body"].replace("{{ 7 }}", "")
    assert "&lt;" not in content["subject"] + content["body"]


@pytest.mark.parametrize("template", [name for name in TEMPLATES if "code_valid" in name])
def test_the_first_six_digits_are_the_code(template: str) -> None:
    content = outbox.content_of(send(template, to=ADA))

    for part in ("body", "html_body"):
        digits = "".join(letter if letter.isdigit() else " " for letter in content[part]).split()
        assert next(run for run in digits if len(run) >= 6) == "654321"


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_has_its_parts(template: str) -> None:
    parts = [
        render_to_string(f"courier/{template}/{name}", DATA | {"brand": "Example"}).strip()
        for name in ("subject.txt", "body.txt", "body.html")
    ]

    assert all(parts)


# -- how much an inbox gets


def ask(address: str) -> tuple[App, dict[str, Any]]:
    app = App()
    flow = app.start("recovery")
    answer = app.submit(flow, method="code", email=address)
    assert (answer.status_code, said(answer.json())) == (200, [1060003])
    return app, flow


def sent() -> int:
    return Delivery.objects.exclude(status=Delivery.WITHHELD).count()


def test_an_inbox_gets_no_more_than_its_budget() -> None:
    make_person(ADA)
    with config.override({"security": {"messages_per_inbox_and_hour": 3}}):
        for _ in range(5):
            ask(ADA)

    assert sent() == 3


def test_a_code_that_was_not_sent_lets_nobody_in() -> None:
    make_person(ADA)
    with config.override({"security": {"messages_per_inbox_and_hour": 1}}):
        ask(ADA)
        app, flow = ask(ADA)
        withheld = outbox.content_of(Delivery.objects.get(status=Delivery.WITHHELD))["data"]["recovery_code"]

        answer = app.submit(flow, method="code", code=withheld)

    assert said(answer.json()) == [4060006]
    assert Code.objects.filter(identity=None).count() == 1
    assert not Session.objects.exists()


def test_strangers_are_told_within_the_budget_only() -> None:
    told = {"selfservice": {"flows": {"recovery": {"notify_unknown_recipients": True}}}}
    with config.override(told | {"security": {"messages_per_inbox_and_hour": 2}}):
        for _ in range(4):
            ask("nobody@example.org")

    assert sent() == 2


def test_the_budget_of_one_inbox_is_not_that_of_another() -> None:
    make_person(ADA)
    make_person("bob@example.org")
    with config.override({"security": {"messages_per_inbox_and_hour": 1}}):
        ask(ADA)
        ask("bob@example.org")

    assert sent() == 2


def test_a_warning_is_sent_to_a_full_inbox_all_the_same() -> None:
    with config.override({"security": {"messages_per_inbox_and_hour": 1}}):
        send("recovery_code_valid")

        assert send("verifiable_address_changed").status == Delivery.QUEUED


# -- through somebody's API

BODY = """function(ctx) {
  to: ctx.recipient, text: ctx.body, kind: ctx.template_type, code: ctx.template_data.verification_code, via: ctx.message_type,
}"""


def api(hooks: Receiver, **more: Any) -> dict[str, Any]:
    return {"url": f"{hooks.url}/messages", "method": "POST", "body": "base64://" + base64.b64encode(BODY.encode()).decode(), **more}


def delivered(delivery: Delivery) -> Delivery:
    sending.attempt(delivery.pk)
    return Delivery.objects.get(pk=delivery.pk)


def test_a_text_message_goes_through_its_channel(hooks: Receiver) -> None:
    auth = {"type": "api_key", "config": {"in": "header", "name": "X-Key", "value": "k1"}}
    with config.override({"courier": {"channels": [{"id": "sms", "type": "http", "request_config": api(hooks, auth=auth)}]}}):
        delivery = delivered(send("verification_code_valid", "sms", PHONE, request_url_domain="auth.example.org"))

    assert delivery.status == Delivery.SENT
    got = hooks.log[0]
    assert got.headers["x-key"] == "k1"
    assert (got.body["to"], got.body["kind"], got.body["via"], got.body["code"]) == (PHONE, "verification_code_valid", "sms", "654321")
    assert got.body["text"].splitlines()[-1] == "@auth.example.org #654321"


def test_a_recovery_by_text_message_names_its_code_as_the_contract_does(hooks: Receiver) -> None:
    ada = Identity.objects.get(pk=make_person(ADA).pk)
    ada.recovery_rows.update(via="sms", value=PHONE)
    flag = {"feature_flags": {"choose_recovery_address": True}}
    with config.override(flag | {"courier": {"channels": [{"id": "sms", "type": "http", "request_config": api(hooks)}]}}):
        app = App()
        app.submit(app.start("recovery"), recovery_address=PHONE)
        delivered(Delivery.objects.get(channel="sms"))

    assert len(hooks.log[0].body["code"]) == 6


def test_a_text_message_without_a_channel_is_tried_again_and_said() -> None:
    delivery = delivered(send("verification_code_valid", "sms", PHONE))

    assert delivery.status == Delivery.QUEUED
    assert "no channel" in delivery.tries.get().error


def test_mail_goes_through_an_api_if_wanted(hooks: Receiver) -> None:
    with config.override({"courier": {"delivery_strategy": "http", "http": {"request_config": api(hooks)}}}):
        delivery = delivered(send("verification_code_valid"))

    assert delivery.status == Delivery.SENT
    assert (hooks.log[0].body["to"], hooks.log[0].body["via"]) == (ADA, "email")


def test_an_api_that_refuses_is_asked_again(hooks: Receiver) -> None:
    hooks.on("/messages", Says(500, {"no": "thanks"}))
    with config.override({"courier": {"delivery_strategy": "http", "http": {"request_config": api(hooks)}}}):
        delivery = delivered(send("verification_code_valid"))

    assert (delivery.status, delivery.tries.get().answer_status) == (Delivery.QUEUED, 500)


def test_a_form_is_sent_when_the_api_wants_one(hooks: Receiver) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with config.override({"courier": {"delivery_strategy": "http", "http": {"request_config": api(hooks, headers=headers)}}}):
        delivered(send("verification_code_valid", code="x"))

    assert b"to=ada%40example.org" in hooks.log[0].raw


def test_a_body_that_cannot_be_rendered_is_said(hooks: Receiver) -> None:
    broken = "base64://" + base64.b64encode(b"function(ctx) {to: ctx.nothing}").decode()
    with config.override({"courier": {"delivery_strategy": "http", "http": {"request_config": api(hooks, body=broken)}}}):
        delivery = delivered(send("verification_code_valid"))

    assert delivery.status == Delivery.QUEUED
    assert hooks.log == []


def test_the_default_body_has_the_documented_members(hooks: Receiver) -> None:
    with config.override({"courier": {"delivery_strategy": "http", "http": {"request_config": {"url": f"{hooks.url}/messages"}}}}):
        delivered(send("verification_code_valid"))

    assert {"recipient", "template_type", "to", "verification_code", "subject", "body"} <= hooks.log[0].body.keys()
    assert orjson.loads(hooks.log[0].raw)["recovery_url"] == DATA["recovery_url"]


@pytest.mark.parametrize("address", [ADA, "new@example.org"])
def test_a_code_to_sign_in_or_up_is_bounded_too(address: str) -> None:
    make_person(ADA)
    kind = "login" if address == ADA else "registration"
    fields = {"identifier": ADA} if address == ADA else {"traits": {"email": address}}
    code_only = {"selfservice": {"methods": {"code": {"enabled": True, "passwordless_enabled": True}}}}
    with config.override(code_only | {"security": {"messages_per_inbox_and_hour": 1}}):
        for _ in range(3):
            app = App()
            flow = app.submit(app.start(kind), method="code", **fields).json()
        withheld = outbox.content_of(Delivery.objects.filter(status=Delivery.WITHHELD).latest("created_at", "id"))
        answer = app.submit(flow, method="code", code=withheld["data"][f"{kind}_code"], **fields)

    assert sent() == 1
    assert answer.status_code == 400
    assert not Session.objects.exists()
