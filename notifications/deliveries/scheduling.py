"""What users do with their schedule: set it, look at it, and ask for a digest now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from types import EllipsisType
from typing import Any, Final

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connections, router
from django.utils import timezone
from django.utils.translation import gettext as _

from ..annotations import User
from ..hours import digest_hour, leaves_time, quiet_plan, zone_names
from ..inbox.frames import Item
from ..inbox.items import Items
from ..kinds import Kind
from ..live.transactions import after_commit, atomic, retried
from ..models import Delivery, Notification, Schedule
from ..preferences.channels import channels
from ..preferences.topics import EVERYTHING, scope_of
from ..twins import twin
from ..validators import validate_time
from .deciding import Facts
from .digests import ASKED, regroup, take
from .readers import reader
from .sending import DIGEST_LIMIT
from .timetables import schedules, timetable_of
from .waking import wake

ASK_PAUSE: Final = timedelta(minutes=1)  # between two digests that a user asks for
Own = str | None | EllipsisType


class UserSchedule(msgspec.Struct, frozen=True):
    """When and how a user is told beyond the site: their own, or the site's where `own` does not name it.

    `digest` is the hour of digests, and `digests` has the user's own ones of categories and kinds, by scope.
    """

    time_zone: str
    language: str
    quiet_hours: list[str]
    not_before: datetime | None
    digest: str
    digests: dict[str, str]
    own: tuple[str, ...]


class WaitingDigest(msgspec.Struct, frozen=True):
    """What waits for a digest: by which channel it comes, when, and of what it tells, newest first."""

    channel: str
    label: str
    at: datetime
    items: list[Item]


@retried(lambda *args, **kwargs: _alias())
def set_schedule(
    user: User,
    *,
    time_zone: Own = ...,
    language: Own = ...,
    quiet_hours: Iterable[str] | EllipsisType | None = ...,
    not_before: datetime | EllipsisType | None = ...,
    digest: Own = ...,
    kind: str | type[Kind] = "",
    category: str = "",
) -> None:
    """Set when and how a user is told beyond the site; None is as the site says, and what is not given stays.

    What waits for the end of quiet hours is decided anew, and what waits for a digest comes with the next one.

    Args:
        user: Whose schedule it is.
        time_zone: A name of the IANA's, for example ``"Europe/Berlin"``.
        language: The code of one of the site's languages.
        quiet_hours: When nothing that disturbs is sent, for example ``["22:00-07:00", "sat,sun 00:00-24:00"]``.
        not_before: Until when nothing that disturbs is sent at all: an aware time.
        digest: When digests come: ``"08:00"``, ``"mon 09:00"`` or ``"mon-fri 07:30"``.
        kind: The kind that `digest` is about.
        category: The category that `digest` is about; without it and without a kind it is about all others.

    Raises:
        ValidationError: A value is wrong; the message says how to write it.
    """
    changes = _validated(time_zone, language, quiet_hours, not_before)
    scope = scope_of(kind, category)
    hour = digest if isinstance(digest, EllipsisType) else _hour(digest)
    alias, now = _alias(), timezone.now()
    with atomic(alias):
        row = Schedule.objects.using(alias).select_for_update().filter(pk=user.pk).first() or Schedule(user_id=user.pk)
        for name, value in changes.items():
            setattr(row, name, value)
        if not isinstance(hour, EllipsisType):
            kept = {name: text for name, text in row.digests.items() if name != scope}
            row.digests = {**kept, scope: hour} if hour else kept
        _store(row, alias)
        _plan_anew(user, row, alias, now)


@retried(lambda *args, **kwargs: _alias())
def clear_schedule(user: User) -> None:
    """Forget a user's schedule, so that all is as the site says."""
    alias = _alias()
    with atomic(alias):
        row = Schedule(user_id=user.pk)
        _store(row, alias)
        _plan_anew(user, row, alias, timezone.now())


def schedule(user: User) -> UserSchedule:
    """Return when and how a user is told beyond the site, with one query."""
    row = schedules([user.pk], _alias()).get(user.pk) or Schedule(user_id=user.pk)
    table = timetable_of(user, row)
    named = [name for name in ("time_zone", "language", "not_before") if getattr(row, name)]
    quiet = ["quiet_hours"] if row.quiet_hours is not None else []
    return UserSchedule(
        table.zone.key,
        reader(user, row).language,
        [str(quiet) for quiet in table.quiet],
        row.not_before,
        str(table.hour([EVERYTHING])),
        {scope: str(hour) for scope, hour in table.digests.items() if scope != EVERYTHING},
        (*named, *quiet, *(["digest"] if table.digests else [])),
    )


def waiting_digests(user: User) -> list[WaitingDigest]:
    """Return what a user's next digests tell as it is now, in the language that is active, with constant queries."""
    alias, now = _alias(), timezone.now()
    rows = Delivery.objects.using(alias).filter(
        recipient_id=user.pk, notice__isnull=False, window__gt=now, due_at__isnull=False
    )
    waiting = list(rows.order_by("window", "channel", "device", "-pk")[:DIGEST_LIMIT])
    facts = Facts(waiting, alias, now)
    found: dict[tuple[datetime | None, str], dict[Any, Notification]] = {}  # a notice counts once on several devices
    for one in waiting:
        row = facts.row(one)
        if row is not None and not facts.verdict(one, in_digest=True).reason:
            found.setdefault((one.window, one.channel), {})[one.notice_id] = row
    shown = Items([row for rows in found.values() for row in rows.values()])
    every = channels()
    return [
        WaitingDigest(name, str(every[name].label) if name in every else name, at or now, _items(shown, rows.values()))
        for (at, name), rows in found.items()
    ]


@retried(lambda *args, **kwargs: _alias())
def send_digest_now(user: User) -> int:
    """Send what waits for a user's digests now, also in quiet hours; what comes later waits for the next ones.

    Returns:
        How many deliveries waited.

    Raises:
        ValidationError: The user has asked less than a minute ago.
    """
    alias, now = _alias(), timezone.now()
    asked = Delivery.objects.using(alias).filter(
        recipient_id=user.pk, window__gt=now - ASK_PAUSE, notice__isnull=True, key__startswith=ASKED
    )
    with atomic(alias):
        if asked.exists():
            raise ValidationError(_("A digest was sent a moment ago. Try again in a minute."), code="rate_limit")
        parts = take(user.pk, alias)
        regroup(parts, lambda topic: now, alias, now, ASKED)
        after_commit(wake, alias)
    return len(parts)


aset_schedule = twin(set_schedule)
aclear_schedule = twin(clear_schedule)
aschedule = twin(schedule)
awaiting_digests = twin(waiting_digests)
asend_digest_now = twin(send_digest_now)


def _alias() -> str:
    return router.db_for_write(Delivery)


def _validated(time_zone: object, language: object, quiet_hours: object, not_before: object) -> dict[str, Any]:
    """Return what was given, as the row has it."""
    found: dict[str, Any] = {}
    if time_zone is not ...:
        found["time_zone"] = _zone(time_zone)
    if language is not ...:
        found["language"] = _site_language(language)
    if quiet_hours is not ...:
        found["quiet_hours"] = _quiet(quiet_hours)
    if not_before is not ...:
        if isinstance(not_before, datetime):
            _named("not_before", lambda: validate_time(not_before))
        elif not_before is not None:
            raise ValidationError({"not_before": _("Use a time with a time zone, for example timezone.now() + …")})
        found["not_before"] = not_before
    return found


def _zone(name: object) -> str:
    if not name:
        return ""
    if not isinstance(name, str) or name not in zone_names():
        message = _("Unknown time zone “%(name)s”. Use a name such as Europe/Berlin.")
        raise ValidationError({"time_zone": message % {"name": str(name)[:100]}})
    return name


def _site_language(code: object) -> str:
    if not code:
        return ""
    if not isinstance(code, str) or code not in dict(settings.LANGUAGES):
        message = _("Unknown language “%(name)s”. Languages: %(names)s.")
        names = ", ".join(dict(settings.LANGUAGES))
        raise ValidationError({"language": message % {"name": str(code)[:100], "names": names}})
    return code


def _quiet(texts: Any) -> list[str] | None:
    if texts is None:
        return None
    try:
        plan = quiet_plan(texts)
    except (ValueError, TypeError) as error:
        message = _("These quiet hours cannot be: %(problem)s.")
        raise ValidationError({"quiet_hours": message % {"problem": error}}) from error
    if not leaves_time(plan):
        message = _("Quiet hours must leave a minute of the week. Switch off what must never disturb you.")
        raise ValidationError({"quiet_hours": message})
    return [str(quiet) for quiet in plan]


def _hour(text: object) -> str:
    if not text:
        return ""
    try:
        return str(digest_hour(text))
    except ValueError as error:
        message = _("Digests cannot come then: %(problem)s.")
        raise ValidationError({"digest": message % {"problem": error}}) from error


def _named(name: str, check: Any) -> None:
    try:
        check()
    except ValidationError as error:
        raise ValidationError({name: error}) from error


def _store(row: Schedule, alias: str) -> None:
    """Store a schedule; one that says nothing is none."""
    rows = Schedule.objects.using(alias)
    if not (row.time_zone or row.language or row.not_before or row.digests) and row.quiet_hours is None:
        rows.filter(pk=row.pk).delete()
        return
    target = connections[alias].features.supports_update_conflicts_with_target
    unique: dict[str, Any] = {"unique_fields": ["user"]} if target else {}
    fields = ["time_zone", "language", "quiet_hours", "not_before", "digests"]
    rows.bulk_create([row], update_conflicts=True, update_fields=fields, **unique)


def _plan_anew(user: User, row: Schedule, alias: str, now: datetime) -> None:
    """Let what waits wait for what holds now."""
    mine = Delivery.objects.using(alias).filter(recipient_id=user.pk, state=Delivery.State.WAITING)
    mine.filter(reason=Delivery.Reason.QUIET_HOURS, due_at__isnull=False).update(due_at=now)
    table = timetable_of(user, row)
    regroup(take(user.pk, alias, after=now), lambda topic: table.window(topic, now), alias, now)
    after_commit(wake, alias)


def _items(shown: Items, rows: Iterable[Notification]) -> list[Item]:
    return [item for item in shown.show(rows) if isinstance(item, Item)]
