"""Rows by key and by owner, for the paths that are walked most: the statement is put together once, and stays prepared in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


def by_key(model: type[Row], key: Any) -> Row | None:
    """Return the row of *model* whose primary key is *key*, or None."""
    return next(iter(_where(model, model._meta.pk.name, key)), None)


def of(model: type[Row], owner: str, key: Any) -> list[Row]:
    """Return the rows of *model* that belong to *key* by the foreign key *owner*, in no order."""
    return list(_where(model, owner, key))


def _where(model: type[Row], name: str, key: Any) -> Iterable[Row]:
    wanted = model._meta.get_field(name).get_db_prep_value(key, connection)  # type: ignore[union-attr]
    return model._default_manager.raw(_statement(model, name), [wanted])


@cache
def columns(model: type[Model]) -> str:
    """Return the columns of *model* for a statement of ours: a prepared `SELECT *` breaks when a newer version adds one."""
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in model._meta.concrete_fields)


@cache
def _statement(model: type[Model], name: str) -> str:
    quote = connection.ops.quote_name
    wanted = quote(str(model._meta.get_field(name).column))  # type: ignore[union-attr]
    return f"SELECT {columns(model)} FROM {quote(model._meta.db_table)} WHERE {wanted} = %s"  # noqa: S608  our own names
