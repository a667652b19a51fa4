"""Delete old notifications, so that the tables do not grow forever."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import models
from django.db.models import Exists, Max, Min, OuterRef, Q, Subquery
from django.db.models.lookups import IsNull
from django.utils import timezone

from ..conf import conf
from ..live import relay
from ..live.pruning import prune_entries, prune_rows
from ..models import Broadcast, Notice, Notification
from ..models.inbox import SCHEDULED, UNPLACED, NotificationQuerySet
from ..twins import twin
from .stream import INBOX
from .watching import prune_watches

PRUNE_NOTICES: Final = 100_000  # notices that are looked at in any case, for whether they have a copy left
PRUNE_DAYS: Final = 30  # runs in which all of them are

# A copy of a broadcast that was not collected since is still shown by an open tab.
RECALLED = Q(notice__recalled_at__isnull=False)


def prune(before: datetime | None = None) -> int:
    """Delete notifications that were archived, expired or recalled before a time.

    The floor of each inbox rises in the same transaction, so that a reader which missed a deletion gets a
    fresh snapshot. Unread and merely read notifications are kept. What another transaction holds is left for the next
    time, and nobody waits for more than a step of some hundred rows. Must run outside a transaction.

    Watches that are over, or whose object is gone, are deleted too, and so are notices without a copy; where there are
    more than `PRUNE_NOTICES` notices, each day's run looks at a part of them.

    Args:
        before: An aware time; None means now less ``NOTIFICATIONS_RETENTION``.

    Returns:
        How many notifications were deleted.
    """
    before = before or timezone.now() - conf.RETENTION
    # Each of the three ways in which it may be over has an index; together they would cost a look at every row.
    deleted, hints = prune_entries(_stamped_items().filter(_long_archived(before)), INBOX, RECALLED, by="archived_at")
    for notice in _over(before):
        copies = _stamped_items().filter(_ended(before), notice=notice)
        number, moved = prune_entries(copies, INBOX, RECALLED, by="recipient_id")
        deleted += number
        hints += moved
    prune_rows(_events_without_item(), INBOX.alias, by="folded_into")
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
    return _stamped_items().filter(_long_archived(before) | _ended(before))


def _stamped_items() -> NotificationQuerySet:
    return Notification.objects.using(INBOX.alias).items().filter(modseq__isnull=False)


def _long_archived(before: datetime) -> Q:
    return Q(archived_at__lt=before, snoozed_until__isnull=True)


def _ended(before: datetime) -> Q:
    return Q(notice__expires_at__lt=before) | Q(notice__recalled_at__lt=before)


def _over(before: datetime) -> list[int]:
    """Return the notices that expired or were recalled before a time and of which there are copies to be deleted."""
    copies = Exists(_stamped_items().filter(notice=OuterRef("pk")))
    notices = Notice.objects.using(INBOX.alias).filter(copies).order_by().values_list("pk", flat=True)
    found = (notices.filter(expires_at__lt=before), notices.filter(recalled_at__lt=before))
    return list({pk: None for pks in found for pk in pks})


def _events_without_item() -> NotificationQuerySet:
    """Return the events that were folded into a notification which is deleted; nobody was ever shown such a row."""
    rows = Notification.objects.using(INBOX.alias)
    item = Notification.objects.filter(pk=OuterRef("folded_into"))
    return rows.filter(_lacks(item), folded_into__gt=UNPLACED)


def _cancelled(before: datetime) -> NotificationQuerySet:
    """Return what was cancelled before it was sent."""
    rows = Notification.objects.using(INBOX.alias)
    return rows.filter(folded_into=SCHEDULED, snoozed_until=None, archived_at__lt=before)


def _bare_notices(before: datetime) -> models.QuerySet[Notice]:
    copies = Notification.objects.filter(notice=OuterRef("pk"))
    broadcast = Broadcast.objects.filter(notice=OuterRef("pk"))  # somebody may still collect it
    return _part().filter(created_at__lt=before).filter(_lacks(copies), _lacks(broadcast))


def _lacks(rows: models.QuerySet[Any]) -> models.Q:
    """Return the condition that there is none of `rows`, which is asked of each row.

    MariaDB would rather read all of their table for each step than look for those of a row, were it ``NOT EXISTS``.
    """
    return Q(IsNull(Subquery(rows.order_by().values("pk")[:1]), True))


def _part() -> models.QuerySet[Notice]:
    """Return the notices that are looked at today: all of a short table, in thirty days all of a long one."""
    notices = Notice.objects.using(INBOX.alias)
    # Asked for both at once, SQLite would read the whole table.
    first, last = (notices.aggregate(pk=end("pk"))["pk"] or 0 for end in (Min, Max))
    shares = min(PRUNE_DAYS, 1 + (last - first) // PRUNE_NOTICES)
    size = 1 + (last - first) // shares
    start = first + timezone.now().toordinal() % shares * size
    return notices.filter(pk__gte=start, pk__lt=start + size)
