"""The usual way: a view that answers with ``StreamingHttpResponse`` over a queue of each connection."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from ..servers.wire import FIRST

queues: defaultdict[Any, set[asyncio.Queue[bytes]]] = defaultdict(set)
loops: list[asyncio.AbstractEventLoop] = []


async def stream(request: HttpRequest) -> HttpResponseBase:
    """Open the stream of the signed-in user."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=401)
    return StreamingHttpResponse(events(user.pk), content_type="text/event-stream")


async def events(pk: Any) -> AsyncIterator[bytes]:
    """Yield what is put into this connection's queue."""
    loops[:] = [asyncio.get_running_loop()]
    own: asyncio.Queue[bytes] = asyncio.Queue(100)
    queues[pk].add(own)
    try:
        yield FIRST
        while True:
            yield await own.get()
    finally:
        queues[pk].discard(own)


def send(pks: list[Any], event: bytes) -> None:
    """Put `event` into the queues of the users `pks`; called in a thread."""
    loops[0].call_soon_threadsafe(_put, pks, event)


def _put(pks: list[Any], event: bytes) -> None:
    for pk in pks:
        for one in queues[pk]:
            one.put_nowait(event)
