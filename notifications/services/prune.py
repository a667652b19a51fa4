"""Delete what nobody needs any more, so that the tables do not grow for ever."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, Max, OuterRef, Q, Subquery
from django.utils import timezone

from ..conf import conf
from ..inbox import INBOX
from ..models import Broadcast, Message, Notice, Notification
from ..models.inbox import NotificationQuerySet
from ..rooms import ROOM
from ..streams import Family
from .twins import twin

CHUNK = 500  # rows deleted by one transaction


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
    while found := _prune_chunk(prunable(before), INBOX):
        deleted += found
    while _prune_notices(before):
        pass
    return deleted


def prune_messages(before: datetime | None = None) -> int:
    """Delete messages of the chat that were written before a time, whoever has read them.

    As with notifications, the floor of each room rises with it.

    Args:
        before: An aware time; None means now less ``NOTIFICATIONS_MESSAGE_RETENTION``, and nothing where that is None.

    Returns:
        How many messages were deleted.
    """
    if before is None:
        if conf.MESSAGE_RETENTION is None:
            return 0
        before = timezone.now() - conf.MESSAGE_RETENTION
    deleted = 0
    while found := _prune_chunk(prunable_messages(before), ROOM):
        deleted += found
    return deleted


aprune = twin(prune)
aprune_messages = twin(prune_messages)


def prunable(before: datetime) -> NotificationQuerySet:
    """Return the notifications that `prune` would delete.

    A pending one is left until it is stamped: its readers must hear of the change first.
    """
    old = Q(archived_at__lt=before) | Q(notice__expires_at__lt=before) | Q(notice__recalled_at__lt=before)
    return Notification.objects.using(INBOX.alias).filter(old, modseq__isnull=False)


def prunable_messages(before: datetime) -> models.QuerySet[Message]:
    """Return the messages that `prune_messages` would delete; not the pending ones, as above."""
    return Message.objects.using(ROOM.alias).filter(created_at__lt=before, modseq__isnull=False)


def _prune_chunk(old: models.QuerySet[Any], family: Family) -> int:
    """Delete some of `old`, which are entries of streams of `family`."""
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    if not ids:
        return 0
    rows = old.filter(pk__in=ids)
    floors: dict[Any, int] = dict(rows.order_by().values_list(family.field).annotate(Max("modseq")))
    with transaction.atomic(using=family.alias):
        for pk in sorted(floors):  # in the order in which the sequencer takes them
            family.streams().filter(pk=pk, floor__lt=floors[pk]).update(floor=floors[pk])
        # What was changed and stamped meanwhile stays: nobody above the floor has been told of it.
        floor = family.streams().filter(pk=OuterRef(family.field)).values("floor")
        return rows.filter(modseq__lte=Subquery(floor)).delete()[1].get(old.model._meta.label, 0)


def _prune_notices(before: datetime) -> int:
    copies = Notification.objects.filter(notice=OuterRef("pk"))
    broadcast = Broadcast.objects.filter(notice=OuterRef("pk"))  # somebody may still collect it
    bare = Notice.objects.using(INBOX.alias).filter(~Exists(copies), ~Exists(broadcast), created_at__lt=before)
    return bare.filter(pk__in=list(bare.values_list("pk", flat=True)[:CHUNK])).delete()[0]
