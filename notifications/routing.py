"""The WebSocket's application, and its URL pattern for projects with their own routing."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from .consumers import ChatConsumer, SocketHandoff

websocket_urlpatterns = [path("notifications/ws/", ChatConsumer.as_asgi())]


def websocket_application() -> SocketHandoff:
    """Return the application for ``ProtocolTypeRouter``'s ``"websocket"``.

    Channels checks the origin, against a page of another site that borrows the user's cookie, and reads the
    session. A project with other sockets routes `websocket_urlpatterns` next to its own, in the same way.
    """
    return SocketHandoff(AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))))
