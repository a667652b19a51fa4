"""Delete old deliveries, addresses and errors included, and end those that nobody sends any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import router
from django.db.models import QuerySet
from django.utils import timezone

from ..conf import conf
from ..live.locks import lock_free
from ..live.pruning import PRUNE_CHUNK, prune_rows
from ..live.transactions import atomic, retried
from ..models import Delivery
from ..preferences.channels import sent
from ..twins import twin
from .ending import end

State = Delivery.State

ABANDONED: Final = timedelta(days=1)  # after which what nobody sends has failed
NO_BACKEND: Final = "Nothing sends the channel {!r}: give it a BACKEND in NOTIFICATIONS_CHANNELS, then try again."


def prune_deliveries(before: datetime | None = None) -> int:
    """Delete deliveries that ended before a time, with their addresses and errors.

    What waits is kept, but what nobody has sent for a day, because its channel is gone from the
    settings, ends as failed, with an error that says so. It works in steps of some hundred rows, and leaves what
    another transaction holds for the next time. Must run outside a transaction.

    Args:
        before: An aware time; None means now less ``NOTIFICATIONS_DELIVERY_RETENTION``.

    Returns:
        How many deliveries were deleted.
    """
    end_abandoned()
    return prune_rows(prunable_deliveries(before), router.db_for_write(Delivery))


aprune_deliveries = twin(prune_deliveries)


def prunable_deliveries(before: datetime | None = None) -> QuerySet[Delivery]:
    """Return the deliveries that `prune_deliveries` would delete."""
    before = before or timezone.now() - conf.DELIVERY_RETENTION
    return Delivery.objects.using(router.db_for_write(Delivery)).filter(ended_at__lt=before)


def end_abandoned() -> int:
    """End as failed what nobody sends any more; return how many deliveries."""
    alias = router.db_for_write(Delivery)
    rows = Delivery.objects.using(alias)
    long_ago = timezone.now() - ABANDONED
    unsent = rows.filter(due_at__lt=long_ago).exclude(channel__in=sent())
    names = list(unsent.order_by().values_list("channel", flat=True).distinct())
    return sum(_end(unsent.filter(channel=name), NO_BACKEND.format(name), alias) for name in names)


def _end(rows: QuerySet[Delivery], error: str, alias: str) -> int:
    ended = 0
    last = 0
    while pks := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PRUNE_CHUNK]):
        ended += _end_step(rows, pks, error, alias)
        last = pks[-1]
    return ended


@retried(lambda rows, pks, error, alias: alias)
def _end_step(rows: QuerySet[Delivery], pks: Sequence[Any], error: str, alias: str) -> int:
    with atomic(alias, durable=True):
        locked = lock_free(Delivery.objects.all(), pks, alias)
        found = list(rows.filter(pk__in=locked).values_list("pk", flat=True))
        return end(Delivery.objects.using(alias).filter(pk__in=found), State.FAILED, reason="", error=error)
