"""Hours of the week on the clock of a time zone: those that are quiet, and those at which digests come.

They are written as text: quiet hours as ``"22:00-07:00"`` or ``"sat,sun 00:00-24:00"``, the hour of digests as
``"08:00"``, ``"mon 09:00"`` or ``"mon-fri 07:30"``. Days are those on which they begin; without any it is every day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY: Final = tuple(range(7))
DAY: Final = 24 * 60  # minutes
WEEK: Final = 7 * DAY
QUIET_LIMIT: Final = 21  # quiet hours of one plan
HORIZON: Final = 16  # days within which quiet hours end, if ever: a week's one free minute may be skipped by the clock

_DAYS = r"(?:(?P<days>[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?)*) )?"
_QUIET = re.compile(_DAYS + r"(?P<start>[0-9]{2}:[0-9]{2})-(?P<end>[0-9]{2}:[0-9]{2})")
_HOUR = re.compile(_DAYS + r"(?P<at>[0-9]{2}:[0-9]{2})")


class QuietHours(NamedTuple):
    """Quiet hours that begin on some days (Monday is 0) at `start`, and last `length`, both in minutes."""

    days: tuple[int, ...]
    start: int
    length: int

    def __str__(self) -> str:
        """Write them as `quiet_hours` reads them."""
        end = self.start + self.length
        return f"{_days_text(self.days)}{clock(self.start)}-{clock(end if end == DAY else end % DAY)}"


class DigestHour(NamedTuple):
    """When digests come: on some days (Monday is 0), at so many minutes after midnight."""

    days: tuple[int, ...]
    at: int

    def __str__(self) -> str:
        """Write it as `digest_hour` reads it."""
        return f"{_days_text(self.days)}{clock(self.at)}"


def quiet_hours(text: object) -> QuietHours:
    """Return the quiet hours that a text names; those that end when they begin last a day.

    Raises:
        ValueError: It names none.
    """
    found = _QUIET.fullmatch(text) if isinstance(text, str) else None
    days, start, end = (_days(found["days"]), _minutes(found["start"]), _minutes(found["end"])) if found else [None] * 3
    if days is None or start is None or end is None or start == DAY:
        raise ValueError(f'{_short(text)} are no quiet hours: write them as "22:00-07:00" or "sat,sun 00:00-24:00"')
    return QuietHours(days, start, (end - start) % DAY or DAY)


def digest_hour(text: object) -> DigestHour:
    """Return the hour that a text names.

    Raises:
        ValueError: It names none.
    """
    found = _HOUR.fullmatch(text) if isinstance(text, str) else None
    days, at = (_days(found["days"]), _minutes(found["at"])) if found else (None, None)
    if days is None or at is None or at == DAY:
        raise ValueError(f'{_short(text)} is no hour of digests: write it as "08:00", "mon 09:00" or "mon-fri 07:30"')
    return DigestHour(days, at)


def quiet_week(texts: Iterable[object]) -> tuple[QuietHours, ...]:
    """Return the quiet hours of a week.

    Raises:
        ValueError: One is none, there are too many, or they leave no minute of the week.
        TypeError: It is one text, not several.
    """
    plan = quiet_plan(texts)
    if not leaves_time(plan):
        raise ValueError("they leave no minute of the week: switch off what must never disturb")
    return plan


def quiet_plan(texts: Iterable[object]) -> tuple[QuietHours, ...]:
    """Return the quiet hours of a week, which may be all of it.

    Raises:
        ValueError: One is none, or there are too many.
        TypeError: It is one text, not several.
    """
    if isinstance(texts, str):
        raise TypeError(f'quiet hours are a list of texts: ["{texts[:40]}"]')
    plan = tuple(quiet_hours(text) for text in texts)
    if len(plan) > QUIET_LIMIT:
        raise ValueError(f"there can be {QUIET_LIMIT} quiet hours, not {len(plan)}")
    return plan


@lru_cache(maxsize=64)
def leaves_time(plan: tuple[QuietHours, ...]) -> bool:
    """Return whether quiet hours leave a minute of the week."""
    quiet = {(day * DAY + start + minute) % WEEK for days, start, n in plan for day in days for minute in range(n)}
    return len(quiet) < WEEK


def quiet_until(plan: Iterable[QuietHours], zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return when quiet hours are over: `now` outside of them, and None if they never are.

    They begin when the clock first shows their start, and last until it shows their end for the last time. A start or
    an end that the clock leaves out is when it is put forward.
    """
    today = now.astimezone(zone).date()
    spans = sorted(_spans(tuple(plan), zone, (today + timedelta(days=number) for number in range(-2, HORIZON))))
    moment = now
    for start, end in spans:
        if start > moment:
            return moment
        moment = max(moment, end)
    return None if spans else now


def next_hour(hour: DigestHour, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when the hour comes next after `now`: when the clock first shows it, or leaves it out."""
    today = now.astimezone(zone).date()
    for number in range(-1, HORIZON):
        day = today + timedelta(days=number)
        if day.weekday() in hour.days and (moment := instant(day, hour.at, zone)) > now:
            return moment
    raise AssertionError("A day of the week comes within two weeks.")


def instant(day: date, minutes: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Return when the clock of a zone shows a time, in UTC.

    Of two such moments it is the first one, or the `last`; of none the moment at which the clock is put forward.
    """
    shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if last else first
    before, after = second, first  # in a gap the two are the other way around, and the change lies between them
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all time zones that this machine knows."""
    return frozenset(available_timezones())


def zone_named(*names: str) -> ZoneInfo:
    """Return the first zone of some names that this machine knows; UTC if it knows none."""
    for name in names:
        if name in zone_names():
            return ZoneInfo(name)
    return ZoneInfo("UTC")


def clock(minutes: int) -> str:
    """Return minutes after midnight as a clock shows them."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _spans(plan: tuple[QuietHours, ...], zone: ZoneInfo, days: Iterable[date]) -> Iterator[tuple[datetime, datetime]]:
    for day in days:
        for quiet in plan:
            if day.weekday() in quiet.days:
                end = quiet.start + quiet.length
                yield instant(day, quiet.start, zone), instant(day, end, zone, last=True)


def _days(text: str | None) -> tuple[int, ...] | None:
    """Return the days that a text names, in order; None if it names something else."""
    if text is None:
        return EVERY_DAY
    found: set[int] = set()
    for part in text.split(","):
        first, _hyphen, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            return None
        start, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(start + number) % 7 for number in range((end - start) % 7 + 1)}
    return tuple(sorted(found))


def _minutes(text: str) -> int | None:
    hours, minutes = int(text[:2]), int(text[3:])
    return hours * 60 + minutes if minutes < 60 and hours * 60 + minutes <= DAY else None


def _days_text(days: tuple[int, ...]) -> str:
    if days == EVERY_DAY:
        return ""
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{DAYS[days[0]]}-{DAYS[days[-1]]} "
    return ",".join(DAYS[day] for day in days) + " "


def _short(text: object) -> str:
    return repr(text[:40]) if isinstance(text, str) else type(text).__name__
