"""How an open page is told: over an event stream, or by polls."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Protocol

from django.urls import reverse

from .exchange import Application, Exchange, events, get, whole

LONGEST = 25.0  # seconds for which a poll is held

Told = tuple[dict[str, Any], str | None]  # the arguments of `PageState.take`
Ask = Callable[[], tuple[dict[str, str], dict[str, str]]]  # the query and the headers of the next request


class Transport(Protocol):
    """A connection of a page."""

    @property
    def ready(self) -> bool:
        """Whether something has come that was not received yet."""

    async def open(self) -> None:
        """Connect.

        Raises:
            ConnectionRefusedError: The server has refused; the message has its answer.
        """

    async def receive(self) -> Told | None:
        """Return what comes next; None if the server has ended the connection."""

    async def cut(self) -> None:
        """Lose the connection, with what was not received yet."""


class Stream:
    """An event stream."""

    def __init__(self, application: Application, ask: Ask) -> None:
        """Prepare."""
        self._application = application
        self._ask = ask
        self._told: deque[Told] = deque()

    @property
    def ready(self) -> bool:
        """Whether something has come that was not received yet."""
        return bool(self._told)

    async def open(self) -> None:
        """Send the request."""
        query, headers = self._ask()
        headers = {"accept": "text/event-stream", "last-event-id": query.pop("since"), **headers}
        self._exchange = Exchange(self._application, get(reverse("notifications:stream"), query, headers))
        status = await self._exchange.start()
        self._pieces: AsyncIterator[bytes] = self._exchange.body()
        await _refused(status, self._pieces)

    async def receive(self) -> Told | None:
        """Return the next event's frame."""
        while not self._told:
            piece = await anext(self._pieces, None)
            if piece is None:
                return None
            self._told += [(json.loads(event["data"]), event.get("id", "")) for event in events([piece])]
        return self._told.popleft()

    async def cut(self) -> None:
        """Leave."""
        self._told.clear()
        await self._exchange.leave()


class Polling:
    """One poll after the other, each held until something happens."""

    def __init__(self, application: Application, ask: Ask) -> None:
        """Prepare."""
        self._application = application
        self._ask = ask
        self._told: deque[Told] = deque()
        self._exchange: Exchange | None = None

    @property
    def ready(self) -> bool:
        """Whether something has come that was not received yet."""
        return bool(self._told)

    async def open(self) -> None:
        """Ask for what there is."""
        await self._poll(LONGEST)

    async def receive(self) -> Told | None:
        """Return the next frame."""
        while not self._told:
            await self._poll(LONGEST)
        return self._told.popleft()

    async def cut(self) -> None:
        """Give up the poll that is held."""
        self._told.clear()
        if self._exchange is not None:
            await self._exchange.leave()

    async def _poll(self, wait: float) -> None:
        query, headers = self._ask()
        scope = get(reverse("notifications:changes"), {**query, "wait": str(wait)}, headers)
        self._exchange = exchange = Exchange(self._application, scope)
        try:
            status = await exchange.start()
            pieces = exchange.body()
            await _refused(status, pieces)
            self._told += [(frame, None) for frame in json.loads(await whole(pieces))["frames"]]
        finally:
            self._exchange = None
            with suppress(asyncio.CancelledError):
                await exchange.leave()


async def _refused(status: int, pieces: AsyncIterator[bytes]) -> None:
    if status != 200:
        answer = (await whole(pieces)).decode(errors="replace")
        raise ConnectionRefusedError(f"The server has answered with {status}: {answer[:500]}")
