"""Epochs: what a reader has seen must not be counted again for something else.

A standby that takes over without the last commits, or a backup that is restored, sets streams back: positions that
readers have passed are then given to other rows, which they would never get. A stream with a new epoch starts each of
its readers afresh. Whoever sees a stream that was set back renews it at once; whoever restores a database renews all.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db import connections

from ..models.stream import new_epoch
from .chunks import chunks
from .cursor import START, Position
from .streams import StreamType
from .transactions import atomic, retried

logger = logging.getLogger("notifications")

RENEWED_AT_ONCE = 1_000  # streams in one statement, which holds the locks of all


def renew_all(stream_type: StreamType) -> int:
    """Give every stream of a type a new epoch, and return how many there are; must run outside a transaction."""
    renewed = 0
    pks = stream_type.streams().order_by("pk").values_list("pk", flat=True)
    for chunk in chunks(pks.iterator(chunk_size=RENEWED_AT_ONCE), RENEWED_AT_ONCE):
        renewed += _renew(stream_type, chunk)
    return renewed


def renew_set_back(stream_type: StreamType, seen: Mapping[Any, Position]) -> list[Any]:
    """Give a new epoch to each stream that is behind a position at which it has been, and return their keys.

    Args:
        stream_type: The type of the streams.
        seen: Positions, by the primary key of the stream, that were committed before this is called; of readers that
            have read nothing, `START`.
    """
    seen = {pk: position for pk, position in seen.items() if position != START}
    if not seen:
        return []
    rows = stream_type.positions.run(list(seen), stream_type.alias)
    suspects = [pk for pk, epoch, head, _floor in rows if epoch == seen[pk].epoch and head < seen[pk].modseq]
    return _renew_locked(stream_type, suspects, seen) if suspects else []


@retried(lambda stream_type, pks: stream_type.alias)
def _renew(stream_type: StreamType, pks: list[Any]) -> int:
    with atomic(stream_type.alias, durable=True):
        _lock(stream_type, pks)
        return stream_type.streams().filter(pk__in=pks).update(epoch=new_epoch())


@retried(lambda stream_type, suspects, seen: stream_type.alias)
def _renew_locked(stream_type: StreamType, suspects: list[Any], seen: Mapping[Any, Position]) -> list[Any]:
    """Look again under the lock, which a pool that reads from replicas passes to the primary, and renew."""
    with atomic(stream_type.alias, durable=True):
        _lock(stream_type, suspects)
        rows = stream_type.streams().filter(pk__in=suspects).values_list("pk", "epoch", "head")
        found = [pk for pk, epoch, head in rows if epoch == seen[pk].epoch and head < seen[pk].modseq]
        stream_type.streams().filter(pk__in=found).update(epoch=new_epoch())
    if found:
        logger.warning(
            "The database has lost commits (did a standby take over?): %s streams of the type %s were set back and get "
            "a new epoch. Others may have been set back unseen: run manage.py carillon_renew_epochs.",
            len(found),
            stream_type.name,
        )
    return found


def _lock(stream_type: StreamType, pks: list[Any]) -> None:
    """Lock streams in the order in which the sequencer does."""
    if connections[stream_type.alias].features.has_select_for_update:
        list(stream_type.streams().filter(pk__in=pks).order_by("pk").select_for_update().values_list("pk"))
