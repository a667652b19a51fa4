"""Delete entries of streams, so that no reader has a silent hole: the floor of a stream rises with what is deleted."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Max, OuterRef, Subquery

from .streams import StreamType
from .transactions import atomic, retried

PRUNE_CHUNK = 500  # rows deleted by one transaction


@retried(lambda old, stream_type: stream_type.alias)
def prune_chunk(old: models.QuerySet[Any], stream_type: StreamType) -> int:
    """Delete some of `old`, which are entries of streams of `stream_type`."""
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:PRUNE_CHUNK])
    if not ids:
        return 0
    rows = old.filter(pk__in=ids)
    floors: dict[Any, int] = dict(rows.order_by().values_list(stream_type.field).annotate(Max("modseq")))
    with atomic(stream_type.alias):
        for pk in sorted(floors):  # in the order in which the sequencer takes them
            stream_type.streams().filter(pk=pk, floor__lt=floors[pk]).update(floor=floors[pk])
        # What has been changed and stamped since is kept: readers above the floor have not seen it yet.
        floor = stream_type.streams().filter(pk=OuterRef(stream_type.field)).values("floor")
        return rows.filter(modseq__lte=Subquery(floor)).delete()[1].get(old.model._meta.label, 0)
