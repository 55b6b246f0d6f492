"""Rows by equality, for the paths that are walked most.

The framework puts a statement together anew each time, which costs more than the database takes to answer it. Here that is
done once for each form of a statement, which then stays prepared in PostgreSQL, too. A model's `__init__` and `save` are not
called, nor are signals sent: none of ours has any.

What a column shall equal is given by the attribute's name: `identity_id=...`. None asks for NULL, a tuple for any of its values,
`Those` for any of the values that another table has.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.base import ModelState

from identity.db import cursors, statements
from identity.db.postgresql import base as postgresql
from identity.db.statements import Those, Values, columns

__all__ = [
    "ONE_MORE",
    "Those",
    "Values",
    "by_key",
    "columns",
    "copied",
    "found",
    "gather",
    "insert",
    "insert_by_the_end",
    "locked",
    "returned",
    "run_by_the_end",
    "store",
    "update",
    "where",
]

Row = TypeVar("Row", bound=Model)
Run = Callable[[BaseDatabaseWrapper, str, Sequence[Any]], object]

ONE_MORE = object()  # as a new value: one more than before
MANY = 8  # rows: beyond, the framework's own way costs no more


def by_key(model: type[Row], key: Any) -> Row | None:
    """Return the row of *model* whose primary key is *key*, or None."""
    return next(iter(where(model, pk=key)), None)


def where(model: type[Row], related: str = "", **wanted: Any) -> list[Row]:
    """Return the rows that have these values, in no order; with what a chain of foreign keys (`credential__identity`) names."""
    return _where(model, related, wanted)


def locked(model: type[Row], **wanted: Any) -> list[Row]:
    """Return the rows that have these values, and let nobody else change them until the caller's transaction ends."""
    connection = statements.connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Rows are held until a transaction ends, and there is none.")
    return _where(model, "", wanted, " FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else "")


def _where(model: type[Row], related: str, wanted: Values, lock: str = "") -> list[Row]:
    statement, tables = statements.select(model, related, statements.shape_of(wanted))
    connection = statements.connection()
    return [
        _row(tables, each, connection) for each in _found(connection, statement + lock, statements.values_of(model, wanted, connection))
    ]


def gather(*asked: tuple[type[Model], Values]) -> tuple[list[Any], ...]:
    """Return the rows of each of several models that have the values beside it, in no order, by one statement."""
    statement, tables = statements.union(tuple((model, statements.shape_of(wanted)) for model, wanted in asked))
    connection = statements.connection()
    gathered: tuple[list[Any], ...] = tuple([] for _ in asked)
    for each in _found(
        connection, statement, [value for model, wanted in asked for value in statements.values_of(model, wanted, connection)]
    ):
        number = each[0]
        gathered[number].append(tables[number].row(each, connection))
    return gathered


def returned(model: type[Row], statement: str, values: Sequence[Any]) -> list[Row]:
    """Return the rows of a statement of the caller's, which has the columns `columns(model)`. Moments and UUIDs are adapted."""
    connection, table = statements.connection(), statements.whole(model)
    return [table.row(each, connection) for each in _found(connection, statement, [_adapted(value, connection) for value in values])]


def found(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return what a statement of the caller's finds. Values are as the database takes them."""
    return _found(statements.connection(), statement, values)


def insert(*groups: Sequence[Model]) -> None:
    """Store new rows, in groups of one model each, none before what it refers to. Raises IntegrityError."""
    _insert_all(groups, _run)


def insert_by_the_end(*groups: Sequence[Model]) -> None:
    """Store new rows as `insert` does, at the latest when the caller's transaction ends: what is wrong with them is raised then."""
    _insert_all(groups, _run_later)


def _insert_all(groups: tuple[Sequence[Model], ...], run: Run) -> None:
    connection = statements.connection()
    groups = tuple(group for group in groups if group)
    if any(len(group) > MANY for group in groups):
        for group in groups:
            type(group[0])._default_manager.bulk_create(group)
    elif connection.vendor == "postgresql":
        _insert_together(groups, connection, run)
    else:
        for group in groups:
            _insert_together((group,), connection, run)


def _insert_together(groups: tuple[Sequence[Model], ...], connection: BaseDatabaseWrapper, run: Run) -> None:
    if not groups:
        return
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for group in groups
        for row in group
        for field in statements.fields(type(row))
    ]
    run(connection, statements.inserts(tuple((type(group[0]), len(group)) for group in groups)), values)
    for group in groups:
        for row in group:
            row._state.adding, row._state.db = False, connection.alias


def run_by_the_end(statement: str) -> None:
    """Run a statement of the caller's, at the latest when the transaction ends."""
    _run_later(statements.connection(), statement, ())


def update(model: type[Model], wanted: Values, new: Values) -> int:
    """Give the rows that have the values *wanted* the values *new*. Returns how many there were. Raises IntegrityError."""
    known, connection = statements.by_name(model), statements.connection()
    values = [known[name].get_db_prep_save(value, connection) for name, value in new.items() if value is not ONE_MORE]
    changed = tuple((name, value is ONE_MORE) for name, value in new.items())
    return _run(
        connection, statements.update(model, statements.shape_of(wanted), changed), values + statements.values_of(model, wanted, connection)
    )[1]


def store(row: Model, names: Iterable[str] = ()) -> int:
    """Store what changed of a known row: the attributes *names*, or all. Returns 0 when it is gone. Raises IntegrityError."""
    changed = list(names) or [field.attname for field in statements.fields(type(row)) if not field.primary_key]
    return update(type(row), {"pk": row.pk}, {name: getattr(row, name) for name in changed})


def copied(row: Row) -> Row:
    """Return a row with the same values, to be changed for itself; what it refers to is the same."""
    new = type(row).__new__(type(row))
    new.__dict__.update(row.__dict__)
    new._state = ModelState()
    new._state.__dict__.update(row._state.__dict__)
    if related := new._state.__dict__.get("fields_cache"):
        new._state.fields_cache = dict(related)
    return new


def _found(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return _run(connection, statement, values)[0]


def _run(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> tuple[list[tuple[Any, ...]], int]:
    """Return the rows, and how many were found or changed."""
    if isinstance(connection, postgresql.DatabaseWrapper):
        return connection.run(statement, values)
    return cursors.run(connection, statement, values)


def _run_later(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> None:
    if isinstance(connection, postgresql.DatabaseWrapper):
        connection.run_later(statement, values)
    else:
        _run(connection, statement, values)


def _adapted(value: Any, connection: BaseDatabaseWrapper) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, uuid.UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


def _row(tables: Sequence[statements.Table], values: Sequence[Any], connection: BaseDatabaseWrapper) -> Any:
    first = before = tables[0].row(values, connection)
    for table in tables[1:]:
        row = table.row(values, connection)
        setattr(before, table.name, row)
        before = row
    return first
