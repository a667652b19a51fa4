"""Periodic tasks: database work that some process has to do from time to time, such as publishing what is due.

Every process that serves streams runs them, in a separate thread so that no stream waits. So a
task must be safe to run in several processes at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from django.apps import apps
from django.db import router

from .. import tenants
from .commits import CommitWatch, may_have_moved
from .threads import MakePool, Threads

Task = Callable[[], float | None]

SHORTEST = 0.2  # seconds between two turns
AGAIN = 2.0  # seconds after which what has failed is tried again, at the latest: its database may be back
LONGEST_QUIET = 30.0  # seconds between two turns, though nothing was committed
SHARE = 10  # times as long as the turns of several tenants took pass until they take the next, at least

logger = logging.getLogger("notifications")

_tasks: list[Task] = []
_in_full: dict[Task, Task] = {}
_served: set[str] = set()
_closers: list[Callable[[], None]] = []


def periodic(function: Task) -> Task:
    """Register a function without arguments; it returns after how many seconds it wants its next turn, if it knows.

    The turn may come sooner: they are those of all tasks, and whatever is committed may bring one on. What must not be
    done so often keeps a clock of its own.
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
        """Prepare to look every `period()` seconds whether anything was committed, which brings on a turn."""
        self.threads = make_pool(1, "notifications-periodic")
        self._period = period
        self._wake = asyncio.Event()
        self._woken: set[str] = set()  # tenants that take their turn now
        self._due: dict[str, float] = {}  # when each tenant takes its next turn, by the loop's clock
        self._looks: dict[str, float] = {}  # and when it takes one if anything was committed
        self._commits: dict[str, CommitWatch] = {}

    def wake(self, tenant: str = "") -> None:
        """Take a tenant's next turn now."""
        self._woken.add(tenant)
        self._wake.set()

    def close(self) -> None:
        """End the turns, and what the tasks have begun."""
        self.threads.close()
        for watch in self._commits.values():
            watch.close()
        for function in _closers:
            function()

    async def run(self) -> None:
        """Run the tasks forever."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            woken, self._woken = self._woken, set()
            began = loop.time()
            names = await self._names()
            self._forget_others(names)
            for name in names:
                looks = self._looks.get(name, 0.0) <= began
                if name in woken or self._due.get(name, 0.0) <= began or (looks and await self._may_have_moved(name)):
                    self._due[name] = loop.time() + await self._turn(name)
                if looks:
                    self._looks[name] = loop.time() + self._period()
            took = loop.time() - began
            pause = min([*self._due.values(), *self._looks.values()], default=began + self._period()) - loop.time()
            try:
                async with asyncio.timeout(pause if len(names) < 2 else max(pause, SHARE * took)):
                    await self._wake.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(max(0.0, began + SHORTEST - loop.time()))  # however often something wakes it

    async def _turn(self, tenant: str) -> float:
        """Run the tasks for a tenant; return after how many seconds its next turn is."""
        pause = max(LONGEST_QUIET, self._period())
        for function in _tasks:
            try:
                wanted = await asyncio.wrap_future(self.threads.submit(tenants.run, tenant, function))
            except Exception:
                logger.exception("A periodic task failed; its next turn repeats it.")
                wanted = AGAIN
            pause = pause if wanted is None else min(pause, max(wanted, SHORTEST))
        return pause

    async def _may_have_moved(self, tenant: str) -> bool:
        """Return whether anything may have been committed for a tenant since this was asked last."""
        watch = self._commits.setdefault(tenant, CommitWatch())

        def moved() -> bool:
            return watch.moved(_databases())

        return await may_have_moved(lambda: asyncio.wrap_future(self.threads.submit(tenants.run, tenant, moved)))

    def _forget_others(self, names: list[str]) -> None:
        """Forget the tenants that are gone."""
        self._due = {name: self._due[name] for name in names if name in self._due}
        self._looks = {name: self._looks[name] for name in names if name in self._looks}
        for gone in self._commits.keys() - set(names):
            self.threads.submit(self._commits.pop(gone).close)

    async def _names(self) -> list[str]:
        """Return the names of all tenants; of those that are known, where they cannot be read now."""
        if tenants.hook() is None:
            return [""]
        try:
            return await asyncio.wrap_future(self.threads.submit(tenants.names))
        except Exception:
            logger.exception("The tenants could not be read; the next turn repeats it.")
            return list(self._due)


def _databases() -> set[str]:
    """Return the databases that the active tenant's rows are written to."""
    return {router.db_for_write(model) for model in apps.get_app_config("carillon").get_models()}
