"""A chat client for tests: one socket, its commands and what it was told."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from notifications.consumers import SUBPROTOCOL, SocketHandoff
from notifications.routing import websocket_urlpatterns

WAIT = 10.0  # seconds; a test that needs them fails

Frame = dict[str, Any]


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Client:
    """Speak the protocol over a communicator; frames that nobody asked for yet are kept in order."""

    def __init__(
        self, user: Any, *, subprotocols: list[str] | None = None, session: Any = None, carried: bool = True
    ) -> None:
        self.socket = WebsocketCommunicator(
            SocketHandoff(URLRouter(websocket_urlpatterns)) if carried else URLRouter(websocket_urlpatterns),
            "/notifications/ws/",
            subprotocols=[SUBPROTOCOL] if subprotocols is None else subprotocols,
        )
        self.socket.scope["user"] = user
        self.socket.scope["session"] = session
        self.frames: list[Frame] = []
        self.ref = 0

    async def connect(self) -> Frame:
        connected, _subprotocol = await self.socket.connect(WAIT)
        assert connected
        return await self.next("hello")

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.socket.disconnect(timeout=WAIT)

    async def receive(self) -> None:
        """Wait for one message and keep its frames."""
        message = await self.socket.receive_output(WAIT)
        if message["type"] == "websocket.close":
            raise Closed(message["code"])
        self.frames += map(json.loads, message["text"].split("\n"))

    async def next(self, kind: str, where: Callable[[Frame], bool] = lambda _frame: True) -> Frame:
        """Return the next frame of a kind, leaving the others for later."""
        while True:
            for index, frame in enumerate(self.frames):
                if frame["type"] == kind and where(frame):
                    return self.frames.pop(index)
            await self.receive()

    async def send(self, kind: str, **fields: Any) -> Frame:
        """Give a command and return its ack or nack."""
        self.ref += 1
        ref = self.ref
        await self.socket.send_to(text_data=json.dumps({"type": kind, "ref": ref, **fields}))
        while True:
            for index, frame in enumerate(self.frames):
                if frame["type"] in ("ack", "nack") and frame["ref"] == ref:
                    return self.frames.pop(index)
            await self.receive()

    async def say(self, room: Any, body: str, **fields: Any) -> Frame:
        return await self.send("message.send", room=room.pk, id=str(uuid.uuid4()), body=body, **fields)

    async def hears(self, *bodies: str) -> list[Frame]:
        """Return the next messages, which must say `bodies`."""
        heard: list[Frame] = []
        while len(heard) < len(bodies):
            heard += (await self.next("message"))["messages"]
        assert [message["body"] for message in heard] == list(bodies)
        return heard

    async def closed(self) -> int:
        """Return the code with which the server closes the socket."""
        try:
            while True:
                await self.receive()
        except Closed as closed:
            return closed.code

    async def silent(self) -> bool:
        """Return whether nothing of the room came; a ping's ack proves that all before it was delivered."""
        await asyncio.sleep(0)
        assert (await self.send("ping"))["type"] == "ack"
        return not [frame for frame in self.frames if frame["type"] in ("message", "reset", "changes")]
