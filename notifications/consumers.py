"""WebSocket: Channels decides who connects, and the hub delivers.

The consumer keeps Channels' routing, origin check and session, but takes nothing from the channel layer: a
message through it costs ten times what the hub's inline send does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from channels.consumer import AsyncConsumer

from .chat.socket import ChatSocket, Fault, close
from .exceptions import Refused
from .live import connections, relay, sessions
from .live.connections import Receive
from .live.frames import frame
from .live.hub import Send
from .live.identity import Identity
from .live.socket_auth import TENANT
from .tenants import hook

Scope = dict[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger("notifications")

SUBPROTOCOL = "carillon.v1"
SLOT = "carillon.socket"  # where the consumer finds the slot of `SocketHandoff`


@dataclass(slots=True)
class SocketSlot:
    """Where the consumer fills in the user's primary key, the sign-in, the address and the tenant, and returns."""

    admitted: tuple[Any, Identity, str, str] | None = None


class ChatConsumer(AsyncConsumer):  # type: ignore[misc]  # channels has no types
    """Admit users to the chat and serve them; behind `SocketHandoff`, only admit them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept the socket and serve it, or close it with a reason."""
        if (await receive())["type"] != "websocket.connect":
            return
        await send({"type": "websocket.accept", "subprotocol": _subprotocol(scope)})
        try:
            admitted = _admit(scope)
        except Fault as fault:
            # A refusal before the handshake's end reaches browsers without a reason.
            await close(send, fault.close, frame(fault.error))
            return
        slot: SocketSlot | None = scope.get(SLOT)
        if slot is None:
            await ChatSocket(send, *admitted).serve(receive)
        else:
            slot.admitted = admitted


class SocketHandoff:
    """ASGI middleware that carries sockets on when Channels' own middleware has decided and returned.

    Routing, session and authentication each keep a scope and a coroutine for as long as the consumer runs:
    ten kilobytes for every socket. Put this around them and they end with the handshake.
    """

    def __init__(self, app: App) -> None:
        """Wrap `app`, which leads to a `ChatConsumer`; other consumers behind it work as they do."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        slot = SocketSlot()
        await self.app({**scope, SLOT: slot}, receive, send)
        if slot.admitted is not None:
            connections.let_go_of_headers(scope)
            del scope
            await ChatSocket(send, *slot.admitted).serve(receive)


def _admit(scope: dict[str, Any]) -> tuple[Any, Identity, str, str]:
    """Return the primary key of the user whose socket it is, the sign-in that opens it, its address and its tenant.

    Raises:
        Fault: The client speaks another version, is not signed in, or there are too many connections.
    """
    if SUBPROTOCOL not in scope.get("subprotocols", ()):
        raise Fault(4406, "version", f"Connect with the subprotocol {SUBPROTOCOL}; a page must be reloaded.")
    tenant = scope.get(TENANT, "")
    if not tenant and hook() is not None:
        logger.error("A WebSocket was refused, for nothing says whose it is: route it by websocket_application().")
        raise Fault(4500, "no-tenant", "The site does not say to which tenant this address belongs.")
    user = scope.get("user")
    if user is None or not user.is_authenticated:
        raise Fault(4401, "signed-out", "Sign in to chat.")
    try:
        relay.current().served_by(scope.get("server"))
        connections.check_process_limit()
        connections.check_user_limit(str(user.pk), tenant)
        address = connections.check_address_limit(scope)
    except Refused as refused:
        raise Fault(4000 + refused.status, refused.code, str(refused), connections.RETRY_AFTER * 1_000) from None
    return user.pk, sessions.identity(user, scope.get("session")), address, tenant


def _subprotocol(scope: dict[str, Any]) -> str | None:
    """Choose ours; else repeat the first, for a browser reads no error of a server that chose none."""
    offered = scope.get("subprotocols") or [None]
    return SUBPROTOCOL if SUBPROTOCOL in offered else offered[0]
