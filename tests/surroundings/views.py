"""Views of the site itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.translation import get_language

from notifications.live.http import user_of
from notifications.services import create_room, notify


async def ticker(request: HttpRequest) -> StreamingHttpResponse:
    """Stream the number of requests that the site's own middleware has seen."""
    loop = asyncio.get_running_loop()

    async def tell() -> AsyncIterator[bytes]:
        for _beat in range(2):
            assert asyncio.get_running_loop() is loop
            yield b"data: %d\n\n" % request.META["SEEN"]
            await asyncio.sleep(0)

    return StreamingHttpResponse(tell(), content_type="text/event-stream")


def enter(request: HttpRequest) -> HttpResponse:
    """Sign in as a user who is made for it."""
    users = get_user_model()
    named: dict[str, Any] = {users.USERNAME_FIELD: request.GET.get("name", "alice")}
    user, _made = users._default_manager.get_or_create(**named)
    login(request, user, "tests.surroundings.backends.Trusting")
    return HttpResponse("entered")


def tell(request: HttpRequest) -> HttpResponse:
    """Notify whoever asks, with a title that is given."""
    notify(user_of(request), request.GET["title"])
    return HttpResponse("told")


def room(request: HttpRequest) -> JsonResponse:
    """Make a room for whoever asks."""
    return JsonResponse({"room": create_room("Room", by=user_of(request)).pk})


def language(request: HttpRequest) -> HttpResponse:
    """Return the active language."""
    return HttpResponse(get_language())
