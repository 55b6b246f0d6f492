"""The pages that come with the server: one draws every flow, and a few stand around them.

They use nothing that another UI could not: a flow as clients see it, and the addresses under /self-service. They work
without JavaScript; only passkeys and security keys need it, as browsers offer them no other way.
"""

from django.urls import path

from flows.pages import views

KINDS = ("login", "registration", "settings", "recovery", "verification")

urlpatterns = [
    *(path(f"ui/{kind}", views.FlowPage.as_view(kind=kind), name=f"ui-{kind}") for kind in KINDS),
    path("ui/error", views.ErrorPage.as_view(), name="ui-error"),
    path("ui/welcome", views.WelcomePage.as_view(), name="ui-welcome"),
    path("ui/sessions", views.SessionsPage.as_view(), name="ui-sessions"),
    path("ui/theme.css", views.Theme.as_view(), name="ui-theme"),
]
