"""Pages for development: the mailbox and the webhook receiver."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
