"""The operator's REST API; identity/admin_urls.py says with which prefix."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
