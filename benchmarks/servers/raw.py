"""The limit of ASGI: an application that calls each connection's ``send`` inline, without Django or a task."""

from __future__ import annotations

import asyncio
from typing import Any

from .wire import FIRST, Order, content, event, own_event

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}

streams: set[Any] = set()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve a stream, or an order to publish."""
    if scope["type"] != "http":
        raise ValueError("This application speaks HTTP alone.")
    if scope["path"].startswith("/publish"):
        publish(Order.of(scope["query_string"]))
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


def publish(order: Order) -> None:
    """Send an event to every stream, now and as often as is ordered."""
    if order.own:
        shared = content()
        for number, send in enumerate(streams):
            push(send, message(own_event(number, shared)))
    else:
        told = message(event())
        for send in streams:
            push(send, told)
    if order.events > 1:
        asyncio.get_running_loop().call_later(order.gap, publish, order.next())


def message(body: bytes) -> dict[str, Any]:
    """Return ASGI's message with a part of a stream."""
    return {"type": "http.response.body", "body": body, "more_body": True}


def push(send: Any, told: dict[str, Any]) -> None:
    """Call `send` inline."""
    try:
        send(told).send(None)
    except StopIteration:
        return
    raise RuntimeError("A client is slower than the benchmark; its figures would be wrong.")
