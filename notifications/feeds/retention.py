"""What feeds let go, step by step, wherever streams are served."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from ..live.django_internals import delete_unread
from ..live.periodic import periodic
from ..models import FeedEvent
from .stream import FEED, remember, trim

LOOK_EVERY = 60.0  # seconds between two turns of one process
FEEDS_AT_ONCE = 50  # looked at in one turn
STEPS_AT_ONCE = 10  # of one feed in one turn
EMPTY_FOR = timedelta(days=30)  # after which the row of a feed without events goes

_after = 0  # the last feed that was looked at


@periodic
def trim_feeds() -> float | None:
    """Look at the next feeds: delete what their policies let go, and the rows of feeds that have long been empty."""
    global _after
    rows = list(FEED.streams().filter(pk__gt=_after).order_by("pk").values_list("pk", "name")[:FEEDS_AT_ONCE])
    _after = rows[-1][0] if len(rows) == FEEDS_AT_ONCE else 0
    for _pk, name in rows:
        remember(name)
        for _step in range(STEPS_AT_ONCE):
            if not trim(name):
                break
    events = FeedEvent.objects.using(FEED.alias).filter(feed=OuterRef("pk"))
    # One statement: Django's `delete` would read the rows first, and then take along what was published meanwhile.
    long_empty = FEED.streams().filter(~Exists(events), created_at__lt=timezone.now() - EMPTY_FOR)
    delete_unread(long_empty.filter(pk__in=[pk for pk, _name in rows]))
    return LOOK_EVERY if rows else None
