"""Who opens a WebSocket, and of which tenant: what the site's middleware says of a page, for a handshake."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user

from .. import tenants
from . import relay
from .django_internals import asgi_request
from .workers import Overflow

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

TENANT = "carillon.tenant"  # where the scope has the tenant's name

logger = logging.getLogger("notifications")


class SocketAuth:
    """ASGI middleware that reads a WebSocket's tenant, session and user.

    All in one hop to a thread, for what is active there is the tenant of that thread's queries alone. Who asks for an
    address that is no tenant's is refused before the handshake. The session stays as it is: a handshake cannot set a
    cookie, so a session that got another key, or was ended, would sign its user out of the pages too.
    """

    def __init__(self, app: App) -> None:
        """Wrap `app`, which finds `carillon.tenant`, `session` and `user` in the scope."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve one socket."""
        now = relay.current()
        try:
            found = await now.deciders.run(now.callers.terms(scope), _decide, scope)
        except (LookupError, Overflow) as refusal:
            logger.info("A WebSocket was refused: %r", refusal)
            await receive()
            await send({"type": "websocket.close"})
            return
        await self.app({**scope, **found}, receive, send)


def _decide(scope: Scope) -> Scope:
    hook = tenants.hook()
    scheme = {"wss": "https"}.get(scope.get("scheme", "ws"), "http")
    request = asgi_request({**scope, "type": "http", "method": "GET", "scheme": scheme})
    name = "" if hook is None else hook.of_request(request)
    with tenants.activate(name):
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session: Any = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        session.cycle_key = session.flush = _leave
        request.session = session
        return {TENANT: name, "session": request.session, "user": get_user(request)}


def _leave() -> None:
    """Leave a session as it is, whose user a handshake cannot tell of a new key."""
