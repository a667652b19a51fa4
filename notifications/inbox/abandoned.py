"""What readers are told of work whose worker is gone: that it failed, also before anybody has stored that.

It is stored where streams are served and where a client polls. A page that is read elsewhere must not keep saying that
something is being done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils import timezone

from ..models import Notice, Progress

KIND: Final = "progress"  # of the notices
State = Progress.State


def failed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a progress as those of one that failed."""
    return {**data, "progress": {**data.get("progress", {}), "state": str(State.FAILED), "cancellable": False}}


def abandoned(notices: Iterable[Notice], using: str) -> set[int]:
    """Return the keys of those notices whose worker is gone; it costs a query if anything is running."""
    running = [notice.pk for notice in notices if _is_running(notice)]
    if not running:
        return set()
    late = Progress.objects.using(using).filter(pk__in=running, lease_until__lt=timezone.now())
    return set(late.values_list("pk", flat=True))


def _is_running(notice: Notice) -> bool:
    if notice.kind != KIND:
        return False
    known = notice.data.get("progress")
    return isinstance(known, dict) and known.get("state") == State.RUNNING
