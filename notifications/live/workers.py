"""Threads that work off a fair queue: as few as do, and more while some of them wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple, ParamSpec, TypeVar

from ..exceptions import CarillonError
from .fair_queue import FairQueue, Ticket
from .threads import MakePool, Pool, Threads

P = ParamSpec("P")
R = TypeVar("R")

LIMIT = 20  # jobs of one owner that wait


class Overflow(CarillonError):
    """The owner has so many jobs waiting that no more are taken."""


class Terms(NamedTuple):
    """On which terms a job waits: the arguments of `FairQueue.put`."""

    owner: Hashable
    limit: float = LIMIT
    each: int = 1
    place: Hashable = None


class _Job(NamedTuple):
    future: asyncio.Future[Any]
    function: Callable[[], Any]


class Workers:
    """Run jobs for the owners who ask for them, in turn. Use it from one event loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, name: str, usual: int, most: int, make_pool: MakePool = Threads
    ) -> None:
        """Prepare for `usual` jobs at once, and `most` while some take long; no thread is started yet."""
        self._loop = loop
        self._name = name
        self._make_pool = make_pool
        self._queue: FairQueue[_Job] = FairQueue(loop.time, usual, most)
        self._idle: list[Pool] = []  # the last one has the warmest caches; each is one thread
        self._busy: set[Pool] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queue)

    def run(self, terms: Terms, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
        """Run database work in a thread when it is the owner's turn; its result or exception is the future's.

        Raises:
            Overflow: The owner has too many jobs waiting.
        """
        future: asyncio.Future[R] = self._loop.create_future()
        job = _Job(future, partial(function, *args, **kwargs))
        owner, limit, each, place = terms
        if not self._queue.put(owner, job, limit=limit, each=each, place=place):
            raise Overflow
        self._start()
        return future

    def close(self) -> None:
        """End the threads, with what they are doing."""
        if self._timer is not None:
            self._timer.cancel()
        for threads in (*self._idle, *self._busy):
            threads.close()

    def _start(self) -> None:
        while (ticket := self._queue.take()) is not None:
            if ticket.job.future.cancelled():  # who asked has left
                self._queue.done(ticket)
                continue
            threads = self._idle.pop() if self._idle else self._make_pool(1, self._name)
            self._busy.add(threads)
            running = asyncio.wrap_future(threads.submit(ticket.job.function), loop=self._loop)
            running.add_done_callback(partial(self._done, ticket, threads))
        if self._timer is None and (pause := self._queue.pause()) is not None:
            self._timer = self._loop.call_later(pause, self._look)

    def _look(self) -> None:
        self._timer = None
        self._start()

    def _done(self, ticket: Ticket[_Job], threads: Pool, running: asyncio.Future[Any]) -> None:
        self._queue.done(ticket)
        self._busy.discard(threads)
        self._idle.append(threads)
        _settle(ticket.job.future, running)
        self._start()
        while len(self._idle) > self._queue.usual:
            self._idle.pop(0).close(wait=False)


def _settle(future: asyncio.Future[Any], running: asyncio.Future[Any]) -> None:
    """Hand over a result, unless who asked has left."""
    if running.cancelled():
        future.cancel()
    elif error := running.exception():
        if not future.done():
            future.set_exception(error)
    elif not future.done():
        future.set_result(running.result())
