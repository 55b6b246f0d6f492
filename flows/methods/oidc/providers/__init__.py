"""One file for each preset: constants, and a function from what the provider says to standard claims."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from flows.methods.oidc import conf
from flows.methods.oidc.providers.base import PRESETS, Provider

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def all_configured() -> list[Provider]:
    """Return the providers that can be used; a preset that is not known is as if it were not there."""
    return [PRESETS[rules.preset](rules) for rules in conf.providers() if rules.preset in PRESETS]


def find(id: str) -> Provider | None:
    return next((provider for provider in all_configured() if provider.rules.id == id), None)
