from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "identity"
    verbose_name = "Identities"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from corsheaders.signals import check_request_enabled
        from django import db
        from django.core import cache, signals

        from identity import checks
        from identity.http import listener

        check_request_enabled.connect(listener.is_origin_allowed)
        checks.connect()

        # Connections are looked at once for each request, when it ends; ours leaves no caches and no logged queries behind.
        signals.request_started.disconnect(db.close_old_connections)
        signals.request_started.disconnect(db.reset_queries)
        signals.request_finished.disconnect(cache.close_caches)
