"""One timer for all connections: heartbeats after silence, and the end of a long life."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable

from .hub import Connection

TICK = 1.0  # seconds; the timer's resolution
SPREAD = 0.1  # of the interval between heartbeats, either way


class Timer:
    """Connections in buckets of one tick, by when they are due."""

    def __init__(
        self, interval: float, heartbeat: Callable[[Connection], None], expire: Callable[[Connection], None]
    ) -> None:
        """Make an empty timer.

        Args:
            interval: Seconds of silence, ±10 %, after which a connection gets a heartbeat.
            heartbeat: Called with a connection that has been silent for so long, to write something.
            expire: Called with a connection whose `deadline` has passed.
        """
        self._interval = interval
        self._heartbeat = heartbeat
        self._expire = expire
        self._buckets: defaultdict[int, list[Connection]] = defaultdict(list)

    def add(self, connection: Connection, now: float, max_age: float) -> None:
        """Watch `connection`, which may live `max_age` seconds ±20 %.

        The spread keeps connections that began together, after a restart, from beating and leaving together.
        """
        connection.active_at = now
        connection.deadline = now + max_age * random.uniform(0.8, 1.2)
        self._put(connection)

    def turn(self, now: float) -> None:
        """Handle every connection that is due by `now`."""
        last = int(now // TICK)
        # There are no more buckets than ticks in an interval.
        for bucket in sorted(bucket for bucket in self._buckets if bucket <= last):
            for connection in self._buckets.pop(bucket):
                self._look(connection, now)

    def _look(self, connection: Connection, now: float) -> None:
        if connection.closed is not None or not connection.open:
            return  # it has left in the meantime
        if now >= connection.deadline:
            self._expire(connection)
            return
        if now - connection.active_at >= self._interval * (1 - SPREAD) - TICK:
            self._heartbeat(connection)
            connection.active_at = now
        self._put(connection)

    def _put(self, connection: Connection) -> None:
        silence = self._interval * random.uniform(1 - SPREAD, 1 + SPREAD)
        due = min(connection.active_at + silence, connection.deadline)
        self._buckets[int(due // TICK)].append(connection)
