from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig


class ActionsConfig(AppConfig):
    name = "actions"
    verbose_name = "Actions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every action make itself known; then the configuration's hooks can be checked."""
        builtin = import_module("actions.builtin")
        for module in iter_modules(builtin.__path__):
            import_module(f"actions.builtin.{module.name}")
        from actions import config as hooks
        from actions import overrides
        from actions.delivery import broker
        from actions.delivery.channels import certificate
        from identity import config

        config.add_check(hooks.check)
        config.add_check(overrides.check)
        config.add_check(certificate.check)
        if broker.url():
            import_module("identity.celery")
