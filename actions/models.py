"""The models of the folder below, where Django looks for them."""

from actions.delivery.models import Delivery, DeliveryAttempt, DevRequest

__all__ = ["Delivery", "DeliveryAttempt", "DevRequest"]
