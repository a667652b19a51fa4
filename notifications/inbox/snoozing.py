"""Snooze: an item leaves the inbox until a time, and then comes back unread and on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from ..annotations import User
from ..live.commit import remind_after_commit
from ..twins import twin
from ..validators import validate_time
from .bulk import Changed
from .rows import archiving, named, touch
from .stream import INBOX

SNOOZE_LIMIT: Final = timedelta(days=366)  # from now
MORNING: Final = 9  # o'clock, where a time is "tomorrow" or a day


def snooze(user: User, ids: Iterable[int], until: datetime, *, up_to: str | None = None) -> Changed:
    """Take notifications of `user` out of the inbox until a time.

    Then they come back unread and on top; earlier, if one grows that is unread.

    Args:
        user: Their recipient; other users' notifications are ignored.
        ids: Primary keys, at most 1,000.
        until: An aware time in the future, within a year.
        up_to: The cursor of what the user had on screen: what has grown or come back since stays. None means all.

    Returns:
        How many were in the inbox or asleep until another time, and by which text `undo` reverts just that.

    Raises:
        ValidationError: `until` is out of range, there are too many ids, one is not a number, or `up_to` is not a
            cursor of this inbox.
    """
    now = timezone.now()
    try:
        validate_time(until)
    except ValidationError as error:
        raise ValidationError({"until": error}) from error
    if not now < until <= now + SNOOZE_LIMIT:
        raise ValidationError({"until": _("Choose a time in the future, within a year.")})
    rows = named(user, ids, up_to).visible().kept().exclude(snoozed_until=until)
    snoozed = touch(user, rows, **(archiving(now) | {"snoozed_until": until}))
    if snoozed:
        remind_after_commit(until, INBOX.alias)
    return Changed(snoozed, "snooze", now)


def unsnooze(user: User, ids: Iterable[int]) -> int:
    """Bring notifications of `user` back now, as they were; arguments and result are those of `mark_unread`."""
    return touch(user, named(user, ids).snoozed(), archived_at=None, snoozed_until=None)


asnooze = twin(snooze)
aunsnooze = twin(unsnooze)


def presets() -> Mapping[str, tuple[str, datetime]]:
    """Return the times that a page offers, in the active time zone: a label and the time, by name."""
    now = timezone.localtime()
    found = {"hour": (_("In an hour"), now + timedelta(hours=1))}
    if now.hour < 17:
        found["evening"] = (_("This evening"), at_hour(now, 0, 18))
    found["tomorrow"] = (_("Tomorrow morning"), at_hour(now, 1, MORNING))
    found["week"] = (_("On Monday"), at_hour(now, 7 - now.weekday(), MORNING))
    return found


def time_of(value: object) -> datetime:
    """Return the time that a request names: one of the `presets`, or an ISO 8601 time with its offset.

    Raises:
        ValidationError: It is neither.
    """
    if isinstance(value, str):
        if value in (offered := presets()):
            return offered[value][1]
        try:
            time = parse_datetime(value)
        except ValueError:
            time = None
        if time is not None:
            return time
    raise ValidationError({"until": _("Choose a time in the future, within a year.")})


def at_hour(now: datetime, days: int, hour: int) -> datetime:
    """Return an hour of a day of the wall clock, whatever happens to the clock until then."""
    day = now.date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, tzinfo=now.tzinfo)
