"""The WebSocket's application, and its URL pattern for projects with their own routing."""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import Resolver404, URLPattern, resolve

from .chat import views
from .consumers import ChatConsumer, SocketHandoff
from .live.layouts import language_of
from .live.origin import SameOrigin
from .live.socket_auth import SocketAuth

__all__ = ["SameOrigin", "websocket_application", "websocket_urlpatterns"]


class MountedSocket:
    """A URL pattern that matches wherever the project has mounted ``notifications.urls``.

    Django's own resolver is asked, so a prefix, a language's prefix and several mounts need no second list of URLs. It
    knows the project's root URLconf; one that some middleware chooses for each request is routed by hand.
    """

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        """Return what follows `path` (nothing) and the arguments of the socket's URL; None if it is another's."""
        for candidate in dict.fromkeys((f"/{path}", _without_script_name(f"/{path}"))):
            with language_of(candidate):
                try:
                    found = resolve(candidate)
                except Resolver404:
                    continue
            if found.func is views.socket:
                return "", found.args, found.kwargs
        return None


def _without_script_name(path: str) -> str:
    """Return a path without the prefix of ``FORCE_SCRIPT_NAME``, which a proxy may have left on."""
    return path.removeprefix((settings.FORCE_SCRIPT_NAME or "").rstrip("/"))


# Channels asks a pattern for its match alone, and Django for more only where it makes URLs.
websocket_urlpatterns = [URLPattern(MountedSocket(), ChatConsumer.as_asgi())]  # type: ignore[arg-type]


def websocket_application() -> SocketHandoff:
    """Return the application for ``ProtocolTypeRouter``'s ``"websocket"``.

    It answers at ``ws/`` below where the project has mounted ``notifications.urls``. Pages of another
    site, which could use the visitor's cookie, are refused. A project with other sockets routes `websocket_urlpatterns`
    beside its own, in the same way.
    """
    router: Any = URLRouter(websocket_urlpatterns)
    signed_in: Any = SocketAuth(router)
    return SocketHandoff(SameOrigin(signed_in))
