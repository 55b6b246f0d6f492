"""The operator's REST API; identity/admin_urls.py says with which prefix."""

from django.urls import path, re_path

from identity.api import admin_sessions, credentials, identities
from identity.http import listener

urlpatterns = [
    path("identities", identities.Identities.as_view()),
    re_path(r"^identities/by/external/(?P<external_id>[^/]*)$", identities.ByExternalID.as_view()),
    path("identities/<str:id>", identities.OneIdentity.as_view()),
    path("identities/<str:id>/sessions", admin_sessions.SessionsOfIdentity.as_view()),
    path("identities/<str:id>/credentials/<str:type>", credentials.OneCredential.as_view()),
    path("sessions/whoami", listener.to_public),
    path("sessions", admin_sessions.Sessions.as_view()),
    path("sessions/<str:id>", admin_sessions.OneSession.as_view()),
    path("sessions/<str:id>/extend", admin_sessions.Extend.as_view()),
]
