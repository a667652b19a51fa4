"""Views of the site itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.translation import get_language

from notifications.live.http import user_of
from notifications.services import create_room, notify


async def ticker(request: HttpRequest) -> StreamingHttpResponse:
    """Stream the number of requests that the site's own middleware has seen."""
    loop = asyncio.get_running_loop()

    async def beats() -> AsyncIterator[bytes]:
        for _beat in range(2):
            assert asyncio.get_running_loop() is loop
            yield b"data: %d\n\n" % request.META["SEEN"]
            await asyncio.sleep(0)

    return StreamingHttpResponse(beats(), content_type="text/event-stream")


def enter(request: HttpRequest) -> HttpResponse:
    """Sign in as a user who is made for it, and may do everything."""
    users = get_user_model()
    named: dict[str, Any] = {users.USERNAME_FIELD: request.GET.get("name", "alice")}
    user, _made = users._default_manager.get_or_create(**named)
    rights = [field.name for field in users._meta.fields if field.name in ("is_staff", "is_superuser")]
    if rights:
        users._default_manager.filter(pk=user.pk).update(**dict.fromkeys(rights, True))
    login(request, user, "tests.surroundings.backends.Trusting")
    return HttpResponse("entered")


def leave(request: HttpRequest) -> HttpResponse:
    """Sign out."""
    logout(request)
    return HttpResponse("left")


def tell(request: HttpRequest) -> HttpResponse:
    """Notify whoever asks, with a title that is given."""
    notify(user_of(request), request.GET["title"])
    return HttpResponse("told")


def tell_group(request: HttpRequest) -> HttpResponse:
    """Notify a group, and show what is refused."""
    group, _made = Group.objects.get_or_create(name="Everybody")
    try:
        notify(group, "told")
    except TypeError as refusal:
        return HttpResponse(str(refusal))
    return HttpResponse("told")


def room(request: HttpRequest) -> JsonResponse:
    """Make a room for whoever asks."""
    return JsonResponse({"room": create_room("Room", by=user_of(request)).pk})


def language(request: HttpRequest) -> HttpResponse:
    """Return the active language."""
    return HttpResponse(get_language())
