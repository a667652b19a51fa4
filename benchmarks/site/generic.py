"""django-generic-notifications on the site under test: one type, which goes to the site's own list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generic_notifications import send_notifications  # type: ignore[import-untyped, unused-ignore]
from generic_notifications.channels import WebsiteChannel  # type: ignore[import-untyped, unused-ignore]
from generic_notifications.registry import registry  # type: ignore[import-untyped, unused-ignore]
from generic_notifications.types import NotificationType  # type: ignore[import-untyped, unused-ignore]


class Deploy(NotificationType):  # type: ignore[misc, unused-ignore]
    """A deploy has finished."""

    key = "deploy"
    name = "Deploys"
    description = "A deploy has finished"
    default_channels = [WebsiteChannel]


registry.register_type(Deploy)


def send(users: Sequence[Any]) -> None:
    """Send it to each of them."""
    send_notifications(users, Deploy, subject="A deploy has finished", text="x" * 100)
