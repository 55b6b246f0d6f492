"""What operators see of deliveries (contract: identities.md 3.11)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
