"""The framework's backend for PostgreSQL, with what is asked most made cheap: statements of rows.py, and whether a connection stands."""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction

from identity.db import cursors
from identity.db.postgresql.direct import Direct

ANYTHING = select.POLLIN | select.POLLPRI | getattr(select, "POLLRDHUP", 0)  # the last on Linux only; elsewhere an end is to be read, too


class DatabaseWrapper(base.DatabaseWrapper):
    _known: Direct | None = None

    def is_usable(self) -> bool:
        """Whether the connection stands. Nothing is to be read from one that rests; one that was closed has its end to be read."""
        if self.connection is None or self.connection.closed:
            return False
        quiet = select.poll()
        quiet.register(self.connection.pgconn.socket, ANYTHING)
        return not quiet.poll(0) or bool(super().is_usable())

    def run(self, statement: str, values: Sequence[Any]) -> tuple[list[tuple[Any, ...]], int]:
        """Return the rows of *statement*, and how many it found or changed. Raises django.db.Error."""
        if not self._may_prepare():
            return cursors.run(self, statement, values)
        self._make_ready()
        with self.wrap_database_errors:
            return self._direct().run(statement, values)

    def run_later(self, statement: str, values: Sequence[Any]) -> None:
        """Run *statement* at the latest when the transaction ends, and without one at once. Then it raises what it has to.

        It is sent before a cursor is made; one that was made earlier does not see it.
        """
        if not self.in_atomic_block or not self._may_prepare():
            self.run(statement, values)
            return
        self._make_ready()
        with self.wrap_database_errors:
            self._direct().run_later(statement, values)

    def _make_ready(self) -> None:
        """See to what the framework sees to before it executes a statement."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_no_broken_transaction()

    def _may_prepare(self) -> bool:
        """Whether statements may be prepared (config/dsn.py), and nobody looks at each of them."""
        return bool(self.settings_dict["OPTIONS"].get("server_side_binding")) and not (self.queries_logged or self.execute_wrappers)

    def _direct(self) -> Direct:
        if self._known is None or self._known.connection is not self.connection:
            self._known = Direct(self.connection)
        return self._known

    def create_cursor(self, name: str | None = None) -> Any:
        self._direct().flush()
        return super().create_cursor(name)

    def _commit(self) -> None:
        if self.connection is not None:
            with debug_transaction(self, "COMMIT"), self.wrap_database_errors:
                if self._may_prepare():
                    self._direct().commit()
                else:
                    self._direct().flush()
                    self.connection.commit()

    def _rollback(self) -> None:
        if self._known is not None:
            self._known.forget()
        super()._rollback()  # type: ignore[misc]  # not in the stubs

    def _savepoint_rollback(self, sid: str) -> None:
        if self._known is not None:
            self._known.forget()  # what waits has come since the savepoint, which sent what came before
        super()._savepoint_rollback(sid)  # type: ignore[misc]  # not in the stubs
