"""Readers that keep nothing but positions and what they were told, and say what should not have been told to them."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx

PATIENCE = 6.0  # seconds without a byte after which a connection is dead: three heartbeats
FOLLOWED = 3.0  # seconds within which a feed that was asked for must be said to be followed
WAIT = 2  # seconds for which a poll may be held
UNPUBLISHED = "=00000000.0"  # end of the cursor of a feed in which nothing was published yet

Frame = dict[str, Any]


class FeedRecord:
    """What one reader was told of one feed, and where it is in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cursor = ""
        self.at = -1  # the position in `cursor`
        self.resume = ""  # the cursor from which it may be continued: that of a frame with an id
        self.again = False  # what it knows may be told again
        self.resets: list[tuple[str, int]] = []  # reason and position of each
        self.gaps = 0  # resets after the first that was told whole, but for the one with which the feed itself begins
        self.spans: list[tuple[int, int]] = []  # positions between which everything must have been told
        self.told: dict[int, int] = {}  # version by event
        self.names: dict[str, int] = {}  # version by the event's own name
        self.times: dict[str, float] = {}  # when it was told
        self.values: dict[str, tuple[int, int, str]] = {}  # version, event and name by key

    def reset(self, reason: str, cursor: str) -> None:
        self.resets.append((reason, position(cursor)))
        begins = self.cursor.endswith(UNPUBLISHED) and position(cursor) == 0
        self.gaps += bool(self.resume) and not begins
        self.values.clear()
        self.spans.append((position(cursor), position(cursor)))
        self.moved(cursor)

    def moved(self, cursor: str) -> None:
        self.cursor, self.at = cursor, position(cursor)
        if self.spans:
            self.spans[-1] = (self.spans[-1][0], max(self.at, self.spans[-1][1]))


def position(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])


class Reader:
    """One client; subclasses say how it reads."""

    def __init__(self, name: str, cookie: str, addresses: Iterable[str], feeds: Iterable[str], seed: str) -> None:
        self.name = name
        self.cookie = cookie
        self.addresses = list(addresses)
        self.feeds = {feed: FeedRecord(feed) for feed in feeds}
        self.choice = random.Random(f"{seed} {name}")
        self.items: dict[int, tuple[int, str]] = {}  # version and title of what is in the inbox
        self.inbox = ""  # its cursor
        self.inbox_from = 0  # position of its last reset
        self.faults: list[str] = []
        self.live: list[tuple[str, str]] = []  # event by event, of the feed that keeps nothing
        self.states: dict[str, str] = {}
        self.connections = 0
        self.calm = asyncio.Event()
        self.client = httpx.AsyncClient(timeout=PATIENCE, headers={"Cookie": f"{cookie}; csrftoken={'x' * 32}"})

    async def run(self) -> None:
        """Read, and come again whenever a connection has ended, until the task is cancelled."""
        try:
            while True:
                self.connections += 1
                with suppress(httpx.HTTPError, OSError):
                    await self.read(self.choice.choice(self.addresses))
                await asyncio.sleep(0.05 + self.choice.random() * 0.2)
        finally:
            await self.client.aclose()

    async def read(self, address: str) -> None:
        raise NotImplementedError

    def opened(self) -> None:
        """Note of which feeds this connection may tell again what its reader knows."""
        for record in self.feeds.values():
            record.again = record.resume != record.cursor

    def take(self, frame: Frame, heard: set[tuple[int, int]], moved: str) -> None:
        """Take a frame; `heard` is what the connection has brought, and `moved` says that nothing before is missing."""
        kind = frame["type"]
        if kind in ("feed", "feed.reset"):
            self.take_feed(frame, heard)
            if moved:
                self.feeds[frame["feed"]].resume = self.feeds[frame["feed"]].cursor
        elif kind == "feed.status":
            self.states[frame["feed"]] = frame["state"]
        elif kind in ("changes", "reset"):
            self.take_inbox(frame)
            self.inbox = frame.get("to") or frame["cursor"]

    def take_feed(self, frame: Frame, heard: set[tuple[int, int]]) -> None:
        record = self.feeds.get(frame["feed"])
        if record is None:
            self.faults.append(f"told of {frame['feed']}, for which it never asked")
            return
        start = record.at
        if frame["type"] == "feed.reset":
            heard -= {(event["id"], event["version"]) for event in frame["events"]}
            record.reset(frame["reason"], frame["cursor"])
            start = -1
        elif frame["to"] is None:
            self.live += [(record.name, event["data"]["name"]) for event in frame["events"]]
        elif position(frame["from"]) > record.at or frame["from"].split(".")[0] != record.cursor.split(".")[0]:
            self.faults.append(f"{record.name}: a hole between {record.cursor} and {frame['from']}")
        elif frame["from"] == frame["to"]:
            start = -1  # the rest of a reset
        for event in frame["events"]:
            self.take_event(record, event, start, heard)
        if frame["type"] == "feed" and frame["to"] is not None and position(frame["to"]) > record.at:
            record.moved(frame["to"])

    def take_event(self, record: FeedRecord, event: Frame, start: int, heard: set[tuple[int, int]]) -> None:
        name, version = event["data"]["name"], event["version"]
        if name.endswith("doomed"):
            self.faults.append(f"{record.name}: told of {name}, which was rolled back")
        record.times.setdefault(name, time.time())
        if not version:
            return
        if (event["id"], version) in heard and not self.repeats(record):
            self.faults.append(f"{record.name}: event {event['id']} came twice at {version}")
        if 0 <= version <= start and not self.repeats(record):
            self.faults.append(f"{record.name}: event {event['id']} at {version} came after {start}")
        heard.add((event["id"], version))
        record.told[event["id"]] = version
        record.names[name] = version
        key = event["key"]
        before = record.values.get(key)
        if before is None or (version, event["id"]) > before[:2]:
            record.values[key] = (version, event["id"], name)
        elif start >= 0 and not self.repeats(record):
            self.faults.append(f"{record.name}: {key} went back from {before} to {version}")

    def repeats(self, record: FeedRecord) -> bool:
        """Return whether this client may be told again what it knows: it drops that."""
        return record.again

    def take_inbox(self, frame: Frame) -> None:
        if frame["type"] == "reset":
            self.inbox_from = position(frame["cursor"])
            self.items.clear()
        for item in frame["items"]:
            if item.get("title", "").endswith("doomed"):
                self.faults.append(f"the inbox told of {item['title']}")
            self.items[item["id"]] = (item["version"], item.get("title", ""))

    async def frames(self, address: str, path: str, **headers: str) -> AsyncIterator[tuple[str, Frame]]:
        """Open an event stream, and yield the id, if there is one, and the data of each event."""
        sent = {"Accept": "text/event-stream", **{name.replace("_", "-"): text for name, text in headers.items()}}
        async with self.client.stream("GET", address + path, headers=sent) as answer:
            if answer.status_code != 200:
                text = (await answer.aread()).decode(errors="replace")
                if answer.status_code not in (502, 503):
                    self.faults.append(f"{answer.status_code} for {path}: {text[:300]}")
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


class JoinedReader(Reader):
    """A plain `EventSource`: it keeps the last id alone."""

    last = ""

    async def read(self, address: str) -> None:
        heard: set[tuple[int, int]] = set()
        path = f"/notifications/stream/?feeds={','.join(self.feeds)}"
        self.opened()
        async for last, frame in self.frames(address, path, **({"Last_Event_ID": self.last} if self.last else {})):
            self.last = last or self.last
            self.take(frame, heard, last)


class SteeredReader(Reader):
    """A page that keeps a position of each feed, and follows and lets go what it wants while it is connected."""

    async def read(self, address: str) -> None:
        heard: set[tuple[int, int]] = set()
        steering: asyncio.Task[None] | None = None
        self.opened()
        path = f"/notifications/stream/?ids=each&feeds=&since={quote(self.inbox)}"
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
            if answer.status_code not in (502, 503):
                self.faults.append(f"{answer.status_code} for {what}: {answer.text[:300]}")
            return False
        for name, found in answer.json()["feeds"].items():
            if found["state"] != "live":
                self.states[name] = found["state"]
        return True


class PollingReader(Reader):
    """A page that polls, with all positions in `since`."""

    async def read(self, address: str) -> None:
        while True:
            since = ",".join(filter(None, [self.inbox, *(record.cursor for record in self.feeds.values())]))
            feeds = ",".join(name for name in self.feeds if self.states.get(name) != "denied")
            path = f"/notifications/api/changes/?feeds={feeds}&wait={WAIT}&since={quote(since)}"
            answer = await self.client.get(address + path)
            if answer.status_code != 200:
                if answer.status_code not in (502, 503):
                    self.faults.append(f"{answer.status_code} for {path}: {answer.text[:300]}")
                return
            heard: set[tuple[int, int]] = set()
            for frame in answer.json()["frames"]:
                self.take(frame, heard, "all of it")
                if frame["type"] == "bye":
                    return


Make = Callable[[str, str, Iterable[str], Iterable[str], str], Reader]
KINDS: dict[str, Make] = {"joined": JoinedReader, "steered": SteeredReader, "polling": PollingReader}
