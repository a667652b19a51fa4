"""Deliveries: notifications that reach people who are not on the site, by e-mail and other channels.

A channel of your own is a class, named in ``NOTIFICATIONS_CHANNELS``::

    from notifications.deliveries import DeliveryChannel, Message, Undeliverable

    class TextMessages(DeliveryChannel):
        def address(self, user):
            return user.profile.phone

        def send(self, message):
            answer = gateway.send(to=message.address, text=message.title, reference=message.id)
            if answer.status == "unknown-number":
                raise Undeliverable("The number does not exist.", reason="bounced")
"""

from ..exceptions import TryLater, Undeliverable
from .channels import DeliveryChannel
from .messages import Message, Part

__all__ = ["DeliveryChannel", "Message", "Part", "TryLater", "Undeliverable"]
