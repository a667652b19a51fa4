"""Readers: in which language and time zone somebody reads who is not there to be asked."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import router

from ..languages import site_language
from ..models import Schedule
from .timetables import schedules, timetable_of


class Reader(NamedTuple):
    """A recipient, and the language and the time zone (of the IANA's names) in which the recipient reads."""

    user: Any
    language: str
    time_zone: str


def reader_of(user: Any) -> Reader:
    """Return how a user reads, with one query, as `reader` does."""
    return reader(user, schedules([user.pk], router.db_for_write(Schedule)).get(user.pk))


def has_chosen_language(user: Any) -> bool:
    """Return whether a user, or the user's model, says in which language they read."""
    if getattr(user, "language", ""):
        return True
    row = schedules([user.pk], router.db_for_write(Schedule)).get(user.pk)
    return row is not None and bool(row.language)


def reader(user: Any, row: Schedule | None) -> Reader:
    """Return how a user reads, of whom `row` is the schedule.

    What it does not say is as ``language`` and ``time_zone`` of the user say, where the model has them, then as the
    site's settings do.
    """
    language = site_language((row.language if row else "") or str(getattr(user, "language", "") or ""))
    return Reader(user, language, timetable_of(user, row).zone.key)
