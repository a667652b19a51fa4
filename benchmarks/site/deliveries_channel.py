"""A channel that carries nothing, so that storing alone is measured."""

from __future__ import annotations

from typing import Any

from notifications.deliveries import DeliveryChannel, Message


class Silent(DeliveryChannel):
    """Takes everything and sends nothing."""

    def address(self, user: Any) -> str:
        """Return the user's key."""
        return str(user.pk)

    def send(self, message: Message) -> None:
        """Do nothing."""
