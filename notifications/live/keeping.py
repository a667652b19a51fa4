"""Keep a lease, and what is written under it, going while somebody works: in a thread or in a task.

A worker that writes often and is read a few times a second hands over a function that stores what has come together. It
is called at once for the first change, then at most every `pause` seconds; and from time to time when nothing changes,
so that the lease is renewed and a request to stop is seen.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import Error, connections

from ..exceptions import CarillonError
from . import relay
from .messages import Message, handles

logger = logging.getLogger("notifications")

_listening: dict[str, Callable[[], None]] = {}  # how to stop what is done in this process, by its name

R = TypeVar("R")

Store = Callable[[], bool]  # stores what has changed, and returns whether the worker is asked to stop


class StopRequested(Message, frozen=True, tag="stop"):
    """Somebody asks for some work to be stopped, in whatever process it is done."""

    work: str


def listen(work: str, stop: Callable[[], None]) -> None:
    """Call `stop`, from any thread, when somebody asks for the work of this name to be stopped; until `forget`."""
    _listening[work] = stop


def forget(work: str) -> None:
    """Listen no more."""
    _listening.pop(work, None)


def ask_to_stop(work: str) -> None:
    """Ask for some work to be stopped, in whatever process it is done. What is stored says it too: this is a hint."""
    _stop_here(work)
    relay.post(StopRequested(work))


@handles(StopRequested)
def _on_stop(_relay: Any, message: StopRequested) -> None:
    _stop_here(message.work)


def _stop_here(work: str) -> None:
    if (stop := _listening.get(work)) is not None:
        stop()


class Over(CarillonError):
    """The work was ended by somebody else: there is nothing more to store."""


def _attempt(store: Store) -> bool:
    """Store; return whether the worker is to stop.

    Raises:
        Error: Of the database; it may succeed later, as with a lock or a server that starts anew. The lease lasts for
            some tries.
    """
    try:
        return store()
    except Over:
        return True
    except Error as error:
        logger.warning("What somebody writes could not be stored; it is tried again: %r", error)
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        raise


async def finish(work: Coroutine[Any, Any, R]) -> R:
    """Await `work` to its end, also where this task is cancelled meanwhile: that goes on when the work is done."""
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


class ThreadKeeper:
    """Keeps the work of blocking code."""

    def __init__(self, store: Store, on_stop: Callable[[], None], *, pause: float, idle: float) -> None:
        """Prepare.

        Args:
            store: Stores; raises `Over` where that is of no use any more. It is called by one thread at a time.
            on_stop: Called once, when the worker is asked to stop or the work is over.
            pause: Seconds between two calls of `store`, at least.
            idle: Seconds after which it is called although nothing has changed.
        """
        self._store = store
        self._on_stop = on_stop
        self._pause = pause
        self._idle = idle
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifications-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def changed(self) -> None:
        """Say that there is something to store."""
        self._changed.set()

    def end(self) -> None:
        """Return when nothing is stored any more; what is left is for the caller to store."""
        self._ended.set()
        self._changed.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                self._changed.wait(self._idle)
                if self._ended.is_set():
                    return
                self._changed.clear()
                if self._stopped():
                    self._on_stop()
                    return
                self._ended.wait(self._pause)
        finally:
            connections.close_all()

    def _stopped(self) -> bool:
        try:
            return _attempt(self._store)
        except Error:
            self._changed.set()  # once more after the pause
            return False


class TaskKeeper:
    """Keeps the work of a task; arguments are those of `ThreadKeeper`."""

    def __init__(self, store: Store, on_stop: Callable[[], None], *, pause: float, idle: float) -> None:
        """Prepare, in the event loop of the task."""
        self._store = store
        self._on_stop = on_stop
        self._pause = pause
        self._idle = idle
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def changed(self) -> None:
        """Say that there is something to store."""
        self._changed.set()

    async def end(self) -> None:
        """Return when nothing is stored any more; what is left is for the caller to store."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            storing = asyncio.ensure_future(sync_to_async(_attempt)(self._store))
            try:
                stop = await asyncio.shield(storing)
            except asyncio.CancelledError:
                await asyncio.wait([storing])  # it ends before the rest is stored
                if storing.exception() is None and storing.result():
                    self._on_stop()
                raise
            except Error:
                stop = False
                self._changed.set()  # once more after the pause
            if stop:
                self._on_stop()
                return
            await asyncio.sleep(self._pause)
