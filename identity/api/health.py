"""Is the server alive, ready, and which configuration is in force (contract: identities.md 6.6)."""

from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from identity import __version__, config
from identity.errors import ServiceUnavailable
from identity.http.views import JSONView, json_response


class Alive(JSONView):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return json_response({"status": "ok"})


class Ready(JSONView):
    """200 once the database answers and its migrations are applied."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            _migrated()
        except DatabaseError as error:
            raise ServiceUnavailable("The database does not answer.") from error
        return json_response({"status": "ok"})


@cache
def _migrated() -> bool:
    """Whether no migration is pending; asked until it is so, then never again. Raises ServiceUnavailable."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise ServiceUnavailable("The database is not migrated. Run: manage.py migrate")
    return True


class Version(JSONView):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return json_response({"version": __version__})


class ConfigRevision(JSONView):
    """The revision of the configuration in force, as plain text: a deployment waits until it reads its own."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(config.current().revision, content_type="text/plain; charset=utf-8")
