"""Views of the site itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import get_language


async def ticker(request: HttpRequest) -> StreamingHttpResponse:
    """Stream the number of requests that the site's own middleware has seen."""
    loop = asyncio.get_running_loop()

    async def tell() -> AsyncIterator[bytes]:
        for _beat in range(2):
            assert asyncio.get_running_loop() is loop
            yield b"data: %d\n\n" % request.META["SEEN"]
            await asyncio.sleep(0)

    return StreamingHttpResponse(tell(), content_type="text/event-stream")


def language(request: HttpRequest) -> HttpResponse:
    """Return the active language."""
    return HttpResponse(get_language())
