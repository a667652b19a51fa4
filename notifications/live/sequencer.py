"""The sequencer: it assigns positions to changed rows, after their writer's commit.

Writers set ``modseq = NULL`` on every row they change, in the caller's transaction, and take no lock of ours. After
commit the sequencer gives those rows the stream's next position, in a transaction of its own. So positions appear in
the order in which they become visible, and a reader that asks for everything after its cursor can never miss a row
that commits late.

A transaction that is our own from its beginning to its end need not be two. Where nothing is left that it could wait
for, `advance_free` gives the positions, and the rows are stored with them. Where there may be, `stamp_at_once` stamps
what was stored, as the last thing before the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections, transaction
from django.db.models import F

from .chunks import STREAM_CHUNK, chunks
from .cursor import Position
from .django_internals import in_transaction
from .statements import CompiledUpdate
from .streams import Hint, StreamType
from .transactions import atomic, retried


def open_streams(stream_type: StreamType, pks: Sequence[Any]) -> dict[Any, tuple[Position, int]]:
    """Return the head and the floor of each stream, creating those that are created on first use.

    Args:
        stream_type: The kind of stream.
        pks: Primary keys, at most some hundreds.

    Returns:
        `(head, floor)` by primary key; a stream that does not exist is left out.
    """
    found = _read_streams(stream_type, pks)
    if made := _make_streams(stream_type, [pk for pk in pks if pk not in found]):
        found |= _read_streams(stream_type, made)
    return found


def _make_streams(stream_type: StreamType, pks: Sequence[Any]) -> list[Any]:
    """Create those of the missing streams `pks` that are created on first use; return their primary keys."""
    absent = stream_type.missing(pks) if pks else ()
    if absent:
        stream_type.streams().bulk_create(absent, ignore_conflicts=True)
    return [stream.pk for stream in absent]


def _read_streams(stream_type: StreamType, pks: Sequence[Any]) -> dict[Any, tuple[Position, int]]:
    rows = stream_type.positions.run(pks, stream_type.alias)
    return {pk: (Position(epoch, head), floor) for pk, epoch, head, floor in rows}


def sequence(stream_type: StreamType, pks: Iterable[Any]) -> list[Hint]:
    """Assign positions to the pending rows of some streams.

    Must run outside a transaction: it commits on its own, so that a position is never held back by an
    application's transaction and never waits for one.

    Args:
        stream_type: The kind of stream.
        pks: Primary keys of the streams; any number, in the order of urgency.

    Returns:
        A hint for each stream that moved.
    """
    hints: list[Hint] = []
    for chunk in chunks(dict.fromkeys(pks)):
        hints += _sequence_chunk(stream_type, chunk)
    return hints


def _sequence_chunk(stream_type: StreamType, pks: Sequence[Any]) -> list[Hint]:
    moved: dict[Any, int] = {}
    # Most calls find nothing, because an earlier one stamped their rows too: look without a lock first.
    more = True
    while more and (pending := stream_type.pending.run(pks, stream_type.alias)):
        _make_streams(stream_type, [pk for pk, there in pending if not there])
        heads, busy, more = _stamp(stream_type, [pk for pk, _there in pending])
        moved |= heads
        if busy:
            heads, _busy, _full = _stamp(stream_type, busy[:1])  # waits for it, and holds up nobody else meanwhile
            moved |= heads
            more = True
    return [Hint(stream_type.key(pk), head) for pk, head in moved.items()]


@retried(lambda stream_type, pks: stream_type.alias)
def _stamp(stream_type: StreamType, pks: list[Any]) -> tuple[dict[Any, int], list[Any], bool]:
    """Stamp at most `STREAM_CHUNK` pending rows of the streams `pks`.

    Returns:
        The new heads; the streams that somebody else holds, for which only a caller that names one alone waits; and
        whether there may be more rows.
    """
    alias = stream_type.alias
    features = connections[alias].features
    busy: list[Any] = []
    with atomic(alias, durable=True):
        if len(pks) > 1 and features.has_select_for_update:
            # Two passes over overlapping streams take them in one order, and hold none while they wait for another.
            locks = stream_type.free_locks if features.has_select_for_update_skip_locked else stream_type.locks
            free = {pk for (pk,) in locks.run(sorted(pks), alias)}
            busy = [pk for pk in pks if pk not in free]
            pks = [pk for pk in pks if pk in free]
        if not pks:
            return {}, busy, False
        heads = {pk: head for pk, _epoch, head in stream_type.advance.run(pks, alias)}
        rows, full = _unlocked(stream_type, pks)
        ids = stream_type.place(rows)
        if not ids:  # another pass came first: no head need rise
            transaction.set_rollback(True, using=alias)
            return {}, busy, False
        stream_type.stamp(ids, heads.get(pks[0]) if len(pks) == 1 else None)
    return heads, busy, full


def can_stamp_at_once(alias: str) -> bool:
    """Return whether a transaction that begins now is our own, so that what it stores may get positions in it.

    MySQL locks all rows that an ``UPDATE`` passes, also those of an application.
    """
    connection = connections[alias]
    return connection.vendor in ("postgresql", "sqlite") and not in_transaction(alias) and connection.get_autocommit()


def advance_free(stream_type: StreamType, pks: Sequence[Any]) -> dict[Any, Hint]:
    """Move streams one position forward, for entries of a transaction of our own that is about to end.

    They are held until its commit, which must wait for nobody. Streams that somebody else holds, or that are not there
    yet, are left out; their entries are pending.

    Returns:
        A hint for each stream that moved, by its primary key.
    """
    alias = stream_type.alias
    has_locks = connections[alias].features.has_select_for_update
    advance = stream_type.advance_free if has_locks else stream_type.advance
    return {pk: Hint(stream_type.key(pk), head) for pk, _epoch, head in advance.run(pks, alias)}


def stamp_at_once(stream_type: StreamType, pks: Sequence[Any], stamp: CompiledUpdate, **given: Any) -> dict[Any, Hint]:
    """Stamp entries that a transaction of our own has inserted, as its last act before the commit.

    Their positions appear with them, as from a pass of the sequencer, and the streams are held as long as by one: what
    the commit would wait for, a recipient whom an application has locked for example, is waited for before.

    Args:
        stream_type: The kind of stream.
        pks: Primary keys of the streams, at most `STREAM_CHUNK`.
        stamp: Stamps the entries, by the primary key of their stream.
        given: The values of its parameters.

    Returns:
        What `advance_free` does.
    """
    alias = stream_type.alias
    if connections[alias].features.has_select_for_update:
        with connections[alias].cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    hints = advance_free(stream_type, pks)
    stamp.run(list(hints), alias, **given)
    return hints


def _unlocked(stream_type: StreamType, pks: Sequence[Any]) -> tuple[Sequence[Any], bool]:
    """Return pending rows of some streams, locked, and whether there may be more.

    It never waits for an application's row: the transaction that holds one stamps it after its commit.
    """
    connection, alias = connections[stream_type.alias], stream_type.alias
    locks_as_it_reads = connection.vendor == "postgresql"  # MySQL would lock all that wait
    rows = (stream_type.unlocked_waiting if locks_as_it_reads else stream_type.waiting).run(pks, alias)
    full = len(rows) > STREAM_CHUNK
    rows = rows[:STREAM_CHUNK]
    if connection.features.has_select_for_update_skip_locked and not locks_as_it_reads:
        unlocked = {pk for (pk,) in stream_type.select_unlocked.run([pk for _stream, pk, *_ in rows], alias)}
        rows = [row for row in rows if row[1] in unlocked]
    return rows, full


def expire_cursors(stream_type: StreamType, pks: Sequence[Any]) -> list[Hint]:
    """Let no reader of some streams continue from where it is; return a hint for each stream that there is.

    It joins the caller's transaction, which has locked them if there are several.
    """
    if not pks:
        return []
    streams = stream_type.streams().filter(pk__in=pks)
    streams.update(floor=F("head") + 1, head=F("head") + 1)  # in this order, for MySQL reads what it has just set
    return [Hint(stream_type.key(pk), head) for pk, head in streams.values_list("pk", "head")]
