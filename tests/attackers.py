"""Attackers who go on reading and writing, over every transport and in two processes, while their access ends."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import websockets
from django.contrib.auth import get_user_model
from django.db import IntegrityError
from websockets.asyncio.client import connect

from notifications.consumers import SUBPROTOCOL
from notifications.services import create_room, notify, post_message
from tests.servers.process import ServerProcess
from tests.streaming import cookies

STREAM, POLL, SOCKET = "stream", "poll", "socket"
SAY = 0.2  # seconds between two messages of an attacker, and between two that others send meanwhile


@dataclass
class Victim:
    """A user whose access is to end, with a session and a room that somebody else is in too."""

    event: str
    user: Any
    cookie: str
    session: str
    room: Any
    other: Any
    at: float = 0.0  # when the event had happened


@dataclass
class Attacker:
    """One connection of a victim's session to one server."""

    victim: Victim
    server: ServerProcess
    transport: str
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    heard: float = 0.0  # when the last byte came
    acked: float = 0.0  # when the last command was obeyed
    ended: bool = False

    async def attack(self) -> None:
        """Read, and on a socket write, until the server ends it."""
        await {STREAM: self.stream, POLL: self.poll, SOCKET: self.socket}[self.transport]()
        self.ended = True

    async def stream(self) -> None:
        """Read an event stream."""
        async for data in _get(self.server, "/notifications/stream/", self.victim.cookie, "text/event-stream"):
            self.heard = time.monotonic()
            if b"event: reset" in data:
                self.ready.set()

    async def poll(self) -> None:
        """Hold one poll after the other."""
        since = ""
        while True:
            path = f"/notifications/api/changes/?since={quote(since)}&wait={25 if since else 0}"
            pieces = [piece async for piece in _get(self.server, path, self.victim.cookie)]
            head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
            self.ready.set()
            if b" 200 " not in head.split(b"\r\n")[0]:
                return
            self.heard = time.monotonic()
            for frame in json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])["frames"]:
                if frame["type"] == "bye":
                    return
                since = frame.get("cursor") or frame.get("to") or frame.get("head") or since

    async def socket(self) -> None:
        """Read the inbox and the room over a socket, and go on saying something there."""
        url = self.server.url
        room = self.victim.room.pk
        async with connect(
            f"{url.replace('http', 'ws', 1)}/notifications/ws/",
            subprotocols=[websockets.Subprotocol(SUBPROTOCOL)],
            additional_headers={"Cookie": self.victim.cookie, "Origin": url},
            close_timeout=1,
        ) as wire:
            await wire.send(json.dumps({"type": "inbox.open", "ref": "inbox"}))
            await wire.send(json.dumps({"type": "room.open", "ref": "room", "room": room}))
            saying = asyncio.create_task(self._say(wire, room))
            try:
                async for text in wire:
                    self._hear(str(text))
            except websockets.ConnectionClosed:
                pass
            finally:
                saying.cancel()

    def _hear(self, text: str) -> None:
        self.heard = time.monotonic()
        for frame in map(json.loads, text.split("\n")):
            if frame["type"] == "ack":
                self.acked = self.heard
                if frame["ref"] == "room":
                    self.ready.set()

    async def _say(self, wire: Any, room: int) -> None:
        with suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.sleep(SAY)
                said = {"type": "message.send", "ref": str(uuid.uuid4()), "room": room, "id": str(uuid.uuid4())}
                await wire.send(json.dumps({**said, "body": "let me stay"}))


async def _get(server: ServerProcess, path: str, cookie: str, accept: str = "*/*") -> Any:
    """Yield what a GET brings, head and all, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Cookie: {cookie}", f"Accept: {accept}"]
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    try:
        while data := await reader.read(65_536):
            yield data
    except ConnectionError:
        pass
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def victims(events: Iterable[str]) -> list[Victim]:
    """Make a victim for each event."""
    found = []
    users = get_user_model()._default_manager
    for event in events:
        user, other = (users.create_user(f"{event}-{name}", password="x") for name in ("victim", "other"))
        cookie = cookies(user)
        session = dict(part.split("=", 1) for part in cookie.split("; "))["sessionid"]
        room = create_room(event, by=other, members=[user])
        found.append(Victim(event, user, cookie, session, room, other))
    return found


def run(servers: Sequence[ServerProcess], events: Iterable[str], patience: float) -> list[Attacker]:
    """Have each event happen to its victim in the first server's process; return how it went for all attackers.

    Args:
        servers: Two processes of one site.
        events: Names of `tests.access_events.EVENTS`.
        patience: Seconds after which an attacker who still reads counts as one who is never stopped.
    """
    attacked = victims(events)
    attackers = [
        Attacker(victim, server, transport)
        for victim in attacked
        for server in servers
        for transport in (STREAM, POLL, SOCKET)
    ]
    asyncio.run(_run(servers[0], attacked, attackers, patience))
    return attackers


async def _run(
    server: ServerProcess, attacked: Sequence[Victim], attackers: Sequence[Attacker], patience: float
) -> None:
    tasks = [asyncio.create_task(attacker.attack()) for attacker in attackers]
    talking = asyncio.create_task(_talk(attacked))
    try:
        async with asyncio.timeout(60):
            for attacker in attackers:
                await attacker.ready.wait()
        for victim in attacked:
            path = f"/event/{victim.event}/{victim.user.pk}/{victim.session}/"
            answer = b"".join([piece async for piece in _get(server, path, "")])
            assert b" 200 " in answer.split(b"\r\n")[0], answer
            victim.at = time.monotonic()
        await asyncio.wait(tasks, timeout=patience)
    finally:
        for task in [*tasks, talking]:
            task.cancel()
        await asyncio.gather(*tasks, talking, return_exceptions=True)


async def _talk(attacked: Sequence[Victim]) -> None:
    """Go on telling the victims and their rooms something, so that there is always something to hear."""
    while True:
        for victim in attacked:
            await asyncio.to_thread(_tell, victim)
        await asyncio.sleep(SAY)


def _tell(victim: Victim) -> None:
    with suppress(IntegrityError):  # a victim that was deleted
        notify(victim.user.pk and [victim.user], "secret")
    post_message(victim.room, "secret", by=victim.other)


def table(attackers: Iterable[Attacker]) -> Iterator[tuple[str, str, int, float | None]]:
    """Yield the event, the transport, the server's port and after how many seconds the last byte came, if one was."""
    for attacker in attackers:
        seconds = max(0.0, attacker.heard - attacker.victim.at) if attacker.ended else None
        yield attacker.victim.event, attacker.transport, attacker.server.port, seconds
