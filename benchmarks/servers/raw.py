"""The limit of ASGI: an application that calls each connection's ``send`` inline, without Django or a task."""

from __future__ import annotations

import asyncio
from typing import Any

from .wire import FIRST, event, order

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}

streams: set[Any] = set()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve a stream, or an order to publish."""
    if scope["type"] != "http":
        raise ValueError("This application speaks HTTP alone.")
    if scope["path"].startswith("/publish"):
        publish(*order(scope["query_string"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await send(HEAD)
    await send({"type": "http.response.body", "body": FIRST, "more_body": True})
    streams.add(send)
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        streams.discard(send)


def publish(events: int, gap: float) -> None:
    """Send an event to every stream, now and `events` - 1 times more."""
    message = {"type": "http.response.body", "body": event(), "more_body": True}
    for send in streams:
        try:
            send(message).send(None)
        except StopIteration:
            continue
        raise RuntimeError("A client is slower than the benchmark; its figures would be wrong.")
    if events > 1:
        asyncio.get_running_loop().call_later(gap, publish, events - 1, gap)
