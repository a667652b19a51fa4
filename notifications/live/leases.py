"""Leases that have run out, looked for by clients that poll and are answered at once.

Where streams are served, periodic tasks look for them. Under WSGI nobody else would tell the pages that are open.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ..tenants import PerTenant
from .periodic import Task

POLLS_LOOK_EVERY = 5.0  # seconds between two looks of one process

logger = logging.getLogger("notifications")

_tasks: list[Task] = []


def ends_abandoned(function: Task) -> Task:
    """Register a task, safe to run in several processes at once, that ends what its worker has left."""
    if function not in _tasks:
        _tasks.append(function)
    return function


class Looks:
    """One process's looks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare to look at once."""
        self._clock = clock
        self._next = clock()
        self._lock = threading.Lock()

    def look(self) -> None:
        """Run the tasks, unless this process did lately; a failure is logged, for the next look repeats it."""
        with self._lock:
            if (now := self._clock()) < self._next:
                return
            self._next = now + POLLS_LOOK_EVERY
        for function in _tasks:
            try:
                function()
            except Exception:
                logger.exception("Leases that have run out could not be looked for; the next look repeats it.")


_looks = PerTenant(Looks)


def look() -> None:
    """Look for leases that have run out, unless this process did lately; it costs a query for each task."""
    _looks().look()
