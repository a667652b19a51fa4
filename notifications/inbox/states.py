"""What a recipient does with notifications: read, see, archive, pin, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..annotations import User
from ..models.ranks import PIN
from ..twins import twin
from .bulk import Changed, reading
from .rows import archiving, arrived, named, touch, touch_all
from .snoozing import snooze, unsnooze


def mark_read(user: User, ids: Iterable[int], *, up_to: str | None = None) -> Changed:
    """Mark notifications of `user` as read, and so as seen.

    Args:
        user: Their recipient; other users' notifications are ignored.
        ids: Primary keys, at most 1,000.
        up_to: The cursor of what the user had on screen: what has grown or come back since stays as it is, for
            nobody has read what it says now. None means whatever it says.

    Returns:
        How many changed, and by which text `undo` reverts just that.

    Raises:
        ValidationError: There are too many ids, one is not a number, or `up_to` is not a cursor of this inbox.
    """
    now = timezone.now()
    return Changed(touch(user, named(user, ids, up_to).filter(read_at=None), **reading(now)), "read", now)


def mark_clicked(user: User, ids: Iterable[int], *, up_to: str | None = None) -> int:
    """Remember that `user` followed the links of notifications, which reads them; as `mark_read` otherwise."""
    now = timezone.now()
    rows = named(user, ids, up_to).filter(Q(clicked_at=None) | Q(read_at=None))
    return touch(user, rows, clicked_at=Coalesce("clicked_at", Value(now)), **reading(now))


def mark_unread(user: User, ids: Iterable[int]) -> int:
    """Mark notifications of `user` as unread; `user`, `ids` and the result are those of `mark_read`."""
    return touch(user, named(user, ids).filter(read_at__isnull=False), read_at=None)


def archive(user: User, ids: Iterable[int], *, up_to: str | None = None) -> Changed:
    """Archive notifications of `user`, also snoozed ones; arguments and result are those of `mark_read`."""
    now = timezone.now()
    return Changed(touch(user, named(user, ids, up_to).kept(), **archiving(now)), "archive", now)


def unarchive(user: User, ids: Iterable[int]) -> int:
    """Move notifications of `user` back to the inbox; arguments and result are those of `mark_unread`."""
    return touch(
        user, named(user, ids).filter(archived_at__isnull=False), archived_at=None, snoozed_until=None, muted=False
    )


def pin(user: User, ids: Iterable[int]) -> int:
    """Keep notifications of `user` on top of the list; arguments and result are those of `mark_unread`."""
    return touch(user, named(user, ids).filter(rank__lt=PIN), rank=F("rank") + PIN)


def unpin(user: User, ids: Iterable[int]) -> int:
    """Let notifications of `user` go back to their places; arguments and result are those of `mark_unread`."""
    return touch(user, named(user, ids).filter(rank__gte=PIN), rank=F("rank") - PIN)


def mark_seen(user: User, up_to: str | None = None) -> int:
    """Mark everything unseen as seen: the user has opened the bell.

    Args:
        user: Whose inbox.
        up_to: The cursor of what the user had on screen, so that what has arrived since stays
            unseen. None means everything; the empty cursor of an inbox that is not there yet means nothing.

    Returns:
        How many changed.

    Raises:
        ValidationError: `up_to` is not a cursor of this inbox.
    """
    return touch_all(user, arrived(user, up_to).unseen(), seen_at=timezone.now())


# What the API and the page call the changes of single notifications.
STATE_VERBS = {
    "read": mark_read,
    "unread": mark_unread,
    "archive": archive,
    "unarchive": unarchive,
    "pin": pin,
    "unpin": unpin,
    "unsnooze": unsnooze,
}
# Those that take in what the item says now, unless they are told up to which cursor the user has seen it.
SEEN_VERBS: Mapping[str, Callable[..., int]] = {
    "read": mark_read,
    "archive": archive,
    "click": mark_clicked,
    "snooze": snooze,
}

amark_read = twin(mark_read)
amark_clicked = twin(mark_clicked)
amark_unread = twin(mark_unread)
aarchive = twin(archive)
aunarchive = twin(unarchive)
apin = twin(pin)
aunpin = twin(unpin)
amark_seen = twin(mark_seen)
