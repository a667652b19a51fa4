"""Hours of the week, on the clocks of time zones that are put forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from notifications.hours import (
    digest_hour,
    instant,
    leaves_time,
    next_hour,
    quiet_hours,
    quiet_plan,
    quiet_until,
    quiet_week,
    zone_named,
)

BERLIN, NEW_YORK, LORD_HOWE, KOLKATA, APIA = (
    "Europe/Berlin",  # forward 2026-03-29 at 02:00 to 03:00, back 2026-10-25 at 03:00 to 02:00
    "America/New_York",  # forward 2026-03-08 at 02:00 to 03:00, back 2026-11-01 at 02:00 to 01:00
    "Australia/Lord_Howe",  # by half an hour: back 2026-04-05 at 02:00 to 01:30, forward 2026-10-04 at 02:00 to 02:30
    "Asia/Kolkata",  # never
    "Pacific/Apia",  # left out the whole of Friday, 2011-12-30
)


def at(text: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "plan", "now", "until"),
    [
        # An ordinary night, from the evening, after midnight, and at both ends.
        (BERLIN, "22:00-07:00", "2026-01-14T23:30", "2026-01-15T07:00"),
        (BERLIN, "22:00-07:00", "2026-01-15T03:00", "2026-01-15T07:00"),
        (BERLIN, "22:00-07:00", "2026-01-14T22:00", "2026-01-15T07:00"),
        (BERLIN, "22:00-07:00", "2026-01-15T07:00", "2026-01-15T07:00"),
        (BERLIN, "22:00-07:00", "2026-01-15T12:00", "2026-01-15T12:00"),
        (KOLKATA, "22:00-07:00", "2026-03-29T02:30", "2026-03-29T07:00"),
        # Nights in which the clock changes are an hour, or half an hour, shorter or longer.
        (BERLIN, "22:00-07:00", "2026-03-28T23:00", "2026-03-29T07:00"),
        (BERLIN, "22:00-07:00", "2026-10-24T23:00", "2026-10-25T07:00"),
        (NEW_YORK, "22:00-07:00", "2026-03-07T23:00", "2026-03-08T07:00"),
        (NEW_YORK, "22:00-07:00", "2026-10-31T23:00", "2026-11-01T07:00"),
        (LORD_HOWE, "22:00-07:00", "2026-04-04T23:00", "2026-04-05T07:00"),
        (LORD_HOWE, "22:00-07:00", "2026-10-03T23:00", "2026-10-04T07:00"),
        # An end that the clock leaves out is when it is put forward; so is a start.
        (BERLIN, "22:00-02:30", "2026-03-29T01:00", "2026-03-29T03:00"),
        (LORD_HOWE, "22:00-02:15", "2026-10-04T01:00", "2026-10-04T02:30"),
        (NEW_YORK, "02:30-05:00", "2026-03-08T03:10", "2026-03-08T05:00"),
        (NEW_YORK, "02:15-02:45", "2026-03-08T01:59", "2026-03-08T01:59"),
        (NEW_YORK, "02:15-02:45", "2026-03-08T03:00", "2026-03-08T03:00"),
        # Days of the week are those on which they begin.
        (BERLIN, "fri 22:00-07:00", "2026-01-17T06:00", "2026-01-17T07:00"),
        (BERLIN, "fri 22:00-07:00", "2026-01-16T06:00", "2026-01-16T06:00"),
        (BERLIN, "sun 22:00-07:00", "2026-01-19T06:00", "2026-01-19T07:00"),
        (BERLIN, "fri-mon 12:00-13:00", "2026-01-19T12:30", "2026-01-19T13:00"),
        # Whole days, and those that follow one another without a minute between them.
        (BERLIN, "sat,sun 00:00-24:00", "2026-01-17T12:00", "2026-01-19T00:00"),
        (BERLIN, "sat,sun 00:00-24:00", "2026-03-28T12:00", "2026-03-30T00:00"),
        (BERLIN, "22:00-24:00; 00:00-07:00", "2026-01-14T23:30", "2026-01-15T07:00"),
        (BERLIN, "sat 00:00-24:00; 22:00-07:00", "2026-01-16T22:30", "2026-01-18T07:00"),
        (BERLIN, "mon 07:00-07:00", "2026-01-20T06:59", "2026-01-20T07:00"),
        # All but one minute of the week.
        (BERLIN, "tue-sun 00:00-24:00; mon 00:00-12:00; mon 12:01-24:00", "2026-01-13T00:00", "2026-01-19T12:00"),
        # All but one minute of the day, which the clock leaves out on one of them.
        (NEW_YORK, "02:31-02:30", "2026-03-07T03:00", "2026-03-09T02:30"),
        # A day that is left out.
        (APIA, "fri 22:00-07:00", "2011-12-31T01:00", "2011-12-31T07:00"),
        (APIA, "thu 22:00-07:00", "2011-12-29T23:00", "2011-12-31T00:00"),
    ],
)
def test_quiet_hours_end_on_the_clock_of_the_zone(zone: str, plan: str, now: str, until: str) -> None:
    week = [quiet_hours(text) for text in plan.split("; ")]
    assert quiet_until(week, ZoneInfo(zone), at(now, zone)) == at(until, zone)


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize(
    ("zone", "plan", "now", "until"),
    [
        (BERLIN, "22:00-02:30", "2026-10-25T02:10", "2026-10-25T02:30"),  # once they are over, they do not begin again
        (BERLIN, "02:30-05:00", "2026-10-25T02:40", "2026-10-25T05:00"),
        (NEW_YORK, "22:00-01:30", "2026-11-01T01:10", "2026-11-01T01:30"),
        (LORD_HOWE, "22:00-01:45", "2026-04-05T01:40", "2026-04-05T01:45"),
    ],
)
def test_an_end_that_the_clock_shows_twice_is_the_second_one(
    zone: str, plan: str, now: str, until: str, fold: int
) -> None:
    found = quiet_until([quiet_hours(plan)], ZoneInfo(zone), at(now, zone, fold))
    assert found == at(until, zone, fold=1)


def test_hours_that_leave_no_minute_never_end_and_are_refused() -> None:
    endless = quiet_plan(["mon-thu 00:00-24:00", "fri-sun 12:00-12:00", "fri 00:00-12:00"])
    now = at("2026-01-14T12:00", BERLIN)
    assert quiet_until(endless, ZoneInfo(BERLIN), now) is None
    assert not leaves_time(endless)
    with pytest.raises(ValueError, match="leave no minute"):
        quiet_week(["mon-thu 00:00-24:00", "fri-sun 12:00-12:00", "fri 00:00-12:00"])
    assert leaves_time(quiet_plan(["00:01-24:00"]))
    assert quiet_until([], ZoneInfo(BERLIN), now) == now


@pytest.mark.parametrize(
    ("zone", "hour", "now", "then"),
    [
        (BERLIN, "08:00", "2026-01-14T07:59", "2026-01-14T08:00"),
        (BERLIN, "08:00", "2026-01-14T08:00", "2026-01-15T08:00"),
        (BERLIN, "08:00", "2026-03-28T12:00", "2026-03-29T08:00"),
        (BERLIN, "mon 09:00", "2026-01-19T09:00", "2026-01-26T09:00"),
        (BERLIN, "mon-fri 07:30", "2026-01-16T08:00", "2026-01-19T07:30"),
        (BERLIN, "02:30", "2026-03-28T12:00", "2026-03-29T03:00"),  # left out
        (NEW_YORK, "02:00", "2026-03-07T12:00", "2026-03-08T03:00"),
        (LORD_HOWE, "02:15", "2026-10-03T12:00", "2026-10-04T02:30"),
        (BERLIN, "02:30", "2026-10-24T12:00", "2026-10-25T02:30"),  # shown twice: the first time
        (KOLKATA, "00:00", "2026-01-14T12:00", "2026-01-15T00:00"),
        (APIA, "fri 08:00", "2011-12-29T12:00", "2011-12-31T00:00"),
    ],
)
def test_the_next_hour_of_a_digest(zone: str, hour: str, now: str, then: str) -> None:
    assert next_hour(digest_hour(hour), ZoneInfo(zone), at(now, zone)) == at(then, zone)


@pytest.mark.parametrize(
    ("zone", "hour"), [(BERLIN, "02:30"), (NEW_YORK, "01:30"), (LORD_HOWE, "01:45"), (APIA, "08:00")]
)
def test_a_digest_comes_once_a_day_whatever_the_clock_does(zone: str, hour: str) -> None:
    year = 2011 if zone == APIA else 2026
    moment, found = at(f"{year}-01-01T12:00", zone), []
    while moment < at(f"{year + 1}-01-01T00:00", zone):
        moment = next_hour(digest_hour(hour), ZoneInfo(zone), moment)
        found.append(moment)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert len(found) == 365
    assert min(gaps) > timedelta(hours=7)  # on the morning after the day that Samoa left out, else a day
    assert max(gaps) < timedelta(hours=26)


def test_a_moment_in_a_gap_is_exact() -> None:
    assert instant(at("2026-03-29T12:00", BERLIN).date(), 150, ZoneInfo(BERLIN)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["22:00-07:00", "sat,sun 00:00-24:00", "mon-fri 12:00-13:00", "mon 07:00-07:00"])
def test_quiet_hours_are_written_as_they_are_read(text: str) -> None:
    assert str(quiet_hours(text)) == text


@pytest.mark.parametrize(("text", "same"), [("mon,tue,wed 08:00", "mon-wed 08:00"), ("mon-sun 08:00", "08:00")])
def test_days_are_written_short(text: str, same: str) -> None:
    assert str(digest_hour(text)) == same


@pytest.mark.parametrize(
    "text",
    ["", "22-7", "22:00", "25:00-07:00", "22:60-07:00", "24:00-07:00", "Mon 22:00-07:00", "mon22:00-07:00", 7, None],
)
def test_what_are_no_quiet_hours_says_how_to_write_them(text: object) -> None:
    with pytest.raises(ValueError, match=r'write them as "22:00-07:00"'):
        quiet_hours(text)


@pytest.mark.parametrize("text", ["", "8:00", "24:00", "08:00-09:00", "day 08:00", "mon, tue 08:00", 8, None])
def test_what_is_no_hour_says_how_to_write_it(text: object) -> None:
    with pytest.raises(ValueError, match=r'write it as "08:00"'):
        digest_hour(text)


def test_a_week_has_limits() -> None:
    with pytest.raises(TypeError, match="list"):
        quiet_week("22:00-07:00")
    with pytest.raises(ValueError, match="21"):
        quiet_week(["22:00-07:00"] * 22)


def test_a_zone_that_is_not_known_here_is_the_next_one() -> None:
    assert zone_named("", "../../etc/passwd", "Mars/Phobos", "Europe/Berlin").key == "Europe/Berlin"
    assert zone_named("Mars/Phobos").key == "UTC"
