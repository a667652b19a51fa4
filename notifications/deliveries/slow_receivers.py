"""Receivers that take long: whose address users name, and who would keep every thread waiting if they were let.

What takes longer than `SLOW_ANSWER` is left alone for `REST` times as long as it took, whether it has answered or not.
Where several devices of one recipient are slow, all of them share those rests. So a recipient, however many devices
they have that hang, takes no more of a process than a part of one thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any, Final

from ..exceptions import TryLater

SLOW_ANSWER: Final = 5.0  # seconds; most receivers answer within one
REST: Final = 4  # times as long as it took
LONGEST_REST: Final = 120.0  # seconds
TRY_TIME: Final = 30.0  # seconds that a channel has: nobody else of a slow recipient's is tried meanwhile
FORGOTTEN: Final = 1_800.0  # seconds after its rest; by then it was tried for the last time
SEVERAL: Final = 2  # slow devices of one recipient, from which on all of them rest together
DEVICES: Final = 20  # of one recipient that are remembered
SLOW_RECIPIENTS: Final = 1_000  # recipients with slow devices


class SlowReceivers:
    """The slow devices of a channel, as this process has met them."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Know none yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._slow: dict[Any, dict[str, float]] = {}  # until when each rests; until it is quick, it counts as slow

    @contextmanager
    def turn(self, recipient: Any, device: str) -> Iterator[None]:
        """Note how long a try takes.

        Raises:
            TryLater: The device is to be left alone. That is a try, for else what nobody takes would wait without end.
        """
        if rest := self.rest(recipient, device):
            raise TryLater("Its receiver took too long a moment ago.", after=timedelta(seconds=rest))
        begun = self._clock()
        try:
            yield
        finally:
            self.note(recipient, device, self._clock() - begun)

    def rest(self, recipient: Any, device: str) -> float:
        """Return for how many seconds a device is to be left alone yet; 0 if it may be tried now."""
        with self._lock:
            now = self._clock()
            slow = {name: until for name, until in self._slow.get(recipient, {}).items() if now < until + FORGOTTEN}
            if not (device in slow or len(slow) >= SEVERAL):
                return 0.0
            self._slow[recipient] = slow
            until = max(slow.values()) if len(slow) >= SEVERAL else slow[device]
            if until <= now:
                slow[device] = now + TRY_TIME
            return max(0.0, until - now)

    def note(self, recipient: Any, device: str, took: float) -> None:
        """Note how many seconds a device took."""
        with self._lock:
            if took > SLOW_ANSWER:
                slow = self._slow.pop(recipient, {})
                if len(slow) >= DEVICES and device not in slow:
                    del slow[min(slow, key=slow.__getitem__)]
                slow[device] = self._clock() + min(REST * took, LONGEST_REST)
                self._slow[recipient] = slow  # the latest is the last one
                if len(self._slow) > SLOW_RECIPIENTS:
                    del self._slow[next(iter(self._slow))]
            elif (known := self._slow.get(recipient)) is not None:
                known.pop(device, None)
                if not known:
                    del self._slow[recipient]
