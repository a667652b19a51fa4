"""Ask again whether open connections may still hear and act: at once where something tells us, and in rounds.

A hint names users: Django said that something about them changed. It is only a hint; what holds is read. What nobody
tells of (rows changed by ``update()``, sessions that expire, another process without a broker) is found by the round,
which looks at every connection once in a period: so many at a time, spread over the period.

Whoever is found to have lost access hears ``bye`` and may come again, for Django decides then. A wrong suspicion
costs a reconnect and never a sign-out: the password's own change, after which the session goes on under another key,
needs no exception.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from . import access
from .chunks import chunks
from .hub import Connection, Hub, Subscription
from .streams import Key

PART = 500  # users judged at once
SECOND_LOOK = 1.0  # seconds; Django says that somebody signs out just before it deletes the session
REMEMBER = 60.0  # seconds; a connection that was being decided when the hint came is open by then
HINTS = 10_000  # users remembered so

logger = logging.getLogger("notifications")


class Run(Protocol):
    """How database work is run in a thread."""

    def __call__(self, function: Callable[..., Any], /, *args: Any) -> asyncio.Future[Any]:
        """Run `function` and return its result."""


class Recheck:
    """One process's second looks at its connections."""

    def __init__(self, hub: Hub, run: Run, period: Callable[[], float]) -> None:
        """Prepare to look at the connections of `hub`, at each once in `period()` seconds."""
        self._hub = hub
        self._run = run
        self._period = period
        self._due: dict[str, None] = {}  # owners to be looked at now
        self._hinted: dict[str, float] = {}  # owners, and until when a new connection of theirs is looked at too
        self._wake = asyncio.Event()

    def soon(self, owners: Iterable[str], streams: Iterable[str] = ()) -> None:
        """Look now, and a second time soon after, at the connections of some users.

        Args:
            owners: The users' primary keys, as text.
            streams: Types of streams whose listeners are looked at too, whoever they are.
        """
        loop = asyncio.get_running_loop()
        types = frozenset(streams)
        named = [*owners, *(key_owner for key_owner in self._listeners(types))]
        for owner in named:
            self._hinted.pop(owner, None)
            self._hinted[owner] = loop.time() + REMEMBER
        while len(self._hinted) > HINTS:
            del self._hinted[next(iter(self._hinted))]
        self._look(named)
        loop.call_later(SECOND_LOOK, self._look, named)

    def opened(self, connection: Connection) -> None:
        """Look at a connection that was being decided when a hint named its user."""
        until = self._hinted.get(connection.owner)
        if until is not None and until > asyncio.get_running_loop().time():
            self._look([connection.owner])

    async def run(self) -> None:
        """Look at all connections, round after round, and between them at whom hints name."""
        loop = asyncio.get_running_loop()
        while True:
            parts = list(chunks(list(self._hub.owners), PART)) or [[]]
            pause = self._period() / len(parts)
            for part in parts:
                await self._serve_hints(loop.time() + pause)
                await self._judge(part)

    def _listeners(self, types: frozenset[str]) -> set[str]:
        streams = [stream for key, stream in self._hub.streams.items() if key.type in types] if types else []
        return {subscription.connection.owner for stream in streams for subscription in stream.subscriptions}

    def _look(self, owners: Iterable[str]) -> None:
        here = dict.fromkeys(owner for owner in owners if owner in self._hub.owners)
        if here:
            self._due |= here
            self._wake.set()

    async def _serve_hints(self, until: float) -> None:
        while True:
            try:
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
            except TimeoutError:
                return
            self._wake.clear()
            due, self._due = self._due, {}
            for part in chunks(due, PART):
                await self._judge(part)

    async def _judge(self, owners: Iterable[str]) -> None:
        """Ask the database about the connections of some users, and end what has to end."""
        connections = [connection for owner in owners for connection in self._hub.owners.get(owner, ())]
        if not connections:
            return
        watched: dict[Key, list[Subscription]] = {}
        for connection in connections:
            for subscription in connection.subscriptions:
                if access.is_guarded(subscription.key.type):
                    watched.setdefault(subscription.key, []).append(subscription)
        listeners = {key: {found.connection.owner for found in listening} for key, listening in watched.items()}
        identities = {connection.identity for connection in connections}
        try:
            verdict: access.Verdict = await self._run(access.judge, identities, listeners)
        except Exception:
            logger.exception("Could not ask who may still hear; the next round repeats it.")
            return
        for connection in connections:
            if reason := verdict.ended.get(connection.identity):
                self._hub.close(connection, reason)
        for key, allowed in verdict.access.items():
            for subscription in watched[key]:
                self._hub.admit(subscription, allowed)
