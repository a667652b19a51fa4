"""Delete old messages, so that the tables do not grow forever."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

from ..conf import conf
from ..live.pruning import prune_entries
from ..models import Message
from ..twins import twin
from .stream import ROOM


def prune_messages(before: datetime | None = None) -> int:
    """Delete chat messages that were written before a time, read or not.

    As with notifications, the floor of each room rises with it, and what another transaction holds is left for the next
    time. Must run outside a transaction.

    Args:
        before: An aware time; None means now less ``NOTIFICATIONS_MESSAGE_RETENTION``, and nothing where that is None.

    Returns:
        How many messages were deleted.
    """
    if before is None:
        if conf.MESSAGE_RETENTION is None:
            return 0
        before = timezone.now() - conf.MESSAGE_RETENTION
    # None is untold: an open room may go on showing what is no longer stored.
    deleted, _hints = prune_entries(prunable_messages(before), ROOM, untold=None, by="created_at")
    return deleted


aprune_messages = twin(prune_messages)


def prunable_messages(before: datetime) -> models.QuerySet[Message]:
    """Return the messages that `prune_messages` would delete; not the pending ones, as above."""
    return Message.objects.using(ROOM.alias).filter(created_at__lt=before, modseq__isnull=False)
