"""Whether a process lives and whether it is ready, for who starts it and who sends it requests.

The paths lie outside of the site's URLs, so a web server that passes on the prefix of the notifications shows them to
nobody. They say nothing but a word, ask no middleware, and answer whatever the ``Host`` is: probes name an address.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.db import connections, router

from ..live import relay
from ..live.hub import Send
from ..models import Inbox

LIVE = "/livez"
READY = "/readyz"
DATABASE_WITHIN = 2.0  # seconds for the database to answer

logger = logging.getLogger("notifications")


class Health:
    """One process's answers."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._asking: asyncio.Task[bool] | None = None

    async def answer(self, path: str, send: Send) -> None:
        """Answer a probe of one of the two paths: 200, or 503 and a word that says what is missing."""
        missing = await self._missing() if path == READY else ""
        body = (missing or "ok").encode() + b"\n"
        headers = [
            (b"content-type", b"text/plain"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 503 if missing else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _missing(self) -> str:
        if relay.current().draining:
            return "draining"
        return "" if await self._database_answers() else "database"

    async def _database_answers(self) -> bool:
        """Ask the database, once for all who want to know at the same time; one that hangs counts as none."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(_ask_database))
        try:
            async with asyncio.timeout(DATABASE_WITHIN):
                return await asyncio.shield(self._asking)
        except TimeoutError:
            return False


def _ask_database() -> bool:
    """Open a connection, which is what a process needs that begins to serve, and close it again."""
    connection: Any = connections[router.db_for_write(Inbox)]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # noqa: BLE001  # each driver has its own beside Django's
        logger.warning("Not ready: the database does not answer: %s", error)
        return False
    finally:
        connection.close()
    return True
