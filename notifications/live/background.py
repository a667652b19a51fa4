"""Background work, which may be slow: one dedicated thread with a bounded queue."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import ParamSpec

from .threads import MakePool, Threads

P = ParamSpec("P")

logger = logging.getLogger("notifications")

BACKLOG_LIMIT = 10_000  # calls that wait; more are left out


class Background:
    """Runs calls one after the other, later, off the event loop. The thread starts with the first call."""

    def __init__(self, name: str, make_pool: MakePool = Threads) -> None:
        """Prepare the thread `name`."""
        self._threads = make_pool(1, name)
        self._lock = threading.Lock()
        self._waiting = 0
        self._full = False  # so that a flood is logged once
        self._closed = False

    def call(self, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run `function` when its turn comes; what it raises is logged. Where too much waits, it is left out."""
        with self._lock:
            if self._waiting >= BACKLOG_LIMIT:
                if not self._full:
                    logger.warning("Receivers are too slow; what follows is not announced until they catch up.")
                self._full = True
                return
            self._waiting += 1
        self._threads.submit(self._run, function, *args, **kwargs)

    def close(self) -> None:
        """Finish what runs, leave out what waits, and end the thread."""
        self._closed = True
        self._threads.close()

    def _run(self, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            if not self._closed:
                function(*args, **kwargs)
        except Exception:
            logger.exception("A call in the background failed.")
        finally:
            with self._lock:
                self._waiting -= 1
                self._full = self._full and self._waiting > 0
