"""Recheck the access of open connections: immediately upon a hint, and in regular rounds.

A hint names users: a signal of Django says that something about them changed. It is only a hint; the check reads the
database. Changes without a signal (rows changed by ``update()``, expired sessions, another process without a broker)
are found in rounds, which check every connection once per period: a chunk at a time, spread over the period.

A connection that has lost access gets ``bye`` and may reconnect, because Django decides then. A false alarm costs a
reconnect and never a sign-out: users who change their own password, whose session continues under another key, need no
exception.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from . import access
from .chunks import chunks
from .hub import Connection, Hub, Subscription
from .streams import Key

PART = 500  # users judged at once
SECOND_LOOK = 1.0  # seconds; Django says that somebody signs out just before it deletes the session
REMEMBER = 60.0  # seconds; a connection that was being decided when the hint came is open by then
HINTS = 10_000  # users remembered so

logger = logging.getLogger("notifications")

K = TypeVar("K")


class Run(Protocol):
    """How database work is run in a thread."""

    def __call__(self, function: Callable[..., Any], /, *args: Any) -> asyncio.Future[Any]:
        """Run `function` and return its result."""


class Recheck:
    """One process's rechecks of its connections."""

    def __init__(self, hub: Hub, run: Run, period: Callable[[], float]) -> None:
        """Prepare to recheck each connection of `hub` once in `period()` seconds."""
        self._hub = hub
        self._run = run
        self._period = period
        self._due: dict[str, None] = {}  # owners to be rechecked now
        self._hinted: dict[str, float] = {}  # owners, and until when their new connections are rechecked too
        self._hinted_keys: dict[Key, float] = {}  # streams, and until when their new subscribers are rechecked too
        self._wake = asyncio.Event()

    def soon(self, owners: Iterable[str], streams: Iterable[str] = (), keys: Iterable[Key] = ()) -> None:
        """Recheck the connections of some users now, and once more soon after.

        Args:
            owners: The users' primary keys, as text.
            streams: Types of streams whose subscribers are rechecked too.
            keys: Streams whose subscribers are rechecked too, and those who are just subscribing.
        """
        loop = asyncio.get_running_loop()
        types, single = frozenset(streams), list(keys)
        named = [*owners, *self._listeners(types, single)]
        _remember(self._hinted, named, loop.time() + REMEMBER)
        _remember(self._hinted_keys, single, loop.time() + REMEMBER)
        self._look(named)
        loop.call_later(SECOND_LOOK, self._look, named)

    def opened(self, connection: Connection) -> None:
        """Recheck a connection that was being admitted, or took up a stream, when a hint named its user or that."""
        now = asyncio.get_running_loop().time()
        keys = [subscription.key for subscription in connection.subscriptions] if self._hinted_keys else []
        hints = [self._hinted.get(connection.owner, now), *(self._hinted_keys.get(key, now) for key in keys)]
        if max(hints) > now:
            self._look([connection.owner])

    async def run(self) -> None:
        """Recheck all connections, round after round, and in between those that hints name."""
        loop = asyncio.get_running_loop()
        while True:
            parts = list(chunks(list(self._hub.owners), PART)) or [[]]
            pause = self._period() / len(parts)
            for part in parts:
                await self._judge(part)
                await self._serve_hints(loop.time() + pause)

    def _listeners(self, types: frozenset[str], keys: Iterable[Key]) -> set[str]:
        streams = [stream for key, stream in self._hub.streams.items() if key.type in types] if types else []
        streams += [self._hub.streams[key] for key in keys if key in self._hub.streams]
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
        """Check the connections of some users against the database, and end those without access."""
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
            logger.exception("Could not recheck access; the next round repeats it.")
            return
        for connection in connections:
            if reason := verdict.ended.get(connection.identity):
                self._hub.close(connection, reason)
        for key, allowed in verdict.access.items():
            for subscription in watched[key]:
                self._hub.admit(subscription, allowed)


def _remember(until: dict[K, float], names: Iterable[K], time: float) -> None:
    """Remember names until a time; of too many the oldest are forgotten."""
    for name in names:
        until.pop(name, None)
        until[name] = time
    while len(until) > HINTS:
        del until[next(iter(until))]
