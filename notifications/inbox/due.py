"""What falls due: snoozed items come back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Case, Min, Value, When
from django.utils import timezone

from ..live import relay
from ..live.chunks import STREAM_CHUNK
from ..live.locks import lock_free
from ..live.periodic import periodic
from ..live.sequencer import sequence
from ..live.transactions import atomic, retried
from ..models import Notification
from ..models.inbox import NotificationQuerySet
from ..models.ranks import PIN, rank_at
from ..twins import twin
from .stream import INBOX

DUE_STEPS: Final = 10  # steps of a turn, so that other periodic tasks have theirs
DUE_SWEEP: Final = 20.0  # seconds after which somebody else's snooze is found at the latest
SOON: Final = 0.2  # seconds


def release_due() -> int:
    """Bring back what has slept long enough; several processes may do so at once.

    Every process that serves streams does it by itself, and ``manage.py publish_due`` too.

    Returns:
        How many notifications came back.
    """
    released = 0
    while recipients := _release_some():
        released += len(recipients)
        if len(recipients) < STREAM_CHUNK:
            break
    return released


arelease_due = twin(release_due)


@periodic
def take_turn() -> float:
    """Release what is due, in a bounded number of steps; return after how many seconds more will be."""
    for _step in range(DUE_STEPS):
        if len(_release_some()) < STREAM_CHUNK:
            break
    else:
        return SOON
    following: datetime | None = _asleep().aggregate(first=Min("snoozed_until"))["first"]
    if following is None:
        return DUE_SWEEP
    return max(SOON, min(DUE_SWEEP, (following - timezone.now()) / timedelta(seconds=1)))


def _release_some() -> list[Any]:
    recipients = _wake_some(timezone.now())
    if recipients:
        relay.announce(sequence(INBOX, recipients))
    return recipients


def _asleep() -> NotificationQuerySet:
    return Notification.objects.using(INBOX.alias).filter(snoozed_until__isnull=False)


@retried(lambda now: INBOX.alias)
def _wake_some(now: datetime) -> list[Any]:
    """Wake at most some hundred, but for those that an application holds; return their recipients, one for each row."""
    found = dict(
        _asleep()
        .filter(snoozed_until__lte=now)
        .order_by("snoozed_until")
        .values_list("pk", "recipient_id")[:STREAM_CHUNK]
    )
    if not found:
        return []
    with atomic(INBOX.alias, durable=True):
        due = _asleep().filter(snoozed_until__lte=now)
        pks = lock_free(due, list(found), INBOX.alias)
        rank = rank_at(now)
        # Another process may have been first: what it has woken is not asleep.
        woken = due.filter(pk__in=pks).update(
            archived_at=None,
            snoozed_until=None,
            read_at=None,
            seen_at=None,
            rank=Case(When(rank__gte=PIN, then=Value(rank + PIN)), default=Value(rank)),
            modseq=None,
            arrival=None,
        )
    return [found[pk] for pk in pks] if woken else []
