"""Chat in two ways on one site: Carillon's socket, and the shape that Channels' tutorial teaches."""

from __future__ import annotations

import json
import os
from typing import Any

from .asgi import application as django

# isort: split
# Django is set up by now.
from channels.auth import AuthMiddlewareStack
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

from notifications.asgi import Handoff
from notifications.consumers import SocketHandoff
from notifications.routing import websocket_urlpatterns

GROUP = "chat"

# SQLite's page cache grows with the users who connect; it would be counted as memory of their sockets.
settings.DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA cache_size = -64;"

if "BENCH_REDIS" not in os.environ:
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
    }


class TutorialConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Send what one socket says to a group of channels, one for each socket, as the tutorial does."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept(self.scope["subprotocols"][0])

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        command = json.loads(text_data or "{}")
        if command["type"] == "message.send":
            await self.channel_layer.group_send(GROUP, {"type": "chat.message", "message": command["body"]})

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps({"message": event["message"]}))


application = ProtocolTypeRouter(
    {
        "http": Handoff(django),
        "websocket": SocketHandoff(
            AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, path("tutorial/", TutorialConsumer.as_asgi())]))
        ),
    }
)
