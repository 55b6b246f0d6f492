"""A person's own sessions: listing, ending one, ending the others (contract: flows.md 12)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from identity.identities.models import Identity
from identity.ids import uuid7
from identity.sessions import services as sessions
from identity.sessions.models import Session


class Person:
    """Somebody who is signed in by a token."""

    def __init__(self, identity: Identity) -> None:
        opened = sessions.issue(identity, [sessions.proof("password", "aal1")])
        sessions.save(opened)
        self.session, self.token = opened.session, opened.token

    def send(self, method: str, path: str) -> Any:
        return getattr(Client(), method)(path, HTTP_X_SESSION_TOKEN=self.token)

    def is_signed_in(self) -> bool:
        return bool(self.send("get", "/sessions/whoami").status_code == 200)


@pytest.fixture
def ada(make):
    return make.identity()


def test_it_ends_another_session_of_hers_and_says_so_however_often(ada) -> None:
    here, there = Person(ada), Person(ada)

    answers = [here.send("delete", f"/sessions/{there.session.id}") for _ in range(2)]

    assert [(answer.status_code, answer["Content-Type"], answer.content) for answer in answers] == [(204, "application/json", b"")] * 2
    assert (here.is_signed_in(), there.is_signed_in()) == (True, False)


@pytest.mark.parametrize("which", ["mine", "not-a-uuid", "0", "%00", "ü" * 50])
def test_the_current_one_and_what_is_no_session_is_refused(ada, which) -> None:
    here = Person(ada)

    answer = here.send("delete", f"/sessions/{here.session.id if which == 'mine' else which}")

    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "status", "message"}
    assert here.is_signed_in()


def test_who_asks_for_anothers_session_ends_nothing_and_learns_nothing(ada, make) -> None:
    here, eve = Person(ada), Person(make.identity("eve@h.test"))

    answers = [eve.send("delete", f"/sessions/{id}") for id in (here.session.id, uuid7())]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert here.is_signed_in()


def test_the_others_end_together(ada, make) -> None:
    here, *others = [Person(ada) for _ in range(4)]
    eve = Person(make.identity("eve@h.test"))

    assert here.send("delete", "/sessions").json() == {"count": 3}
    assert here.send("delete", "/sessions").json() == {"count": 0}
    assert [person.is_signed_in() for person in (here, *others, eve)] == [True, False, False, False, True]


def test_the_list_shows_the_others_only_and_no_token(ada, make) -> None:
    here, there, ended = Person(ada), Person(ada), Person(ada)
    Person(make.identity("eve@h.test"))
    Session.objects.filter(pk=ended.session.pk).update(active=False)

    listed = here.send("get", "/sessions")

    assert [session["id"] for session in listed.json()] == [str(there.session.id)]
    assert all(person.token not in listed.content.decode() for person in (here, there))
