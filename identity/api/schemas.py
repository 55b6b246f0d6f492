"""The identity schemas, public as they are (contract: identities.md 2.8)."""

import base64

from django.http import HttpRequest, HttpResponse

from identity.api import pagination
from identity.errors import NotFound
from identity.http.views import JSONView, json_response
from identity.identities import schemas


class Schemas(JSONView):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        page = pagination.Mixed.of(request)
        response = json_response([{"id": schema.id, "schema": schema.document} for schema in page.part(schemas.all_schemas())])
        page.announce(response, request)
        return response


class OneSchema(JSONView):
    """GET /schemas/{id}: by its id or the id's unpadded base64url form; "" is the default one."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, id: str) -> HttpResponse:
        for spelled in (id, _decoded(id)):
            if spelled is not None and schemas.is_known(spelled):
                return json_response(schemas.get_readable(spelled or schemas.default_id()).document)
        raise NotFound("There is no such identity schema.")


def _decoded(id: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(id + "=" * (-len(id) % 4)).decode()
    except ValueError:
        return None
