"""What we ask of a connection to PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, ProgrammingError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic, TransactionManagementError
from django.db.utils import ConnectionHandler

from identity.config import dsn
from identity.db.postgresql import direct
from identity.db.postgresql.base import DatabaseWrapper

NAME = "SELECT %s::text"


def opened(address: str) -> DatabaseWrapper:
    held = ConnectionHandler({"default": dsn.database(address)})["default"]
    assert isinstance(held, DatabaseWrapper)
    held.inc_thread_sharing()
    held.ensure_connection()
    return held


@pytest.fixture
def connection(postgres: str, django_db_blocker: Any) -> Iterator[DatabaseWrapper]:
    with django_db_blocker.unblock():
        held = opened(postgres)
        yield held
        held.close()


@pytest.fixture
def table(connection: DatabaseWrapper, postgres: str) -> Iterator[str]:
    """A table of numbers, each of which may stand in it once."""
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("CREATE TABLE numbers (n int UNIQUE DEFERRABLE INITIALLY IMMEDIATE, at timestamptz)")
        yield "numbers"
        connection.close()
        other.execute("DROP TABLE numbers")


@pytest.fixture
def begun(connection: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> Atomic:
    """A transaction on this connection, which is not the framework's own."""
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: connection)
    return transaction.atomic()


def numbers(connection: DatabaseWrapper) -> list[int]:
    return sorted(row[0] for row in connection.run("SELECT n FROM numbers", ())[0])


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


INSERT = "INSERT INTO numbers (n) VALUES (%s)"


def test_values_come_back_as_the_framework_reads_them(connection: DatabaseWrapper) -> None:
    now = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    question = "SELECT %s::timestamptz, %s::text, %s::int, %s::bool, %s::uuid, %s::jsonb"
    values = (now, "n\u00e9e '; --", None, True, "0193e9b4-0000-7000-8000-000000000000", '{"a": [1, null]}')

    [row], count = connection.run(question, values)
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        assert (row, count) == (cursor.fetchone(), 1)
    assert (row[0], row[0].tzinfo) == (now, UTC)


def test_errors_are_the_frameworks(connection: DatabaseWrapper, table: str) -> None:
    connection.run(INSERT, (1,))
    with pytest.raises(IntegrityError):
        connection.run(INSERT, (1,))
    with pytest.raises(ProgrammingError):
        connection.run("SELECT nothing FROM nowhere", ())
    with pytest.raises(DataError):
        connection.run(NAME, ("a\x00b",))

    assert connection.run(NAME, ("still here",))[0] == [("still here",)]


def test_prepared_statements_outlive_a_rollback(connection: DatabaseWrapper, begun: Atomic, table: str) -> None:
    connection.run(INSERT, (1,))
    with begun:
        connection.run(INSERT, (2,))
        transaction.set_rollback(True)
    connection.run(INSERT, (3,))

    assert numbers(connection) == [1, 3]
    assert connection.run("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO numbers%%'", ())[0] == [(1,)]


@pytest.mark.parametrize("change", ["ALTER TABLE numbers ALTER COLUMN n TYPE bigint", "DISCARD ALL"])
def test_what_was_prepared_before_a_change_fails_once_and_not_for_good(connection: DatabaseWrapper, table: str, change: str) -> None:
    connection.run(INSERT, (1,))
    assert numbers(connection) == [1]
    with connection.cursor() as cursor:
        cursor.execute(change)

    with pytest.raises(DatabaseError):
        numbers(connection)

    assert numbers(connection) == [1]
    assert connection.run("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT n FROM%%'", ())[0] == [(1,)]


def test_what_can_wait_is_prepared_anew_too(connection: DatabaseWrapper, begun: Atomic, table: str) -> None:
    connection.run(INSERT, (1,))
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")
    with pytest.raises(DatabaseError):
        connection.run(INSERT, (2,))

    with begun:
        connection.run_later(INSERT, (3,))

    assert numbers(connection) == [1, 3]


def test_no_more_stay_prepared_than_are_good_for_the_server(
    connection: DatabaseWrapper, begun: Atomic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "MOST", 5)
    for number in range(20):
        with begun:
            connection.run_later(f"SELECT {number}, 'later'", ())
            assert connection.run(f"SELECT {number}", ())[0] == [(number,)]

    [(prepared,)], _ = connection.run("SELECT count(*) FROM pg_prepared_statements", ())
    assert 0 < prepared <= 5 + 4


def test_what_can_wait_is_sent_with_what_cannot(connection: DatabaseWrapper, begun: Atomic, table: str, postgres: str) -> None:
    with begun:
        connection.run_later(INSERT, (1,))
        assert numbers(connection) == [1]
        connection.run_later(INSERT, (2,))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM numbers")
            assert cursor.fetchone() == (2,)
        connection.run_later(INSERT, (3,))
        with psycopg.connect(postgres) as other:
            assert other.execute("SELECT count(*) FROM numbers").fetchone() == (0,)

    assert numbers(connection) == [1, 2, 3]


@pytest.mark.parametrize("last", ["run_later", "run"])
def test_what_fails_later_ends_the_transaction(connection: DatabaseWrapper, begun: Atomic, table: str, last: str) -> None:
    def store() -> None:
        with begun:
            connection.run_later(INSERT, (1,))
            connection.run_later(INSERT, (1,))
            getattr(connection, last)(INSERT, (2,))

    with pytest.raises(IntegrityError):
        store()

    assert numbers(connection) == []


def test_a_lock_that_is_waited_for_stops_no_other_thread(connection: DatabaseWrapper, begun: Atomic, table: str, postgres: str) -> None:
    connection.run(INSERT, (1,))
    got = threading.Event()
    with psycopg.connect(postgres) as other:
        other.execute("SELECT n FROM numbers FOR UPDATE")

        def wait() -> None:
            with begun:
                connection.run("SELECT n FROM numbers WHERE n = %s FOR UPDATE", (1,))
            got.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.2)
        other.rollback()
        assert got.wait(10)
    waiting.join()


@pytest.mark.parametrize("later", [False, True])
def test_a_connection_that_is_lost_is_said_to_be(connection: DatabaseWrapper, begun: Atomic, postgres: str, later: bool) -> None:
    before = connection.run("SELECT pg_backend_pid()", ())[0][0][0]

    def lose() -> None:
        with begun:
            connection.run(NAME, ("begun",))
            with psycopg.connect(postgres, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
            if later:
                connection.run_later(NAME, ("a",))
            connection.run(NAME, ("b",))

    with pytest.raises(OperationalError):
        lose()
    begin_request(connection)

    assert connection.run("SELECT pg_backend_pid()", ())[0][0][0] != before


def test_nothing_is_asked_in_a_transaction_that_has_to_be_undone(connection: DatabaseWrapper, begun: Atomic) -> None:
    with begun:
        connection.needs_rollback = True
        with pytest.raises(TransactionManagementError):
            connection.run(NAME, ("a",))


def test_a_connection_that_stopped_half_way_is_closed(connection: DatabaseWrapper, begun: Atomic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what was sent together may be answered: whoever came next would read the other half."""

    def interrupted(self: direct.Direct) -> None:
        raise KeyboardInterrupt

    def interrupt() -> None:
        with begun:
            connection.run_later(NAME, ("a",))
            monkeypatch.setattr(direct.Direct, "_answer", interrupted)
            connection.run(NAME, ("b",))

    held = connection.connection
    with pytest.raises(KeyboardInterrupt):
        interrupt()

    assert held.closed


def test_a_large_value_goes_and_comes_whole(connection: DatabaseWrapper, begun: Atomic, table: str) -> None:
    large = "\u00e4" * 8_000_000
    with begun:
        connection.run_later(INSERT, (1,))
        assert connection.run(NAME, (large,))[0] == [(large,)]


def test_a_pooler_that_holds_no_statements_is_sent_none(
    table: str, postgres: str, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with django_db_blocker.unblock():
        held = opened(f"{postgres}{'&' if '?' in postgres else '?'}prepared_statements=false")
        monkeypatch.setattr(transaction, "get_connection", lambda using=None: held)
        for n in range(3):
            assert held.run(NAME, ("x",)) == ([("x",)], 1)
            with transaction.atomic():
                held.run(INSERT, (n,))
                held.run_later(INSERT, (n + 10,))
        assert held.run("SELECT count(*) FROM pg_prepared_statements", ())[0] == [(0,)]
        assert numbers(held) == [0, 1, 2, 10, 11, 12]
        held.close()


def add_and_fail(connection: DatabaseWrapper) -> None:
    connection.run_later(INSERT, (1,))
    raise KeyError


def test_what_waits_is_forgotten_with_its_savepoint(connection: DatabaseWrapper, table: str, begun: Atomic) -> None:
    with begun:
        connection.run(INSERT, (1,))
        connection.run_later(INSERT, (2,))
        with pytest.raises(KeyError), transaction.atomic():
            add_and_fail(connection)
        connection.run(INSERT, (3,))

    assert numbers(connection) == [1, 2, 3]


def test_a_name_that_is_taken_is_let_go_of(connection: DatabaseWrapper) -> None:
    connection.run(NAME, ("x",))
    taken = f"vestibule_{len(connection._direct()._names)}"
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE {taken} AS SELECT 1")

    with pytest.raises(ProgrammingError):
        connection.run("SELECT %s::int", (1,))
    assert connection.run("SELECT %s::int", (1,))[0] == [(1,)]


def test_a_commit_is_prepared_anew_too(connection: DatabaseWrapper, table: str, begun: Atomic) -> None:
    with begun:
        connection.run(INSERT, (1,))
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError):
        connection.run(INSERT, (2,))
    with transaction.atomic():
        connection.run(INSERT, (3,))

    assert numbers(connection) == [1, 3]
