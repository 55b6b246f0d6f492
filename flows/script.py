"""GET /.well-known/ory/webauthn.js: the script that pages load to use passkeys and security keys."""

from django.http import HttpRequest, HttpResponse
from django.views import View

from flows import keys


class Script(View):
    """The same bytes for everybody, and for pages of any origin: nothing in it is secret.

    It is not kept by browsers: a form names the hash of its bytes, and after an upgrade an old copy would be refused.
    """

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(keys.script_bytes(), content_type="text/javascript; charset=UTF-8")
        response["Cache-Control"] = "no-cache, no-transform"
        response["Access-Control-Allow-Origin"] = "*"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        response["X-Content-Type-Options"] = "nosniff"
        return response
