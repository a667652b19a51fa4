"""Messages that wait to go to other processes: what says the same is said once, and there is a bound to all of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

from .chunks import chunks
from .messages import Hints, Message, Sweep

logger = logging.getLogger("notifications")

STREAMS = 2_000  # named by one message of hints, which takes some 50 KB
STREAM_LIMIT = 20_000  # streams that wait to be named
MESSAGE_LIMIT = 1_000  # other messages that wait


class Outgoing:
    """Hints are joined: of a stream that moved twice the last position is told, and many of a tenant go in one message.

    What is too much, and what could not be sent, becomes a single request to compare with the database: who gets that
    finds everything that is stored. Any thread may call this.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._moved: dict[tuple[str, str, str], int] = {}  # by tenant, type and primary key
        self._others: list[Message] = []
        self._lost = False

    @property
    def streams(self) -> int:
        """How many streams wait to be named."""
        return len(self._moved)

    def add(self, message: Message) -> None:
        """Let `message` wait with the others."""
        with self._lock:
            if isinstance(message, Hints):
                for name, pk, to in message.moved:
                    key = message.tenant, name, pk
                    self._moved[key] = max(to, self._moved.get(key, to))
            else:
                self._others.append(message)
            if len(self._moved) > STREAM_LIMIT or len(self._others) > MESSAGE_LIMIT:
                self._lose()
                logger.warning("Too much waits to be told to other processes; they compare with the database instead.")

    def take(self) -> list[Message]:
        """Return what has gathered, as few messages, and begin anew."""
        with self._lock:
            taken: list[Message] = [*([Sweep()] if self._lost else []), *self._hints(), *self._others]
            self._moved, self._others, self._lost = {}, [], False
            return taken

    def _hints(self) -> Iterator[Hints]:
        tenants: dict[str, list[tuple[str, str, int]]] = {}
        for (tenant, name, pk), to in self._moved.items():
            tenants.setdefault(tenant, []).append((name, pk, to))
        for tenant, moved in tenants.items():
            yield from (Hints(some, tenant=tenant) for some in chunks(moved, STREAMS))

    def lose(self) -> None:
        """Ask for a comparison in the place of what waits, and of what was taken and could not be sent."""
        with self._lock:
            self._lose()

    def _lose(self) -> None:
        self._moved, self._others, self._lost = {}, [], True
