"""Growth: where the sequencer lets the events of a group join the one item that their recipient has not read yet.

An application's transaction only inserts. What needs a lock happens here, after its commit, in the sequencer's own
transaction, which holds the inbox: so of fifty events at once each finds the item that the one before has left. The
item's own row is locked too, for its recipient may be reading it; where it is held, the event waits for the next pass,
which whoever holds it asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from ..live.django_internals import delete_unread
from ..live.locks import lock_free
from ..live.streams import StreamType
from ..models import Notification
from ..models.inbox import UNPLACED, NotificationQuerySet
from ..models.ranks import rank_like
from .folding import folded, update
from .groups import Growth, growth_of
from .shrinking import shrink


def place(inbox: StreamType, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Let pending events join the items of their groups, and items lose the events that were withdrawn.

    Args:
        inbox: The type of the users' streams.
        rows: Of each pending notification its recipient, primary key, group and what it is folded into.

    Returns:
        The primary keys of what is to be stamped. If no row has a group, nothing is asked of the database.
    """
    grouped = [pk for _recipient, pk, group, _into in rows if group is not None]
    ids = [pk for _recipient, pk, group, _into in rows if group is None]
    if not grouped:
        return ids
    entries: Any = inbox.entries()
    pending = list(entries.filter(pk__in=grouped).annotate(recalled_at=F("notice__recalled_at")).order_by("notice_id"))
    ids += shrink(inbox, pending)
    events = [row for row in pending if row.folded_into == UNPLACED]
    # What was withdrawn before anybody saw it stays where it is, archived.
    gone = [row.pk for row in events if row.recalled_at]
    if gone:
        entries.filter(pk__in=gone).update(folded_into=None)
    return ids + gone + _join(inbox, [row for row in events if not row.recalled_at])


def _join(inbox: StreamType, events: Sequence[Notification]) -> list[Any]:
    if not events:
        return []
    entries: Any = inbox.entries()
    found = dict(_open_items(entries, [event.pk for event in events]))
    locked = lock_free(entries, sorted({pk for pk in found.values() if pk is not None}), inbox.alias)
    items = {item.pk: item for item in is_open(entries).filter(pk__in=locked)} if locked else {}
    known = _known_actors(entries, items, events)
    groups: dict[tuple[Any, str | None], list[Notification]] = {}
    held = set(found.values()) - set(locked) - {None}
    for event in events:
        if found[event.pk] not in held:
            groups.setdefault((event.recipient_id, event.group), []).append(event)
    writes = _Writes(inbox)
    for group in groups.values():
        item = items.get(found[group[0].pk])
        writes.join(item, group, known) if item is not None else writes.begin(group, known)
    return writes.write()


def is_open(rows: NotificationQuerySet) -> NotificationQuerySet:
    """Keep the items that an event may join: unread, in the inbox or asleep, and neither expired nor recalled."""
    return rows.kept().filter(read_at=None, arrival__isnull=False).visible()


def _open_items(entries: NotificationQuerySet, pks: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
    """Return which item each event may join: its key, or None."""
    same = Q(recipient_id=OuterRef("recipient_id"), group=OuterRef("group"), group__isnull=False)
    item = is_open(entries.filter(same)).order_by("-pk").values("pk")[:1]
    return entries.filter(pk__in=pks).annotate(open_item=Subquery(item)).values_list("pk", "open_item")


def _known_actors(
    entries: NotificationQuerySet, items: Iterable[Any], events: Iterable[Notification]
) -> set[tuple[Any, Any]]:
    """Return which actors of `events` have caused an earlier one that is folded into one of `items`."""
    items, keys = list(items), {event.actor_key for event in events if event.actor_key is not None}
    if not (items and keys):
        return set()
    earlier = entries.filter(folded_into__in=items, actor_key__in=keys).order_by()
    return set(earlier.values_list("folded_into", "actor_key").distinct())


class _Writes:
    """What a pass writes: three statements, however many items grow."""

    def __init__(self, inbox: StreamType) -> None:
        self._entries: Any = inbox.entries()
        self._now = timezone.now()
        self._fresh: list[Any] = []  # the first event of an item, alone
        self._items: list[Notification] = []
        self._folded: list[Notification] = []
        self._new: list[Notification] = []
        self._absorbed: list[Any] = []

    def begin(self, events: list[Notification], known: set[tuple[Any, Any]]) -> None:
        """Make the last event an item of its own, into which those before it are folded."""
        *earlier, item = events
        item.folded_into = item.archived_at = None
        if not earlier:
            self._fresh.append(item.pk)
            return
        self._count(item, Growth(0), events, known)
        for event in earlier:
            self._fold(event, item)
        self._items.append(item)

    def join(self, item: Notification, events: list[Notification], known: set[tuple[Any, Any]]) -> None:
        """Let events join an item, which then shows the last one."""
        growth = growth_of(item)
        growth.since = growth.since or item.arrival
        known.add((item.pk, item.actor_key))
        self._count(item, growth, events, known)
        last = events[-1]
        if last.notice_id > item.notice_id:
            earlier = events[:-1]
            self._new.append(folded(item, self._now))
            self._absorbed.append(last.pk)
            for name in ("notice_id", "dedupe_key", "actor_key"):
                setattr(item, name, getattr(last, name))
        else:  # it comes late: its transaction took longer than that of the one that is shown
            earlier = events
        for event in earlier:
            self._fold(event, item)
        item.rank = max(item.rank, rank_like(item.rank, last.rank))
        item.modseq = item.arrival = item.seen_at = item.archived_at = item.snoozed_until = None
        self._items.append(item)

    def _count(
        self, item: Notification, growth: Growth, events: Iterable[Notification], known: set[tuple[Any, Any]]
    ) -> None:
        for event in events:
            growth.add(event.actor_key, is_new=(item.pk, event.actor_key) not in known)
            known.add((item.pk, event.actor_key))
        item.growth = msgspec.to_builtins(growth)

    def _fold(self, event: Notification, item: Notification) -> None:
        event.folded_into, event.modseq = item.pk, 0
        self._folded.append(event)

    def write(self) -> list[Any]:
        """Write all, and return the keys of the items."""
        if self._fresh:
            self._entries.filter(pk__in=self._fresh).update(folded_into=None, archived_at=None)
        if self._absorbed:
            delete_unread(self._entries.filter(pk__in=self._absorbed))
        update(self._entries, self._items + self._folded)
        self._entries.bulk_create(self._new)
        return self._fresh + [item.pk for item in self._items]
