"""Whether anything was committed to a database at all, which SQLite says for the price of a look at its file.

Where nothing was, nothing that readers have been told can be out of date, and a process need not ask for each of its
streams.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from django.db import connections

from .django_internals import watching_connection

logger = logging.getLogger("notifications")


async def may_have_moved(ask: Callable[[], Awaitable[bool]]) -> bool:
    """Return what `CommitWatch.moved` says, which `ask` asks in a thread; true where it cannot be asked."""
    try:
        return await ask()
    except Exception:
        logger.exception("Could not ask whether anything was committed; it may have been.")
        return True


class CommitWatch:
    """What SQLite says of commits, by a connection of its own: one does not see those that it has made itself."""

    def __init__(self) -> None:
        """Prepare to watch; a connection is opened at the first question about a database."""
        self._watching: dict[str, Any] = {}
        self._versions: dict[str, int] = {}

    def moved(self, aliases: Iterable[str]) -> bool:
        """Return whether any of some databases may have changed since the last call.

        Always for one that does not say so: any but SQLite, and one in memory. Only one thread may ask at a time.
        """
        return any([self._moved(alias) for alias in aliases])  # noqa: C419  # each of them is to be asked

    def close(self) -> None:
        """Close the connections."""
        for watching in self._watching.values():
            watching.close()
        self._watching.clear()

    def _moved(self, alias: str) -> bool:
        if connections[alias].vendor != "sqlite" or connections[alias].is_in_memory_db():  # type: ignore[attr-defined]
            return True
        if alias not in self._watching:
            self._watching[alias] = watching_connection(alias)
        # https://www.sqlite.org/pragma.html#pragma_data_version
        [[version]] = self._watching[alias].execute("PRAGMA data_version").fetchall()
        last = self._versions.get(alias)
        self._versions[alias] = version
        return bool(version != last)
