"""The self-service paths (contract: flows.md 3, 4)."""

from django.urls import URLPattern, path

from flows import exchange, kind, logout, script, views
from flows.methods.oidc import callback
from flows.visit import API, BROWSER


def _routes(name: str) -> list[URLPattern]:
    flow = kind.KINDS[name]
    return [
        path(f"self-service/{name}/browser", views.CreateFlow.as_view(kind=flow, type=BROWSER), name=f"{name}-browser"),
        path(f"self-service/{name}/api", views.CreateFlow.as_view(kind=flow, type=API), name=f"{name}-api"),
        path(f"self-service/{name}/flows", views.GetFlow.as_view(kind=flow), name=f"{name}-fetch"),
        path(f"self-service/{name}", views.SubmitFlow.as_view(kind=flow), name=name),
    ]


urlpatterns = [
    *(route for name in kind.KINDS for route in _routes(name)),
    path("self-service/logout/browser", logout.LogoutLink.as_view(), name="logout-browser"),
    path("self-service/logout/api", logout.LogoutApp.as_view(), name="logout-api"),
    path("self-service/logout", logout.Logout.as_view(), name="logout"),
    path("self-service/methods/oidc/callback", callback.Callback.as_view(), name="oidc-callback"),
    path("self-service/methods/oidc/callback/<str:provider>", callback.Callback.as_view(), name="oidc-callback-of"),
    path("sessions/token-exchange", exchange.ExchangeToken.as_view(), name="token-exchange"),
    path("self-service/errors", views.Errors.as_view(), name="errors"),
    path(".well-known/ory/webauthn.js", script.Script.as_view(), name="webauthn-script"),
    path(".well-known/change-password", views.ChangePassword.as_view(), name="change-password"),
]
