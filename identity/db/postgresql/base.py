"""The framework's backend for PostgreSQL. It asks at every request whether the connection still stands; here, without a query."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base

ANYTHING = select.POLLIN | select.POLLPRI | select.POLLRDHUP


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection stands. Nothing is to be read from one that rests; one that was closed has its end to be read."""
        if self.connection is None or self.connection.closed:
            return False
        quiet = select.poll()
        quiet.register(self.connection.pgconn.socket, ANYTHING)
        return not quiet.poll(0) or bool(super().is_usable())
