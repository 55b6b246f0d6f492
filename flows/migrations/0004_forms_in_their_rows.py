from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLES = ("flows_loginflow", "flows_registrationflow", "flows_settingsflow", "flows_recoveryflow", "flows_verificationflow")


def keep_forms_in_their_rows(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Forms live for an hour and are read and written often: PostgreSQL shall not compress them and put them elsewhere (TOAST)."""
    alter(schema_editor, "SET (toast_tuple_target = 8160)")


def keep_them_as_others(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alter(schema_editor, "RESET (toast_tuple_target)")


def alter(schema_editor: BaseDatabaseSchemaEditor, how: str) -> None:
    """Other databases that speak PostgreSQL's protocol know no such parameter."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        is_itself = str(cursor.fetchone()[0]).startswith("PostgreSQL")
    for table in TABLES if is_itself else ():
        schema_editor.execute(f"ALTER TABLE {table} {how}")


class Migration(migrations.Migration):
    dependencies = [("flows", "0003_token_exchange")]

    operations = [migrations.RunPython(keep_forms_in_their_rows, keep_them_as_others)]
