"""Signals on their way: however many come at once, their listeners hear of them once a tick.

When somebody writes into a room that two hundred look at, all of them have read it in the same moment. Told one by
one, that would be forty thousand frames; the first one is told at once, and the others together. It also keeps
somebody who toggles as fast as the wire allows from being heard by everybody as often.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from .. import tenants

COALESCED_FOR = 0.25  # seconds

K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=Hashable)
V = TypeVar("V")

logger = logging.getLogger("notifications")


def after(seconds: float) -> Callable[[Callable[[], None]], None]:
    """Return what calls a function after so many seconds."""

    def later(function: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, function)  # not an event loop's: a WSGI worker has none
        timer.daemon = True
        timer.start()

    return later


class Coalescer(Generic[K, S, V]):
    """What has still to be told: by its key and its source the latest value, so that a burst takes no more room."""

    def __init__(
        self,
        send: Callable[[K, Mapping[S, V]], None],
        merge: Callable[[V, V], V],
        later: Callable[[Callable[[], None]], object] = after(COALESCED_FOR),  # noqa: B008  # it keeps nothing
    ) -> None:
        """Prepare.

        Args:
            send: Tells the listeners of a key the values of some sources; called in any thread, and must not block.
            merge: Makes one value of an earlier and a later one.
            later: Calls a function after a tick.
        """
        self._send = send
        self._merge = merge
        self._later = later
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, K], dict[S, V]] = {}  # by tenant and key, also of those told in this tick
        self._ticking = False

    def show(self, key: K, source: S, value: V) -> None:
        """Tell the listeners of `key`: now, or with the next tick. Call it from any thread."""
        place = tenants.current(), key
        with self._lock:
            first = place not in self._waiting
            waiting = self._waiting.setdefault(place, {})
            if not first:
                waiting[source] = self._merge(waiting[source], value) if source in waiting else value
            start, self._ticking = not self._ticking, True
        if start:
            self._later(self._tick)
        if first:
            self._tell(place, {source: value})

    def _tick(self) -> None:
        with self._lock:
            due = {place: values for place, values in self._waiting.items() if values}
            self._waiting = {place: {} for place in due}
            self._ticking = bool(due)
        if due:
            self._later(self._tick)
        for place, values in due.items():
            self._tell(place, values)

    def _tell(self, place: tuple[str, K], values: Mapping[S, V]) -> None:
        tenant, key = place
        try:
            with tenants.speaking_for(tenant):
                self._send(key, values)
        except Exception:
            logger.exception("Could not tell the listeners of %r; whoever comes next sees it.", key)
