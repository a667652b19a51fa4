"""A fair queue: whoever asks for much waits behind who asks for little. Pure: no thread, no event loop, no framework.

Jobs wait by owner and start in turn, one owner after the other, so that a user with a thousand of them delays
another's only one by one job. A few may run at once, usually one: they share the interpreter. One that takes long
no longer counts, for it waits for something else (a lock, a network), and another may start in the meantime, up to
a bound.

A job may name a place, such as the room that it writes to. One job at a time has a place: a lock that is held there
then holds up one thread, and not all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

J = TypeVar("J")

SLOW = 0.1  # seconds; a job that takes longer waits for something else than this processor


class Ticket(Generic[J]):
    """A job that has started; give it back to `FairQueue.done` when it has ended."""

    __slots__ = ("_line", "_place", "job", "started")

    def __init__(self, job: J, line: _Line[J], place: Hashable, started: float) -> None:
        """Note whose `job` it is, where, and when it began."""
        self.job = job
        self.started = started
        self._line = line
        self._place = place


class _Line(Generic[J]):
    """What one owner waits for."""

    __slots__ = ("each", "jobs", "listed", "owner", "running")

    def __init__(self, owner: Hashable) -> None:
        self.owner = owner
        self.jobs: deque[tuple[J, Hashable]] = deque()
        self.each = 1
        self.running = 0
        self.listed = False  # it waits for its turn, or for a place


class FairQueue(Generic[J]):
    """Jobs that wait, and those that run."""

    def __init__(self, clock: Callable[[], float], usual: int, most: int) -> None:
        """Make an empty queue.

        Args:
            clock: Monotonic seconds.
            usual: How many jobs run at once.
            most: How many run at once, with those that take longer than `SLOW`.
        """
        self.usual = usual
        self._most = most
        self._clock = clock
        self._lines: dict[Hashable, _Line[J]] = {}  # of owners who wait or have something running
        self._turns: deque[_Line[J]] = deque()
        self._parked: dict[Hashable, deque[_Line[J]]] = {}  # by place that is taken, those who wait for it
        self._running: dict[Ticket[J], None] = {}  # in the order in which they started
        self._waiting = 0

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return self._waiting

    def put(self, owner: Hashable, job: J, *, limit: float, each: int = 1, place: Hashable = None) -> bool:
        """Let a job wait for its turn.

        Args:
            owner: Whose job it is.
            job: What `take` returns in time.
            limit: How many jobs of this owner may wait.
            each: How many jobs of this owner may run at once.
            place: What only one job at a time may use; None for nothing.

        Returns:
            Whether it was taken; False if the owner has `limit` jobs waiting.
        """
        line = self._lines.get(owner)
        if line is None:
            line = self._lines[owner] = _Line(owner)
        if len(line.jobs) >= limit:
            return False
        line.each = each
        line.jobs.append((job, place))
        self._waiting += 1
        self._list(line)
        return True

    def take(self) -> Ticket[J] | None:
        """Return the job that starts now, if one may."""
        if self._pause() > 0:
            return None
        while self._turns:
            line = self._turns.popleft()
            job, place = line.jobs[0]
            if place is not None and place in self._parked:
                self._parked[place].append(line)
                continue
            line.jobs.popleft()
            line.listed = False
            line.running += 1
            self._waiting -= 1
            if place is not None:
                self._parked[place] = deque()
            self._list(line)
            ticket = Ticket(job, line, place, self._clock())
            self._running[ticket] = None
            return ticket
        return None

    def done(self, ticket: Ticket[J]) -> None:
        """Take note that a job has ended."""
        del self._running[ticket]
        line = ticket._line
        line.running -= 1
        if ticket._place is not None:  # who waits for it has had a turn already
            self._turns.extendleft(reversed(self._parked.pop(ticket._place)))
        self._list(line)
        if not line.jobs and not line.running:
            del self._lines[line.owner]

    def pause(self) -> float | None:
        """Return after how many seconds `take` may return something although nothing ends; None where it will not."""
        pause = self._pause()
        return pause if self._turns and 0 < pause < float("inf") else None

    def _list(self, line: _Line[J]) -> None:
        if line.jobs and not line.listed and line.running < line.each:
            line.listed = True
            self._turns.append(line)

    def _pause(self) -> float:
        """Return how many seconds must pass before another job may start beside those that run."""
        if len(self._running) >= self._most:
            return float("inf")
        now = self._clock()
        quick = [ticket.started for ticket in self._running if now - ticket.started < SLOW]
        return quick[-self.usual] + SLOW - now if len(quick) >= self.usual else 0.0
