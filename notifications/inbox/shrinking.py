"""Shrinking: an item that has grown loses an event that was withdrawn, and shows the latest of those that are left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from ..live.django_internals import delete_unread
from ..live.locks import lock_free
from ..live.streams import StreamType
from ..models import Notification
from .folding import folded, update
from .groups import NAMED_ACTORS, growth_of

RECENT_EVENTS = 12  # events of an item among which its latest actors are sought


def shrink(inbox: StreamType, pending: Sequence[Any]) -> list[Any]:
    """Count anew what the items show that have lost an event, among pending notifications with a group.

    Args:
        inbox: The type of the users' streams; the sequencer has locked them.
        pending: The notifications, each with `recalled_at`, the time at which its notice was withdrawn.

    Returns:
        The primary keys of the items that are to be stamped: those of `pending`, and those that have shrunk.
    """
    entries: Any = inbox.entries()
    items = [row for row in pending if row.folded_into is None]
    lost = [row for row in pending if row.folded_into]
    shrinking = {row.folded_into for row in lost} | {row.pk for row in items if row.recalled_at and row.growth}
    ids = [row.pk for row in items]
    if not shrinking:
        return ids
    locked = lock_free(entries, sorted(shrinking), inbox.alias)
    found = list(entries.items().filter(pk__in=locked).annotate(recalled_at=F("notice__recalled_at")))
    _count_anew(entries, found)
    there = {item.pk for item in found}
    told = [row.pk for row in lost if row.folded_into in there]
    entries.filter(pk__in=told).update(modseq=0)
    alone = _without_item(entries, [row for row in lost if row.folded_into not in there])
    return list(dict.fromkeys([*ids, *there, *alone]))


def _without_item(entries: Any, lost: Iterable[Any]) -> list[Any]:
    """Return the events whose item was deleted, as items of their own; those whose item is held wait."""
    lost = list(lost)
    held = set(entries.filter(pk__in={row.folded_into for row in lost}).values_list("pk", flat=True)) if lost else set()
    alone = [row.pk for row in lost if row.folded_into not in held]
    if alone:
        entries.filter(pk__in=alone).update(folded_into=None)
    return alone


class _Left(NamedTuple):
    """What is left of the events that are folded into some items."""

    totals: dict[Any, tuple[int, int]]  # events and actors, by item
    recent: dict[Any, list[Notification]]  # the latest first
    also: set[tuple[Any, Any]]  # items whose own actor has caused another event too


def _left(entries: Any, items: Sequence[Notification]) -> _Left:
    events = entries.filter(folded_into__in=[item.pk for item in items], notice__recalled_at=None).order_by()
    counted = events.values_list("folded_into").annotate(Count("pk"), Count("actor_key", distinct=True))
    number = Window(RowNumber(), partition_by="folded_into", order_by=F("notice_id").desc())
    recent: dict[Any, list[Notification]] = {}
    for event in events.annotate(number=number).filter(number__lte=RECENT_EVENTS).order_by("folded_into", "number"):
        recent.setdefault(event.folded_into, []).append(event)
    own = {item.actor_key for item in items if item.actor_key is not None}
    also = events.filter(actor_key__in=own).values_list("folded_into", "actor_key").distinct()
    return _Left({pk: (number, actors) for pk, number, actors in counted}, recent, set(also))


def _count_anew(entries: Any, items: Sequence[Any]) -> None:
    left = _left(entries, items)
    absorbed: list[Any] = []
    new: list[Notification] = []
    for item in items:
        growth = growth_of(item)
        growth.events, growth.actors = left.totals.get(item.pk, (0, 0))
        recent = left.recent.get(item.pk, [])
        if not item.recalled_at:
            growth.events += 1
            growth.actors += item.actor_key is not None and (item.pk, item.actor_key) not in left.also
        elif recent:  # else it is withdrawn, as its only event
            shown = recent.pop(0)
            new.append(folded(item, shown.archived_at))
            absorbed.append(shown.pk)
            for name in ("notice_id", "dedupe_key", "actor_key"):
                setattr(item, name, getattr(shown, name))
        keys = [item.actor_key, *(event.actor_key for event in recent)]
        growth.latest = [key for key in dict.fromkeys(keys) if key is not None][:NAMED_ACTORS]
        item.growth = msgspec.to_builtins(growth)
        item.modseq = None
    if absorbed:
        delete_unread(entries.filter(pk__in=absorbed))
    update(entries, items)
    entries.bulk_create(new)
