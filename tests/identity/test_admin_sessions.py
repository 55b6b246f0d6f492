"""The operator's API over sessions (contract: identities.md 3.9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from identity import config
from identity.api import admin_sessions
from identity.identities import services
from identity.sessions import services as sessions
from identity.sessions.models import Session
from tests.identity.test_admin_identities import NOBODY, problem


@pytest.fixture
def ada(make):
    return make.identity(metadata_admin={"note": 1})


def hours(n: float) -> dict:
    return {"expires_at": timezone.now() + timedelta(hours=n)}


def test_it_lists_all_sessions_newest_first_and_closed(operator, make, ada, django_assert_num_queries):
    made = [str(make.session(ada).id) for _ in range(3)]

    with django_assert_num_queries(1):
        listed = operator.get("/admin/sessions").json()

    assert [session["id"] for session in listed] == made[::-1]
    assert {(session["identity"], session["devices"]) for session in listed} == {(None, None)}


def test_it_opens_what_is_asked_for_in_one_statement(operator, make, ada, django_assert_num_queries):
    for n in range(5):
        make.session(make.identity(f"p{n}@h.test", metadata_admin={"note": 1}))

    with django_assert_num_queries(1):
        listed = operator.get("/admin/sessions", {"expand": ["IDENTITY", "devices"]}).json()

    assert {session["identity"]["metadata_admin"]["note"] for session in listed} == {1}
    assert [len(session["devices"]) for session in listed] == [1] * 5
    assert "token" not in str(listed)


def test_it_tells_live_ones_from_the_rest(operator, make, ada):
    live, ended, expired = make.session(ada), make.session(ada, active=False), make.session(ada, **hours(-1))

    def found(active):
        return {session["id"] for session in operator.get("/admin/sessions", {"active": active}).json()}

    assert found("true") == {str(live.id)}
    assert found("F") == {str(ended.id), str(expired.id)}


def test_it_walks_by_key_through_sessions_of_one_moment(operator, make, ada):
    at = timezone.now()
    made = {str(make.session(ada, created_at=at).id) for _ in range(5)}

    seen, path = [], "/admin/sessions?page_size=2"
    while path:
        response = operator.get(path)
        seen += [session["id"] for session in response.json()]
        links = dict(reversed(link.split("; rel=")) for link in response["Link"].split(","))
        path = links.get('"next"', "").strip("<>")

    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize(
    "query", ["active=perhaps", "expand=everything", "page_size=x", "page_token=forged", "page_token=%00", "page_token=AAAA"]
)
def test_it_refuses_a_query_that_means_nothing(operator, query):
    problem(operator.get(f"/admin/sessions?{query}"), 400)


def test_it_shows_one_session(operator, make, ada):
    path = f"/admin/sessions/{make.session(ada).id}"

    bare = operator.get(path).json()
    whole = operator.get(path, {"expand": ["identity", "devices"]}).json()

    assert (bare["identity"], bare["devices"], bare["active"]) == (None, [], True)
    assert whole["identity"]["verifiable_addresses"][0]["value"] == "ada@h.test"
    assert len(whole["devices"]) == 1
    assert "credentials" not in whole["identity"]


def test_it_says_that_sessions_of_the_disabled_are_not_active(operator, make, ada):
    session = make.session(ada)
    after = services.revise(ada)
    after.state = "inactive"
    services.update(ada, after)

    assert operator.get(f"/admin/sessions/{session.id}").json()["active"] is False


@pytest.mark.parametrize(("id", "status"), [(NOBODY, 404), ("garbage", 400), ("%00", 400)])
def test_it_knows_no_such_session(operator, id, status):
    path = f"/admin/sessions/{id}"
    problem(operator.get(path), status)
    problem(operator.delete(path), status)
    problem(operator.patch(path + "/extend"), status)


def test_it_ends_a_session_twice_without_complaint(operator, make, ada):
    session = make.session(ada)
    path = f"/admin/sessions/{session.id}"

    assert [operator.delete(path).status_code for _ in range(2)] == [204, 204]

    assert operator.get(path).json()["active"] is False
    assert Session.objects.count() == 1


def test_it_prolongs_a_session(operator, make, ada):
    session = make.session(ada, **hours(1))

    answer = operator.patch(f"/admin/sessions/{session.id}/extend").json()

    assert answer["expires_at"] > sessions.rfc3339(session.expires_at)
    assert answer["identity"]["id"] == str(ada.id)
    assert "metadata_admin" not in answer["identity"]
    assert answer["devices"] == []


def test_it_leaves_a_young_session_as_it_is(operator, make, ada):
    session = make.session(ada, **hours(10))
    with config.override({"session": {"earliest_possible_extend": "1h"}}):
        answer = operator.patch(f"/admin/sessions/{session.id}/extend").json()

    assert answer["expires_at"] == sessions.rfc3339(session.expires_at)


def test_it_prolongs_without_an_answer_when_that_is_configured(operator, make, ada):
    session = make.session(ada, **hours(1))
    with config.override({"feature_flags": {"faster_session_extend": True}}):
        answer = operator.patch(f"/admin/sessions/{session.id}/extend")

    assert (answer.status_code, answer.content) == (204, b"")
    assert Session.objects.get().expires_at > session.expires_at


def test_it_lists_the_sessions_of_a_person(operator, make, ada, django_assert_num_queries):
    made = [str(make.session(ada).id) for _ in range(3)]
    make.session(make.identity("bob@h.test"))
    path = f"/admin/identities/{ada.id}/sessions"

    with django_assert_num_queries(1):
        response = operator.get(path)

    assert [session["id"] for session in response.json()] == made[::-1]
    assert response["X-Total-Count"] == "3"
    assert response.json()[0]["identity"]["metadata_admin"] == {"note": 1}
    assert [s["id"] for s in operator.get(path, {"page_size": 1, "page_token": ""}).json()] == made[2:]
    assert operator.get(path, {"active": "false"}).json() == []
    assert operator.get(f"/admin/identities/{NOBODY}/sessions").json() == []
    problem(operator.get("/admin/identities/garbage/sessions"), 400)
    problem(operator.get(path, {"active": "perhaps"}), 400)


def test_it_forgets_the_sessions_of_a_person(operator, make, ada):
    make.session(ada)
    stays = make.session(make.identity("bob@h.test"))
    path = f"/admin/identities/{ada.id}/sessions"

    assert operator.delete(path).status_code == 204

    assert list(Session.objects.all()) == [stays]
    problem(operator.delete(path), 404)
    problem(operator.delete("/admin/identities/garbage/sessions"), 400)


def bulk(operator, **body):
    return operator.post("/admin/sessions", body)


def test_it_ends_and_forgets_in_bulk(operator, make, ada):
    mine = [str(make.session(ada).id) for _ in range(2)]
    other = str(make.session(make.identity("bob@h.test")).id)

    assert bulk(operator, action="disable", identities=[str(ada.id), NOBODY]).json() == {"processed": 2, "more": False}
    assert bulk(operator, action="disable", identities=[str(ada.id)]).json()["processed"] == 0
    assert operator.get(f"/admin/sessions/{other}").json()["active"] is True
    assert bulk(operator, action="delete", sessions=[*mine, NOBODY]).json() == {"processed": 2, "more": False}
    assert [str(session.id) for session in Session.objects.all()] == [other]


def test_it_takes_all_in_slices(operator, make, ada, monkeypatch):
    monkeypatch.setattr(admin_sessions, "AT_ONCE", 2)
    for _ in range(3):
        make.session(ada)

    assert bulk(operator, action="disable", identities=["*"]).json() == {"processed": 2, "more": True}
    assert bulk(operator, action="disable", identities=["*"]).json() == {"processed": 1, "more": False}
    assert bulk(operator, action="delete", identities=["*"]).json() == {"processed": 2, "more": True}
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"action": "delete"},
        {"action": "explode", "sessions": [NOBODY]},
        {"action": "delete", "sessions": []},
        {"sessions": [NOBODY]},
        {"action": "delete", "sessions": [NOBODY], "identities": [NOBODY]},
        {"action": "delete", "sessions": ["*"]},
        {"action": "delete", "identities": ["*", NOBODY]},
        {"action": "delete", "sessions": ["garbage"]},
        {"action": "delete", "sessions": [7]},
        {"action": "delete", "sessions": "all"},
        {"action": ["delete"], "sessions": [NOBODY]},
        {"action": "delete", "sessions": [NOBODY] * 501},
    ],
    ids=lambda body: str(body)[:60],
)
def test_it_refuses_bulk_requests_that_are_not_clear(operator, make, ada, body):
    make.session(ada)

    problem(bulk(operator, **body), 400)

    assert Session.objects.filter(active=True).count() == 1


def test_it_sends_what_belongs_to_people_to_the_public_listener(operator):
    for method, path in (("delete", "/admin/sessions"), ("get", "/sessions/whoami"), ("get", "/admin/schemas/default")):
        response = operator.send(method, path)

        assert response.status_code == 307
        assert response["Location"].endswith(path.removeprefix("/admin"))
