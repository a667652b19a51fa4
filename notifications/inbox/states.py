"""What a recipient does with notifications: read, see, archive, and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from ..annotations import User
from ..exceptions import BadCursor
from ..live import cursor
from ..live.commit import sequence_after_commit
from ..live.transactions import atomic, retried
from ..models import Notification
from ..models.inbox import NotificationQuerySet
from ..twins import twin
from .stream import INBOX

IDS_LIMIT = 1_000  # notifications named by one call


def mark_read(user: User, ids: Iterable[int]) -> int:
    """Mark notifications of `user` as read, and so as seen.

    Args:
        user: Their recipient; other users' notifications are ignored.
        ids: Primary keys, at most 1,000.

    Returns:
        How many changed.

    Raises:
        ValidationError: There are too many ids, or one is not a number.
    """
    return _touch(user, _named(user, ids).filter(read_at=None), **_reading(timezone.now()))


def mark_clicked(user: User, ids: Iterable[int]) -> int:
    """Remember that `user` followed the links of notifications, which reads them; as `mark_read` otherwise."""
    now = timezone.now()
    return _touch(user, _named(user, ids).filter(clicked_at=None), clicked_at=now, **_reading(now))


def mark_unread(user: User, ids: Iterable[int]) -> int:
    """Mark notifications of `user` as unread; arguments and result are those of `mark_read`."""
    return _touch(user, _named(user, ids).filter(read_at__isnull=False), read_at=None)


def archive(user: User, ids: Iterable[int]) -> int:
    """Archive notifications of `user`; arguments and result are those of `mark_read`."""
    return _touch(user, _named(user, ids).not_archived(), archived_at=timezone.now())


def unarchive(user: User, ids: Iterable[int]) -> int:
    """Move notifications of `user` back to the inbox; arguments and result are those of `mark_read`."""
    return _touch(user, _named(user, ids).archived(), archived_at=None)


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
    return _touch(user, _arrived(user, up_to).unseen(), seen_at=timezone.now())


def mark_all_read(user: User, up_to: str | None = None) -> int:
    """Mark everything unread as read; arguments, result and errors are those of `mark_seen`."""
    return _touch(user, _arrived(user, up_to).unread(), **_reading(timezone.now()))


# What the API and the page call the changes of single notifications.
STATE_VERBS = {"read": mark_read, "unread": mark_unread, "archive": archive, "unarchive": unarchive}

amark_read = twin(mark_read)
amark_clicked = twin(mark_clicked)
amark_unread = twin(mark_unread)
aarchive = twin(archive)
aunarchive = twin(unarchive)
amark_seen = twin(mark_seen)
amark_all_read = twin(mark_all_read)


def _reading(now: datetime) -> dict[str, Any]:
    """Return the changes that read what may have been read before."""
    return {name: Coalesce(name, Value(now)) for name in ("read_at", "seen_at")}


def _named(user: User, ids: Iterable[int]) -> NotificationQuerySet:
    ids = list(ids)
    if len(ids) > IDS_LIMIT:
        raise ValidationError({"ids": _("At most %(limit)s notifications at a time.") % {"limit": IDS_LIMIT}})
    if not all(isinstance(pk, int) and 0 < pk < 2**63 for pk in ids):
        raise ValidationError({"ids": _("Each id must be the ID of a notification.")})
    return _rows(user).items().filter(pk__in=ids)


def _arrived(user: User, up_to: str | None) -> NotificationQuerySet:
    rows = _rows(user)
    if up_to is None:
        return rows
    if not up_to:
        return rows.none()
    try:
        position = cursor.parse(up_to).get(INBOX.name)
    except BadCursor as error:
        raise ValidationError({"up_to": str(error)}) from error
    if position is None or not INBOX.streams().filter(pk=user.pk, epoch=position.epoch).exists():
        raise ValidationError(
            {"up_to": _("This cursor does not belong to the current inbox. Reload the page and try again.")}
        )
    return rows.filter(arrival__lte=position.modseq)


def _rows(user: User) -> NotificationQuerySet:
    return Notification.objects.using(INBOX.alias).of(user)


@retried(lambda *args, **changes: INBOX.alias)
def _touch(user: User, rows: NotificationQuerySet, **changes: Any) -> int:
    with atomic(INBOX.alias):
        changed = rows.touch(**changes)
        # Also if nothing is left to change: a database that has waited for a row keeps it locked until the commit, and
        # whoever changed it first has then passed over it in stamping.
        sequence_after_commit(INBOX, [user.pk])
    return changed
