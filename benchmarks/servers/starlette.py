"""sse-starlette as its documentation shows it: a generator over a queue of each connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent  # type: ignore[import-not-found, unused-ignore]
from starlette.applications import Starlette  # type: ignore[import-not-found, unused-ignore]
from starlette.requests import Request  # type: ignore[import-not-found, unused-ignore]
from starlette.responses import Response  # type: ignore[import-not-found, unused-ignore]
from starlette.routing import Route  # type: ignore[import-not-found, unused-ignore]

from .wire import Order, data

queues: set[asyncio.Queue[str]] = set()
publishing: set[asyncio.Task[None]] = set()


async def stream(request: Request) -> Response:
    """Open a stream."""
    return EventSourceResponse(events())


async def events() -> AsyncIterator[ServerSentEvent]:
    """Yield what is put into this connection's queue."""
    own: asyncio.Queue[str] = asyncio.Queue(100)
    queues.add(own)
    try:
        yield ServerSentEvent("{}", event="hello", sep="\n")
        while True:
            yield ServerSentEvent(await own.get(), event="changes", id="inbox=1.1", sep="\n")
    finally:
        queues.discard(own)


async def publish(order: Order) -> None:
    """Put an event into every queue as often as is ordered."""
    for _ in range(order.events):
        shared = data()
        for number, own in enumerate(queues):
            own.put_nowait(f'{{"unread":{number},{shared}' if order.own else f"{{{shared}")
        await asyncio.sleep(order.gap)


async def start(request: Request) -> Response:
    """Begin to publish."""
    task = asyncio.create_task(publish(Order.of(request.scope["query_string"])))
    publishing.add(task)
    task.add_done_callback(publishing.discard)
    return Response(status_code=204)


application = Starlette(routes=[Route("/stream", stream), Route("/publish/", start)])
