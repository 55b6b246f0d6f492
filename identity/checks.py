"""What the operator's configuration has to pass; `manage.py check` looks at it, too."""

from collections.abc import Sequence
from typing import Any

from django.core import checks

from identity import config
from identity.config import ConfigError
from identity.credentials import password
from identity.identities import schemas


def configuration(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    try:
        config.verify()
    except ConfigError as error:
        return [checks.Error(str(fault), id="identity.E001") for fault in error.faults]
    return []


def connect() -> None:
    config.add_check(schemas.check)
    config.add_check(password.check)
    checks.register(configuration)
