"""Many people talk while connections are cut and servers are killed; at the end all have the same conversation.

The clients do what a good client does: keep a cursor per room, repeat what was not acknowledged under the same
id, and keep the higher version of each message.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from websockets.exceptions import WebSocketException

from notifications import services
from notifications.models import Message
from tests.factories import make_user, make_users
from tests.servers.faults import FaultProxy
from tests.servers.process import ServerProcess
from tests.wschat import Frame, Person, cookies

SEED = 20261121
TALKERS = 8
MESSAGES = 15  # of each
PATIENCE = 2.0  # seconds without an answer after which a client opens a new connection
LIMIT = 60.0  # seconds for the whole story


class Talker:
    """A member who talks and listens until everything said was acknowledged and everything numbered was heard."""

    def __init__(self, url: str, cookie: str, room: int, seed: int) -> None:
        self.url, self.cookie, self.room = url, cookie, room
        self.random = random.Random(seed)
        self.outbox = {str(uuid.UUID(int=self.random.getrandbits(128))): f"{seed}-{n}" for n in range(MESSAGES)}
        self.acknowledged: dict[str, int] = {}
        self.heard: dict[int, Frame] = {}
        self.cursor = ""
        self.older: int | None = None  # where the page before begins
        self.connections = 0

    async def live(self, until: Callable[[], int | None]) -> None:
        """Connect again and again until nothing is left to say and `until()` numbers were heard."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE * 3), Person(self.url, self.cookie) as person:
                    self.connections += 1
                    await self.converse(person, until)
                    return
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(self.random.random() * 0.2)

    async def converse(self, person: Person, until: Callable[[], int | None]) -> None:
        ack = await person.send("room.open", room=self.room, since=self.cursor)
        assert ack["type"] == "ack", ack
        while True:
            self.apply(person)
            if self.older is not None:
                await self.page_back(person)
            if self.outbox:
                await self.talk(person)
            elif until() is not None and len(self.heard) == until():
                return
            else:
                await person.receive()

    async def talk(self, person: Person) -> None:
        name, body = next(iter(self.outbox.items()))
        for _ in range(self.random.choice([1, 1, 1, 2])):  # now and then twice, as after a lost answer
            async with asyncio.timeout(PATIENCE):
                ack = await person.send("message.send", room=self.room, id=name, body=body)
            assert ack["type"] == "ack", ack
            assert self.acknowledged.setdefault(name, ack["number"]) == ack["number"]
        del self.outbox[name]

    async def page_back(self, person: Person) -> None:
        """Read what was said before the page with which the room began."""
        async with asyncio.timeout(PATIENCE):
            page = await person.send("history", room=self.room, before=self.older, limit=20)
        self.keep(page["messages"])
        self.older = page["before"]

    def apply(self, person: Person) -> None:
        for frame in person.frames:
            if frame["type"] in ("message", "reset"):
                self.keep(frame["messages"])
                if frame["type"] == "reset":
                    self.older = frame["before"]
                self.cursor = frame.get("to") or frame["cursor"]
        person.frames.clear()

    def keep(self, messages: list[Frame]) -> None:
        for message in messages:
            known = self.heard.get(message["number"])
            assert known is None or known["client_id"] == message["client_id"]
            if known is None or known["version"] < message["version"]:
                self.heard[message["number"]] = message


class Stranger:
    """Somebody who is signed in, and knocks at the room all the time."""

    def __init__(self, url: str, cookie: str, room: int) -> None:
        self.url, self.cookie, self.room = url, cookie, room
        self.told: Counter[str] = Counter()

    async def live(self) -> None:
        while True:
            try:
                async with Person(self.url, self.cookie) as person:
                    while True:
                        for command in ({"type": "room.open"}, {"type": "history"}, {"type": "typing"}):
                            nack = await person.send(command["type"], room=self.room)
                            self.told[nack["type"]] += 1
                        self.told.update(frame["type"] for frame in person.frames)
                        person.frames.clear()
                        await asyncio.sleep(0.3)
            except (OSError, WebSocketException):
                await asyncio.sleep(0.2)


async def break_things(seed: int, proxies: list[FaultProxy], servers: list[ServerProcess]) -> None:
    """Cut, half-open and kill, in an order that the seed decides."""
    chance = random.Random(seed)
    for turn in range(12):
        await asyncio.sleep(chance.uniform(0.1, 0.4))
        proxy, server = chance.choice(list(zip(proxies, servers, strict=True)))
        if turn in (4, 9):
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        else:
            await asyncio.to_thread(chance.choice([proxy.cut, proxy.half_open]))


@pytest.mark.parametrize("broker", [False, True])
def test_everybody_ends_with_the_same_conversation(
    broker: bool,
    request: pytest.FixtureRequest,
    transactional_db: None,
    asgi_server: Callable[..., ServerProcess],
    fault_proxy: Callable[[int], FaultProxy],
) -> None:
    people = make_users(TALKERS)
    room = services.create_room("Storm", by=people[0], members=people)
    mallory = make_user("mallory")
    redis_url = request.getfixturevalue("valkey").url if broker else ""
    servers = [asgi_server("uvicorn", redis_url=redis_url) for _ in range(2)]
    proxies = [fault_proxy(server.port) for server in servers]
    talkers = [Talker(proxies[n % 2].url, cookies(person), room.pk, SEED + n) for n, person in enumerate(people)]
    stranger = Stranger(servers[0].url, cookies(mallory), room.pk)
    total = TALKERS * MESSAGES
    calm = asyncio.Event()

    async def story() -> None:
        knocking = asyncio.create_task(stranger.live())
        async with asyncio.timeout(LIMIT):
            chaos = asyncio.create_task(break_things(SEED, proxies, servers))
            living = [asyncio.create_task(talker.live(lambda: total if calm.is_set() else None)) for talker in talkers]
            await chaos
            calm.set()
            await asyncio.gather(*living)
        knocking.cancel()
        with suppress(asyncio.CancelledError):
            await knocking  # until its socket is closed

    try:
        asyncio.run(story())
    except TimeoutError:
        states = [(len(talker.outbox), len(talker.heard), talker.connections) for talker in talkers]
        pytest.fail(f"Still unsent, heard and connections of each after {LIMIT:.0f} s: {states}")

    stored = list(Message.objects.filter(room=room).order_by("number"))
    assert [message.number for message in stored] == list(range(1, total + 1))
    names = [str(message.client_id) for message in stored]
    assert len(set(names)) == total
    for talker in talkers:
        assert {name: names[number - 1] for name, number in talker.acknowledged.items()} == {
            name: name for name in talker.acknowledged
        }
        assert [talker.heard[number]["client_id"] for number in range(1, total + 1)] == names
    assert set(stranger.told) <= {"nack", "hello"}
    assert sum(talker.connections for talker in talkers) > 2 * TALKERS, "the storm was too calm to prove anything"
    for server in servers:
        assert "Traceback" not in server.output()
