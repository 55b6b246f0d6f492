"""Messages and deliveries as operators see them (contract: identities.md 3.11)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from actions import admin_api
from actions.delivery import broker, outbox, sending, tasks
from actions.delivery.models import Delivery, DeliveryAttempt
from identity import conf, config
from tests.identity.conftest import SECRETS, Operator

NOBODY = "b4f5c9e4-0000-4000-8000-000000000000"
CODE = "123456"


@pytest.fixture(autouse=True)
def _secrets():
    with config.override(SECRETS):
        yield


@pytest.fixture
def operator(db):
    return Operator()


def mail(to="ada@h.test", **columns) -> Delivery:
    row = outbox.enqueue_message("email", to, "recovery_code_valid", {"subject": f"Your code {CODE}", "body": CODE, "html_body": ""})
    Delivery.objects.filter(pk=row.pk).update(**columns)
    return row


def hook(**columns) -> Delivery:
    request = {"url": "https://hook.test/", "method": "POST", "headers": {"Authorization": "secret"}, "body": "secret"}
    row = outbox.enqueue_web_hook("msg_1", "selfservice.flows.login.after.hooks.0", "login.after", request, flow_id=None, identity_id=None)
    Delivery.objects.filter(pk=row.pk).update(**columns)
    return row


def tried(row: Delivery, number=1, error="") -> DeliveryAttempt:
    return DeliveryAttempt.objects.create(
        delivery=row, number=number, started_at=timezone.now(), error=error, answer_status=500 if error else 200
    )


def lease() -> dict:
    return {"lease_until": timezone.now() + timedelta(seconds=30)}


def test_it_lists_messages_newest_first_and_never_webhooks(operator, django_assert_num_queries):
    rows = [str(mail(f"p{n}@h.test").id) for n in range(3)]
    hook()

    with django_assert_num_queries(1):
        listed = operator.get("/admin/courier/messages").json()

    assert [message["id"] for message in listed] == sorted(rows, reverse=True)
    assert {(m["type"], m["channel"], m["template_type"], m["send_count"], m["status"]) for m in listed} == {
        ("email", "email", "recovery_code_valid", 0, "queued")
    }
    assert all("dispatches" not in message for message in listed)


def test_it_hides_what_a_message_says(operator):
    row = mail()

    for path in ("/admin/courier/messages", f"/admin/courier/messages/{row.id}", "/admin/deliveries", f"/admin/deliveries/{row.id}"):
        assert CODE not in operator.get(path).content.decode()


def test_it_shows_what_a_message_says_in_development(operator, monkeypatch):
    row = mail()
    monkeypatch.setattr(conf, "is_dev", lambda: True)

    shown = operator.get(f"/admin/courier/messages/{row.id}").json()

    assert (shown["subject"], shown["body"]) == (f"Your code {CODE}", CODE)


def test_it_tells_a_claimed_message_from_a_waiting_one(operator):
    waiting, claimed, sent = mail(), mail(**lease()), mail(status="sent", content="")
    stuck = mail(lease_until=timezone.now() - timedelta(seconds=1))

    def found(status):
        return {message["id"] for message in operator.get("/admin/courier/messages", {"status": status}).json()}

    assert found("queued") == {str(waiting.id), str(stuck.id)}
    assert found("processing") == {str(claimed.id)}
    assert found("sent") == {str(sent.id)}
    assert found("abandoned") == set()


def test_it_finds_messages_by_their_recipient(operator):
    row = mail("bob@h.test")
    mail()

    assert [m["id"] for m in operator.get("/admin/courier/messages", {"recipient": "bob@h.test"}).json()] == [str(row.id)]
    assert operator.get("/admin/courier/messages", {"recipient": "b\x00b"}).json() == []


def test_it_shows_the_attempts_of_one_message_newest_first(operator):
    row = mail()
    tried(row, 1, "connection refused")
    tried(row, 2)

    dispatches = operator.get(f"/admin/courier/messages/{row.id}").json()["dispatches"]

    assert [dispatch["status"] for dispatch in dispatches] == ["success", "failed"]
    assert dispatches[1]["error"]["message"] == "connection refused"
    assert dispatches[1]["message_id"] == str(row.id)
    assert "error" not in dispatches[0]


def test_it_pages_messages_with_sealed_tokens(operator):
    rows = sorted((str(mail().id) for _ in range(3)), reverse=True)

    first = operator.get("/admin/courier/messages?page_size=2")
    following = dict(reversed(link.split("; rel=")) for link in first["Link"].split(","))['"next"'].strip("<>")
    second = operator.get(following)

    assert [m["id"] for page in (first, second) for m in page.json()] == rows
    assert rows[1] not in following
    assert 'rel="next"' not in second["Link"]


@pytest.mark.parametrize("query", ["status=lost", "page_token=forged", "page_token=%00"])
def test_it_refuses_queries_that_mean_nothing(operator, query):
    response = operator.get(f"/admin/courier/messages?{query}")

    assert (response.status_code, response.json()["error"]["code"]) == (400, 400)


def test_it_refuses_a_size_in_words_as_upstream_does(operator):
    response = operator.get("/admin/courier/messages?page_size=many")

    assert (response.status_code, response.json()["error"]["code"]) == (400, 500)


@pytest.mark.parametrize(("id", "status"), [(NOBODY, 404), ("garbage", 400), ("%00", 400)])
def test_it_knows_no_such_message_or_delivery(operator, id, status):
    assert operator.get(f"/admin/courier/messages/{id}").status_code == status
    assert operator.get(f"/admin/deliveries/{id}").status_code == status
    assert operator.post(f"/admin/deliveries/{id}/replay").status_code == status


def test_it_keeps_webhooks_out_of_the_messages(operator):
    assert operator.get(f"/admin/courier/messages/{hook().id}").status_code == 404


def test_it_lists_deliveries_of_every_kind(operator, django_assert_num_queries):
    webhook, message = hook(status="abandoned", attempts=3), mail()

    with django_assert_num_queries(1):
        listed = operator.get("/admin/deliveries").json()

    assert {row["id"] for row in listed} == {str(webhook.id), str(message.id)}
    assert [row["id"] for row in operator.get("/admin/deliveries", {"channel": "webhook"}).json()] == [str(webhook.id)]
    assert [row["id"] for row in operator.get("/admin/deliveries", {"hook": webhook.hook}).json()] == [str(webhook.id)]
    assert [row["attempt_count"] for row in operator.get("/admin/deliveries", {"status": "abandoned"}).json()] == [3]
    assert "secret" not in str(listed)


@pytest.mark.parametrize("query", ["status=lost", "channel=pigeon", "page_token=x", "page_size=x"])
def test_it_refuses_unclear_questions_about_deliveries(operator, query):
    assert operator.get(f"/admin/deliveries?{query}").status_code == 400


def test_it_walks_through_deliveries(operator):
    rows = sorted((str(mail().id) for _ in range(3)), reverse=True)

    assert [row["id"] for row in operator.get("/admin/deliveries", {"page_size": 2, "page_token": rows[0]}).json()] == rows[1:]


def test_it_shows_how_a_delivery_went(operator):
    row = hook()
    tried(row, 1, "HTTP 500")
    tried(row, 2)

    attempts = operator.get(f"/admin/deliveries/{row.id}").json()["attempts"]

    assert [(attempt["number"], attempt["answer_status"], attempt["error"]) for attempt in attempts] == [(1, 500, "HTTP 500"), (2, 200, "")]


def test_it_sends_a_delivery_again(operator):
    row = hook(status="abandoned", attempts=9)

    response = operator.post(f"/admin/deliveries/{row.id}/replay")

    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert Delivery.objects.get().attempts == 0
    assert outbox.due(5) == [row.id]


def test_it_cannot_send_again_what_is_not_kept(operator):
    row = mail(status="sent", content="")

    assert operator.post(f"/admin/deliveries/{row.id}/replay").status_code == 409


def test_it_names_every_status_once():
    assert sorted(admin_api.STATUSES) == ["abandoned", "processing", "queued", "sent"]


def test_an_address_is_shown_without_what_may_be_a_secret(operator):
    request = {"url": "https://ada:secret@hook.test:8443/told?api_key=secret#x", "method": "POST", "headers": {}, "body": ""}
    row = outbox.enqueue_web_hook("msg_2", "a", "login.after", request, flow_id=None, identity_id=None)

    assert operator.get(f"/admin/deliveries/{row.pk}").json()["target"] == "https://hook.test:8443/told"
    assert "secret" not in str(Delivery.objects.filter(pk=row.pk).values().get())
    assert outbox.content_of(row)["url"] == request["url"]


def test_what_is_being_sent_is_not_sent_again_beside_that(operator):
    row = hook()
    claimed = outbox.claim(row.pk)
    assert claimed is not None

    assert outbox.requeue(Delivery.objects.filter(pk=row.pk)) == 0
    assert outbox.claim(row.pk) is None


def test_an_attempt_that_outlived_its_claim_overwrites_nothing(operator, monkeypatch):
    """The other one sent it, and what was sent was blanked."""
    row = mail()
    late = outbox.claim(row.pk)
    Delivery.objects.filter(pk=row.pk).update(status=Delivery.SENT, content="", lease_until=None)
    monkeypatch.setitem(sending.CHANNELS, Delivery.EMAIL, lambda delivery: ("no answer", None, "", False))

    sending.send(late)

    row.refresh_from_db()
    assert (row.status, row.content) == (Delivery.SENT, "")
    assert DeliveryAttempt.objects.filter(delivery=row).count() == 1


@pytest.mark.parametrize(("held", "told"), [(0, 3), (tasks.BATCH - 2, 2), (tasks.BATCH + 5, 0)])
def test_the_sweeper_fills_a_queue_no_further(operator, monkeypatch, held, told):
    rows = [mail(f"{number}@h.test") for number in range(3)]
    said = []
    monkeypatch.setattr(broker, "waiting", lambda queue: held)
    monkeypatch.setattr(broker, "wake", lambda id, queue: said.append(id))

    tasks.tell()

    assert len(said) == told
    assert set(said) <= {row.pk for row in rows}


def test_a_broker_that_is_away_is_not_waited_for_again_and_again(operator, monkeypatch):
    tried = []

    def away(*arguments, **more):
        tried.append(arguments)
        raise OSError("no broker")

    monkeypatch.setattr(broker, "_away_until", 0.0)
    monkeypatch.setattr(broker.current_app, "send_task", away)
    for _ in range(5):
        broker.wake(uuid.uuid4(), broker.WEBHOOKS)

    assert len(tried) == 1
    monkeypatch.setattr(broker, "_away_until", 0.0)
    broker.wake(uuid.uuid4(), broker.WEBHOOKS)
    assert len(tried) == 2
