"""Waking: what is stored is sent soon, by whoever sends in this process, if anybody does."""

from __future__ import annotations

import threading
from collections.abc import Callable

_sleepers: list[Callable[[], object]] = []
_lock = threading.Lock()


def wake() -> None:
    """Say that something may be due."""
    with _lock:
        sleepers = tuple(_sleepers)
    for sleeper in sleepers:
        sleeper()


def register(sleeper: Callable[[], object]) -> Callable[[], None]:
    """Have `sleeper` called, in any thread, whenever something may be due; return what ends that."""
    with _lock:
        _sleepers.append(sleeper)

    def remove() -> None:
        with _lock:
            if sleeper in _sleepers:
                _sleepers.remove(sleeper)

    return remove
