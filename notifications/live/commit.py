"""After the commit: changed rows get their positions, then open connections are notified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, ref

from django.db import connections
from django.utils import timezone

from .. import tenants
from . import broker, relay
from .chunks import STREAM_CHUNK, chunks
from .coalesce import Coalescer
from .locks import lock_free
from .periodic import LONGEST_QUIET
from .sequencer import expire_cursors, sequence
from .streams import Hint, Key, StreamType, stream_types
from .transactions import after_commit, atomic, retry


def sequence_after_commit(stream_type: StreamType, pks: Iterable[Any]) -> None:
    """Have the pending rows of the streams `pks` stamped and announced when the caller's transaction commits.

    A failure is logged, not raised: the caller's work is committed, and what is still pending is stamped when
    its reader next connects or, at the latest, by the next reconcile.
    """
    changes = _changes(stream_type.alias)
    changes.add(stream_type, pks)
    after_commit(changes.sequence, stream_type.alias)


class _Changes:
    """The streams of one tenant that one transaction has changed.

    Each change has its hook, for a savepoint that is rolled back takes its hooks along. The first hook that runs does
    the work of all. The streams of a savepoint that was rolled back have nothing pending, and cost a look.
    """

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self._streams: dict[StreamType, dict[Any, None]] = {}

    def add(self, stream_type: StreamType, pks: Iterable[Any]) -> None:
        self._streams.setdefault(stream_type, {}).update(dict.fromkeys(pks))

    def sequence(self) -> None:
        with broker.joined():
            while self._streams:
                stream_type = next(iter(self._streams))
                sequence_now(stream_type, self._streams.pop(stream_type))  # if it fails, another hook does the others


# By connection what its transaction has changed, for as long as a hook is there that would sequence it.
_changed: WeakKeyDictionary[Any, ref[_Changes]] = WeakKeyDictionary()


def _changes(alias: str) -> _Changes:
    connection = connections[alias]
    tenant = tenants.current()
    found = known() if (known := _changed.get(connection)) else None
    if found is None or found.tenant != tenant:
        found = _Changes(tenant)
        _changed[connection] = ref(found)
    return found


def announce_stamped_after_commit(stream_type: StreamType, hints: Mapping[Any, Hint], pks: Iterable[Any]) -> None:
    """Announce what a transaction has stamped when it commits, and sequence those of the streams `pks` that it left.

    A failure is logged, as that of `sequence_after_commit`.
    """
    rest = [pk for pk in pks if pk not in hints]

    def announce() -> None:
        with broker.joined():
            try:
                relay.announce(list(hints.values()))
            finally:
                if rest:
                    sequence_now(stream_type, rest)

    after_commit(announce, stream_type.alias)


def remind_after_commit(at: datetime, using: str) -> None:
    """Have what falls due at a time known in every process, when the transaction commits, if it may come too late else.

    Every process looks by itself, but not so often.
    """
    if at - timezone.now() < timedelta(seconds=LONGEST_QUIET):
        after_commit(relay.request_turn, using)


def sequence_calmly_after_commit(stream_type: StreamType, pk: Any) -> None:
    """Do the same for one stream and for what may change many times a second: it is announced once a tick."""
    after_commit(lambda: _sequence_calmly(stream_type, pk), stream_type.alias)


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
            after_commit(partial(reset_readers, stream_type, pks), using)


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
