"""Periodic tasks: database work that some process has to do from time to time, such as publishing what is due.

Every process that serves streams runs them, in a separate thread so that no stream waits. So a
task must be safe to run in several processes at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .threads import MakePool, Threads

Task = Callable[[], float | None]

SHORTEST = 0.2  # seconds between two turns

logger = logging.getLogger("notifications")

_tasks: list[Task] = []
_in_full: dict[Task, Task] = {}
_served: set[str] = set()
_closers: list[Callable[[], None]] = []


def periodic(function: Task) -> Task:
    """Register a function without arguments; it returns after how many seconds it wants its next turn, if it knows.

    The turn may come sooner: they are those of all tasks. What must not be done so often keeps a clock of its own.
    """
    if function not in _tasks:
        _tasks.append(function)
    return function


def serve_at_once(stream_type: str) -> None:
    """Have the first listener of a stream of this type, of which nothing is stored, bring on the next turn."""
    _served.add(stream_type)


def is_served_at_once(stream_type: str) -> bool:
    """Return whether a task publishes what the listeners of a type of streams see, and nothing is stored of it."""
    return stream_type in _served


def in_full(task: Task) -> Callable[[Task], Task]:
    """Register what does all of a task's work at once, where the task keeps a clock of its own."""

    def register(function: Task) -> Task:
        _in_full[task] = function
        return function

    return register


def closes(function: Callable[[], None]) -> Callable[[], None]:
    """Register what ends the work that a task has begun elsewhere; the task's next turn begins it again."""
    if function not in _closers:
        _closers.append(function)
    return function


def registered() -> list[Task]:
    """Return what does all that is due, in the order in which the tasks take their turns."""
    return [_in_full.get(task, task) for task in _tasks]


class PeriodicTasks:
    """One process's turns."""

    def __init__(self, period: Callable[[], float], make_pool: MakePool = Threads) -> None:
        """Prepare for turns that are `period()` seconds apart unless a task wants its own sooner."""
        self.threads = make_pool(1, "notifications-periodic")
        self._period = period
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Take the next turn now."""
        self._wake.set()

    def close(self) -> None:
        """End the turns, and what the tasks have begun."""
        self.threads.close()
        for function in _closers:
            function()

    async def run(self) -> None:
        """Run the tasks forever."""
        while True:
            self._wake.clear()
            pause = self._period()
            for function in _tasks:
                try:
                    wanted = await asyncio.wrap_future(self.threads.submit(function))
                except Exception:
                    logger.exception("A periodic task failed; its next turn repeats it.")
                else:
                    pause = pause if wanted is None else min(pause, max(wanted, SHORTEST))
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass
