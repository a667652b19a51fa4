"""After the commit: changed rows get their positions, then open connections are notified."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from . import relay
from .chunks import STREAM_CHUNK, chunks
from .sequencer import sequence
from .streams import StreamType


def sequence_after_commit(stream_type: StreamType, pks: Iterable[Any]) -> None:
    """Have the pending rows of the streams `pks` stamped and announced when the caller's transaction commits.

    A failure is logged, not raised: the caller's work is committed, and what is still pending is stamped when
    its reader next connects or, at the latest, by the next reconcile.
    """
    pks = list(pks)
    transaction.on_commit(lambda: sequence_now(stream_type, pks), using=stream_type.alias, robust=True)


def sequence_now(stream_type: StreamType, pks: Iterable[Any]) -> None:
    """Stamp and announce now: first the streams that are open in this process, then by primary key."""
    here = relay.connected(stream_type)
    for chunk in chunks(sorted(pks, key=lambda pk: (str(pk) not in here, pk)), STREAM_CHUNK):
        relay.announce(sequence(stream_type, chunk))
