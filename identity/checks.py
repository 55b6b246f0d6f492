"""`manage.py check` looks at the operator's configuration, too."""

from collections.abc import Sequence
from typing import Any

from django.core import checks

from identity import config
from identity.config import ConfigError


def configuration(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    try:
        config.verify()
    except ConfigError as error:
        return [checks.Error(str(fault), id="identity.E001") for fault in error.faults]
    return []


def connect() -> None:
    checks.register(configuration)
