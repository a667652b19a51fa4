"""Digests: what is told together, at an hour that its reader has chosen.

A digest is a row without a notice, which ends its `window`. What it tells of are the rows that wait for this window;
they end with it, in one transaction. One that comes when its digest is over, for its transaction took long, falls due
`DIGEST_GRACE` later, and then waits for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from ..models import Delivery
from ..preferences.topics import Topic, topic_of

DIGEST_GRACE: Final = timedelta(hours=1)  # after which is looked whether a digest has left something out
ASKED: Final = "asked "  # begins the key of a digest that its reader has asked for, which no quiet hours hold up


def digest_row(
    recipient: Any, channel: str, device: str, window: datetime, now: datetime, *, asked: str = ""
) -> Delivery:
    """Return the row of a digest."""
    return Delivery(
        recipient_id=recipient,
        channel=channel,
        device=device,
        key=asked + window.astimezone(UTC).isoformat(),
        window=window,
        due_at=window,
        created_at=now,
    )


def store_digests(rows: Iterable[Delivery], alias: str) -> None:
    """Store the rows of digests, but for those that are there."""
    Delivery.objects.using(alias).bulk_create(rows, ignore_conflicts=True)


def take(recipient: Any, alias: str, *, after: datetime | None = None) -> list[Delivery]:
    """Take away the digests of a user that nobody has begun to send; return what waits for them.

    It belongs into a transaction. A worker that claims one of them at the same time gets it, or it is taken.

    Args:
        recipient: The primary key of the user.
        alias: The database.
        after: Only those that come later than this.
    """
    mine = Delivery.objects.using(alias).filter(recipient_id=recipient, state=Delivery.State.WAITING)
    digests = mine.filter(notice__isnull=True, attempts=0)
    if after is not None:
        digests = digests.filter(window__gt=after)
    mark = uuid4().hex
    digests.update(claim=mark)
    taken = {(row.channel, row.device, row.window) for row in mine.filter(claim=mark)}
    mine.filter(claim=mark).delete()
    parts = mine.filter(notice__isnull=False, window__in={window for _channel, _device, window in taken})
    return [part for part in parts.select_related("notice") if (part.channel, part.device, part.window) in taken]


def regroup(
    parts: Iterable[Delivery], end: Callable[[Topic], datetime], alias: str, now: datetime, asked: str = ""
) -> None:
    """Let what was taken wait for other digests.

    Args:
        parts: What `take` has returned.
        end: Returns when the digest comes that tells of a topic.
        alias: The database.
        now: The present.
        asked: `ASKED` for what its reader has asked for.
    """
    by_window: dict[datetime, list[Delivery]] = {}
    for part in parts:
        if part.notice is not None:
            by_window.setdefault(end(topic_of(part.notice.kind, part.notice.category)), []).append(part)
    for window, some in by_window.items():
        rows = Delivery.objects.using(alias).filter(pk__in=[part.pk for part in some])
        rows.update(window=window, due_at=window + DIGEST_GRACE)
        whose = {(part.recipient_id, part.channel, part.device) for part in some}
        store_digests([digest_row(*one, window, now, asked=asked) for one in sorted(whose, key=str)], alias)
