"""Statements by the framework's cursor, on any database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def run(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> tuple[list[tuple[Any, ...]], int]:
    """Return the rows of *statement*, and how many it found or changed. Raises django.db.Error."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return (cursor.fetchall() if cursor.description else []), cursor.rowcount
