from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "flows"
    verbose_name = "Flows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every flow and every method make itself known."""
        for name in ("login", "registration", "settings", "recovery", "verification"):
            import_module(f"flows.{name}")
        methods = import_module("flows.methods")
        for module in iter_modules(methods.__path__):
            import_module(f"flows.methods.{module.name}")
