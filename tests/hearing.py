"""What listens as another process does, and a PostgreSQL that is the database of the inboxes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any
from unittest.mock import patch

import environ
from django.db import connections
from django.test import override_settings

from notifications.live import postgresql
from notifications.live.transport import Transport

ALIAS = "primary"


@contextmanager
def primary(url: str, **options: Any) -> Iterator[str]:
    """Let the database at `url` be that of the inboxes while the context lasts; yield its alias."""
    usual = connections["default"].settings_dict
    settings: dict[str, Any] = connections.settings
    settings[ALIAS] = {**usual, **environ.Env.db_url_config(url), "CONN_HEALTH_CHECKS": False, "OPTIONS": options}
    try:
        with patch.object(postgresql, "alias", lambda: ALIAS), override_settings(NOTIFICATIONS_LISTEN_URL=""):
            yield ALIAS
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del settings[ALIAS]


class Listener:
    """Listens in the running loop while the context lasts: `heard` is what has arrived."""

    def __init__(self, way: Transport) -> None:
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self.joined = asyncio.Event()
        self._way = way

    async def __aenter__(self) -> Listener:
        self.task = asyncio.create_task(self._way.listen(self.heard.put_nowait, self.joined.set))
        await asyncio.wait([self.task, asyncio.ensure_future(self.joined.wait())], return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            await self.task
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])

    async def next(self) -> Any:
        """Return what arrives next."""
        async with asyncio.timeout(15):
            return await self.heard.get()
