"""Small thread pools that keep their database connections.

A process that serves thousands of streams reads the database through a few threads, so its connections
are as many as those threads, whatever the number of streams.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, Protocol, TypeVar

from django.db import close_old_connections, connections

from .django_internals import keep_connection

P = ParamSpec("P")
R = TypeVar("R")

KEEP = 60.0  # seconds for which a thread keeps an idle connection that Django would close after each request


def keep_connections() -> None:
    """Let this thread's open connections live on for `KEEP` seconds, checked for health before each use.

    With ``CONN_MAX_AGE = 0`` Django opens a connection per request, which is most of the price of a small
    one. A thread of ours serves nothing else, so it may keep it. A connection of a pool goes back after each piece.
    """
    for connection in connections.all(initialized_only=True):
        keep_connection(connection, KEEP)


def on_event_loop() -> bool:
    """Return whether this thread runs an event loop now, so that it must not wait."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Pool(Protocol):
    """Where database work runs."""

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run `function`; its result or exception is the future's."""

    def close(self, *, wait: bool = True) -> None:
        """Let what was submitted finish."""


class Threads:
    """A pool of threads for database work."""

    def __init__(self, size: int, name: str) -> None:
        """Make a pool of at most `size` threads, each called `name` and a number."""
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._closed = False
        self._used: set[int] = set()  # the threads that have begun to work

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run `function` in a thread; its result or exception is the future's."""
        return self._executor.submit(self._run, function, *args, **kwargs)

    def close(self, *, wait: bool = True) -> None:
        """Let what was submitted finish, close the connections and end the threads; again, it does nothing."""
        if not self._closed:
            self._closed = True
            together = threading.Barrier(max(len(self._used), 1))
            for _ in range(together.parties):
                self._executor.submit(self._disconnect, together)
            self._executor.shutdown(wait)

    def _run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._used.add(threading.get_ident())
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            if self._closed:  # another thread may have taken this one's turn to do so
                connections.close_all()
            keep_connections()
            close_old_connections()

    @staticmethod
    def _disconnect(together: threading.Barrier) -> None:
        """Close this thread's connections, and leave the other threads theirs to close."""
        connections.close_all()
        together.wait()


MakePool = Callable[[int, str], Pool]  # takes how many pieces of work run at once, and a name
