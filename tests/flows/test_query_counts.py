"""How many statements the hot paths cost. A number that grows is a decision, not an accident."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.clients import PASSWORD, new_address

pytestmark = pytest.mark.django_db

WRITES = ("INSERT", "UPDATE", "DELETE")


@pytest.fixture
def app() -> Client:
    return Client()


def statements(captured: CaptureQueriesContext) -> list[str]:
    """Return the statements, without those that only frame a transaction."""
    frames = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(frames)]


def begin(app: Client, flow: str, **headers: str) -> dict[str, Any]:
    return app.get(f"/self-service/{flow}/api", headers=headers).json()  # type: ignore[no-any-return]


def send(app: Client, flow: str, id: str, fields: dict[str, Any], **headers: str) -> Any:
    return app.post(f"/self-service/{flow}?flow={id}", fields, content_type="application/json", headers=headers)


def registered(app: Client) -> str:
    address = new_address()
    flow = begin(app, "registration")
    assert (
        send(app, "registration", flow["id"], {"method": "password", "password": PASSWORD, "traits": {"email": address}}).status_code == 200
    )
    return address


def signed_in(app: Client) -> str:
    address = registered(app)
    flow = begin(app, "login")
    return send(app, "login", flow["id"], {"method": "password", "identifier": address, "password": PASSWORD}).json()["session_token"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("flow", ["login", "registration"])
def test_it_begins_a_flow_with_one_insert(app: Client, flow: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        begin(app, flow)

    assert [sql.split()[0] for sql in statements(captured)] == ["INSERT"]


def test_it_shows_a_flow_with_one_select(app: Client) -> None:
    flow = begin(app, "login")

    with CaptureQueriesContext(connection) as captured:
        assert app.get("/self-service/login/flows", {"id": flow["id"]}).status_code == 200

    assert [sql.split()[0] for sql in statements(captured)] == ["SELECT"]


def test_it_signs_in_with_six_statements(app: Client) -> None:
    """The flow; the password, by an identifier; what else its person holds; then at once the identity, the flow's end and the session."""
    address = registered(app)
    flow = begin(app, "login")

    with CaptureQueriesContext(connection) as captured:
        assert send(app, "login", flow["id"], {"method": "password", "identifier": address, "password": PASSWORD}).status_code == 200

    found = statements(captured)
    assert len(found) == 6, found  # what a person holds is read once the password fits: nobody holds nothing, which would be quicker
    assert sum(sql.startswith(WRITES) for sql in found) == 2


def test_it_signs_up_with_three_statements(app: Client) -> None:
    """The flow, its end, and the identity with all it holds; SQLite takes an insert for each of the five tables."""
    flow = begin(app, "registration")
    fields = {"method": "password", "password": PASSWORD, "traits": {"email": new_address()}}

    with CaptureQueriesContext(connection) as captured:
        assert send(app, "registration", flow["id"], fields).status_code == 200

    found = statements(captured)
    inserts = 1 if connection.vendor == "postgresql" else 5
    assert [sql.split()[0] for sql in found] == ["SELECT", "UPDATE", *["WITH" if inserts == 1 else "INSERT"] * inserts], found


def test_the_view_answers_whoami_with_two_statements(app: Client) -> None:
    """Session with identity, then what it holds; the fast path does it in one, see test_whoami.py."""
    token = signed_in(app)

    with CaptureQueriesContext(connection) as captured:
        assert app.get("/sessions/whoami", headers={"X-Session-Token": token}).status_code == 200

    assert len(statements(captured)) == 2


def test_it_saves_a_profile_in_a_known_number_of_statements(app: Client) -> None:
    token = signed_in(app)
    flow = begin(app, "settings", **{"X-Session-Token": token})
    fields = {"method": "profile", "traits": {"email": flow["identity"]["traits"]["email"], "name": {"first": "Ada"}}}

    with CaptureQueriesContext(connection) as captured:
        assert send(app, "settings", flow["id"], fields, **{"X-Session-Token": token}).status_code == 200

    found = statements(captured)
    assert sum(sql.startswith(WRITES) for sql in found) == 2, found
    assert len(found) == 5, found  # one of them holds the identity, so that nobody's change is lost


def test_a_refused_sign_in_asks_as_often_for_nobody_as_for_somebody(app: Client) -> None:
    """A statement more takes longer, and would tell who has an account."""
    address = registered(app)
    asked = []
    for identifier in (address, new_address()):
        flow = begin(app, "login")
        with CaptureQueriesContext(connection) as captured:
            fields = {"method": "password", "identifier": identifier, "password": "not the password"}
            assert send(app, "login", flow["id"], fields).status_code == 400
        asked.append([" ".join(sql.split()[:2]) for sql in statements(captured)])

    assert asked[0] == asked[1]
    assert len(asked[0]) == 3, asked[0]
