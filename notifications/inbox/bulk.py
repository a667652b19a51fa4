"""Changes of many notifications at once, and how they are undone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.core.exceptions import ValidationError
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from ..annotations import User
from ..models import Notice
from ..models.inbox import NotificationQuerySet
from ..models.ranks import EPOCH, rank_at
from ..twins import twin
from ..validators import validate_named_texts
from .rows import archiving, arrived, restoring, rows_of, touch_all

Scope = Literal["all", "unread"]

_UNDO: Final = re.compile(r"(?P<verb>archive|snooze|read)\.(?P<time>[0-9]{1,17})")


class Changed(int):
    """How many notifications changed. `undo` is what `undo()` reverts exactly this change by."""

    undo: str

    def __new__(cls, number: int, verb: str, time: datetime) -> Changed:
        """Describe the change that a verb has made at `time`, which it has written into each row."""
        changed = super().__new__(cls, number)
        changed.undo = f"{verb}.{rank_at(time)}" if number else ""
        return changed


def archive_all(
    user: User, up_to: str | None = None, *, category: str = "", kind: str = "", state: Scope = "all"
) -> Changed:
    """Archive everything that is listed.

    Args:
        user: Whose inbox.
        up_to: The cursor of what the user had on screen, so that what has arrived since stays. None means everything.
        category: Only this category; empty for every one.
        kind: Only this kind; empty for every one.
        state: ``"all"``, or ``"unread"`` for those alone.

    Returns:
        How many changed, and by which text `undo` brings back just those.

    Raises:
        ValidationError: `up_to` is not a cursor of this inbox, or another argument is out of range.
    """
    now = timezone.now()
    rows = scope(arrived(user, up_to), category, kind, state)
    return Changed(touch_all(user, rows, **archiving(now)), "archive", now)


def mark_all_read(user: User, up_to: str | None = None, *, category: str = "", kind: str = "") -> Changed:
    """Mark everything unread as read; arguments, result and errors are those of `archive_all`."""
    now = timezone.now()
    rows = scope(arrived(user, up_to), category, kind, "unread") if category or kind else arrived(user, up_to).unread()
    return Changed(touch_all(user, rows, **reading(now)), "read", now)


def undo(user: User, token: str) -> int:
    """Revert what a verb has archived, snoozed or read: what had been snoozed is so again, until the same time.

    Only what that call changed and nobody has changed since; how long ago it was does not matter.

    Args:
        user: Whose inbox.
        token: The attribute `undo` of what the verb returned.

    Returns:
        How many notifications are as they were.

    Raises:
        ValidationError: `token` is none.
    """
    found = _UNDO.fullmatch(token) if isinstance(token, str) else None
    if found is None:
        raise ValidationError({"undo": _("This change cannot be undone.")})
    time = EPOCH + timedelta(microseconds=int(found["time"]))
    rows = rows_of(user).items()
    if found["verb"] != "read":
        away = rows.archived() if found["verb"] == "archive" else rows.snoozed()
        return touch_all(user, away.filter(archived_at=time), **restoring(timezone.now()))
    seen = Case(When(seen_at=time, then=Value(None)), default=F("seen_at"))
    return touch_all(user, rows.filter(read_at=time), read_at=None, seen_at=seen)


aarchive_all = twin(archive_all)
amark_all_read = twin(mark_all_read)
aundo = twin(undo)


def reading(now: datetime) -> dict[str, Any]:
    """Return the changes that read what may have been read before."""
    return {name: Coalesce(name, Value(now)) for name in ("read_at", "seen_at")}


def scope(rows: NotificationQuerySet, category: str, kind: str, state: Scope) -> NotificationQuerySet:
    """Keep what is listed in a state: visible, and of one category and kind.

    Raises:
        ValidationError: An argument is out of range; it is named.
    """
    if state not in ("all", "unread"):
        raise ValidationError({"state": _("State must be all or unread.")})
    validate_named_texts(category=category, kind=kind)
    narrow = {name: value for name, value in (("category", category), ("kind", kind)) if value}
    chosen = rows.unread() if state == "unread" else rows.not_archived()
    return chosen.filter(Notice.objects.visible().filter(**narrow).asked())
