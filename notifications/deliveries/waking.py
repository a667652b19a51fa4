"""Waking: what is stored is sent soon, by whoever sends in this process, or has others do so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

Sleeper = Callable[[datetime], object]

_sleepers: list[Sleeper] = []
_lock = threading.Lock()


def wake(due: datetime | None = None) -> None:
    """Say that something falls due, now or at a time."""
    with _lock:
        sleepers = tuple(_sleepers)
    for sleeper in sleepers:
        sleeper(due or timezone.now())


def register(sleeper: Sleeper) -> Callable[[], None]:
    """Have `sleeper` called, in any thread, whenever something falls due; return what ends that."""
    with _lock:
        _sleepers.append(sleeper)

    def remove() -> None:
        with _lock:
            if sleeper in _sleepers:
                _sleepers.remove(sleeper)

    return remove
