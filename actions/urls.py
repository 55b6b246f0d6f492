"""What operators see of messages and deliveries (contract: identities.md 3.11)."""

from django.urls import path

from actions import admin_api

urlpatterns = [
    path("courier/messages", admin_api.Messages.as_view()),
    path("courier/messages/<str:id>", admin_api.OneMessage.as_view()),
    path("deliveries", admin_api.Deliveries.as_view()),
    path("deliveries/<str:id>", admin_api.OneDelivery.as_view()),
    path("deliveries/<str:id>/replay", admin_api.Replay.as_view()),
]
