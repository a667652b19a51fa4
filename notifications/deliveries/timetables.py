"""Timetables: what holds for a user of quiet hours and of digests, on the clock of their time zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_user_model

from ..conf import conf
from ..hours import DigestHour, QuietHours, digest_hour, next_hour, quiet_plan, quiet_until, zone_named
from ..models import Schedule
from ..preferences.topics import Topic


class Timetable(NamedTuple):
    """What holds for a user: their own, or the site's. `digests` are their own hours, by the scopes of preferences."""

    zone: ZoneInfo
    quiet: tuple[QuietHours, ...]
    not_before: datetime | None
    digests: Mapping[str, DigestHour]

    def quiet_until(self, now: datetime) -> datetime | None:
        """Return when what disturbs may be sent: `now`, or later; None for never."""
        return quiet_until(self.quiet, self.zone, max(now, self.not_before or now))

    def hour(self, scopes: Iterable[str]) -> DigestHour:
        """Return when digests come, of what the first of some scopes says that says something."""
        return next((self.digests[scope] for scope in scopes if scope in self.digests), digest_hour(conf.DIGEST))

    def window(self, topic: Topic, now: datetime) -> datetime:
        """Return when the digest comes to which something is added now."""
        return next_hour(self.hour(topic.scopes), self.zone, now)


def timetable_of(user: Any, row: Schedule | None) -> Timetable:
    """Return what holds for a user, of whom `row` is the schedule. What cannot be read in it is as the site says."""
    zone = zone_named(row.time_zone if row else "", str(getattr(user, "time_zone", "") or ""), settings.TIME_ZONE)
    return Timetable(zone, _quiet(row), row.not_before if row else None, _digests(row))


def schedules(pks: Iterable[Any], alias: str) -> dict[Any, Schedule]:
    """Return the schedules of users who have one, by the user's primary key, with one query."""
    rows = Schedule.objects.using(alias).filter(user_id__in=list(pks))
    return {row.user_id: row for row in rows}


def windows(pks: Sequence[Any], topic: Topic, now: datetime, alias: str) -> dict[Any, datetime]:
    """Return when the digests of users come to which something is added now, by primary key.

    It costs one query, and one more where the user model says a time zone.
    """
    if not pks:
        return {}
    rows = schedules(pks, alias)
    users: Mapping[Any, Any] = {}
    if hasattr(get_user_model(), "time_zone"):
        users = get_user_model()._base_manager.using(alias).in_bulk(pks)
    ends: dict[tuple[ZoneInfo, DigestHour], datetime] = {}
    found = {}
    for pk in pks:
        table = timetable_of(users.get(pk), rows.get(pk))
        key = table.zone, table.hour(topic.scopes)
        if key not in ends:
            ends[key] = table.window(topic, now)
        found[pk] = ends[key]
    return found


def _quiet(row: Schedule | None) -> tuple[QuietHours, ...]:
    if row is None or row.quiet_hours is None:
        return conf.QUIET_HOURS
    try:
        return quiet_plan(row.quiet_hours)
    except (ValueError, TypeError):  # somebody else has written it
        return conf.QUIET_HOURS


def _digests(row: Schedule | None) -> dict[str, DigestHour]:
    found = {}
    for scope, text in row.digests.items() if row and isinstance(row.digests, dict) else ():
        try:
            found[scope] = digest_hour(text)
        except ValueError:
            continue
    return found
