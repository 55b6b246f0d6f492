"""The texts of statements, and what their columns are: put together once for each form, see rows.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model
from django.db.models.base import ModelState

Values = Mapping[str, Any]
Count = int | tuple[type[Model], str, tuple[Any, ...]]  # of values, where 0 is NULL; or where they are looked up
Shape = tuple[tuple[str, Count], ...]  # what is asked for, without the values themselves


@dataclass(frozen=True)
class Those:
    """The values of *attribute* in the rows of *model* that have the values *wanted*."""

    model: type[Model]
    attribute: str
    wanted: Values

    @cached_property
    def shape(self) -> tuple[type[Model], str, Shape]:
        return self.model, self.attribute, shape_of(self.wanted)

    @cached_property
    def values(self) -> list[Any]:
        """The values of `wanted`; a statement that asks for several tables has them once for each."""
        return values_of(self.model, self.wanted, connection())


def connection() -> BaseDatabaseWrapper:
    """Return this thread's connection: `django.db.connection` looks it up at each use."""
    return connections[DEFAULT_DB_ALIAS]


# what is asked for


def shape_of(wanted: Values) -> Shape:
    """Return what makes the text of a condition. Raises ValueError for a tuple of no values."""
    return tuple((name, _count(value)) for name, value in wanted.items())


def _count(value: Any) -> Count:
    if isinstance(value, Those):
        return value.shape
    if value == ():
        raise ValueError("a tuple of no values asks for nothing")
    return 0 if value is None else len(value) if isinstance(value, tuple) else 1


def values_of(model: type[Model], wanted: Values, connection: BaseDatabaseWrapper) -> list[Any]:
    """Return the values of a condition in the order of its marks, as the database takes them."""
    known, prepared = by_name(model), []
    for name, value in wanted.items():
        if isinstance(value, Those):
            prepared += value.values
        elif value is not None:
            prepared += [known[name].get_db_prep_value(single, connection) for single in (value if isinstance(value, tuple) else (value,))]
    return prepared


@cache
def fields(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    return tuple(model._meta.concrete_fields)


@cache
def by_name(model: type[Model]) -> dict[str, Field[Any, Any]]:
    return {field.attname: field for field in fields(model)} | {"pk": model._meta.pk}


def _quoted(name: str | None) -> str:
    return str(connection().ops.quote_name(str(name)))


# the texts


def _condition(model: type[Model], shape: Shape, table: str = "") -> str:
    known = by_name(model)
    return " AND ".join((f"{table}." if table else "") + _quoted(known[name].column) + _equals(count) for name, count in shape)


def _equals(count: Count) -> str:
    if isinstance(count, tuple):
        model, attribute, shape = count
        whence = f"FROM {_quoted(model._meta.db_table)} WHERE {_condition(model, shape)}"
        return f" IN (SELECT {_quoted(by_name(model)[attribute].column)} {whence})"
    return " IS NULL" if count == 0 else " = %s" if count == 1 else f" IN ({_marks(count)})"


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


@cache
def columns(model: type[Model]) -> str:
    """Return the columns of *model* for a statement of ours: a prepared `SELECT *` breaks when a newer version adds one."""
    return ", ".join(_quoted(field.column) for field in fields(model))


@cache
def inserts(groups: tuple[tuple[type[Model], int], ...]) -> str:
    """Return one statement; of several groups, all but the last are stored beside it (a WITH clause of PostgreSQL)."""
    *before, last = (_insert(model, count) for model, count in groups)
    beside = ", ".join(f"n{number} AS ({statement})" for number, statement in enumerate(before))
    return f"WITH {beside} {last}" if beside else last


@cache
def _insert(model: type[Model], count: int) -> str:
    row = f"({_marks(len(fields(model)))})"
    return f"INSERT INTO {_quoted(model._meta.db_table)} ({columns(model)}) VALUES {', '.join([row] * count)}"  # noqa: S608  our own names


@cache
def update(model: type[Model], shape: Shape, changed: tuple[tuple[str, bool], ...]) -> str:
    known = by_name(model)
    new = []
    for name, is_one_more in changed:
        column = _quoted(known[name].column)
        new.append(f"{column} = {column} + 1" if is_one_more else f"{column} = %s")
    return f"UPDATE {_quoted(model._meta.db_table)} SET {', '.join(new)} WHERE {_condition(model, shape)}"  # noqa: S608  our own names


@cache
def select(model: type[Model], related: str, shape: Shape) -> tuple[str, tuple[Table, ...]]:
    """Return the statement, and what its columns are, table by table."""
    tables: list[Table] = [whole(model)]
    joined = f"{_quoted(model._meta.db_table)} t0"
    for number, name in enumerate(related.split("__") if related else (), start=1):
        before = tables[-1]
        key: Any = before.model._meta.get_field(name)
        table = _table(key.related_model, name, before.end)
        tables.append(table)
        joined += f" JOIN {_quoted(table.model._meta.db_table)} t{number}"
        joined += f" ON t{number}.{_quoted(table.model._meta.pk.column)} = t{number - 1}.{_quoted(key.column)}"
    named = ", ".join(f"t{number}.{_quoted(field.column)}" for number, table in enumerate(tables) for field in fields(table.model))
    return f"SELECT {named} FROM {joined} WHERE {_condition(model, shape, 't0')}", tuple(tables)  # noqa: S608  our own names


@cache
def union(asked: tuple[tuple[type[Model], Shape], ...]) -> tuple[str, tuple[Table, ...]]:
    """Return the statement, and what its columns are, table by table: a row has values in its own table's columns only."""
    tables: list[Table] = []
    for model, _ in asked:
        tables.append(_table(model, "", tables[-1].end if tables else 1))
    parts = []
    for number, (model, shape) in enumerate(asked):
        named = [
            _quoted(field.column) if at == number else f"CAST(NULL AS {field.cast_db_type(connection())})"
            for at, table in enumerate(tables)
            for field in fields(table.model)
        ]
        whence = f"FROM {_quoted(model._meta.db_table)} WHERE {_condition(model, shape)}"
        parts.append(f"SELECT {number}, {', '.join(named)} {whence}")
    return " UNION ALL ".join(parts), tuple(tables)


# how a row is read


@dataclass(frozen=True)
class Table:
    """The columns *begin* to *end* are a row of *model*, to which the row before it refers by *name*."""

    model: type[Model]
    name: str
    begin: int
    end: int
    attributes: tuple[str, ...]
    conversions: tuple[tuple[str, Callable[..., Any], Any], ...]  # of which attribute, by what

    def row(self, values: Sequence[Any], connection: BaseDatabaseWrapper) -> Any:
        row = self.model.__new__(self.model)
        mine = row.__dict__
        mine.update(zip(self.attributes, values[self.begin : self.end], strict=True))
        for name, convert, expression in self.conversions:
            mine[name] = convert(mine[name], expression, connection)
        row._state = ModelState()
        row._state.adding, row._state.db = False, connection.alias
        return row


@cache
def whole(model: type[Model]) -> Table:
    return _table(model, "", 0)


def _table(model: type[Model], name: str, begin: int) -> Table:
    mine, held = fields(model), connection()
    conversions = []
    for field in mine:
        expression = field.get_col(model._meta.db_table)
        for convert in (*held.ops.get_db_converters(expression), *expression.get_db_converters(held)):
            conversions.append((field.attname, convert, expression))
    return Table(model, name, begin, begin + len(mine), tuple(field.attname for field in mine), tuple(conversions))
