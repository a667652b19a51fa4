"""Pace: how many messages a receiver gets from this process in a second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

PACED: Final = 1_000  # receivers; whose turn is over is forgotten then


class Pace:
    """Turns for receivers, evenly spaced; each receiver has its own."""

    def __init__(self, per_second: float, clock: Callable[[], float] = monotonic) -> None:
        """Space the turns of each receiver so that there are `per_second`."""
        self._pause = 1 / per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._free: dict[str, float] = {}

    def turn(self, receiver: str, limit: float) -> tuple[float, bool]:
        """Return after how many seconds it is a receiver's turn, and whether that was taken: not if beyond `limit`."""
        with self._lock:
            now = self._clock()
            if len(self._free) > PACED:
                self._free = {name: free for name, free in self._free.items() if free > now}
            free = max(now, self._free.get(receiver, now))
            taken = free - now <= limit
            if taken:
                self._free[receiver] = free + self._pause
            return free - now, taken
