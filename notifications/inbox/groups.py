"""What is kept of an item that grows, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from ..kinds import Kind
from ..kinds.growing import grown
from ..models import Notice, Notification
from ..models.inbox import SCHEDULED, UNPLACED
from ..validators import validate_text
from .actors import actor_key, actor_of, actors_of, is_other, stored_actor
from .entries import Row
from .frames import Actor, Group

GROUP_NAME_LENGTH: Final = 200  # characters
NAMED_ACTORS: Final = 3  # actors who are named

K = TypeVar("K", bound=Kind)
People = Mapping[str, Actor]


class Growth(msgspec.Struct):
    """How an item has grown; `latest` holds the keys of its latest actors, the last one first."""

    events: int = 1
    actors: int = 0
    latest: list[str] = []
    since: int | None = None

    def add(self, key: str | None, *, is_new: bool) -> None:
        """Count an event of the actor `key`; say whether it is the first one of that actor."""
        self.events += 1
        if key is not None:
            self.actors += is_new
            self.latest = [key, *(other for other in self.latest if other != key)][:NAMED_ACTORS]


def growth_of(row: Row) -> Growth:
    """Return how an item has grown."""
    if row.growth is not None:
        with suppress(msgspec.ValidationError):  # whatever was written there since
            return msgspec.convert(row.growth, Growth)
    keys = [] if row.actor_key is None else [row.actor_key]
    return Growth(1, len(keys), keys)


def latest_actors(rows: Iterable[Row], alias: str, also: Iterable[str] = ()) -> People:
    """Return those whom grown items name, and `also` some users, by key: one query for users, and one for others."""
    grown_rows = [row for row in rows if row.growth is not None]
    keys = {key for row in grown_rows for key in growth_of(row).latest}
    known: dict[str, Actor] = {}
    for row in grown_rows:
        who = actor_of(row.notice)
        key = actor_key(row.notice) if who is not None else None
        if key is not None and who is not None:
            known[key] = who
    others = {key for key in keys - known.keys() if is_other(key)}
    if others:
        events = Notification.objects.using(alias).filter(folded_into__in=[row.pk for row in grown_rows])
        told = events.filter(actor_key__in=others).values_list("actor_key", "notice__other_actor")
        known |= {key: who for key, stored in told if key and (who := stored_actor(stored)) is not None}
    return known | actors_of(keys.union(also) - known.keys(), alias)


def group_of(row: Row, by: Actor | None, people: People) -> Group | None:
    """Return how an item whose notice was caused `by` somebody has grown, as it is shown; None if it cannot grow."""
    if row.group is None:
        return None
    growth = growth_of(row)
    alone = [by] if by else []
    latest = alone if row.growth is None else [people[key] for key in growth.latest if key in people]
    return Group(growth.events, growth.actors, latest, growth.since)


def told_of(made: K, row: Row, by: Actor | None, people: People) -> K:
    """Return the kind of a notification as it may tell of its actors and of how the item has grown."""
    group = group_of(row, by, people) or Group(1, int(by is not None), [by] if by else [], None)
    return grown(made, group.events, group.actors, [one.name for one in group.latest])


def told_by(made: K, by: Actor | None) -> K:
    """Return a kind as it tells of one event, which somebody may have caused."""
    return made if by is None else grown(made, 1, 1, [by.name])


def waiting(notice: Notice, group: str, now: Any) -> dict[str, Any]:
    """Return the fields of a row whose event will join an item of its group, or begin one."""
    return {
        "group": f"{notice.kind}:{group}",
        "actor_key": actor_key(notice),
        "folded_into": UNPLACED,
        "archived_at": now,  # out of sight of all lists and counts
    }


def scheduled(send_at: Any, now: Any) -> dict[str, Any]:
    """Return the fields of a row that is sent at a time: nothing reads it, and the sequencer passes over it."""
    return {"snoozed_until": send_at, "folded_into": SCHEDULED, "archived_at": now, "modseq": 0}


def group_of_kind(made: Kind) -> str | None:
    """Return the group of an event of a kind, which may be the kind as a whole; None if it does not grow.

    Raises:
        ValidationError: What the kind says is no name.
    """
    if not made.rules.grow:
        return None
    name = getattr(made, "group", None)
    name = name() if callable(name) else name
    if name is None:
        return ""
    try:
        validate_group(name)
    except ValidationError as error:
        raise ValidationError({"group": error}) from error
    return str(name)


def validate_group(value: object) -> None:
    """Raise `ValidationError` unless `value` may name a group."""
    if not isinstance(value, str) or not 1 <= len(value) <= GROUP_NAME_LENGTH:
        raise ValidationError(_("A group must have 1 to %(limit)s characters."), params={"limit": GROUP_NAME_LENGTH})
    validate_text(value)
