"""What an open stream keeps of the request that opened it."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.test import TransactionTestCase

from notifications.asgi import Handoff
from notifications.live import relay
from tests.factories import make_user
from tests.streaming import cookies

AGENT = (
    b"user-agent",
    b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36",
)


class HeadersTests(TransactionTestCase):
    async def opened(self, cookie: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Open a stream, and return the scope and the messages once the first part of the body has been sent."""
        headers = [(b"host", b"localhost"), (b"accept", b"text/event-stream"), (b"cookie", cookie.encode()), AGENT]
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/notifications/stream/",
            "raw_path": b"/notifications/stream/",
            "query_string": b"",
            "headers": headers,
        }
        sent: list[dict[str, Any]] = []
        gone = asyncio.Event()
        answered = asyncio.Event()

        async def receive() -> dict[str, Any]:
            answered.set()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async with asyncio.timeout(10):
            serving = asyncio.create_task(Handoff(get_asgi_application())(scope, receive, send))
            waiting = asyncio.create_task(answered.wait())
            await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
            kept = {**scope, "headers": list(scope["headers"])}
            gone.set()
            await asyncio.gather(serving, waiting) if answered.is_set() else waiting.cancel()
        relay._relays.pop(asyncio.get_running_loop()).close()
        return kept, sent

    async def test_an_open_stream_keeps_none_of_a_browsers_headers(self) -> None:
        cookie = await sync_to_async(lambda: cookies(make_user("alice")))()
        scope, sent = await self.opened(cookie)
        self.assertEqual(sent[0]["status"], 200)
        self.assertEqual(scope["headers"], [])

    async def test_one_that_was_refused_leaves_them_to_whoever_logs_it(self) -> None:
        scope, sent = await self.opened("")
        self.assertEqual(sent[0]["status"], 401)
        self.assertIn(AGENT, scope["headers"])
