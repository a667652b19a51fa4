"""Replay: how a reader catches up from a cursor. First load, resume, repair and polling are this one function."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from django.db import OperationalError
from msgspec import structs

from .batch import Batch
from .cursor import UNPUBLISHED, Position
from .frames import ResetReason
from .patience import patience
from .sequencer import open_streams, sequence
from .streams import Read, StreamType

READ_PATIENCE = 0.25  # seconds for which a reader waits for a lock

Languages = Mapping[Any, Collection[str]]  # of the readers of streams, by key
Kept = Mapping[Any, Any]  # what batches of streams have kept, by key
NO_LANGUAGES: Final[Languages] = MappingProxyType({})
NOTHING_KEPT: Final[Kept] = MappingProxyType({})

logger = logging.getLogger("notifications")


def catch_up(
    stream_type: StreamType,
    pk: Any,
    position: Position | None,
    stamp: Callable[[StreamType, Sequence[Any]], object] = sequence,
) -> Batch:
    """Read what a connecting reader has missed, after storing and stamping what was pending for it.

    Must run outside a transaction, as `sequence` does. Raises `KeyError` if the stream does not exist.
    """
    at = stream_type.at_rest(pk)
    if at is None:
        settle(stream_type, [pk], stamp)
    return changes_since(stream_type, {pk: position}, found=None if at is None else {pk: at})[pk]


def settle(
    stream_type: StreamType, pks: Sequence[Any], stamp: Callable[[StreamType, Sequence[Any]], object] = sequence
) -> bool:
    """Store and stamp what waits for the readers of streams, unless somebody holds a lock in the way.

    It returns whether nobody does.

    A reader does not wait for a writer: what is pending then comes to it once it is stamped, by whoever held the
    lock or by the next comparison with the database.
    """
    try:
        with patience(stream_type.alias, READ_PATIENCE):
            stream_type.collect_pending(pks)
            stamp(stream_type, pks)
    except OperationalError as error:
        logger.debug("What is pending in %s of %s waits for a lock: %r", stream_type.name, pks, error)
        return False
    return True


def changes_since(
    stream_type: StreamType,
    cursors: Mapping[Any, Position | None],
    languages: Languages = NO_LANGUAGES,
    kept: Kept = NOTHING_KEPT,
    found: Mapping[Any, tuple[Position, int]] | None = None,
) -> dict[Any, Batch]:
    """Read what happened in some streams since a reader's position: first load, resume, repair and polling.

    Args:
        stream_type: The kind of stream.
        cursors: The reader's position by the stream's primary key; None for a reader that has none.
        languages: Those of the readers by the stream's primary key; without any, what is told is in the language that
            is active.
        kept: What the batches that ended at the readers' positions have kept, by the stream's primary key.
        found: The heads and the floors of the streams, where they have just been read.

    Returns:
        By primary key, the frames that continue the reader, or a `reset` with a fresh snapshot where it
        cannot be continued. A reader that is up to date gets a batch without frames whose `to` is its own
        position. A stream that does not exist is left out, unless its readers may precede it: they then begin at
        `UNPUBLISHED`, from where they are continued.
    """
    answers: dict[Any, Batch] = {}
    reads: dict[Any, tuple[Position, Position]] = {}
    if found is None:
        found = open_streams(stream_type, list(cursors))
    if stream_type.precedes:
        for pk, cursor in cursors.items():
            if pk not in found:
                answers[pk] = _precede(stream_type, pk, cursor, languages.get(pk, ()))
    for pk, (head, floor) in found.items():
        cursor = cursors[pk]
        if cursor is None:
            answers[pk] = stream_type.snapshot(pk, head, "start", languages.get(pk, ()))
        elif reason := _reset_reason(stream_type, cursor, head, floor):
            answers[pk] = stream_type.snapshot(pk, head, reason, languages.get(pk, ()))
        elif cursor == head:
            answers[pk] = Batch(cursor, head, ())
        else:
            reads[pk] = (cursor, head)
    if reads:
        answers |= _continue(stream_type, reads, languages, kept)
    return answers


def _precede(stream_type: StreamType, pk: Any, cursor: Position | None, languages: Collection[str]) -> Batch:
    """Answer the reader of a stream that is not made yet, or not any more."""
    if cursor == UNPUBLISHED:
        return Batch(UNPUBLISHED, UNPUBLISHED, ())
    return stream_type.snapshot(pk, UNPUBLISHED, "epoch" if cursor else "start", languages)


def _reset_reason(stream_type: StreamType, cursor: Position, head: Position, floor: int) -> ResetReason | None:
    """Return why a reader cannot be resumed from `cursor`, if it cannot."""
    preceded = stream_type.precedes and cursor == UNPUBLISHED
    if cursor.epoch != head.epoch and not preceded:
        return "epoch"
    if cursor.modseq > head.modseq:
        return "ahead"  # the database was restored from a backup
    if cursor.modseq < floor:
        return "pruned"
    return None


def _continue(
    stream_type: StreamType, reads: Mapping[Any, tuple[Position, Position]], languages: Languages, kept: Kept
) -> dict[Any, Batch]:
    """Read the rows after each position, for all streams in one query if these are few rows."""
    starts = {pk: start.modseq for pk, (start, _head) in reads.items()}
    rows: Sequence[Any] = stream_type.after.run(starts, stream_type.alias)
    if len(rows) > stream_type.resume_limit:
        if len(reads) > 1:
            each = [_continue(stream_type, {pk: read}, languages, kept) for pk, read in reads.items()]
            return {pk: batch for answers in each for pk, batch in answers.items()}
        return {
            pk: _begin(stream_type, Read(pk, start, head, rows, languages.get(pk, ())))
            for pk, (start, head) in reads.items()
        }
    rows = stream_type.prefetch(rows)
    by_stream: dict[Any, list[Any]] = {pk: [] for pk in reads}
    for row in rows:
        by_stream[getattr(row, stream_type.field)].append(row)
    found = {pk: _read(pk, start, head, by_stream[pk], languages, kept) for pk, (start, head) in reads.items()}
    answers: dict[Any, Batch] = {}
    for pk, head in _pruned_meanwhile(stream_type, found.values()).items():
        del found[pk]
        answers[pk] = stream_type.snapshot(pk, head, "pruned", languages.get(pk, ()))
    return answers | (stream_type.changes(list(found.values())) if found else {})


def _pruned_meanwhile(stream_type: StreamType, reads: Iterable[Read]) -> dict[Any, Position]:
    """Return the heads of the streams whose floor was raised after it was looked at and before the rows were read.

    One query, and none where each position has a row: then nothing was deleted.
    """
    suspects = {
        read.pk: read.start
        for read in reads
        if len({row.modseq for row in read.rows}) < read.to.modseq - read.start.modseq
    }
    if not suspects:
        return {}
    now = open_streams(stream_type, list(suspects))
    return {pk: head for pk, (head, floor) in now.items() if _reset_reason(stream_type, suspects[pk], head, floor)}


def _begin(stream_type: StreamType, read: Read) -> Batch:
    """Continue a reader as far as the rows of one read go, where it is told all; else start it afresh."""
    pk, rows, head = read.pk, read.rows, read.to
    # What the last row shares its position with may not be there to the end.
    whole = [row for row in rows if row.modseq < rows[-1].modseq] if stream_type.replays_all(pk) else []
    if not whole:
        return stream_type.snapshot(pk, head, "too-many", read.languages)
    to = Position(head.epoch, whole[-1].modseq)
    batch = stream_type.changes([structs.replace(read, to=to, rows=stream_type.prefetch(whole))])[pk]
    return structs.replace(batch, more=True)


def _read(pk: Any, start: Position, head: Position, rows: Sequence[Any], languages: Languages, kept: Kept) -> Read:
    """Describe a read; a row stamped after `head` was read is there with all that came before it."""
    last = rows[-1].modseq if rows else head.modseq
    return Read(pk, start, Position(head.epoch, max(head.modseq, last)), rows, languages.get(pk, ()), kept.get(pk))
