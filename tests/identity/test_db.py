"""What we ask of a connection to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from identity.config import dsn


@pytest.fixture
def connection(postgres: str, django_db_blocker: Any) -> Iterator[BaseDatabaseWrapper]:
    held = ConnectionHandler({"default": dsn.database(postgres)})["default"]
    with django_db_blocker.unblock():
        held.ensure_connection()
        yield held
        held.close()


def ask(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def begin_request(connection: BaseDatabaseWrapper) -> None:
    connection.close_if_unusable_or_obsolete()


def test_a_connection_that_rests_is_used_again(connection: BaseDatabaseWrapper) -> None:
    before = ask(connection)
    begin_request(connection)

    assert ask(connection) == before


def test_it_asks_the_database_nothing_to_know_that(connection: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    execute = psycopg.Cursor.execute
    monkeypatch.setattr(
        psycopg.Cursor, "execute", lambda self, query, *more, **options: sent.append(query) or execute(self, query, *more, **options)
    )

    begin_request(connection)
    connection.close_if_health_check_failed()

    assert (sent, connection.health_check_done) == ([], True)


def test_a_connection_that_the_server_ended_is_opened_anew(connection: BaseDatabaseWrapper, postgres: str) -> None:
    before = ask(connection)
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
    begin_request(connection)

    assert ask(connection) != before


def test_word_of_the_server_is_no_end(connection: BaseDatabaseWrapper, postgres: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("LISTEN news")
    before = ask(connection)
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("NOTIFY news")
    begin_request(connection)

    assert ask(connection) == before
