"""Feeds as streams: their events as frames, a snapshot by policy, and what a policy lets go."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from hashlib import md5
from typing import Any

import msgspec
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import MD5
from django.utils import timezone
from django.utils.translation import gettext as _

from ..exceptions import UnknownFeed
from ..live import relay
from ..live.batch import Batch
from ..live.chunks import chunks
from ..live.cursor import UNPUBLISHED, Position, dump
from ..live.frames import Frame, ResetReason, encode, encoded, frame, pack
from ..live.pruning import prune_entries
from ..live.sequencer import expire_cursors
from ..live.streams import Key, Read, StreamType, register
from ..live.transactions import after_commit, atomic, retried
from ..models import Feed, FeedEvent, FeedText, Stream
from .frames import Event, FeedEvents, FeedReset
from .names import stream_key
from .policies import Latest, Log, Policy
from .registry import Declared, find

NAMES_LIMIT = 50_000  # names that a process remembers
TRIM_ROWS = 500  # events beyond those that a policy keeps, of which one step deletes what was replaced

_names: dict[int, str] = {}


def remember(name: str) -> int:
    """Remember that a stream is called `name`, and return its primary key."""
    pk = stream_key(name)
    if pk not in _names:
        if len(_names) >= NAMES_LIMIT:
            _forget()
        _names[pk] = name
    return pk


def _forget() -> None:
    """Forget the older half of the names, but none that somebody follows here, of whatever tenant."""
    followed = relay.connected(FEED, everywhere=True)
    for pk in list(_names)[: NAMES_LIMIT // 2]:
        if str(pk) not in followed:
            _names.pop(pk, None)


def names_of(pks: Iterable[int], using: str) -> dict[int, str]:
    """Return the names of streams; those that nobody here has used are read with one query."""
    pks = list(pks)
    if absent := [pk for pk in pks if pk not in _names]:
        _names.update(Feed.objects.using(using).filter(pk__in=absent).values_list("pk", "name"))
    return {pk: _names[pk] for pk in pks if pk in _names}


class FeedStream(StreamType):
    """The streams of feeds that keep something; the stream's primary key is a hash of the feed's name."""

    name = "feed"
    stream = Feed
    entry = FeedEvent
    field = "feed_id"
    path = "feed"
    related = ()
    precedes = True

    def cursor_name(self, pk: Hashable) -> str:
        """Return ``feed-`` and the key as hexadecimal digits."""
        return f"{self.name}-{int(str(pk)):016x}"

    def pace(self, key: Key) -> float:
        """Return the declared `every`."""
        name = _names.get(int(key.pk))
        rules = _rules(name) if name else None
        return rules.every if rules else 0.0

    def replays_all(self, pk: Hashable) -> bool:
        """Return whether the feed is a log: what its policy keeps, nobody misses."""
        name = names_of([int(str(pk))], self.alias).get(int(str(pk)))
        return name is not None and isinstance(_policy(name), Log)

    def missing(self, pks: Sequence[Any]) -> Sequence[Stream]:
        """Make the streams in which something was published; following a feed makes none."""
        waiting = self.entries().filter(feed_id__in=pks, modseq=None).order_by().values_list("feed_id", flat=True)
        return [Feed(pk=pk, name=_names[pk]) for pk in sorted(set(waiting.distinct())) if pk in _names]

    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason, languages: Collection[str] = ()) -> Batch:
        """Read the newest events of a log, or the latest value of each key."""
        key = int(str(pk))
        name = names_of([key], self.alias)[key]
        rows = self._present(key, name, position) if position != UNPUBLISHED else []
        cursor = dump({self.cursor_name(pk): position})
        packed = pack(encoded(events(rows)), 0) or [(0, [])]
        more = bool(packed[1:])
        told = [frame(FeedReset(name, reason, cursor, packed[0][1], more), None if more else cursor)]
        for place, (_complete, piece) in enumerate(packed[1:], 2):
            more = place < len(packed)
            told.append(frame(FeedEvents(name, cursor, cursor, piece, more), None if more else cursor))
        return Batch(None, position, tuple(told))

    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Encode the events of each feed."""
        names = names_of([read.pk for read in reads], self.alias)
        return {read.pk: self._batch(read, names[read.pk]) for read in reads}

    def _batch(self, read: Read, name: str) -> Batch:
        rows = latest_of(read.rows) if isinstance(_policy(name), Latest) else read.rows
        told: list[Frame] = []
        seen = read
        if read.start == UNPUBLISHED:  # clients hold on to an epoch, which they can learn from a reset alone
            seen = msgspec.structs.replace(read, start=Position(read.to.epoch, 0))
            cursor = self.cursor(read.pk, seen.start)
            told.append(frame(FeedReset(name, "start", cursor, []), cursor))
        pieces = self.pieces(seen, encoded(events(rows)))
        told += [frame(FeedEvents(name, start, to, piece), to) for start, to, piece in pieces]
        return Batch(read.start, read.to, tuple(told))

    def present(self, pk: int) -> list[Event]:
        """Return what a new reader would be told, oldest first."""
        places = self.positions.run([pk], self.alias)
        return events(self._present(pk, names_of([pk], self.alias)[pk], Position(*places[0][1:3]))) if places else []

    def _present(self, pk: int, name: str, position: Position) -> list[FeedEvent]:
        rows = self.entries().filter(feed_id=pk, modseq__lte=position.modseq)
        policy = _policy(name)
        if isinstance(policy, Latest):
            # Not by the keys themselves: a database may take "a" and "A" for the same.
            last = rows.order_by().values(digest=MD5("key")).annotate(last=Max("modseq")).order_by("-last")
            wanted = {row["digest"]: row["last"] for row in last[: policy.keys]}
            newest = rows.filter(modseq__in=set(wanted.values())).order_by("modseq", "pk")
            return latest_of([row for row in newest if wanted.get(_digest(row.key)) == row.modseq])
        count = policy.newest if isinstance(policy, Log) else 0
        return list(rows.order_by("-modseq", "-pk")[:count])[::-1]


FEED = FeedStream()
register(FEED)


def latest_of(rows: Sequence[FeedEvent]) -> list[FeedEvent]:
    """Return the last row of each key, in order."""
    last = {row.key: row for row in rows}
    return [row for row in rows if last[row.key] is row]


def events(rows: Sequence[FeedEvent]) -> list[Event]:
    """Return stored events as frames show them; the growing texts of all of them are one query."""
    growing = [row.pk for row in rows if row.grows]
    texts = FeedText.objects.using(FEED.alias).in_bulk(growing) if growing else {}
    return [
        Event(row.pk, row.modseq or 0, row.event, row.key, _data(row, texts.get(row.pk)), row.created_at)
        for row in rows
    ]


def _data(row: FeedEvent, text: FeedText | None) -> msgspec.Raw:
    """Return the event's JSON, with the text if it has one."""
    if text is None:
        return msgspec.Raw(row.data.encode())
    state, error = text.state, text.error
    if text.lease_until is not None and text.lease_until < timezone.now():  # also before anybody has stored it
        state, error = FeedText.State.FAILED, _("The writer is gone.")
    more = {"text": text.text, "state": state} | ({"error": error} if error else {})
    return msgspec.Raw(encode(msgspec.json.decode(row.data) | more))


def trim(name: str) -> int:
    """Delete a step of what the policy of a feed lets go; return how many events went."""
    pk = stream_key(name)
    policy = _policy(name)
    rows = FEED.entries().filter(feed_id=pk, modseq__isnull=False)
    if isinstance(policy, Latest):
        return _trim_replaced(pk, policy)
    if not isinstance(policy, Log):
        return _trim_old(rows)
    deleted = 0
    # Events that were published together share a position.
    for modseq, last in rows.order_by("-modseq", "-pk").values_list("modseq", "pk")[policy.count : policy.count + 1]:
        deleted += _trim_old(rows.filter(Q(modseq__lt=modseq) | Q(modseq=modseq, pk__lte=last)))
    if policy.age is not None:
        deleted += _trim_old(rows.filter(created_at__lt=timezone.now() - policy.age))
    return deleted


def _trim_old(rows: QuerySet[FeedEvent]) -> int:
    return prune_entries(rows, FEED, untold=None, steps=1)[0]


def _trim_replaced(pk: int, policy: Latest) -> int:
    """Delete what a later event of the same key has replaced: no reader misses it, so the floor need not rise."""
    rows = FEED.entries().filter(feed_id=pk, modseq__isnull=False)
    old: list[int] = []
    found: dict[str, tuple[int, int]] = {}
    for key, modseq, row in rows.order_by("modseq", "pk").values_list("key", "modseq", "pk")[: policy.keys + TRIM_ROWS]:
        if key in found:
            old.append(found[key][1])
        found[key] = (modseq, row)
    if len(found) > policy.keys:
        oldest = sorted(found.values())[: len(found) - policy.keys]
        return _evict(pk, [row for _modseq, row in oldest]) + _delete(rows, old)
    return _delete(rows, old)


@retried(lambda pk, ids: FEED.alias)
def _evict(pk: int, ids: Sequence[int]) -> int:
    """Delete the values of keys that are too many; every reader then starts afresh, also one that is up to date."""
    with atomic(FEED.alias):
        hints = expire_cursors(FEED, [pk])
        deleted = _delete(FEED.entries().filter(feed_id=pk), ids)
        after_commit(lambda: relay.announce(hints), FEED.alias)
    return deleted


def _delete(rows: Any, pks: Sequence[int]) -> int:
    return sum(rows.filter(pk__in=chunk).delete()[0] for chunk in chunks(pks))


def _digest(key: str) -> str:
    return md5(key.encode(), usedforsecurity=False).hexdigest()


def _policy(name: str) -> Policy | None:
    rules = _rules(name)
    return rules.keep if rules else None


def _rules(name: str) -> Declared | None:
    try:
        return find(name).rules
    except UnknownFeed:  # a deploy has removed the declaration; nobody may follow it any more
        return None
