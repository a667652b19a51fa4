"""From where a WebSocket may be opened: no page of another site may use the visitor's cookie."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from .connections import Receive
from .django_internals import Scope, origin_verified
from .hub import Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger("notifications")


class SameOrigin:
    """ASGI middleware that opens sockets for pages of this site and of ``CSRF_TRUSTED_ORIGINS`` alone.

    A browser lets any page open a socket to any site, with that site's cookies, and says in ``Origin`` which page it
    was. It is compared as Django compares that of a POST; ``ALLOWED_HOSTS`` says which hosts this site has, not whose
    pages may act for its users. Who sends none is no browser: see ``docs/how-to/chat.md``.
    """

    def __init__(self, app: App) -> None:
        """Wrap `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the handshake of a foreign page, which the server answers with 403."""
        if origin_verified(scope):
            await self.app(scope, receive, send)
            return
        origin = dict(scope["headers"]).get(b"origin", b"").decode("latin1")
        logger.warning("Refused a WebSocket of the origin %r: it is not this site's and not trusted.", origin[:200])
        if (await receive())["type"] == "websocket.connect":
            await send({"type": "websocket.close"})
