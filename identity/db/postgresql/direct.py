"""Statements as libpq takes them: prepared once on each connection, then named, and sent together where their answers can wait.

The driver's cursor plans, adapts and waits anew for each statement, which costs more than PostgreSQL takes to answer one by
its key. It stays the way for everything else; here is only what rows.py asks, with the driver's own adaptation of values.
"""

from __future__ import annotations

import re
import select
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import AdaptersMap, Loader, PyFormat, Transformer

Values = Sequence[Any]
Written = tuple[bytes, Any]  # a prepared statement's name, and its values as PostgreSQL reads them

GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
MARK = re.compile("%s")
MOST = 200  # statements that stay prepared
# of SQLSTATE: a table became another one since a statement was prepared; it was let go of by somebody else; its name is taken
STALE = ("0A000", "26000", "42P05")
FLUSHED = 0  # libpq: nothing is left to be sent


class Moment(Loader):
    """A `timestamptz` as PostgreSQL writes it to a session whose time zone is UTC."""

    def load(self, data: bytes | bytearray | memoryview) -> datetime:
        return datetime.fromisoformat(bytes(data).decode())


class Direct:
    """The statements that were prepared on one connection, and those that wait to be sent with the next one."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection, self.pgconn = connection, connection.pgconn
        self.adapters = AdaptersMap(connection.adapters)
        self.adapters.register_loader("timestamptz", Moment)
        self._names: dict[str, bytes] = {}
        self._is_stale = False  # what was prepared
        self._transformer = Transformer(self)
        self._waiting: list[Written] = []

    def run(self, statement: str, values: Values) -> tuple[list[tuple[Any, ...]], int]:
        """Return the rows of *statement*, and how many it found or changed. Raises psycopg.Error."""
        self._tidy()
        result = self._send(self._written(statement, values))
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple), result.command_tuples or 0

    def run_later(self, statement: str, values: Values) -> None:
        """Send *statement* with the next one of this transaction, which raises what this one does."""
        self._tidy()
        self._waiting.append(self._written(statement, values))

    def flush(self) -> None:
        """Send what waits. Raises psycopg.Error."""
        if self._waiting:
            self._send(self._waiting.pop())

    def commit(self) -> None:
        """End the transaction, if one was begun. Raises psycopg.Error."""
        if self._waiting or self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            self._tidy()
            self._send(self._written("COMMIT", ()))

    def forget(self) -> None:
        """Do not send what waits: its transaction is rolled back."""
        self._waiting.clear()

    def _tidy(self) -> None:
        """Let go of what was prepared when it is of no use any more, or so much that it weighs on PostgreSQL's memory."""
        if not self._waiting and (self._is_stale or len(self._names) > MOST):
            self._checked(self.pgconn.exec_(b"DEALLOCATE ALL"))
            self._names.clear()
            self._is_stale = False

    def _written(self, statement: str, values: Values) -> Written:
        name = self._names.get(statement) or self._prepare(statement)
        return name, self._transformer.dump_sequence(values, [PyFormat.TEXT] * len(values))

    def _prepare(self, statement: str) -> bytes:
        name = f"vestibule_{len(self._names)}".encode()
        self._checked(self.pgconn.prepare(name, _numbered(statement)))
        self._names[statement] = name
        return name

    def _send(self, last: Written) -> pq.abc.PGresult:
        """Return the answer to *last*, after what waits and, where a transaction is wanted and none has begun, its beginning."""
        before, self._waiting = self._waiting, []
        if not self.connection.autocommit and self.pgconn.transaction_status == pq.TransactionStatus.IDLE:
            before = [self._written("BEGIN", ()), *before]
        return self._together([*before, last]) if before else self._checked(self.pgconn.exec_prepared(*last))

    def _together(self, statements: list[Written]) -> pq.abc.PGresult:
        """Return the answer to the last of several statements, sent at once (libpq's pipeline mode): after a failure none is executed."""
        try:
            self.pgconn.enter_pipeline_mode()
            for name, values in statements:
                self.pgconn.send_query_prepared(name, values)
            self.pgconn.pipeline_sync()
            answers = [self._answer() for _ in statements]
            self._next()  # that the pipeline has come to its end
            self.pgconn.exit_pipeline_mode()
        except BaseException:
            self.connection.close()  # half of it may be sent, or answered: nobody could go on from there
            raise
        for answer in answers:
            self._checked(answer)
        return answers[-1]

    def _answer(self) -> pq.abc.PGresult:
        answer = self._next()
        self._next()  # None: there is one answer to each statement
        if answer is None:
            raise psycopg.OperationalError(self.pgconn.get_error_message())
        return answer

    def _next(self) -> pq.abc.PGresult | None:
        """Return what comes next. Only here others may run meanwhile: libpq's own waiting would stop all threads of this process."""
        while self.pgconn.flush() != FLUSHED:
            self._wait(select.POLLIN | select.POLLOUT)
        while self.pgconn.is_busy():
            self._wait(select.POLLIN)
        return self.pgconn.get_result()

    def _wait(self, wanted: int) -> None:
        ready = select.poll()
        ready.register(self.pgconn.socket, wanted)
        if any(event & ~select.POLLOUT for _, event in ready.poll()):
            self.pgconn.consume_input()

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in GOOD:
            return result
        if self.pgconn.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(result.get_error_message())
        error = psycopg.errors.error_from_result(result)
        self._is_stale = self._is_stale or error.sqlstate in STALE
        raise error


@cache
def _numbered(statement: str) -> bytes:
    """Return a statement whose values are named by their numbers: $1, $2."""
    parts = MARK.split(statement)
    return "".join(part + f"${number}" for number, part in enumerate(parts[:-1], start=1)).encode() + parts[-1].encode()
