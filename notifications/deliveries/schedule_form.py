"""The form of a user's schedule: what it shows, and what it sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from ..annotations import User
from ..hours import DAY, DAYS, EVERY_DAY, QUIET_LIMIT, clock, digest_hour, quiet_hours, zone_names
from ..languages import site_languages
from ..preferences.channels import sent
from ..preferences.topics import categories, category_scope
from .scheduling import UserSchedule, WaitingDigest, schedule, set_schedule, waiting_digests

BLANK_ROWS = 2  # of quiet hours, at least
NO_REGION = ("Etc", "SystemV", "US", "posix", "right")  # zones that are there for programs


class Day(NamedTuple):
    """A day in a row."""

    number: int
    label: str
    short: str
    checked: bool


class Row(NamedTuple):
    """Hours on some days; `name` is that of its fields."""

    name: str
    label: str
    days: list[Day]
    start: str
    end: str


class Shown(NamedTuple):
    """What the form's fields are, each as one text: those that were changed since they were shown are stored."""

    time_zone: str
    language: str
    not_before: str
    quiet_hours: str
    digest: str
    digests: dict[str, str]


def schedule_context(user: User, sent_fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what the template of the form needs; nothing where the site sends nothing.

    Args:
        user: Whose schedule it is.
        sent_fields: What was refused, to be shown again: a `QueryDict`.
    """
    if not sent():
        return {}
    found = schedule(user)
    shown = _shown(found)
    again = shown if sent_fields is None else _given_again(sent_fields, shown)
    return {
        "shown": {**shown._asdict(), "digests": None},
        "digest_scopes": _digest_rows(found, again, shown),
        "zones": _zones(found.time_zone),
        "time_zone": again.time_zone,
        "zone_is_own": "time_zone" in found.own,
        "languages": site_languages(),
        "language": again.language,
        "not_before": again.not_before,
        "quiet": list(_quiet_rows(again.quiet_hours.split("; ") if again.quiet_hours else [])),
        "digest": _hour_row("digest", _("Digests"), again.digest),
        "waiting": _waiting(user, found),
    }


def store_form(user: User, fields: Any) -> None:
    """Store what a form has changed.

    Raises:
        ValidationError: A value is wrong.
    """
    given = _given(fields)
    changes: dict[str, Any] = {}
    for name in ("time_zone", "language"):
        if (value := getattr(given, name)) != fields.get(f"shown-{name}"):
            changes[name] = value
    if given.not_before != fields.get("shown-not_before"):
        zone = given.time_zone if given.time_zone in zone_names() else schedule(user).time_zone
        changes["not_before"] = _moment(given.not_before, zone)
    if given.quiet_hours != fields.get("shown-quiet_hours"):
        changes["quiet_hours"] = given.quiet_hours.split("; ") if given.quiet_hours else []
    if given.digest != fields.get("shown-digest"):
        changes["digest"] = given.digest
    set_schedule(user, **changes)
    for name, hour in given.digests.items():
        if name in categories() and hour != fields.get(f"shown-digest-{name}"):
            set_schedule(user, digest=hour or None, category=name)


def _shown(found: UserSchedule) -> Shown:
    local = found.not_before and found.not_before.astimezone(ZoneInfo(found.time_zone))
    past = found.not_before is not None and found.not_before <= timezone.now()
    return Shown(
        found.time_zone,
        found.language,
        "" if past or local is None else f"{local:%Y-%m-%dT%H:%M}",
        "; ".join(found.quiet_hours),
        found.digest,
        {name: found.digests.get(category_scope(name), "") for name in categories()},
    )


def _given(fields: Any) -> Shown:
    """Return what a form has sent."""
    quiet = [_quiet_text(fields, f"quiet-{number}") for number in range(QUIET_LIMIT + BLANK_ROWS)]
    names = fields.getlist("category")
    return Shown(
        fields.get("time_zone", ""),
        fields.get("language", ""),
        fields.get("not_before", ""),
        "; ".join(text for text in quiet if text),
        _hour_text(fields, "digest"),
        {name: _hour_text(fields, f"digest-{name}") for name in names},
    )


def _given_again(fields: Any, shown: Shown) -> Shown:
    """Return what a form has sent and was refused, as far as it can be shown."""
    try:
        return _given(fields)
    except ValidationError:
        return shown


def _quiet_text(fields: Any, name: str) -> str:
    start, end = fields.get(f"{name}-start", "")[:5], fields.get(f"{name}-end", "")[:5]
    if not start and not end:
        return ""
    if not start or not end:
        raise ValidationError(_("Quiet hours need a beginning and an end."))
    text = f"{_days(fields, name)}{start}-{end}"
    try:
        return str(quiet_hours(text))
    except ValueError:
        return text  # it is refused where it is stored


def _hour_text(fields: Any, name: str) -> str:
    start = fields.get(f"{name}-start", "")[:5]
    if not start:
        return ""
    text = f"{_days(fields, name)}{start}"
    try:
        return str(digest_hour(text))
    except ValueError:
        return text


def _days(fields: Any, name: str) -> str:
    days = [number for number in EVERY_DAY if str(number) in fields.getlist(f"{name}-days")]
    if not days:
        raise ValidationError(_("Choose at least one day."))
    return ",".join(DAYS[number] for number in days) + " "


def _moment(text: str, zone: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise ValidationError({"not_before": _("Enter a date and a time.")}) from None


def _quiet_rows(texts: Iterable[str]) -> Iterator[Row]:
    number = 0
    for text in texts:
        try:
            quiet = quiet_hours(text)
        except ValueError:
            continue
        end = (quiet.start + quiet.length) % DAY
        yield Row(f"quiet-{number}", _label(number), _day_boxes(quiet.days), clock(quiet.start), clock(end))
        number += 1
    for blank in range(number, max(number + 1, BLANK_ROWS)):
        yield Row(f"quiet-{blank}", _label(blank), _day_boxes(EVERY_DAY), "", "")


def _label(number: int) -> str:
    return _("Quiet hours %(number)s") % {"number": number + 1}


def _hour_row(name: str, label: str, text: str) -> Row:
    try:
        hour = digest_hour(text)
    except ValueError:
        return Row(name, label, _day_boxes(EVERY_DAY), "", "")
    return Row(name, label, _day_boxes(hour.days), clock(hour.at), "")


def _digest_rows(found: UserSchedule, again: Shown, shown: Shown) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "shown": shown.digests[name],
            "row": _hour_row(f"digest-{name}", str(label), again.digests.get(name, "")),
        }
        for name, label in categories().items()
    ]


def _day_boxes(days: Iterable[int]) -> list[Day]:
    chosen = set(days)
    return [Day(number, str(WEEKDAYS[number]), str(WEEKDAYS_ABBR[number]), number in chosen) for number in EVERY_DAY]


def _zones(chosen: str) -> dict[str, list[tuple[str, str]]]:
    """Return the zones by region; the one that was chosen is always there."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zone_names() | {chosen}):
        region, slash, place = name.partition("/")
        if name in ("UTC", chosen) or (slash and region not in NO_REGION):
            found.setdefault(region if slash else "", []).append((name, (place or name).replace("_", " ")))
    return dict(sorted(found.items()))


def _waiting(user: User, found: UserSchedule) -> list[tuple[WaitingDigest, datetime]]:
    zone = ZoneInfo(found.time_zone)
    return [(one, one.at.astimezone(zone)) for one in waiting_digests(user)]
