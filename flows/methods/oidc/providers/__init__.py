"""One file for each preset: constants, and a function from what the provider says to standard claims."""

from __future__ import annotations

import logging
from importlib import import_module
from pkgutil import iter_modules

from flows.methods.oidc import conf
from flows.methods.oidc.providers.base import PRESETS, Provider
from identity import config
from identity.config import Config

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


logger = logging.getLogger(__name__)


@config.per_config
def _usable(_: Config) -> tuple[Provider, ...]:
    for rules in conf.providers():
        if rules.preset not in PRESETS:
            logger.warning("the provider %s is left out: nobody has written the preset %s yet", rules.id, rules.preset)
    return tuple(PRESETS[rules.preset](rules) for rules in conf.providers() if rules.preset in PRESETS)


def all_configured() -> tuple[Provider, ...]:
    """Return the providers that can be used; a preset that is not known is as if it were not there, and said in the log."""
    return _usable()


def find(id: str) -> Provider | None:
    return next((provider for provider in all_configured() if provider.rules.id == id), None)
