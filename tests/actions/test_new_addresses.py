"""A new address waits until it is proved (verify_new_address); the old ones are told (notify_previous_addresses)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from actions import config as hooks
from actions.delivery import outbox
from actions.delivery.models import Delivery
from flows.models import PendingChange, SettingsFlow
from identity import config
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions.models import Session
from tests.factor_journeys import App, Flow, Page, configuration, make_person, said, value
from tests.server import merged

pytestmark = pytest.mark.django_db
OLD, NEW = "ada@example.org", "ada@example.net"


def with_hooks(*listed: dict[str, Any]) -> dict[str, Any]:
    flows = {"settings": {"after": {"profile": {"hooks": list(listed)}}}, "verification": {"enabled": True}}
    return merged(configuration(), {"selfservice": {"flows": flows}})


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override(configuration()):
        yield


@pytest.fixture
def verifies() -> Iterator[None]:
    with config.override(with_hooks({"hook": "verify_new_address"})):
        yield


@pytest.fixture
def ada() -> Identity:
    identity = make_person(OLD)
    services.prove_address(identity, "email", OLD)
    return Identity.objects.get(pk=identity.pk)


@pytest.fixture(params=[App, Page])
def visitor(request: pytest.FixtureRequest, ada: Identity) -> App:
    person: App = request.param(ada)
    return person


def change(visitor: App, **traits: str) -> Any:
    return visitor.submit(visitor.start("settings"), method="profile", traits={"email": NEW, **traits})


def proof(visitor: App, answer: Any) -> Flow:
    """Return the verification flow that an answer leads to."""
    id = answer.json()["continue_with"][0]["flow"]["id"]
    client = Client() if visitor.kind == "api" else visitor.client  # an app keeps no cookies
    return dict(client.get("/self-service/verification/flows", {"id": id}, HTTP_ACCEPT="application/json").json())


def code_to(address: str) -> str:
    delivery = Delivery.objects.filter(target=address).exclude(status=Delivery.WITHHELD).latest("created_at", "id")
    return str(outbox.content_of(delivery)["data"]["verification_code"])


def emails() -> list[tuple[str, bool]]:
    return [(row.value, row.verified) for row in Identity.objects.get().verifiable]


@pytest.mark.usefixtures("verifies")
def test_it_stores_nothing_until_the_code_comes_back(visitor: App) -> None:
    answer = change(visitor)

    assert answer.status_code == 200
    assert answer.json()["continue_with"][0]["flow"]["verifiable_address"] == NEW
    assert value(answer.json(), "traits.email") == NEW
    assert emails() == [(OLD, True)]
    flow = proof(visitor, answer)
    answer = visitor.submit(flow, method="code", code=code_to(NEW))
    assert said(answer.json()) == [1080002]
    assert emails() == [(NEW, True)]
    assert Identity.objects.get().traits == {"email": NEW}
    assert not PendingChange.objects.exists()


@pytest.mark.usefixtures("verifies")
def test_what_waits_is_encrypted(visitor: App) -> None:
    change(visitor)

    assert NEW not in PendingChange.objects.get().traits


@pytest.mark.usefixtures("verifies")
def test_a_code_that_is_sent_again_still_carries_the_change_out(visitor: App) -> None:
    flow = proof(visitor, change(visitor))
    first = code_to(NEW)

    again = visitor.submit(flow, method="code", email=NEW)
    assert again.status_code == 200, again.content

    assert code_to(NEW) != first
    visitor.submit(flow, method="code", code=code_to(NEW))
    assert emails() == [(NEW, True)]


@pytest.mark.usefixtures("verifies")
def test_it_needs_the_session_that_asked_for_it(visitor: App) -> None:
    flow, code = proof(visitor, change(visitor)), code_to(NEW)
    Session.objects.update(active=False)

    answer = visitor.submit(flow, method="code", code=code)

    assert (answer.status_code, said(answer.json())) == (200, [4070006])
    assert emails() == [(OLD, True)]


@pytest.mark.usefixtures("verifies")
def test_who_saves_the_old_address_again_wants_the_new_one_no_more(visitor: App) -> None:
    """It may have been mistyped: then the code is in a stranger's mailbox."""
    flow, code = proof(visitor, change(visitor)), code_to(NEW)
    assert change(visitor, email=OLD).status_code == 200

    visitor.submit(flow, method="code", code=code)

    assert emails() == [(OLD, True)]
    assert not PendingChange.objects.exists()


@pytest.mark.usefixtures("verifies")
def test_it_needs_the_traits_that_it_was_made_from(visitor: App) -> None:
    flow, code = proof(visitor, change(visitor)), code_to(NEW)
    Identity.objects.update(traits={"email": OLD, "name": {"first": "Augusta"}})

    answer = visitor.submit(flow, method="code", code=code)

    assert (answer.status_code, said(answer.json())) == (200, [4070006])
    assert emails() == [(OLD, True)]


@pytest.mark.usefixtures("verifies")
def test_an_address_that_somebody_took_meanwhile_is_refused(visitor: App) -> None:
    flow, code = proof(visitor, change(visitor)), code_to(NEW)
    bob = make_person(NEW)

    answer = visitor.submit(flow, method="code", code=code)

    assert (answer.status_code, said(answer.json())) == (400, [4000007])
    assert Identity.objects.exclude(pk=bob.pk).get().traits["email"] == OLD


@pytest.mark.usefixtures("verifies")
def test_an_address_of_somebody_else_is_refused_at_once(visitor: App) -> None:
    make_person(NEW)

    answer = change(visitor)

    assert (answer.status_code, said(answer.json())) == (400, [4000007])
    assert not PendingChange.objects.exists()


@pytest.mark.usefixtures("verifies")
def test_a_newer_change_replaces_the_older_one(visitor: App) -> None:
    flow, code = proof(visitor, change(visitor)), code_to(NEW)
    visitor.submit(visitor.start("settings"), method="profile", traits={"email": "ada@example.com"})

    answer = visitor.submit(flow, method="code", code=code)

    assert said(answer.json()) == [4070006]
    assert emails() == [(OLD, True)]


@pytest.mark.usefixtures("verifies")
def test_it_wants_a_session_that_proved_itself_a_short_while_ago(visitor: App) -> None:
    Session.objects.update(authenticated_at=timezone.now() - timedelta(hours=1))

    answer = change(visitor)

    assert (answer.status_code, answer.json()["error"]["id"]) == (403, "session_refresh_required")
    assert not PendingChange.objects.exists()


@pytest.mark.usefixtures("verifies")
def test_another_change_passes(visitor: App) -> None:
    answer = visitor.submit(visitor.start("settings"), method="profile", traits={"email": OLD, "name": {"first": "Ada"}})

    assert answer.json()["state"] == "success"
    assert Identity.objects.get().traits["name"] == {"first": "Ada"}


@pytest.mark.usefixtures("verifies")
def test_the_code_in_a_flow_of_somebody_else_carries_nothing_out(visitor: App) -> None:
    change(visitor)
    eve = App(make_person("eve@example.org"))
    theirs = eve.start("verification")

    answer = eve.submit(theirs, method="code", code=code_to(NEW))

    assert said(answer.json()) == [4070006]
    assert emails_of(OLD) == [(OLD, True)]


def emails_of(address: str) -> list[tuple[str, bool]]:
    return [(row.value, row.verified) for row in Identity.objects.get(traits__email=address).verifiable]


def test_what_stands_after_settings_runs_once_the_change_is_made(visitor: App) -> None:
    with config.override(with_hooks({"hook": "verify_new_address"}, {"hook": "notify_previous_addresses"})):
        flow = proof(visitor, change(visitor))
        assert not Delivery.objects.filter(target=OLD).exists()

        visitor.submit(flow, method="code", code=code_to(NEW))

    assert [row.subject for row in Delivery.objects.filter(target=OLD)] == ["verifiable_address_changed"]


@pytest.mark.parametrize(("recipients", "told"), [("removed", 1), ("all_verified", 1), ("all", 1), (None, 1)])
def test_it_tells_the_address_that_was_removed(visitor: App, recipients: str | None, told: int) -> None:
    hook = {"hook": "notify_previous_addresses", **({"config": {"recipients": recipients}} if recipients else {})}
    with config.override(with_hooks(hook)):
        change(visitor)

    assert Delivery.objects.filter(target=OLD, subject="verifiable_address_changed").count() == told


def test_it_tells_nobody_when_no_address_changed(visitor: App) -> None:
    with config.override(with_hooks({"hook": "notify_previous_addresses", "config": {"recipients": "all"}})):
        visitor.submit(visitor.start("settings"), method="profile", traits={"email": OLD, "name": {"first": "Ada"}})

    assert not Delivery.objects.exists()


def test_all_verified_leaves_out_who_never_proved_theirs(visitor: App, ada: Identity) -> None:
    ada.verifiable_rows.update(verified=False)
    with config.override(with_hooks({"hook": "notify_previous_addresses", "config": {"recipients": "all_verified"}})):
        change(visitor)

    assert not Delivery.objects.filter(target=OLD).exists()


@pytest.mark.parametrize("wrong", [{"recipients": "everybody"}, {"recipient": "all"}, "all"])
def test_a_wrong_config_is_pointed_at(wrong: Any) -> None:
    with config.override(with_hooks({"hook": "notify_previous_addresses", "config": wrong})) as c:
        assert [fault.path for fault in hooks.check(c) if "settings.after.profile.hooks.0.config" in fault.path]


def test_the_settings_flow_may_be_forgotten_meanwhile(visitor: App) -> None:
    with config.override(with_hooks({"hook": "verify_new_address"})):
        flow, code = proof(visitor, change(visitor)), code_to(NEW)
        SettingsFlow.objects.all().delete()

        answer = visitor.submit(flow, method="code", code=code)

    assert said(answer.json()) == [4070006]


@pytest.mark.usefixtures("verifies")
def test_a_plain_browser_is_led_to_where_the_code_is_typed(ada: Identity) -> None:
    browser = Page(ada)
    flow = browser.start("settings")
    form = {"csrf_token": value(flow, "csrf_token"), "method": "profile", "traits.email": NEW}

    answer = browser.client.post("/" + flow["ui"]["action"].split("/", 3)[3], form, HTTP_ACCEPT="text/html")

    assert answer.status_code == 303
    assert answer["Location"].endswith(f"/ui/verification?flow={PendingChange.objects.get().verification_flow_id}")


def test_one_new_address_at_a_time(visitor: App) -> None:
    kept = {"type": "string", "format": "email", "ory.sh/kratos": {"verification": {"via": "email"}}}
    schema = {"type": "object", "properties": {"traits": {"type": "object", "properties": {"email": kept, "backup": kept}}}}
    url = "base64://" + base64.b64encode(orjson.dumps(schema)).decode()
    two = merged(with_hooks({"hook": "verify_new_address"}), {"identity": {"schemas": [{"id": "default", "url": url}]}})
    with config.override(two):
        answer = change(visitor, backup="ada@example.com")

    assert (answer.status_code, said(answer.json())) == (200, [4050002])
    assert not PendingChange.objects.exists()
    assert emails() == [(OLD, True)]
