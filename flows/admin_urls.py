"""What operators do to flows: recovery on behalf of a person (contract: identities.md 3.10)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
