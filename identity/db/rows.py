"""Rows by equality, for the paths that are walked most.

The framework puts a statement together anew each time, which costs more than the database takes to answer it. Here that is
done once for each form of a statement, which then stays prepared in PostgreSQL, too. A model's `save` is not called, nor are
signals sent: none of ours has any.

What a column shall equal is given by the attribute's name: `identity_id=...`. None asks for NULL, a tuple for any of its values.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

Row = TypeVar("Row", bound=Model)
Shape = tuple[tuple[str, int], ...]  # names, each with the number of its values; 0 is NULL
Values = Mapping[str, Any]

ONE_MORE = object()  # as a new value: one more than before
MANY = 8  # rows: beyond, the framework's own way costs no more


def by_key(model: type[Row], key: Any) -> Row | None:
    """Return the row of *model* whose primary key is *key*, or None."""
    return next(iter(where(model, pk=key)), None)


def where(model: type[Row], related: str = "", **wanted: Any) -> list[Row]:
    """Return the rows that have these values, in no order; with what a chain of foreign keys (`credential__identity`) names."""
    statement, tables = _select(model, related, _shape(wanted))
    connection = _connection()
    return [_row(tables, found, connection) for found in _found(connection, statement, _prepared(model, wanted, connection))]


def locked(model: type[Row], **wanted: Any) -> list[Row]:
    """Return the rows that have these values, and let nobody else change them until the caller's transaction ends."""
    statement, tables = _select(model, "", _shape(wanted))
    connection = _connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Rows are held until a transaction ends, and there is none.")
    if connection.features.has_select_for_no_key_update:
        statement += " FOR NO KEY UPDATE"
    return [_row(tables, found, connection) for found in _found(connection, statement, _prepared(model, wanted, connection))]


def gather(models: tuple[type[Model], ...], **wanted: Any) -> tuple[list[Any], ...]:
    """Return the rows of each of several models that have these values, in no order, by one statement."""
    statement, tables = _union(models, _shape(wanted))
    connection = _connection()
    gathered: tuple[list[Any], ...] = tuple([] for _ in models)
    for found in _found(connection, statement, [value for model in models for value in _prepared(model, wanted, connection)]):
        number = found[0]
        gathered[number].append(tables[number].row(found, connection))
    return gathered


def returned(model: type[Row], statement: str, values: Sequence[Any]) -> list[Row]:
    """Return the rows of a statement of the caller's, which has the columns `columns(model)`. Moments and UUIDs are adapted."""
    connection, table = _connection(), _whole(model)
    return [table.row(found, connection) for found in _found(connection, statement, [_adapted(value, connection) for value in values])]


def insert(*groups: Sequence[Model]) -> None:
    """Store new rows, in groups of one model each, none before what it refers to. Raises IntegrityError."""
    connection = _connection()
    groups = tuple(group for group in groups if group)
    if any(len(group) > MANY for group in groups):
        for group in groups:
            type(group[0])._default_manager.bulk_create(group)
    elif connection.vendor == "postgresql":
        _insert_together(groups, connection)
    else:
        for group in groups:
            _insert_together((group,), connection)


def _insert_together(groups: tuple[Sequence[Model], ...], connection: BaseDatabaseWrapper) -> None:
    if not groups:
        return
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection) for group in groups for row in group for field in _fields(type(row))
    ]
    with connection.cursor() as cursor:
        cursor.execute(_inserts(tuple((type(group[0]), len(group)) for group in groups)), values)
    for group in groups:
        for row in group:
            row._state.adding, row._state.db = False, connection.alias


def update(model: type[Model], wanted: Values, new: Values) -> int:
    """Give the rows that have the values *wanted* the values *new*. Returns how many there were. Raises IntegrityError."""
    known, connection = _by_name(model), _connection()
    values = [known[name].get_db_prep_save(value, connection) for name, value in new.items() if value is not ONE_MORE]
    changed = tuple((name, value is ONE_MORE) for name, value in new.items())
    with connection.cursor() as cursor:
        cursor.execute(_update(model, _shape(wanted), changed), values + _prepared(model, wanted, connection))
        return int(cursor.rowcount)


def store(row: Model, names: Iterable[str] = ()) -> int:
    """Store what changed of a known row: the attributes *names*, or all. Returns 0 when it is gone. Raises IntegrityError."""
    changed = list(names) or [field.attname for field in _fields(type(row)) if not field.primary_key]
    return update(type(row), {"pk": row.pk}, {name: getattr(row, name) for name in changed})


@cache
def columns(model: type[Model]) -> str:
    """Return the columns of *model* for a statement of ours: a prepared `SELECT *` breaks when a newer version adds one."""
    return ", ".join(_quoted(field.column) for field in _fields(model))


def _found(connection: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _adapted(value: Any, connection: BaseDatabaseWrapper) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, uuid.UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


def _connection() -> BaseDatabaseWrapper:
    """Return this thread's connection: `django.db.connection` looks it up at each use."""
    return connections[DEFAULT_DB_ALIAS]


# how a statement is put together


def _shape(wanted: Values) -> Shape:
    if () in wanted.values():
        raise ValueError("a tuple of no values asks for nothing")
    return tuple((name, 0 if value is None else len(value) if isinstance(value, tuple) else 1) for name, value in wanted.items())


def _prepared(model: type[Model], wanted: Values, connection: BaseDatabaseWrapper) -> list[Any]:
    known = _by_name(model)
    return [
        known[name].get_db_prep_value(single, connection)
        for name, value in wanted.items()
        if value is not None
        for single in (value if isinstance(value, tuple) else (value,))
    ]


@cache
def _fields(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    return tuple(model._meta.concrete_fields)


@cache
def _by_name(model: type[Model]) -> dict[str, Field[Any, Any]]:
    return {field.attname: field for field in _fields(model)} | {"pk": model._meta.pk}


def _quoted(name: str | None) -> str:
    return str(_connection().ops.quote_name(str(name)))


def _condition(model: type[Model], shape: Shape, table: str = "") -> str:
    known = _by_name(model)
    parts = []
    for name, count in shape:
        column = f"{table}.{_quoted(known[name].column)}" if table else _quoted(known[name].column)
        parts.append(f"{column} IS NULL" if count == 0 else f"{column} = %s" if count == 1 else f"{column} IN ({_marks(count)})")
    return " AND ".join(parts)


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


@cache
def _inserts(groups: tuple[tuple[type[Model], int], ...]) -> str:
    """Return one statement; of several groups, all but the last are stored beside it (a WITH clause of PostgreSQL)."""
    *before, last = (_insert(model, count) for model, count in groups)
    beside = ", ".join(f"n{number} AS ({statement})" for number, statement in enumerate(before))
    return f"WITH {beside} {last}" if beside else last


@cache
def _insert(model: type[Model], count: int) -> str:
    row = f"({_marks(len(_fields(model)))})"
    return f"INSERT INTO {_quoted(model._meta.db_table)} ({columns(model)}) VALUES {', '.join([row] * count)}"  # noqa: S608  our own names


@cache
def _update(model: type[Model], shape: Shape, changed: tuple[tuple[str, bool], ...]) -> str:
    known = _by_name(model)
    new = []
    for name, is_one_more in changed:
        column = _quoted(known[name].column)
        new.append(f"{column} = {column} + 1" if is_one_more else f"{column} = %s")
    return f"UPDATE {_quoted(model._meta.db_table)} SET {', '.join(new)} WHERE {_condition(model, shape)}"  # noqa: S608  our own names


@cache
def _select(model: type[Model], related: str, shape: Shape) -> tuple[str, tuple[_Table, ...]]:
    """Return the statement, and what its columns are, table by table."""
    tables: list[_Table] = [_whole(model)]
    joined = f"{_quoted(model._meta.db_table)} t0"
    for number, name in enumerate(related.split("__") if related else (), start=1):
        before = tables[-1]
        key: Any = before.model._meta.get_field(name)
        table = _table(key.related_model, name, before.end)
        tables.append(table)
        joined += f" JOIN {_quoted(table.model._meta.db_table)} t{number}"
        joined += f" ON t{number}.{_quoted(table.model._meta.pk.column)} = t{number - 1}.{_quoted(key.column)}"
    named = ", ".join(f"t{number}.{_quoted(field.column)}" for number, table in enumerate(tables) for field in _fields(table.model))
    return f"SELECT {named} FROM {joined} WHERE {_condition(model, shape, 't0')}", tuple(tables)  # noqa: S608  our own names


@cache
def _union(models: tuple[type[Model], ...], shape: Shape) -> tuple[str, tuple[_Table, ...]]:
    """Return the statement, and what its columns are, table by table: a row has values in its own table's columns only."""
    tables: list[_Table] = []
    for model in models:
        tables.append(_table(model, "", tables[-1].end if tables else 1))
    parts = []
    for number, mine in enumerate(tables):
        named = [
            _quoted(field.column) if table is mine else f"CAST(NULL AS {field.cast_db_type(_connection())})"
            for table in tables
            for field in _fields(table.model)
        ]
        whence = f"FROM {_quoted(mine.model._meta.db_table)} WHERE {_condition(mine.model, shape)}"
        parts.append(f"SELECT {number}, {', '.join(named)} {whence}")
    return " UNION ALL ".join(parts), tuple(tables)


# how a row is read


@dataclass(frozen=True)
class _Table:
    """The columns *begin* to *end* are a row of *model*, to which the row before it refers by *name*."""

    model: type[Model]
    name: str
    begin: int
    end: int
    attributes: tuple[str, ...]
    conversions: tuple[tuple[int, Callable[..., Any], Any], ...]

    def row(self, values: Sequence[Any], connection: BaseDatabaseWrapper) -> Any:
        mine = list(values[self.begin : self.end])
        for index, convert, expression in self.conversions:
            mine[index] = convert(mine[index], expression, connection)
        return self.model.from_db(connection.alias, self.attributes, mine)


@cache
def _whole(model: type[Model]) -> _Table:
    return _table(model, "", 0)


def _table(model: type[Model], name: str, begin: int) -> _Table:
    fields, connection = _fields(model), _connection()
    conversions = []
    for index, field in enumerate(fields):
        expression = field.get_col(model._meta.db_table)
        for convert in (*connection.ops.get_db_converters(expression), *expression.get_db_converters(connection)):
            conversions.append((index, convert, expression))
    return _Table(model, name, begin, begin + len(fields), tuple(field.attname for field in fields), tuple(conversions))


def _row(tables: Sequence[_Table], values: Sequence[Any], connection: BaseDatabaseWrapper) -> Any:
    first = before = tables[0].row(values, connection)
    for table in tables[1:]:
        row = table.row(values, connection)
        setattr(before, table.name, row)
        before = row
    return first
