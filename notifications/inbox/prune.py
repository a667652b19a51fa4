"""Delete old notifications, so that the tables do not grow forever."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from ..conf import conf
from ..live import relay
from ..live.pruning import prune_entries, prune_rows
from ..models import Broadcast, Notice, Notification
from ..models.inbox import SCHEDULED, UNPLACED, NotificationQuerySet
from ..twins import twin
from .stream import INBOX
from .watching import prune_watches

# A copy of a broadcast that was not collected since is still shown by an open tab.
RECALLED = Q(notice__recalled_at__isnull=False)


def prune(before: datetime | None = None) -> int:
    """Delete notifications that were archived, expired or recalled before a time.

    The floor of each inbox rises in the same transaction, so that a reader which missed a deletion gets a
    fresh snapshot. Unread and merely read notifications are kept. What another transaction holds is left for the next
    time, and nobody waits for more than a step of some hundred rows. Must run outside a transaction.

    Watches that are over, or whose object is gone, are deleted too.

    Args:
        before: An aware time; None means now less ``NOTIFICATIONS_RETENTION``.

    Returns:
        How many notifications were deleted.
    """
    before = before or timezone.now() - conf.RETENTION
    deleted, hints = prune_entries(prunable(before), INBOX, RECALLED)
    prune_rows(_events_without_item(), INBOX.alias)
    prune_rows(_cancelled(before), INBOX.alias)
    prune_rows(_bare_notices(before), INBOX.alias)
    prune_watches()
    relay.announce(hints)
    return deleted


aprune = twin(prune)


def prunable(before: datetime) -> NotificationQuerySet:
    """Return the notifications that `prune` would delete.

    A pending one is kept until it is stamped: its readers must get the change first.
    """
    archived = Q(archived_at__lt=before, snoozed_until__isnull=True)
    old = archived | Q(notice__expires_at__lt=before) | Q(notice__recalled_at__lt=before)
    return Notification.objects.using(INBOX.alias).items().filter(old, modseq__isnull=False)


def _events_without_item() -> NotificationQuerySet:
    """Return the events that were folded into a notification which is deleted; nobody was ever shown such a row."""
    rows = Notification.objects.using(INBOX.alias)
    item = Notification.objects.filter(pk=OuterRef("folded_into"))
    return rows.filter(~Exists(item), folded_into__gt=UNPLACED)


def _cancelled(before: datetime) -> NotificationQuerySet:
    """Return what was cancelled before it was sent."""
    rows = Notification.objects.using(INBOX.alias)
    return rows.filter(folded_into=SCHEDULED, snoozed_until=None, archived_at__lt=before)


def _bare_notices(before: datetime) -> models.QuerySet[Notice]:
    copies = Notification.objects.filter(notice=OuterRef("pk"))
    broadcast = Broadcast.objects.filter(notice=OuterRef("pk"))  # somebody may still collect it
    return Notice.objects.using(INBOX.alias).filter(~Exists(copies), ~Exists(broadcast), created_at__lt=before)
