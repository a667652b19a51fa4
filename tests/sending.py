"""A delivery channel whose messages tests can read, and which fails as they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.test import override_settings

from notifications.deliveries import DeliveryChannel, Message

PATH = f"{__name__}.Carrier"


def free(message: Message) -> None:
    """Let every message pass."""


class Post:
    """What was handed over, what has arrived of it, and what stands in the way."""

    def __init__(self) -> None:
        self.handed_over: list[Message] = []
        self.arrived: list[Message] = []
        self.obstacle: Callable[[Message], None] = free

    def clear(self) -> None:
        """Let every message pass again."""
        self.obstacle = free

    def fail(self, error: BaseException) -> None:
        """Let no message pass from now on."""

        def obstacle(message: Message) -> None:
            raise error

        self.obstacle = obstacle

    def titles(self) -> list[str]:
        """Return the titles of what has arrived."""
        return [part.title for message in self.arrived for part in message.parts]


class Carrier(DeliveryChannel):
    """Takes messages to the names of users, but to nobody whose name begins with "nobody"."""

    post: ClassVar[Post]

    def address(self, user: Any) -> str:
        return "" if user.get_username().startswith("nobody") else str(user.get_username())

    def send(self, message: Message) -> None:
        self.post.handed_over.append(message)
        self.post.obstacle(message)
        self.post.arrived.append(message)


def carrying(**settings: Any) -> Any:
    """Let the channel "carrier" be on for everything."""
    channel = {"BACKEND": PATH, "DEFAULT": "on", **settings}
    return override_settings(NOTIFICATIONS_CHANNELS={"carrier": channel})
