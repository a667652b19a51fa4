"""A chat client over a real WebSocket, for tests against real servers."""

from __future__ import annotations

import asyncio
import json
import ssl
import uuid
from collections.abc import Callable
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from notifications.consumers import SUBPROTOCOL
from tests.streaming import cookies

WAIT = 35.0  # seconds; a test that needs them fails

Frame = dict[str, Any]
__all__ = ["Person", "cookies"]


class Person:
    """One user at one server; frames that nobody asked for yet are kept in order."""

    def __init__(self, url: str, cookie: str, tls: ssl.SSLContext | None = None) -> None:
        self.url = url.replace("http", "ws", 1) + "/notifications/ws/"
        self.tls = tls
        self.origin = url
        self.cookie = cookie
        self.frames: list[Frame] = []
        self.ref = 0
        self.wire: ClientConnection

    async def __aenter__(self) -> Person:
        headers = {"Cookie": self.cookie, "Origin": self.origin}
        self.wire = await connect(
            self.url,
            subprotocols=[websockets.Subprotocol(SUBPROTOCOL)],
            additional_headers=headers,
            ssl=self.tls,
            max_size=2**24,
            close_timeout=1,
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.wire.close()

    async def receive(self) -> None:
        """Wait for one message and keep its frames."""
        async with asyncio.timeout(WAIT):
            self.frames += map(json.loads, str(await self.wire.recv()).split("\n"))

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
        await self.wire.send(json.dumps({"type": kind, "ref": ref, **fields}))
        while True:
            for index, frame in enumerate(self.frames):
                if frame["type"] in ("ack", "nack") and frame["ref"] == ref:
                    return self.frames.pop(index)
            await self.receive()

    async def say(self, room: int, body: str) -> Frame:
        return await self.send("message.send", room=room, id=str(uuid.uuid4()), body=body)

    async def open(self, room: int, since: str = "") -> Frame:
        return await self.send("room.open", room=room, since=since)

    async def hears(self, body: str) -> Frame:
        """Return the message that says `body`."""
        frame = await self.next("message", lambda frame: any(said["body"] == body for said in frame["messages"]))
        return next(said for said in frame["messages"] if said["body"] == body)

    async def closed(self) -> int | None:
        """Return the code with which the server closes the socket."""
        try:
            while True:
                await self.receive()
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
