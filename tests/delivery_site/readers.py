"""Readers that keep nothing but positions and what they were told, and say what should not have been told to them."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Origin, Subprotocol

from .records import DOOMED, FeedRecord, Frame, Heard, InboxRecord, RoomRecord, life, position

PATIENCE = 6.0  # seconds without a byte after which a connection is dead: three heartbeats
FOLLOWED = 3.0  # seconds within which a feed that was asked for must be said to be followed
WAIT = 2  # seconds for which a poll may be held
HISTORY = 20_000  # lines that are kept of what a reader was told
TALK = 1.5  # seconds between two messages that a reader says itself, at most
TOLD = ("feed", "room", "event", "reason", "from", "to", "cursor", "state", "unread", "unseen", "head")
BUSY = (502, 503)  # what a server that is away or full is answered for


class Person:
    """Who reads: the name, the session, and the groups and rooms that the reader belongs to."""

    def __init__(self, name: str, cookie: str, groups: Iterable[str], rooms: Iterable[int]) -> None:
        self.name = name
        self.cookie = cookie
        self.groups = list(groups)
        self.rooms = list(rooms)


class Reader:
    """One client; subclasses say how it reads."""

    follows = True  # whether it reads feeds

    def __init__(self, person: Person, addresses: Iterable[str], feeds: Iterable[str], seed: str) -> None:
        self.name = person.name
        self.cookie = person.cookie
        self.addresses = list(addresses)
        self.feeds = {feed: FeedRecord(feed) for feed in feeds if self.follows}
        self.inbox = InboxRecord(person.name, person.groups)
        self.rooms: dict[int, RoomRecord] = {}
        self.choice = random.Random(f"{seed} {person.name}")
        self.faults: list[tuple[float, str]] = []
        self.history: deque[tuple[float, str]] = deque(maxlen=HISTORY)
        self.arrived: dict[str, float] = {}  # when something of this name was told first
        self.excused: Callable[[], bool] = bool  # whether a server may fail now, for its database does
        self.live: list[tuple[str, str]] = []  # event by event, of the feed that keeps nothing
        self.states: dict[str, str] = {}
        self.connections = 0
        self.frames_told = 0
        self.calm = asyncio.Event()
        self.client = httpx.AsyncClient(timeout=PATIENCE, headers={"Cookie": f"{self.cookie}; csrftoken={'x' * 32}"})

    async def run(self) -> None:
        """Read, and come again whenever a connection has ended, until the task is cancelled."""
        try:
            while True:
                self.connections += 1
                address = self.choice.choice(self.addresses)
                self.note(f"connects to {address}")
                with suppress(httpx.HTTPError, OSError, WebSocketException):
                    await self.read(address)
                await asyncio.sleep(0.05 + self.choice.random() * 0.2)
        finally:
            await self.client.aclose()

    async def read(self, address: str) -> None:
        raise NotImplementedError

    def note(self, text: str) -> None:
        self.history.append((time.time(), text))

    def fault(self, text: str) -> None:
        self.faults.append((time.time(), text))
        self.note(f"FAULT {text}")

    def failed(self, status: int, what: object, text: str) -> None:
        """Take an answer that is no success."""
        self.note(f"{status} for {what}")
        if status not in BUSY and not self.excused():
            self.fault(f"{status} for {what}: {text[:300]}")

    def opened(self) -> None:
        """Note of which feeds this connection may tell again what its reader knows."""
        for record in self.feeds.values():
            record.again = record.resume != record.cursor

    def take(self, frame: Frame, heard: Heard, moved: str) -> None:
        """Take a frame; `heard` is what the connection has brought, and `moved` says that nothing before is missing."""
        kind = frame["type"]
        self.frames_told += 1
        self.note(summary(frame))
        for name in told_names(frame):
            self.arrived.setdefault(name, time.time())
        if kind in ("feed", "feed.reset"):
            self.take_feed(frame, heard)
            if moved:
                self.feeds[frame["feed"]].resume = self.feeds[frame["feed"]].cursor
        elif kind == "feed.status":
            self.states[frame["feed"]] = frame["state"]
        elif kind in ("message", "room") or (kind == "reset" and "room" in frame):
            self.take_room(frame, heard)
        elif kind in ("changes", "reset"):
            self.inbox.take(frame, heard, self.fault)
        elif kind == "hello" and frame["cursor"] is not None:
            self.inbox.count(frame)

    def take_room(self, frame: Frame, heard: Heard) -> None:
        record = self.rooms.get(frame["room"])
        if record is None:
            self.fault(f"told of room {frame['room']}, in which it is not")
        elif frame["type"] == "room":
            record.is_out = frame["event"] == "removed"
        else:
            record.take(frame, heard, self.fault)

    def take_feed(self, frame: Frame, heard: Heard) -> None:
        record = self.feeds.get(frame["feed"])
        if record is None:
            self.fault(f"told of {frame['feed']}, for which it never asked")
            return
        start = record.at
        if frame["type"] == "feed.reset":
            heard -= {(event["id"], event["version"]) for event in frame["events"]}
            record.reset(frame["reason"], frame["cursor"])
            start = -1
        elif frame["to"] is None:
            self.live += [(record.name, event["data"]["name"]) for event in frame["events"]]
        elif position(frame["from"]) > record.at or life(frame["from"]) != life(record.cursor):
            self.fault(f"{record.name}: a hole between {record.cursor} and {frame['from']}")
        elif frame["from"] == frame["to"]:
            start = -1  # the rest of a reset
        for event in frame["events"]:
            self.take_event(record, event, start, heard)
        if frame["type"] == "feed" and frame["to"] is not None and position(frame["to"]) > record.at:
            record.moved(frame["to"])

    def take_event(self, record: FeedRecord, event: Frame, start: int, heard: Heard) -> None:
        name, version = event["data"]["name"], event["version"]
        if name.endswith(DOOMED):
            self.fault(f"{record.name}: told of {name}, which was rolled back")
        record.times.setdefault(name, time.time())
        if not version:
            return
        if (event["id"], version) in heard and not self.repeats(record):
            self.fault(f"{record.name}: event {event['id']} came twice at {version}")
        if 0 <= version <= start and not self.repeats(record):
            self.fault(f"{record.name}: event {event['id']} at {version} came after {start}")
        heard.add((event["id"], version))
        record.told[event["id"]] = version
        record.names[name] = version
        key = event["key"]
        before = record.values.get(key)
        if before is None or (version, event["id"]) > before[:2]:
            record.values[key] = (version, event["id"], name)
        elif start >= 0 and not self.repeats(record):
            self.fault(f"{record.name}: {key} went back from {before} to {version}")

    def repeats(self, record: FeedRecord) -> bool:
        """Return whether this client may be told again what it knows: it drops that."""
        return record.again

    async def frames(self, address: str, path: str, **headers: str) -> AsyncIterator[tuple[str, Frame]]:
        """Open an event stream, and yield the id, if there is one, and the data of each event."""
        sent = {"Accept": "text/event-stream", **{name.replace("_", "-"): text for name, text in headers.items()}}
        async with self.client.stream("GET", address + path, headers=sent) as answer:
            if answer.status_code != 200:
                self.failed(answer.status_code, path, (await answer.aread()).decode(errors="replace"))
                return
            last, data = "", ""
            async for line in answer.aiter_lines():
                field, _, value = line.partition(": ")
                if field == "data":
                    data = value
                elif field == "id":
                    last = value
                elif not field and data:
                    yield last, json.loads(data)
                    last, data = "", ""


def summary(frame: Frame) -> str:
    """Return a frame in one line, with what tells it from others."""
    words = [frame["type"], *(f"{name}={frame[name]}" for name in TOLD if name in frame)]
    words += [f"[{one['id']} at {one['version']} {one.get('title', 'removed')}]" for one in frame.get("items", ())]
    words += [f"[{one['id']} at {one['version']} {one['data'].get('name')}]" for one in frame.get("events", ())]
    said = (*frame.get("messages", ()), *frame.get("reactions", ()))
    words += [f"[{one['number']} at {one['version']} {one.get('body', 'reactions')}]" for one in said]
    return " ".join(words)


def told_names(frame: Frame) -> list[str]:
    """Return what a frame tells by name, but for what sleeps."""
    items = [item.get("title", "") for item in frame.get("items", ()) if not item.get("snoozed_until")]
    events = [str(event["data"].get("name")) for event in frame.get("events", ())]
    return items + events + [message["body"].partition(" ")[0] for message in frame.get("messages", ())]


class JoinedReader(Reader):
    """A plain `EventSource`: it keeps the last id alone."""

    last = ""

    async def read(self, address: str) -> None:
        heard: Heard = set()
        path = f"/notifications/stream/?feeds={','.join(self.feeds)}"
        self.opened()
        async for last, frame in self.frames(address, path, **({"Last_Event_ID": self.last} if self.last else {})):
            self.last = last or self.last
            self.take(frame, heard, last)


class SteeredReader(Reader):
    """A page that keeps a position of each feed, and follows and lets go what it wants while it is connected."""

    async def read(self, address: str) -> None:
        heard: Heard = set()
        steering: asyncio.Task[None] | None = None
        self.opened()
        path = f"/notifications/stream/?ids=each&feeds=&since={quote(self.inbox.cursor)}"
        try:
            async for last, frame in self.frames(address, path):
                if frame["type"] == "hello":
                    self.states.clear()
                    steering = asyncio.create_task(self.steer(address, frame["connection"]))
                self.take(frame, heard, last)
                if steering is not None and steering.done():
                    return  # its requests fail: the connection is of no use
        finally:
            if steering is not None:
                steering.cancel()

    def repeats(self, record: FeedRecord) -> bool:
        """Say yes: what was on its way while a feed was let go and taken up again comes twice."""
        return True

    async def steer(self, address: str, connection: str) -> None:
        wanted = set(self.feeds)
        while True:
            missing = [name for name in wanted if self.states.get(name) not in ("live", "denied")]
            if missing:
                follow = {name: self.feeds[name].resume for name in missing}
                if not await self.tell(address, connection, {"follow": follow}):
                    return
                await self.settled(missing)
            await asyncio.sleep(self.choice.random() * 0.5)
            if self.calm.is_set():
                wanted = set(self.feeds)
            elif self.choice.random() < 0.5:
                name = self.choice.choice(sorted(self.feeds))
                wanted ^= {name}
                if name not in wanted:
                    if not await self.tell(address, connection, {"unfollow": [name]}):
                        return
                    self.states.pop(name, None)

    async def settled(self, names: list[str]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FOLLOWED):
                while any(name not in self.states for name in names):  # noqa: ASYNC110  # any may be the last
                    await asyncio.sleep(0.02)

    async def tell(self, address: str, connection: str, what: Frame) -> bool:
        try:
            answer = await self.client.post(
                f"{address}/notifications/api/feeds/",
                json={"connection": connection, **what},
                headers={"X-CSRFToken": "x" * 32},
            )
        except (httpx.HTTPError, OSError):
            return False
        if answer.status_code != 200:
            self.failed(answer.status_code, what, answer.text)
            return False
        for name, found in answer.json()["feeds"].items():
            if found["state"] != "live":
                self.states[name] = found["state"]
        return True


class PollingReader(Reader):
    """A page that polls, with all positions in `since`."""

    async def read(self, address: str) -> None:
        while True:
            since = ",".join(filter(None, [self.inbox.cursor, *(record.cursor for record in self.feeds.values())]))
            feeds = ",".join(name for name in self.feeds if self.states.get(name) != "denied")
            path = f"/notifications/api/changes/?feeds={feeds}&wait={WAIT}&since={quote(since)}"
            answer = await self.client.get(address + path)
            if answer.status_code != 200:
                self.failed(answer.status_code, path, answer.text)
                return
            heard: Heard = set()
            for frame in answer.json()["frames"]:
                self.take(frame, heard, "all of it")
                if frame["type"] == "bye":
                    return


class SocketReader(Reader):
    """A page with the chat: it opens its inbox and its rooms over a WebSocket, and says something itself."""

    follows = False

    def __init__(self, person: Person, addresses: Iterable[str], feeds: Iterable[str], seed: str) -> None:
        super().__init__(person, addresses, feeds, seed)
        self.rooms = {pk: RoomRecord(pk) for pk in person.rooms}
        self.seed = seed
        self.unsent: dict[str, tuple[int, str]] = {}  # room and text of what was not acknowledged, by its id
        self.said: dict[str, tuple[float, int, int]] = {}  # when, room and number of what was
        self.asked: dict[str, int] = {}  # rooms that were asked for on this connection, by reference
        self.shut: set[int] = set()  # rooms in which the reader is no longer, as those know who shut it out

    async def read(self, address: str) -> None:
        url = f"ws{address.removeprefix('http')}/notifications/ws/"
        try:
            opening = connect(
                url,
                origin=Origin(address),
                subprotocols=[Subprotocol("carillon.v1")],
                additional_headers={"Cookie": self.cookie},
                proxy=None,
                open_timeout=PATIENCE,
                close_timeout=1,
                ping_interval=None,
            )
            async with opening as socket:
                await self.converse(socket)
        except InvalidStatus as refused:
            self.failed(refused.response.status_code, url, "")

    async def converse(self, socket: ClientConnection) -> None:
        heard: Heard = set()
        self.asked.clear()
        await self.send(socket, "inbox.open", "inbox", since=self.inbox.cursor)
        for pk, record in self.rooms.items():
            if pk not in self.shut:
                self.asked[f"open {pk}"] = pk
                await self.send(socket, "room.open", f"open {pk}", room=pk, since=record.cursor)
        for name, (room, body) in list(self.unsent.items()):
            await self.send(socket, "message.send", name, room=room, id=name, body=body)
        talking = asyncio.create_task(self.talk(socket))
        try:
            while True:
                async with asyncio.timeout(PATIENCE):
                    text = str(await socket.recv())
                for line in text.split("\n"):
                    if line and not await self.take_line(socket, json.loads(line), heard):
                        return
        finally:
            talking.cancel()

    async def send(self, socket: ClientConnection, what: str, ref: str, **fields: Any) -> None:
        await socket.send(json.dumps({"type": what, "ref": ref, **fields}))

    async def take_line(self, socket: ClientConnection, frame: Frame, heard: Heard) -> bool:
        """Take a frame; return whether the connection is still of use."""
        kind, ref = frame["type"], frame.get("ref")
        if kind == "checkpoint":
            await self.send(socket, "checkpoint", "checkpoint", token=frame["token"])
        elif kind == "ack" and ref in self.unsent:
            room, _body = self.unsent.pop(ref)
            self.said[ref] = (time.time(), room, frame["number"])
            self.note(f"ack of {ref}: {frame['number']} in room {room}")
        elif kind == "nack":
            self.note(f"nack {frame}")
            return self.take_refusal(str(ref), frame)
        elif kind == "error":
            self.note(f"error {frame}")
            return False
        elif kind not in ("ack", "typing", "receipt", "presence"):
            self.take(frame, heard, "")
            return bool(kind != "bye")
        return True

    def take_refusal(self, ref: str, frame: Frame) -> bool:
        """Take a nack; return whether the connection is still of use: all is tried again on the next one."""
        room = self.asked.get(ref, self.unsent.get(ref, (0, ""))[0])
        if frame["code"] == "not-found" and room in self.shut:
            self.unsent.pop(ref, None)
            return True
        if frame["code"] not in ("busy", "too-many") and not self.excused():
            self.fault(f"{ref} was refused: {frame}")
        return False

    async def talk(self, socket: ClientConnection) -> None:
        while not self.calm.is_set():
            await asyncio.sleep(self.choice.random() * TALK)
            room = self.choice.choice([pk for pk in self.rooms if pk not in self.shut] or [0])
            if room and len(self.unsent) < 10:
                name = str(uuid.UUID(int=self.choice.getrandbits(128), version=4))
                body = f"{self.seed}/{self.name.replace(' ', '-')}/{len(self.said) + len(self.unsent)} in:{room};"
                self.unsent[name] = (room, body)
                await self.send(socket, "message.send", name, room=room, id=name, body=body)


Make = Callable[[Person, Iterable[str], Iterable[str], str], Reader]
KINDS: dict[str, Make] = {
    "joined": JoinedReader,
    "steered": SteeredReader,
    "polling": PollingReader,
    "socket": SocketReader,
}
