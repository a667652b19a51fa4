"""Stream types: the models that hold a stream, and the frames that its rows become."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Sequence
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import msgspec
from django.db import models, router
from django.db.models import Exists, F, OuterRef, Subquery

from ..models import Stream
from .batch import Batch
from .chunks import STREAM_CHUNK
from .cursor import Position, dump
from .frames import Encoded, ResetReason, pack
from .statements import HEAD, CompiledEntries, CompiledInstances, CompiledSelect, CompiledUpdate

RESUME_LIMIT = 500  # rows; a reader that is further behind gets a snapshot


class Key(NamedTuple):
    """Name a stream anywhere in the process: its type and its primary key as text."""

    type: str
    pk: str


class Hint(NamedTuple):
    """A stream moved to position `to`."""

    key: Key
    to: int


class StreamType(ABC):
    """A kind of stream: the models that hold it and the frames that its rows become.

    Subclasses name the stream's model, the model of its entries and the entry's foreign key to it, and turn
    rows into frames. `stream_types` finds them by name.
    """

    name: ClassVar[str]
    stream: ClassVar[type[Stream]]
    entry: ClassVar[type[models.Model]]
    field: ClassVar[str]  # the entry's foreign key whose value is the stream's primary key
    related: ClassVar[tuple[str, ...]]  # the foreign keys whose objects are read together with an entry
    marks: ClassVar[tuple[str, ...]] = ()  # the columns that `place` needs of a pending entry
    resume_limit: ClassVar[int] = RESUME_LIMIT
    translates: ClassVar[bool] = False  # whether a reader's language matters
    precedes: ClassVar[bool] = False  # whether readers come before the stream is made, and wait at `UNPUBLISHED`

    def streams(self) -> models.QuerySet[Any]:
        """Return all streams, in the primary database."""
        return self.stream._default_manager.using(self.alias)

    def entries(self) -> models.QuerySet[Any]:
        """Return the entries of all streams, in the primary database."""
        return self.entry._default_manager.using(self.alias)

    @abstractmethod
    def snapshot(self, pk: Hashable, position: Position, reason: ResetReason, languages: Collection[str] = ()) -> Batch:
        """Read a fresh start for a reader that cannot be continued; `position` was read before.

        Where readers of several `languages` are not told the same, the batch has frames for each of these; without any,
        for the one that is active.
        """

    @abstractmethod
    def changes(self, reads: Sequence[Read]) -> dict[Any, Batch]:
        """Turn rows into frames, for several streams with a constant number of queries.

        Where readers of several languages are not told the same, a batch has frames for each language of its read.
        """

    def place(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Return the primary keys of the entries to stamp; by default those of `rows`.

        A type may let pending entries join others, or wait. The sequencer holds the locks of their streams.

        Args:
            rows: Of each pending entry its stream, its primary key and its `marks`.
        """
        return [pk for _stream, pk, *_marks in rows]

    def stamp(self, pks: Sequence[Any], head: int | None) -> None:
        """Stamp the pending entries `pks` with the position `head`, or with that of their stream.

        The sequencer holds the locks of their streams.
        """
        if head is None:
            self._stamps_with_own.run(pks, self.alias)
        else:
            self._stamps.run(pks, self.alias, head=head)

    def stamp_values(self, head: Any) -> dict[str, Any]:
        """Return how an entry changes that gets the position `head`."""
        return {"modseq": head}

    def prefetch(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Fetch what `changes` needs beyond `related`, nothing by default; return the rows that are still there."""
        return rows

    def delivered(self, pk: Hashable, arrived: Sequence[Any]) -> None:
        """Announce that entries which arrived in a stream were handed to an open connection; nothing by default."""
        return

    @cached_property
    def positions(self) -> CompiledSelect:
        """Where streams are: epoch, head and floor."""
        return CompiledSelect(self.stream._default_manager.all, "pk", "epoch", "head", "floor")

    @cached_property
    def pending(self) -> CompiledSelect:
        """Which streams have entries that wait for a position, and whether the stream itself is there yet."""
        there = Exists(self.stream._default_manager.filter(pk=OuterRef(self.field)))
        return CompiledSelect(lambda: self._waiting().annotate(there=there).distinct(), self.field, "there")

    @cached_property
    def waiting(self) -> CompiledSelect:
        """Entries that wait for a position, by primary key, with their `marks`: one more than are stamped at once."""
        columns = (self.field, "pk", *self.marks)
        return CompiledSelect(lambda: self._waiting().order_by("pk"), *columns, limit=STREAM_CHUNK + 1)

    @cached_property
    def unlocked_waiting(self) -> CompiledSelect:
        """The same without those that a transaction has locked; the query locks them."""
        columns = (self.field, "pk", *self.marks)
        return CompiledSelect(self._unlocked, *columns, limit=STREAM_CHUNK + 1)

    @cached_property
    def select_unlocked(self) -> CompiledSelect:
        """Those of some pending entries that no transaction has locked; the query locks them."""
        return CompiledSelect(self._unlocked, "pk")

    @cached_property
    def locks(self) -> CompiledSelect:
        """Lock streams, in the order of their primary keys."""
        return CompiledSelect(lambda: self.stream._default_manager.order_by("pk").select_for_update(), "pk")

    @cached_property
    def free_locks(self) -> CompiledSelect:
        """Lock those of some streams that no transaction holds."""
        streams = self.stream._default_manager
        return CompiledSelect(lambda: streams.order_by("pk").select_for_update(skip_locked=True), "pk")

    @cached_property
    def advance(self) -> CompiledUpdate:
        """Move streams one position forward, and return their epochs and new heads."""
        return CompiledUpdate(self.stream._default_manager.all, "epoch", "head", head=F("head") + 1)

    @cached_property
    def advance_free(self) -> CompiledUpdate:
        """Do the same with those that no transaction holds, where the database has locks on rows."""
        streams = self.stream._default_manager
        return CompiledUpdate(streams.all, "epoch", "head", skip_locked=True, head=F("head") + 1)

    def stamps_of(self, rows: Callable[[], models.QuerySet[Any]]) -> CompiledUpdate:
        """Return the statement that stamps some pending entries, by the keys of their streams."""
        return CompiledUpdate(lambda: rows().filter(modseq=None), key=self.field, **self.stamp_values(self._own_head()))

    @cached_property
    def _stamps(self) -> CompiledUpdate:
        return CompiledUpdate(self._waiting, **self.stamp_values(HEAD))

    @cached_property
    def _stamps_with_own(self) -> CompiledUpdate:
        return CompiledUpdate(self._waiting, **self.stamp_values(self._own_head()))

    @cached_property
    def after(self) -> CompiledEntries:
        """The entries of a stream after a position: at most as many as are replayed, and one more."""
        return CompiledInstances(self._in_order, self.field, self.related, self.resume_limit + 1)

    def _own_head(self) -> Subquery:
        return Subquery(self.stream._default_manager.filter(pk=OuterRef(self.field)).values("head"))

    def _in_order(self) -> models.QuerySet[Any]:
        return self.entry._default_manager.order_by("modseq", "pk")

    def _waiting(self) -> models.QuerySet[Any]:
        return self.entry._default_manager.filter(modseq=None).order_by()

    def _unlocked(self) -> models.QuerySet[Any]:
        return self._waiting().order_by("pk").select_for_update(skip_locked=True)

    @property
    def alias(self) -> str:
        """The database in which the stream lives; resuming reads the primary one."""
        return router.db_for_write(self.stream)

    def at_rest(self, pk: Any) -> tuple[Position, int] | None:
        """Return the head and the floor of a stream if nothing waits for its readers, nor for a position, by one query.

        None where something may, and by default: then what waits is settled, and they are read after that.
        """
        return None

    def collect_pending(self, pks: Sequence[Any]) -> None:
        """Store what waits elsewhere until the readers of these streams are there; nothing by default."""
        return

    def cursor_name(self, pk: Hashable) -> str:
        """Return the stream's name in a cursor."""
        return f"{self.name}-{pk}"

    def cursor(self, pk: Hashable, position: Position) -> str:
        """Return the cursor of a reader that reads this stream alone and is at `position`."""
        return dump({self.cursor_name(pk): position})

    def pieces(self, read: Read, items: Sequence[Encoded]) -> list[tuple[str, str, list[msgspec.Raw]]]:
        """Cut what a reader is told into what frames hold: the cursors between which a piece lies, and its items.

        A read without items is one empty piece, for the next frame must begin where its reader is.
        """
        packed = pack(items, read.start.modseq) or [(0, [])]
        packed[-1] = (read.to.modseq, packed[-1][1])
        cursors = [self.cursor(read.pk, read.start)]
        cursors += [self.cursor(read.pk, Position(read.to.epoch, complete)) for complete, _piece in packed]
        return [(cursors[n], cursors[n + 1], piece) for n, (_complete, piece) in enumerate(packed)]

    def key(self, pk: Hashable) -> Key:
        """Return the stream's name in this process."""
        return Key(self.name, str(pk))

    def pk(self, key: Key) -> Any:
        """Return the primary key that `key` names."""
        return self.stream._meta.pk.to_python(key.pk)

    def pace(self, key: Key) -> float:
        """Return how many seconds lie between two reads of a stream for its listeners, at the least; 0 for no limit."""
        return 0.0

    def replays_all(self, pk: Hashable) -> bool:
        """Return whether a reader who is far behind is told all that is kept, read by read; else it starts afresh."""
        return False

    def missing(self, pks: Sequence[Any]) -> Sequence[Stream]:
        """Return unsaved streams for those of `pks` that are created on first use; none by default."""
        return ()


class Read(msgspec.Struct, frozen=True, gc=False):
    """Rows of one stream after `start`, in the order of their positions, read up to `to`.

    `languages` are those of the readers, if they are known; else what is told is in the language that is active. `kept`
    is that of the batch that ended at `start`, if it is known.
    """

    pk: Any
    start: Position
    to: Position
    rows: Sequence[Any]
    languages: Collection[str] = ()
    kept: Any = None


stream_types: dict[str, StreamType] = {}


def register(stream_type: StreamType) -> StreamType:
    """Make `stream_type` known by its name."""
    stream_types[stream_type.name] = stream_type
    return stream_type
