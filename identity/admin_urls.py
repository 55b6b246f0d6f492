"""The admin listener's paths: /admin/* (the prefix may be left out), /console/, /health, /metrics, /openapi.json."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.utils.module_loading import autodiscover_modules
from drf_spectacular.views import SpectacularJSONAPIView

from identity.api import health, metrics
from identity.http import listener, problems

autodiscover_modules("admin", register_to=admin.site)

urlpatterns = [
    path("console/", admin.site.urls),
    re_path(r"^(?:admin/)?health/alive$", health.Alive.as_view()),
    re_path(r"^(?:admin/)?health/ready$", health.Ready.as_view()),
    re_path(r"^(?:admin/)?health/config$", health.ConfigRevision.as_view()),
    re_path(r"^(?:admin/)?version$", health.Version.as_view()),
    re_path(r"^(?:admin/)?metrics(?:/prometheus)?$", metrics.Metrics.as_view()),
    path("openapi.json", SpectacularJSONAPIView.as_view(urlconf="identity.api.urls")),
    *(
        re_path(prefix, include(urls))
        for urls in ("identity.api.urls", "flows.admin_urls", "actions.urls")
        for prefix in (r"^admin/", r"^")
    ),
    re_path(r"^(?:admin/)?(?:self-service/.*|schemas|schemas/.*|sessions/whoami)$", listener.to_public),
]

handler404 = problems.not_found
handler500 = problems.server_error
