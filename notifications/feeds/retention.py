"""What feeds let go, step by step, wherever streams are served."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from ..live.django_internals import delete_unread
from ..live.periodic import in_full, periodic
from ..models import FeedEvent
from ..tenants import PerTenant
from .stream import FEED, remember, trim

ROUND_EVERY = 60.0  # seconds from the end of a round of one process to the next
TURN = 5.0  # seconds between two turns of a round
FEEDS_AT_ONCE = 50  # looked at in one turn
STEPS_AT_ONCE = 10  # of one feed in one turn
EMPTY_FOR = timedelta(days=30)  # after which the row of a feed without events goes


class Retention:
    """The turns of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare to look at all feeds, from the first on."""
        self._clock = clock
        self._next = 0.0
        self._after = 0  # the last feed that was looked at
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Look at the next feeds if it is time; return the seconds until the next turn."""
        if not self._lock.acquire(blocking=False):
            return TURN  # another event loop of this process is at it
        try:
            if (now := self._clock()) >= self._next:
                self._after = _look(self._after)
                self._next = now + (TURN if self._after else ROUND_EVERY)
            return self._next - now
        finally:
            self._lock.release()

    def round(self) -> None:
        """Look at all feeds now."""
        with self._lock:
            after = _look(0)
            while after:
                after = _look(after)


def _look(after: int) -> int:
    """Delete what the policies of the next feeds let go, and the rows of those that have long been empty.

    Args:
        after: The last feed that was looked at.

    Returns:
        The last one that is now, or 0 where it was the last of all.
    """
    rows = list(FEED.streams().filter(pk__gt=after).order_by("pk").values_list("pk", "name")[:FEEDS_AT_ONCE])
    for _pk, name in rows:
        remember(name)
        for _step in range(STEPS_AT_ONCE):
            if not trim(name):
                break
    events = FeedEvent.objects.using(FEED.alias).filter(feed=OuterRef("pk"))
    # One statement: Django's `delete` would read the rows first, and then take along what was published meanwhile.
    long_empty = FEED.streams().filter(~Exists(events), created_at__lt=timezone.now() - EMPTY_FOR)
    delete_unread(long_empty.filter(pk__in=[pk for pk, _name in rows]))
    return rows[-1][0] if len(rows) == FEEDS_AT_ONCE else 0


_retention = PerTenant(Retention)


@periodic
def trim_feeds() -> float | None:
    """Look at the next feeds: delete what their policies let go, and the rows of feeds that have long been empty."""
    return _retention().turn()


@in_full(trim_feeds)
def trim_all_feeds() -> None:
    """Look at all feeds."""
    _retention().round()
