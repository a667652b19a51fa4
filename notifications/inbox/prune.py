"""Delete old notifications, so that the tables do not grow forever."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from ..conf import conf
from ..live.pruning import PRUNE_CHUNK, prune_chunk
from ..models import Broadcast, Notice, Notification
from ..models.inbox import NotificationQuerySet
from ..twins import twin
from .stream import INBOX


def prune(before: datetime | None = None) -> int:
    """Delete notifications that were archived, expired or recalled before a time.

    The floor of each inbox rises in the same transaction, so that a reader which missed a deletion gets a
    fresh snapshot. Unread and merely read notifications are kept.

    Args:
        before: An aware time; None means now less ``NOTIFICATIONS_RETENTION``.

    Returns:
        How many notifications were deleted.
    """
    before = before or timezone.now() - conf.RETENTION
    deleted = 0
    while found := prune_chunk(prunable(before), INBOX):
        deleted += found
    while _prune_notices(before):
        pass
    return deleted


aprune = twin(prune)


def prunable(before: datetime) -> NotificationQuerySet:
    """Return the notifications that `prune` would delete.

    A pending one is kept until it is stamped: its readers must get the change first.
    """
    old = Q(archived_at__lt=before) | Q(notice__expires_at__lt=before) | Q(notice__recalled_at__lt=before)
    return Notification.objects.using(INBOX.alias).filter(old, modseq__isnull=False)


def _prune_notices(before: datetime) -> int:
    copies = Notification.objects.filter(notice=OuterRef("pk"))
    broadcast = Broadcast.objects.filter(notice=OuterRef("pk"))  # somebody may still collect it
    bare = Notice.objects.using(INBOX.alias).filter(~Exists(copies), ~Exists(broadcast), created_at__lt=before)
    return bare.filter(pk__in=list(bare.values_list("pk", flat=True)[:PRUNE_CHUNK])).delete()[0]
