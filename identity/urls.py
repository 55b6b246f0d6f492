"""The public listener. What serves it is named as text: identity imports nothing above it."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
