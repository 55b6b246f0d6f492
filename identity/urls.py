"""The public listener's paths. What stands above identity is named as text: identity imports nothing above it."""

from django.urls import include, path, re_path

from identity.api import health, schemas, sessions
from identity.http import listener, problems

urlpatterns = [
    path("sessions/whoami", sessions.WhoAmI.as_view(), name="whoami"),
    path("sessions", sessions.MySessions.as_view(), name="sessions"),
    path("", include("flows.urls")),
    path("sessions/<str:id>", sessions.MySession.as_view(), name="session"),
    re_path(r"^(?:admin/)?schemas$", schemas.Schemas.as_view(), name="schemas"),
    re_path(r"^(?:admin/)?schemas/(?P<id>[^/]*)$", schemas.OneSchema.as_view(), name="schema"),
    path("health/alive", health.Alive.as_view(), name="alive"),
    path("health/ready", health.Ready.as_view(), name="ready"),
    path("", include("flows.pages")),
    path("", include("actions.pages")),
    re_path(
        r"^(?:admin/)?(?:identities|identities/by/external/[^/]*|identities/[^/]*|identities/[^/]*/credentials/[^/]*"
        r"|identities/[^/]*/sessions|courier/messages|courier/messages/[^/]*|recovery/code|recovery/link)$",
        listener.to_admin,
    ),
]

handler404 = problems.not_found
handler500 = problems.server_error
