from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLES = ("flows_loginflow", "flows_registrationflow", "flows_settingsflow", "flows_recoveryflow", "flows_verificationflow")


def keep_forms_in_their_rows(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Forms live for an hour and are read and written often: PostgreSQL shall not compress them and put them elsewhere (TOAST)."""
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"ALTER TABLE {table} SET (toast_tuple_target = 8160)")


class Migration(migrations.Migration):
    dependencies = [("flows", "0003_token_exchange")]

    operations = [migrations.RunPython(keep_forms_in_their_rows, migrations.RunPython.noop)]
