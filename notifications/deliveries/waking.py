"""Waking: what is stored is sent soon, by whoever sends in this process, or by a worker of Django's tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from ..conf import conf

_sleepers: list[Callable[[], object]] = []
_lock = threading.Lock()


def wake(due: datetime) -> None:
    """Say that something falls due: to who sends in this process, and to the workers of Django's tasks.

    Raises:
        Exception: What the backend of the tasks raises; what is due is sent all the same, by whoever looks for it next.
    """
    with _lock:
        sleepers = tuple(_sleepers)
    for sleeper in sleepers:
        sleeper()
    if conf.DELIVERY_TASKS:
        from .tasks import enqueue

        enqueue(due)


def register(sleeper: Callable[[], object]) -> Callable[[], None]:
    """Have `sleeper` called, in any thread, whenever something may be due; return what ends that."""
    with _lock:
        _sleepers.append(sleeper)

    def remove() -> None:
        with _lock:
            if sleeper in _sleepers:
                _sleepers.remove(sleeper)

    return remove
