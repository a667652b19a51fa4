"""Clicks: by which channel somebody came to what a message told of."""

from __future__ import annotations

from typing import Any

from django.db import router
from django.utils import timezone

from ..annotations import User
from ..models import Delivery


def note_click(user: User, notice: Any, channel: str) -> bool:
    """Note that a user has followed the link of a message, for the figures; return whether it was the first time.

    Args:
        user: Who has followed it.
        notice: The primary key of what the message told of.
        channel: By which channel the message came.
    """
    rows = Delivery.objects.using(router.db_for_write(Delivery)).filter(recipient=user.pk, notice=notice)
    return bool(rows.filter(channel=channel, clicked_at=None).update(clicked_at=timezone.now()))
