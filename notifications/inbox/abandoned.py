"""What readers are told of work whose worker is gone: that it failed, also before anybody has stored that.

It is stored where streams are served and where a client polls. A page that is read elsewhere must not keep saying that
something is being done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils import timezone

from ..models import Notice, Progress
from .entries import Row

KIND: Final = "progress"  # of the notices
State = Progress.State


def failed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a progress as those of one that failed."""
    return {**data, "progress": {**data.get("progress", {}), "state": str(State.FAILED), "cancellable": False}}


def abandoned(rows: Iterable[Row], using: str) -> set[int]:
    """Return the keys of the notices among some rows whose worker is gone; it costs a query if anything is running."""
    running = [row.notice_id for row in rows if _is_running(row.notice)]
    if not running:
        return set()
    late = Progress.objects.using(using).filter(pk__in=running, lease_until__lt=timezone.now())
    return set(late.values_list("pk", flat=True))


def _is_running(notice: Notice) -> bool:
    if notice.kind != KIND:
        return False
    known = notice.data.get("progress")
    return isinstance(known, dict) and known.get("state") == State.RUNNING
