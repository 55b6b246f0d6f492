"""The short way to a flow's form: what the view of the same path answers, without the framework's request stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flows import fetching
from flows.models import LoginFlow
from identity import config
from identity.http.cookies import csrf_name
from tests import short_way
from tests.factor_journeys import App, Flow, Page, configuration, make_person

pytestmark = pytest.mark.django_db
KINDS = ["login", "registration", "settings", "recovery", "verification"]
ENABLED = {"flows": {"recovery": {"enabled": True}, "verification": {"enabled": True}}}


@pytest.fixture(autouse=True)
def all_flows() -> Iterator[None]:
    with config.override(configuration()), config.override({"selfservice": ENABLED}):
        yield


@pytest.fixture(params=[App, Page])
def somebody(request: pytest.FixtureRequest) -> App:
    """Signed in where that is needed: settings."""
    who: App = request.param(make_person("ada@example.org"))
    return who


def begun(who: App, kind: str) -> Flow:
    if kind != "settings":
        who.client, who.headers = Client(), {}
    return who.start(kind)


def ask(who: App, path: str, query: str, **more: str) -> tuple[int, dict[str, str], Any] | None:
    """Return status, headers and body of the short way, None where it leaves the request to the view."""
    carried = "; ".join(f"{name}={morsel.value}" for name, morsel in who.client.cookies.items())
    headers = {"HTTP_ACCEPT": "application/json", **({"HTTP_COOKIE": carried} if carried else {}), **who.headers, **more}
    answer = short_way.ask(fetching.SHORTCUTS, path, query, **headers)
    return (*answer[:2], json.loads(answer[2])) if answer else None


def without_token(flow: Flow) -> Flow:
    """The token against forgery is masked anew each time."""
    for node in flow["ui"]["nodes"]:
        if node["attributes"].get("name") == "csrf_token":
            assert bool(node["attributes"].pop("value")) == (flow["type"] == "browser")
    return flow


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_the_view_says(somebody: App, kind: str) -> None:
    flow = begun(somebody, kind)
    path, query = f"/self-service/{kind}/flows", {"id": flow["id"]}

    answer = ask(somebody, path, f"id={flow['id']}")

    assert answer is not None
    status, headers, body = answer
    seen = somebody.client.get(path, query, HTTP_ACCEPT="application/json", **somebody.headers)
    assert (status, without_token(body)) == (seen.status_code, without_token(seen.json()))
    handed_out = headers.pop("Set-Cookie", None)
    assert headers == dict(seen.items())
    assert bool(handed_out) == bool(seen.cookies)


def test_a_browser_without_a_secret_is_given_one() -> None:
    app = App()
    flow = app.start("login")
    app.client = Client()

    answer = ask(app, "/self-service/login/flows", f"id={flow['id']}")

    assert answer is not None
    name, _, rest = answer[1]["Set-Cookie"].partition("=")
    assert name == csrf_name()
    assert "HttpOnly" in rest
    assert "SameSite=Lax" in rest


def test_it_asks_the_database_once() -> None:
    app = App()
    flow = app.start("login")

    with CaptureQueriesContext(connection) as captured:
        assert ask(app, "/self-service/login/flows", f"id={flow['id']}")

    assert len(captured) == 1


@pytest.mark.parametrize("query", ["", "id=", "id=nonsense", "id=0193e9b4-0000-7000-8000-000000000000", "id=%00", "id=%ff"])
def test_it_leaves_what_there_is_not_to_the_view(query: str) -> None:
    assert ask(App(), "/self-service/login/flows", query) is None


def test_it_leaves_a_flow_of_another_browser_to_the_view() -> None:
    flow = Page().start("login")
    eve = Page()
    eve.start("login")

    assert ask(eve, "/self-service/login/flows", f"id={flow['id']}") is None
    assert ask(Page(), "/self-service/login/flows", f"id={flow['id']}") is None


def test_it_leaves_an_expired_flow_to_the_view() -> None:
    app = App()
    flow = app.start("login")
    LoginFlow.objects.update(expires_at=timezone.now())

    assert ask(app, "/self-service/login/flows", f"id={flow['id']}") is None


def test_it_leaves_settings_of_nobody_and_of_somebody_else_to_the_view() -> None:
    flow = App(make_person("ada@example.org")).start("settings")

    assert ask(App(), "/self-service/settings/flows", f"id={flow['id']}") is None
    assert ask(App(make_person("eve@example.org")), "/self-service/settings/flows", f"id={flow['id']}") is None


@pytest.mark.parametrize(
    "more", [{"REQUEST_METHOD": "HEAD"}, {"REQUEST_METHOD": "POST"}, {"HTTP_ORIGIN": "https://app.example.org"}], ids=str
)
def test_it_leaves_other_requests_to_the_view(more: dict[str, str]) -> None:
    app = App()
    flow = app.start("login")

    assert ask(app, "/self-service/login/flows", f"id={flow['id']}", **more) is None


def test_it_leaves_what_is_switched_off_to_the_view() -> None:
    app = App()
    flow = app.start("registration")

    with config.override({"selfservice": {"flows": {"registration": {"enabled": False}}}}):
        assert ask(app, "/self-service/registration/flows", f"id={flow['id']}") is None


def test_it_leaves_what_cannot_be_read_to_the_view() -> None:
    app = App()
    flow = app.start("login")
    much = "&".join(f"a{number}=0" for number in range(1200))

    assert ask(app, "/self-service/login/flows", f"id={flow['id']}&{much}") is None
    assert Client().get(f"/self-service/login/flows?id={flow['id']}&{much}").status_code == 400


def test_the_connection_is_looked_at_again_after_it() -> None:
    app = App()
    flow = app.start("login")

    assert ask(app, "/self-service/login/flows", f"id={flow['id']}")

    assert not connection.health_check_done
