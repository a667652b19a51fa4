"""Couriers: the threads that send, some for each channel, so that one that hangs holds up no other.

They run in every server process with the hand-off lane, and in ``manage.py carillon_deliver``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.utils import timezone

from .. import tenants
from ..conf import conf
from ..live.periodic import closes, in_full, periodic
from ..live.threads import MakePool, Pool, Threads
from ..preferences.channels import sent
from ..twins import twin
from . import waking
from .broadcasts import walk_some
from .sending import CLAIM, PATIENCE, next_due, send_some

logger = logging.getLogger("notifications")

SWEEP: Final = 5.0  # seconds after which what another process has stored is found at the latest
SOON: Final = 0.2  # seconds
TENANT_TURN: Final = 2.0  # seconds for which one tenant's messages are sent while those of others wait


class Courier:
    """The threads of one channel. They end when nothing is due, and begin again when they are called."""

    def __init__(self, name: str, size: int, make_pool: MakePool = Threads) -> None:
        """Prepare for `size` messages at once."""
        self.name = name
        self._size = size
        self._pool: Pool = make_pool(size, f"notifications-{name.partition(':')[0]}")
        self._lock = threading.Lock()
        self._calls = 0
        self._called: dict[str, int] = {}  # tenants that may have something to send, and by which call
        self._working = 0
        self._closed = False

    def call(self) -> None:
        """Send what is due to the active tenant's users, with as many threads as there may be."""
        with self._lock:
            if self._closed:
                return
            self._calls += 1
            self._called[tenants.current()] = self._calls
            missing, self._working = self._size - self._working, self._size
        for _ in range(missing):
            self._pool.submit(self._work)

    def close(self, *, wait: bool = False) -> None:
        """Finish what is being sent, and no more."""
        self._closed = True
        self._pool.close(wait=wait)

    def _work(self) -> None:
        calls = 0
        while self._goes_on(calls):
            calls = self._calls
            for tenant, call in list(self._called.items()):
                try:
                    tenants.run(tenant, self._send)
                except Exception:
                    logger.exception(
                        "Sending by %s failed; what was claimed is sent when its lease is over.", self.name
                    )
                with self._lock:
                    if self._called.get(tenant) == call:
                        del self._called[tenant]

    def _send(self) -> None:
        """Send what is due. It claims more as long as that is quick; what takes its time holds up nothing else."""
        limit = 1
        begun = turn = monotonic()
        while not self._closed and send_some(self.name, limit, lambda: self._closed):
            now = monotonic()
            quick = now - begun <= PATIENCE
            begun = now
            limit = min(2 * limit, CLAIM) if quick else 1
            if not quick:
                self.call()  # for what it has let go
            if len(self._called) > 1 and now - turn > TENANT_TURN:
                self.call()  # for the rest, once the others have had their turn
                return

    def _goes_on(self, calls: int) -> bool:
        """Return whether it was called since; a thread that ends is one that the next call replaces."""
        with self._lock:
            if not self._closed and calls != self._calls:
                return True
            self._working -= 1
            return False


class Couriers:
    """The couriers of one process, made when there is something to send."""

    def __init__(self) -> None:
        """Prepare; no thread is started yet."""
        self._lock = threading.Lock()
        self._couriers: dict[str, Courier] = {}
        self._remove: Callable[[], None] = lambda: None

    def call(self, size: int) -> None:
        """Send what is due by all channels, `size` messages of each at once."""
        with self._lock:
            if not self._couriers:
                self._remove = waking.register(self._wake)
            for name in sent():
                if name not in self._couriers:
                    self._couriers[name] = Courier(name, size)
        self._again()

    def close(self, *, wait: bool = False) -> None:
        """Finish what is being sent, and no more."""
        with self._lock:
            self._remove()
            couriers, self._couriers = list(self._couriers.values()), {}
        for courier in couriers:
            courier.close(wait=wait)

    def _wake(self, due: datetime) -> None:
        if due <= timezone.now():
            self._again()

    def _again(self) -> None:
        for courier in list(self._couriers.values()):
            courier.call()


_couriers = Couriers()


@periodic
def take_turn() -> float:
    """Have the couriers send what is due; return after how many seconds more will be."""
    names, size = sent(), conf.DELIVERY_THREADS
    if not names or not size:
        return SWEEP
    due = next_due(names)
    pause = SWEEP if due is None else (due - timezone.now()) / timedelta(seconds=1)
    if pause <= 0:
        _couriers.call(size)
        return SOON
    return min(pause, SWEEP)


closes(_couriers.close)


def deliver_due() -> int:
    """Send what is due by all channels, in this thread, one after the other; several processes may do so at once.

    Server processes do it by themselves, and so does ``manage.py carillon_deliver``. Call it outside of transactions.

    Returns:
        How many deliveries were due.
    """
    return deliver_until(lambda: False)


def deliver_until(stop: Callable[[], bool]) -> int:
    """Do as `deliver_due`, but end after the message that is being sent once `stop` returns true."""
    number = _send_all(stop)
    while not stop() and walk_some():
        number += _send_all(stop)
    return number


def _send_all(stop: Callable[[], bool]) -> int:
    number = 0
    for name in sent():
        while not stop() and (some := send_some(name, stop=stop)):
            number += some
    return number


adeliver_due = twin(deliver_due)


@in_full(take_turn)
def deliver_all() -> None:
    """Send all that is due, in this thread."""
    deliver_due()
