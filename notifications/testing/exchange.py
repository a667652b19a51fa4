"""Requests to an ASGI application in the same process, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

UNREAD = 100  # messages that wait to be read; the server then waits, as it does for a slow client

Message = dict[str, Any]
Application = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[Any]]


def get(path: str, query: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    """Return the ASGI scope of a GET, as a server on this site's first allowed host gets it."""
    told = {"host": "testserver", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https" if settings.SECURE_SSL_REDIRECT else "http",
        "path": urlsplit(path).path,
        "raw_path": path.encode(),
        "query_string": urlencode(query).encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in told.items() if value],
        "client": ("127.0.0.1", 50_000),
        "server": None,  # nothing listens
    }


class Exchange:
    """One request and its response, which may take as long as it likes."""

    def __init__(self, application: Application, scope: dict[str, Any]) -> None:
        """Send the request, in the running loop."""
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue(UNREAD)
        self._asked = False
        self._gone = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._serve(application, scope))

    async def start(self) -> int:
        """Return the status of the response."""
        message = await self._next()
        return int(message["status"]) if message else 0

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the body, until it ends.

        Raises:
            Exception: Whatever the application has raised.
        """
        while (message := await self._next()) is not None:
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return

    async def leave(self) -> None:
        """Go away, as a browser does that loses its connection."""
        self._gone.set()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _serve(self, application: Application, scope: dict[str, Any]) -> None:
        try:
            await application(scope, self._receive, self._messages.put)
        except Exception:
            await self._messages.put(None)
            raise
        await self._messages.put(None)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _next(self) -> Message | None:
        message = await self._messages.get()
        if message is None:
            await self._task  # which raises what it has raised
        return message


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    """Return a body in one piece."""
    return b"".join([piece async for piece in pieces])


def events(pieces: Iterable[bytes]) -> list[dict[str, str]]:
    """Split a piece of an event stream into its events, each by field (WHATWG HTML, 9.2.6)."""
    found = []
    for block in b"".join(pieces).decode().split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append(fields)
    return found
