from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "identity"
    verbose_name = "Identities"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from corsheaders.signals import check_request_enabled

        from identity import checks, config
        from identity.http import listener
        from identity.identities import schemas

        config.add_check(schemas.check)
        check_request_enabled.connect(listener.is_origin_allowed)
        checks.connect()
