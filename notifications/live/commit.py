"""After the commit: changed rows get their positions, then open connections are notified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.db import transaction

from . import relay
from .chunks import STREAM_CHUNK, chunks
from .coalesce import Coalescer
from .locks import lock_free
from .sequencer import expire_cursors, sequence
from .streams import Hint, Key, StreamType, stream_types
from .transactions import atomic, retry


def sequence_after_commit(stream_type: StreamType, pks: Iterable[Any]) -> None:
    """Have the pending rows of the streams `pks` stamped and announced when the caller's transaction commits.

    A failure is logged, not raised: the caller's work is committed, and what is still pending is stamped when
    its reader next connects or, at the latest, by the next reconcile.
    """
    pks = list(pks)
    transaction.on_commit(lambda: sequence_now(stream_type, pks), using=stream_type.alias, robust=True)


def announce_stamped_after_commit(stream_type: StreamType, hints: Mapping[Any, Hint], pks: Iterable[Any]) -> None:
    """Announce what a transaction has stamped when it commits, and sequence those of the streams `pks` that it left.

    A failure is logged, as that of `sequence_after_commit`.
    """
    rest = [pk for pk in pks if pk not in hints]

    def announce() -> None:
        relay.announce(list(hints.values()))
        if rest:
            sequence_now(stream_type, rest)

    transaction.on_commit(announce, using=stream_type.alias, robust=True)


def sequence_calmly_after_commit(stream_type: StreamType, pk: Any) -> None:
    """Do the same for one stream and for what may change many times a second: it is announced once a tick."""
    transaction.on_commit(lambda: _sequence_calmly(stream_type, pk), using=stream_type.alias, robust=True)


def _sequence_calmly(stream_type: StreamType, pk: Any) -> None:
    for hint in sequence(stream_type, [pk]):
        _calm.show(hint.key, None, hint.to)


def _hint(key: Key, heads: Mapping[None, int]) -> None:
    relay.hint([Hint(key, max(heads.values()))])


_calm: Coalescer[Key, None, int] = Coalescer(_hint, max)


def sequence_now(stream_type: StreamType, pks: Iterable[Any]) -> None:
    """Stamp and announce now: first the streams that are open in this process, then by primary key."""
    here = relay.connected(stream_type)
    for chunk in chunks(sorted(pks, key=lambda pk: (str(pk) not in here, pk)), STREAM_CHUNK):
        relay.announce(sequence(stream_type, chunk))


def reset_readers_after_deletion(sender: Any, *, streams: Iterable[Any], using: str, **kwargs: Any) -> None:
    """Have the readers of streams begin anew whose entries were deleted, once that is committed.

    Nobody remembers which entries there were, so a reader that has them could not be told what to forget.
    """
    for stream_type in stream_types.values():
        if stream_type.entry is sender and stream_type.alias == using and (pks := list(streams)):
            transaction.on_commit(partial(reset_readers, stream_type, pks), using=using, robust=True)


def reset_readers(stream_type: StreamType, pks: Iterable[Any]) -> None:
    """Have the readers of streams begin anew, at once: of those that nobody holds first, then of one by one."""
    alias = stream_type.alias
    for chunk in chunks(sorted(pks), STREAM_CHUNK):
        with atomic(alias):
            free = lock_free(stream_type.streams(), chunk, alias)
            hints = expire_cursors(stream_type, free)
        for busy in set(chunk).difference(free):
            hints += retry(partial(expire_cursors, stream_type, [busy]), alias)
        relay.announce(hints)
