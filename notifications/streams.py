"""The heart: how changes get their order after commit, and how a reader catches up from a cursor.

Writers set ``modseq = NULL`` on every row they change, in the caller's transaction, and take no lock of
ours. After commit the sequencer gives those rows the stream's next position, in a transaction of its own.
So positions appear in the order in which they become visible, and a reader that asks for everything after
its cursor can never miss a row that commits late.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, NamedTuple, TypeVar

from django.db import connections, models, router, transaction
from django.db.models import Exists, F, OuterRef, Subquery

from .cursor import Position, dump
from .frames import Frame, ResetReason
from .hub import Audience
from .models import Stream
from .prepared import HEAD, Prepared, PreparedRows, PreparedUpdate

T = TypeVar("T")

CHUNK = 500  # streams sequenced in one transaction, and rows stamped by one statement
RESUME_LIMIT = 500  # rows; a reader that is further behind gets a snapshot


class Key(NamedTuple):
    """Name a stream anywhere in the process: its family and its primary key as text."""

    family: str
    pk: str


class Hint(NamedTuple):
    """Tell that a stream moved to position `to`."""

    key: Key
    to: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames that take a reader of one stream from one position to another; `start` is None for a snapshot.

    `audience` is given where it may have changed on the way: whoever is not in it hears no more.
    """

    start: Position | None
    to: Position
    frames: tuple[Frame, ...]
    audience: Audience | None = None


class Family(ABC):
    """A kind of stream: the models that hold it and the frames that its rows become.

    Subclasses name the stream's model, the model of its entries and the entry's foreign key to it, and turn
    rows into frames. `families` finds them by name.
    """

    name: ClassVar[str]
    stream: ClassVar[type[Stream]]
    entry: ClassVar[type[models.Model]]
    field: ClassVar[str]  # the entry's foreign key whose value is the stream's primary key
    related: ClassVar[tuple[str, ...]]  # the foreign keys whose objects are read together with an entry
    resume_limit: ClassVar[int] = RESUME_LIMIT

    def streams(self) -> models.QuerySet[Any]:
        """Return all streams, in the primary database."""
        return self.stream._default_manager.using(self.alias)

    def entries(self) -> models.QuerySet[Any]:
        """Return the entries of all streams, in the primary database."""
        return self.entry._default_manager.using(self.alias)

    @abstractmethod
    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason) -> Batch:
        """Read a fresh start for a reader that cannot be continued; `position` was read before."""

    @abstractmethod
    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Turn rows into frames, for several streams with a constant number of queries."""

    def stamp(self, pks: Sequence[Any], head: int | None) -> None:
        """Give the pending entries `pks` the position `head`, or that of their stream.

        The sequencer holds the locks of their streams.
        """
        (self._stamps_with_own if head is None else self._stamps).run(pks, self.alias, head)

    def stamped(self, head: Any) -> dict[str, Any]:
        """Return how an entry changes that gets the position `head`."""
        return {"modseq": head}

    def complete(self, rows: Sequence[Any]) -> None:
        """Fetch what `changes` needs beyond `related`; nothing by default."""
        return

    @cached_property
    def positions(self) -> Prepared:
        """Where streams are: epoch, head and floor."""
        return Prepared(self.stream._default_manager.all, "pk", "epoch", "head", "floor")

    @cached_property
    def pending(self) -> Prepared:
        """Which streams have entries that wait for a position, and whether the stream itself is there yet."""
        there = Exists(self.stream._default_manager.filter(pk=OuterRef(self.field)))
        return Prepared(lambda: self._waiting().annotate(there=there).distinct(), self.field, "there")

    @cached_property
    def waiting(self) -> Prepared:
        """Entries that wait for a position, by primary key."""
        return Prepared(lambda: self._waiting().order_by("pk"), self.field, "pk", limit=CHUNK)

    @cached_property
    def free(self) -> Prepared:
        """Those of some waiting entries that no transaction holds, which are locked by it."""
        return Prepared(lambda: self._waiting().order_by("pk").select_for_update(skip_locked=True), "pk")

    @cached_property
    def locks(self) -> Prepared:
        """Lock streams, in the order of their primary keys."""
        return Prepared(lambda: self.stream._default_manager.order_by("pk").select_for_update(), "pk")

    @cached_property
    def advance(self) -> PreparedUpdate:
        """Move streams one position forward."""
        return PreparedUpdate(self.stream._default_manager.all, head=F("head") + 1)

    @cached_property
    def _stamps(self) -> PreparedUpdate:
        return PreparedUpdate(self._waiting, **self.stamped(HEAD))

    @cached_property
    def _stamps_with_own(self) -> PreparedUpdate:
        head = self.stream._default_manager.filter(pk=OuterRef(self.field)).values("head")
        return PreparedUpdate(self._waiting, **self.stamped(Subquery(head)))

    @cached_property
    def after(self) -> PreparedRows:
        """What happened in a stream after a position: as many entries as may be told, and one more."""
        return PreparedRows(self._in_order, self.field, self.related, self.resume_limit + 1)

    def _in_order(self) -> models.QuerySet[Any]:
        return self.entry._default_manager.order_by("modseq", "pk")

    def _waiting(self) -> models.QuerySet[Any]:
        return self.entry._default_manager.filter(modseq=None).order_by()

    @property
    def alias(self) -> str:
        """The database in which the stream lives; resuming reads the primary one."""
        return router.db_for_write(self.stream)

    def gather(self, pks: Sequence[Any]) -> None:
        """Store what waits elsewhere until the readers of these streams are there; nothing by default."""
        return

    def cursor_name(self, pk: Hashable) -> str:
        """Return the stream's name in a cursor."""
        return f"{self.name}-{pk}"

    def cursor(self, pk: Hashable, position: Position) -> str:
        """Return the cursor of a reader that reads this stream alone and is at `position`."""
        return dump({self.cursor_name(pk): position})

    def key(self, pk: Hashable) -> Key:
        """Return the stream's name in this process."""
        return Key(self.name, str(pk))

    def pk(self, key: Key) -> Any:
        """Return the primary key that `key` names."""
        return self.stream._meta.pk.to_python(key.pk)

    def missing(self, pks: Sequence[Any]) -> Sequence[Stream]:
        """Return unsaved streams for those of `pks` that may be made on first use; none by default."""
        return ()


@dataclass(frozen=True, slots=True)
class Read:
    """Rows of one stream after `start`, in the order of their positions, read up to `to`."""

    pk: Any
    start: Position
    to: Position
    rows: Sequence[Any]


families: dict[str, Family] = {}


def register(family: Family) -> Family:
    """Make `family` known by its name."""
    families[family.name] = family
    return family


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Cut `items` into lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def open_streams(family: Family, pks: Sequence[Any]) -> dict[Any, tuple[Position, int]]:
    """Return the head and the floor of each stream, making those that are made on first use.

    Args:
        family: The kind of stream.
        pks: Primary keys, at most some hundreds.

    Returns:
        `(head, floor)` by primary key; a stream that does not exist is left out.
    """
    found = _read_streams(family, pks)
    if made := _make_streams(family, [pk for pk in pks if pk not in found]):
        found |= _read_streams(family, made)
    return found


def _make_streams(family: Family, pks: Sequence[Any]) -> list[Any]:
    """Make those of the absent streams `pks` that are made on first use; return their primary keys."""
    absent = family.missing(pks) if pks else ()
    if absent:
        family.streams().bulk_create(absent, ignore_conflicts=True)
    return [stream.pk for stream in absent]


def _read_streams(family: Family, pks: Sequence[Any]) -> dict[Any, tuple[Position, int]]:
    rows = family.positions.run(pks, family.alias)
    return {pk: (Position(epoch, head), floor) for pk, epoch, head, floor in rows}


def sequence(family: Family, pks: Iterable[Any]) -> list[Hint]:
    """Give the pending rows of some streams their positions.

    Must run outside a transaction: it commits on its own, so that a position is never held back by an
    application's transaction and never waits for one.

    Args:
        family: The kind of stream.
        pks: Primary keys of the streams; any number, in the order of urgency.

    Returns:
        A hint for each stream that moved.
    """
    hints: list[Hint] = []
    for chunk in chunks(dict.fromkeys(pks)):
        hints += _sequence_chunk(family, chunk)
    return hints


def _sequence_chunk(family: Family, pks: Sequence[Any]) -> list[Hint]:
    moved: dict[Any, int] = {}
    # Most calls find nothing, because an earlier one stamped their rows too: look without a lock first.
    more = True
    while more and (pending := family.pending.run(pks, family.alias)):
        _make_streams(family, [pk for pk, there in pending if not there])
        heads, more = _stamp(family, [pk for pk, _there in pending])
        moved |= heads
    return [Hint(family.key(pk), head) for pk, head in moved.items()]


def _stamp(family: Family, pks: list[Any]) -> tuple[dict[Any, int], bool]:
    """Stamp at most `CHUNK` pending rows of the streams `pks`; return the new heads, and whether to go on."""
    alias = family.alias
    features = connections[alias].features
    with transaction.atomic(using=alias, durable=True):
        if len(pks) > 1 and features.has_select_for_update:
            family.locks.run(sorted(pks), alias)  # two passes over overlapping streams must take them in one order
        family.advance.run(pks, alias)
        heads = {pk: position.modseq for pk, (position, _floor) in _read_streams(family, pks).items()}
        ids = [pk for _stream, pk in family.waiting.run(pks, alias)][:CHUNK]
        full = len(ids) == CHUNK
        if features.has_select_for_update_skip_locked:
            # Never wait for an application's row: whoever holds it stamps it after its own commit.
            ids = [pk for (pk,) in family.free.run(ids, alias)]
        if not ids:  # another pass came first: no head need rise
            transaction.set_rollback(True, using=alias)
            return {}, False
        family.stamp(ids, heads.get(pks[0]) if len(pks) == 1 else None)
    return heads, full


def catch_up(
    family: Family, pk: Any, position: Position | None, stamp: Callable[[Family, Sequence[Any]], object] = sequence
) -> Batch:
    """Read what a reader who comes now has missed, having stored and stamped what waited for it.

    Must run outside a transaction, as `sequence` does. Raises `KeyError` if the stream does not exist.
    """
    family.gather([pk])
    stamp(family, [pk])
    return changes_since(family, {pk: position})[pk]


def changes_since(family: Family, cursors: Mapping[Any, Position | None]) -> dict[Any, Batch]:
    """Read what happened in some streams since a reader's position: first load, resume, repair and polling.

    Args:
        family: The kind of stream.
        cursors: The reader's position by the stream's primary key; None for a reader that has none.

    Returns:
        By primary key, the frames that continue the reader, or a `reset` with a fresh snapshot where it
        cannot be continued. A reader that is up to date gets a batch without frames whose `to` is its own
        position. A stream that does not exist is left out.
    """
    answers: dict[Any, Batch] = {}
    reads: dict[Any, tuple[Position, Position]] = {}
    for pk, (head, floor) in open_streams(family, list(cursors)).items():
        cursor = cursors[pk]
        if cursor is None:
            answers[pk] = family.snapshot(pk, head, "start")
        elif reason := _reset_reason(cursor, head, floor):
            answers[pk] = family.snapshot(pk, head, reason)
        elif cursor == head:
            answers[pk] = Batch(cursor, head, ())
        else:
            reads[pk] = (cursor, head)
    if reads:
        answers |= _continue(family, reads)
    return answers


def _reset_reason(cursor: Position, head: Position, floor: int) -> ResetReason | None:
    """Say why a reader cannot be continued from `cursor`, if it cannot."""
    if cursor.epoch != head.epoch:
        return "epoch"
    if cursor.modseq > head.modseq:
        return "ahead"  # the database was restored from a backup
    if cursor.modseq < floor:
        return "pruned"
    return None


def _continue(family: Family, reads: Mapping[Any, tuple[Position, Position]]) -> dict[Any, Batch]:
    """Read the rows after each position, for all streams at once where that is few rows."""
    starts = {pk: start.modseq for pk, (start, _head) in reads.items()}
    rows = family.after.run(starts, family.alias)
    if len(rows) > family.resume_limit:
        if len(reads) > 1:
            return {pk: batch for pk, read in reads.items() for batch in _continue(family, {pk: read}).values()}
        return {pk: family.snapshot(pk, head, "too-many") for pk, (_start, head) in reads.items()}
    family.complete(rows)
    by_stream: dict[Any, list[Any]] = {pk: [] for pk in reads}
    for row in rows:
        by_stream[getattr(row, family.field)].append(row)
    found = [_read(pk, start, head, by_stream[pk]) for pk, (start, head) in reads.items()]
    return family.changes(found)


def _read(pk: Any, start: Position, head: Position, rows: Sequence[Any]) -> Read:
    """Describe a read; a row stamped after `head` was read is there with all that came before it."""
    last = rows[-1].modseq if rows else head.modseq
    return Read(pk, start, Position(head.epoch, max(head.modseq, last)), rows)
