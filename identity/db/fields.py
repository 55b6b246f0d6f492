"""JSON columns, read and written by orjson: a flow's form takes the standard library's parser longer than the database."""

from __future__ import annotations

import json
from typing import Any

import orjson
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.json import Jsonb

ONLY_JSON = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class JSONField(models.JSONField):
    """The framework's field, quicker.

    What orjson refuses to write or read goes the framework's way. It writes null for infinity and for what is no number, and reads
    integers beyond 64 bits as floats; values.py lets none of them into what is kept of people.
    """

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """For migrations the column is the framework's."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", list(args), kwargs

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        if value is None:
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return super().from_db_value(value, expression, connection)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return Jsonb(value, dumps=_written) if connection.vendor == "postgresql" else _written(value).decode()


def _written(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=ONLY_JSON)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()
