"""What a page tells the chat's client, beside what the inbox's client knows."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from ..inbox.actors import actor
from ..live.http import user_of
from ..live.sessions import user_key
from .strings import chat_texts


def chat_configuration(request: HttpRequest, socket: str = "") -> dict[str, Any]:
    """Return what the chat's client needs to know.

    Args:
        request: Of the signed-in user.
        socket: The path of the WebSocket; where the app's URLs are mounted, followed by ``ws/``, if it is empty.
    """
    user = user_of(request)
    urls = {
        "socket": socket or reverse("notifications:socket"),
        "rooms": reverse("notifications:rooms"),
        "chatStyle": static("notifications/chat.css"),
    }
    return {
        "user": user_key(user.pk),
        "me": msgspec.to_builtins(actor(user)),
        "urls": urls,
        "strings": chat_texts(),
    }
