"""Delete entries of streams, so that no reader has a silent hole: the floor of a stream rises with what is deleted.

Pruning waits for nobody and holds nobody up. It works in short transactions, passes over whatever another transaction
holds, and judges the rest again once it is locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connections, models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest

from .chunks import chunks
from .locks import lock_free
from .sequencer import expire_cursors
from .streams import Hint, StreamType
from .transactions import atomic, retried

PRUNE_CHUNK = 500  # rows found by one query, and deleted by one transaction at most
PRUNE_STREAMS = 50  # streams that one transaction locks

Rows = models.QuerySet[Any]


def prune_entries(
    old: Rows, stream_type: StreamType, untold: Q | None, *, by: str = "pk", steps: int | None = None
) -> tuple[int, list[Hint]]:
    """Delete the entries `old` of streams, but for those that are busy now. Must run outside a transaction.

    Args:
        old: What is to be deleted; it is judged again when nobody else can change it any more.
        stream_type: The kind of stream.
        untold: The condition of entries of which an up-to-date reader may not know yet that they are over. Their
            deletion takes a position of its own, and a reader that is below it gets a snapshot.
        by: The column in whose order they are read: one by which an index finds them, and nothing else.
        steps: How many times `PRUNE_CHUNK` rows are looked at, at most; None for all.

    Returns:
        How many were deleted, and a hint for each stream that moved.
    """
    deleted = 0
    hints: list[Hint] = []
    for rows in islice(_steps(old, by, "pk", stream_type.field), steps):
        by_stream: dict[Any, list[Any]] = {}
        for _by, pk, stream in rows:
            by_stream.setdefault(stream, []).append(pk)
        for streams in chunks(sorted(by_stream), PRUNE_STREAMS):
            number, moved = _prune(old, stream_type, untold, {stream: by_stream[stream] for stream in streams})
            deleted += number
            hints += moved
    return deleted, hints


def prune_rows(old: Rows, alias: str, *, by: str = "pk") -> int:
    """Delete rows that are no entries of a stream, as `prune_entries` does; return how many."""
    deleted = 0
    for rows in _steps(old, by, "pk"):
        deleted += _prune_step(old, alias, [pk for _by, pk in rows])
    return deleted


@retried(lambda old, alias, pks: alias)
def _prune_step(old: Rows, alias: str, pks: Sequence[Any]) -> int:
    with atomic(alias, durable=True):
        locked = lock_free(old.model._default_manager.all(), pks, alias)
        return _delete(old, list(old.filter(pk__in=locked).values_list("pk", flat=True)))


def _steps(old: Rows, by: str, *columns: str) -> Iterator[list[Any]]:
    """Read columns of `old`, the primary key first, in the order of `by`; what was passed over is not met again."""
    found = old.order_by(*dict.fromkeys((by, "pk"))).values_list(F(by), *columns)
    rows = list(found[:PRUNE_CHUNK])
    while rows:
        yield rows
        at, pk, *_rest = rows[-1]
        behind = Q(pk__gt=pk) if by == "pk" else Q((f"{by}__gte", at)) & ~Q((by, at), pk__lte=pk)
        rows = list(found.filter(behind)[:PRUNE_CHUNK]) if len(rows) == PRUNE_CHUNK else []


@retried(lambda old, stream_type, untold, rows: stream_type.alias)
def _prune(
    old: Rows, stream_type: StreamType, untold: Q | None, rows: Mapping[Any, Sequence[Any]]
) -> tuple[int, list[Hint]]:
    """Delete the entries `rows` of some streams, which are locked before them, as the sequencer does."""
    alias = stream_type.alias
    streams = stream_type.streams().filter(pk__in=list(rows))
    with atomic(alias, durable=True):
        if not connections[alias].features.has_select_for_update:
            streams.update(floor=F("floor"))  # on SQLite, who reads before the first write may not write any more
        entries = [pk for stream in lock_free(streams, list(rows), alias) for pk in rows[stream]]
        locked = lock_free(stream_type.entries(), entries, alias)
        unheard = (
            Case(When(untold, then=Value(value=True)), default=Value(value=False)) if untold else Value(value=False)
        )
        columns = (stream_type.field, "modseq", "unheard", "pk")
        judged = old.filter(pk__in=locked).order_by().annotate(unheard=unheard).values_list(*columns)
        doomed: dict[Any, list[tuple[int, bool, Any]]] = {}
        for stream, *entry in judged:
            doomed.setdefault(stream, []).append(tuple(entry))
        if not doomed:
            return 0, []
        floors = {stream: max(modseq for modseq, _unheard, _pk in entries) for stream, entries in doomed.items()}
        raised = Case(*(When(pk=stream, then=Value(floor)) for stream, floor in floors.items()))
        streams.filter(pk__in=list(floors)).update(floor=Greatest("floor", raised))
        hints = expire_cursors(
            stream_type, [stream for stream, entries in doomed.items() if any(e[1] for e in entries)]
        )
        return _delete(old, [pk for entries in doomed.values() for *_rest, pk in entries]), hints


def _delete(old: Rows, pks: Sequence[Any]) -> int:
    """Delete rows with what hangs on them, and tell nobody: who prunes does it."""
    rows: Rows = models.QuerySet(old.model, using=old.db).filter(pk__in=pks)
    return rows.delete()[1].get(old.model._meta.label, 0)
