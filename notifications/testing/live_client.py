"""`LiveClient`: a page without a browser, connected through the site's own middleware and Carillon's views."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Final, Literal

from django.core.asgi import get_asgi_application
from django.test import Client

from ..annotations import User
from ..asgi import Handoff
from ..live.http import LANGUAGE_HEADER
from .exchange import Application
from .inline import DrivenLoop, InlinePool, Run, Serving, Tasks
from .open_page import AsyncOpenPage
from .transports import Ask, Polling, Stream, Transport
from .waiting_page import OpenPage

TIMEOUT: Final = 5.0  # seconds

TRANSPORTS: Final[dict[str, Callable[[Application, Ask], Transport]]] = {"stream": Stream, "polling": Polling}


class LiveClient:
    """An open page of a user: what the server tells it, and what it knows by that.

    In an asynchronous test::

        async with LiveClient(alice) as page:
            await page.next("reset")  # what there was before
            await sync_to_async(ship)(order)
            await page.next("changes")
            assert page.items[0]["title"] == "Order 7 has shipped"

    This page is an `AsyncOpenPage`; ``with LiveClient(alice) as page:`` opens an `OpenPage`, whose methods are the same
    but for ``await``.

    It is signed in with a session of its own, and the request goes through your middleware to Carillon's own view. No
    server is started. The database work is done in your test's own thread, so it works within `TestCase` too: before
    it waits, a page there looks into the database, because without a commit nothing is announced.
    """

    def __init__(
        self,
        user: User | None,
        *,
        feeds: Iterable[str] = (),
        transport: Literal["stream", "polling"] = "stream",
        language: str = "",
        timeout: float = TIMEOUT,
        application: Application | None = None,
    ) -> None:
        """Describe the page.

        Args:
            user: Who has opened it; None for a visitor, who may follow public feeds.
            feeds: The names of feeds that it follows from the beginning.
            transport: ``"stream"`` (Server-Sent Events) or ``"polling"``.
            language: The language of the page, for example ``"de"``; without one, that which your middleware chooses.
            timeout: Seconds for which it waits for a frame.
            application: Your ASGI application, for a test of its routing; without it Django's, with the hand-off lane.
        """
        self._user: Any = user
        self._feeds = feeds
        self._language = language
        self._timeout = timeout
        self._application = application
        self._make_transport = TRANSPORTS[transport]

    async def __aenter__(self) -> AsyncOpenPage:
        """Sign in and connect."""
        self._tasks = Tasks(asyncio.get_running_loop())
        return await self._open(self._tasks.run)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the page."""
        await self._close()
        await self._tasks.finish()

    def __enter__(self) -> OpenPage:
        """Sign in and connect."""
        self._driven = DrivenLoop()
        try:
            return OpenPage(self._driven.wait_for(self._open(self._driven.run)), self._driven)
        except BaseException:
            self._driven.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the page."""
        self._driven.wait_for(self._close())
        self._driven.close()

    async def _open(self, run: Run) -> AsyncOpenPage:
        pool = InlinePool(run)
        http = Client(headers={LANGUAGE_HEADER: self._language} if self._language else None)
        if self._user is not None:
            await pool.do(http.force_login, self._user)
        application = self._application
        if application is None:
            application = await pool.do(_own_application)
        make_transport = partial(self._make_transport, application)
        self._serving = await Serving.begin(run)
        self._page = AsyncOpenPage(self._user, http, self._feeds, self._language, make_transport, pool, self._timeout)
        try:
            await self._page.resume()
        except BaseException:
            await self._close()
            raise
        return self._page

    async def _close(self) -> None:
        await self._page.cut()
        if self._serving is not None:
            await self._serving.end()


def _own_application() -> Application:
    """Return Django's ASGI application with the lane, and leave the site's system check as it was."""
    before = Handoff.installed
    application = Handoff(get_asgi_application())
    Handoff.installed = before
    return application
