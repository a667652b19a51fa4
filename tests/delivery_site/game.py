"""One game: servers, writers and readers, what is done to them, and what is found when all is well again."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx

from tests.servers.faults import FaultProxy

from .journals import WriterProcess, around
from .judge import KEPT, Judge
from .nemesis import Nemesis
from .probes import BOUND, BOUND_DEAD, Probes
from .readers import KINDS, Person, Reader, SocketReader
from .surroundings import Broker, Surroundings, connected
from .writers import FEEDS

R = TypeVar("R")

WRITERS = 3
EACH = 3  # readers of each kind; the last one of each loses its permission, or leaves its rooms
GUESTS = 2  # users who come into the rooms and leave them
STORED = (*KEPT, "short:1", "latest:1")  # feeds that have positions
ACCESS = 6.0  # seconds after which nobody hears more who may not: two rounds of rechecks, and a busy machine
CALM = 45.0  # seconds within which all must end right when all is well again: the comparison of 30 s, and reconnects
LOOK = 0.3  # seconds between two looks whether it has
ECHO = 1.0  # seconds for what comes twice
PERMISSION = 0.8  # share of the storm before whose end the first reader loses its permission
CLOCK = 120.0  # seconds by which one process's clock is wrong
SHOWN = 5  # faults whose history is told
SAID = 3000  # characters of what each server said last, where there are faults
# What raises where a database goes away, and nothing that its constraints have to say.
ALLOWED_TO_FAIL = re.compile(
    r"^(django\.db\.utils\.|psycopg\.|psycopg\.errors\.|sqlite3\.|MySQLdb\.)"
    r"(OperationalError|InterfaceError|AdminShutdown|ConnectionTimeout)\b",
    re.MULTILINE,
)
TOLD, RAISED = 2000, 6  # characters of a traceback, and lines that say what was raised
TRACEBACK = "Traceback (most recent call last)"
CHAINED = re.compile(rf"(During handling|The above exception)[^\n]*\n\n{re.escape(TRACEBACK)}")
DEADLOCK = re.compile(r"\((1213|1020|1205),")  # which MariaDB's own locks bring about in an application's transaction


class Game:
    """Servers, writers and readers, and what is done to them."""

    def __init__(self, seed: str, surroundings: Surroundings, servers: int, only: list[str]) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.surroundings = surroundings
        wrong = self.chance.choice([-CLOCK, CLOCK])
        clocks = [wrong if servers > 1 and number == servers - 1 else 0.0 for number in range(servers)]
        self.writer_clock = 0.0 if servers > 1 else -CLOCK  # of the second writer
        self.servers = [surroundings.server(CLOCK=str(clock)) for clock in clocks]
        self.proxies = [FaultProxy(server.port) for server in self.servers]
        self.writers: list[WriterProcess] = []
        self.readers: list[Reader] = []
        self.judge = Judge(self.readers, has_broker=surroundings.broker is not None)
        self.nemesis = Nemesis(self, self.chance)
        acts = self.nemesis.acts()
        self.acts = {name: (acts | self.nemesis.asked_for())[name] for name in only or acts}
        self.done: list[tuple[float, str]] = []  # what the nemesis did
        self.members: dict[int, list[str]] = {}  # who stays in each room
        self.probes: Probes

    @property
    def broker(self) -> Broker:
        assert self.surroundings.broker is not None
        return self.surroundings.broker

    # Beginning and end

    def start(self) -> None:
        from django.contrib.auth.models import Group, User

        from notifications.services import create_room
        from tests.streaming import cookies

        for server, proxy in zip(self.servers, self.proxies, strict=True):
            server.start()
            proxy.start()
        groups = [Group.objects.create(name=name) for name in ("private:1", "odd", "even")]
        people: list[tuple[str, User, list[str]]] = []
        for kind in KINDS:
            for number in range(EACH):
                user = User.objects.create_user(f"reader {kind} {number}")
                mine = [groups[0], groups[1] if number % 2 else groups[2]]
                user.groups.add(*mine)
                people.append((kind, user, [group.name for group in mine]))
        guests = [User.objects.create_user(f"guest {number}") for number in range(GUESTS)]
        everybody = [user for _kind, user, _groups in people]
        rooms = [(create_room("One", by=guests[0], members=everybody), everybody)]
        rooms.append((create_room("Two", by=guests[0], members=everybody[::2]), everybody[::2]))
        self.members = {room.pk: [user.username for user in inside] for room, inside in rooms}
        addresses = [proxy.url for proxy in self.proxies]
        for kind, user, names in people:
            here = [room.pk for room, inside in rooms if user in inside]
            reader = KINDS[kind](Person(user.username, cookies(user), names, here), addresses, FEEDS, self.seed)
            reader.excused = self.nemesis.is_excused
            self.readers.append(reader)
        # Who leaves does not write any more either.
        leaving = {reader.name for reader in self.outsiders() if isinstance(reader, SocketReader)}
        self.members = {pk: [name for name in names if name not in leaving] for pk, names in self.members.items()}
        self.probes = Probes(self.readers, self.members, self._note, self.chance)

    def outsiders(self) -> list[Reader]:
        return [reader for reader in self.readers if reader.name.endswith(str(EACH - 1))]

    def stop(self) -> None:
        for writer in self.writers:
            writer.kill()
        for proxy in self.proxies:
            proxy.stop()
        for server in self.servers:
            server.kill()

    def add_writer(self) -> None:
        number = len(self.writers)
        clock = self.writer_clock if number % WRITERS == 1 else 0.0
        seed = f"{self.seed}-{number}"
        log = self.surroundings.folder / f"writer-{number}"
        self.writers.append(WriterProcess(seed, log, self.members, CLOCK=str(clock)))

    def add_writers(self) -> None:
        for _ in range(WRITERS):
            self.add_writer()

    def running_writers(self) -> list[WriterProcess]:
        return [writer for writer in self.writers if writer.process.poll() is None]

    # The game

    async def play(self, seconds: float) -> dict[str, Any]:
        """Let all run, break things for some seconds, heal them, and return what is found."""
        reading = [asyncio.create_task(reader.run()) for reader in self.readers]
        await self._all_follow()
        self.add_writers()
        await self._all_write()
        began = time.monotonic()
        await self._storm(seconds)
        await asyncio.to_thread(self._heal)
        stormed = time.monotonic() - began
        healed = time.monotonic()
        missing = await self._wait_until_nothing_lacks()
        calm = time.monotonic() - healed
        late = [] if missing else await self.probes.play("probe", BOUND)
        late += [] if missing else await self.probes.play_due(BOUND)
        if self.surroundings.broker is not None and not missing:
            self.broker.server.kill()
            self._note("kill the broker for good")
            late += await self.probes.play("silence", BOUND_DEAD)
        await asyncio.sleep(ECHO)
        missing = missing or await self._wait_until_nothing_lacks()
        for task in reading:
            task.cancel()
        results = await asyncio.gather(*reading, return_exceptions=True)
        crashes = [repr(one) for one in results if isinstance(one, Exception)]
        report = await asyncio.to_thread(self._report, [*missing, *late, *crashes])
        return {"seed": self.seed, **report, "seconds": round(stormed), "calm": round(calm, 1)}

    async def _all_follow(self) -> None:
        """Wait until every reader has a position of each stream: from there on nothing may be kept from it."""
        deadline = time.monotonic() + CALM
        while strangers := [
            f"{reader.name}: {reader.states} {reader.faults}"
            for reader in self.readers
            if not reader.inbox.cursor
            or not all(record.cursor for record in reader.rooms.values())
            or not all(record.resume for feed, record in reader.feeds.items() if feed in STORED)
        ]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"These could not follow: {strangers}")
            await asyncio.sleep(0.05)

    async def _all_write(self) -> None:
        """Wait until every writer has begun: on a busy machine it would be killed before that."""
        deadline = time.monotonic() + CALM
        while not all(map(WriterProcess.has_begun, self.writers)) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def _wait_until_nothing_lacks(self) -> list[str]:
        deadline = time.monotonic() + CALM
        while lacking := await asyncio.to_thread(self._look):
            if time.monotonic() > deadline:
                break
            await asyncio.to_thread(self._ping)
            await asyncio.sleep(LOOK)
        return lacking

    async def _storm(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        outsiders = self.outsiders()
        order = list(self.acts)
        self.chance.shuffle(order)
        if "restore" in order:  # which takes a copy first
            order.insert(0, order.pop(order.index("restore")))
        for turn in range(10_000):
            await asyncio.sleep(self.chance.uniform(0.2, 0.8))
            if time.monotonic() > end and turn >= len(order):
                return
            name = order[turn] if turn < len(order) else self.chance.choice(order)
            self._note(name)
            await asyncio.to_thread(self._act, self.acts[name])
            self._note(f"{name}: over")
            if outsiders and time.monotonic() > end - seconds * PERMISSION:
                await asyncio.to_thread(self._shut_out, outsiders.pop())

    def _note(self, what: str) -> None:
        self.done.append((time.time(), what))

    def _act(self, act: Callable[[], None]) -> None:
        with connected():
            act()

    def _heal(self) -> None:
        for writer in self.running_writers():
            writer.end()
        for proxy in self.proxies:
            proxy.heal()
        for reader in self.readers:
            reader.calm.set()
        for proxy in self.proxies:
            self._visit(proxy.url)
        self._note("all is well again")

    def _visit(self, address: str) -> None:
        """Ask a server for something: one to which nobody has come since it began does none of the periodic work.

        Else it may be left to the one whose clock is wrong, which wakes minutes too late what sleeps.
        """
        httpx.get(f"{address}/notifications/api/changes/", headers={"Cookie": self.readers[0].cookie}, timeout=CALM)

    def _ping(self) -> None:
        from notifications.services import publish

        with connected():
            publish("live:1", {"name": f"ping {time.monotonic()}", "key": "", "at": time.time()})

    # Who may not read any more

    def _shut_out(self, reader: Reader) -> None:
        from notifications.services import recheck_feed

        self._note(f"shut out {reader.name}")
        with connected():
            if isinstance(reader, SocketReader):
                self._remove(reader)
                return
            self._forbid(reader)
            if self.chance.random() < 0.5:
                recheck_feed("private:1")

    def _forbid(self, reader: Reader) -> None:
        from django.contrib.auth.models import Group, User

        User.objects.get(username=reader.name).groups.remove(Group.objects.get(name="private:1"))
        self.judge.ended.setdefault(reader.name, time.time())

    def _remove(self, reader: SocketReader) -> None:
        """Put a reader out of its rooms; it is told of nothing that comes after that in the rooms' order."""
        from django.contrib.auth.models import User

        from notifications.models import Message, Room
        from notifications.services import remove_member

        user = User.objects.get(username=reader.name)
        for pk in reader.rooms:
            reader.shut.add(pk)
            remove_member(Room.objects.get(pk=pk), user)
            left = Message.objects.filter(room=pk, kind="left", subject=user).order_by("-number").first()
            if left is not None:  # else it has been out for so long that it was pruned
                self.judge.left.setdefault(reader.name, {})[pk] = left.number or 0

    def forget_what_was_restored(self) -> None:
        """Shut those out again whom a restored database lets in; called while no server runs."""
        for reader in self.readers:
            if reader.name in self.judge.ended:
                self._forbid(reader)
            if isinstance(reader, SocketReader) and reader.shut:
                for record in reader.rooms.values():
                    record.last = 0  # numbers are given anew
                self._remove(reader)

    # What is found

    def _look(self) -> list[str]:
        with connected():
            return self.judge.lacking()

    def _report(self, found: list[str]) -> dict[str, Any]:
        with connected():
            lost = list(self.judge.lost(self.writers))
            different = self.judge.different()
        faults: list[tuple[float, str]] = [(time.time(), text) for text in [*found, *lost, *different]]
        for reader in self.readers:
            told = [*self._told_twice(reader), *self._told_too_late(reader)]
            faults += [(at, f"{reader.name}: {text}") for at, text in [*reader.faults, *told]]
        transactions = [one for writer in self.writers for one in writer.transactions()]
        faults += list(self._said())
        return {
            "faults": [text for _at, text in faults],
            "history": {text: self._history(at, text) for at, text in faults[:SHOWN]},
            "servers": [server.output()[-SAID:] for server in self.servers] if faults else [],
            "committed": sum(end == "done" for end, _at, _deeds in transactions),
            "rolled back": sum(end == "rolled back" for end, _at, _deeds in transactions),
            "failed": sum(end == "failed" for end, _at, _deeds in transactions),
            "told": sum(reader.frames_told for reader in self.readers),
            "connections": sum(reader.connections for reader in self.readers),
            "resets": Counter(
                [f"inbox {reason}" for reader in self.readers for reason in reader.inbox.resets]
                + [
                    f"{feed} {reason}"
                    for reader in self.readers
                    for feed, record in reader.feeds.items()
                    for reason, _at in record.resets
                ]
            ),
            "probes": {word: round(seconds, 2) for word, seconds in self.probes.took.items()},
            "shut out": [*self.judge.ended, *self.judge.left],
            "done": Counter(name for _at, name in self.done if name in self.acts),
        }

    def _history(self, at: float, text: str) -> list[str]:
        reader = next((one for one in self.readers if text.startswith(f"{one.name}:")), None)
        return around(reader, at, text, self.writers, self.done)

    def _told_twice(self, reader: Reader) -> Iterator[tuple[float, str]]:
        for (feed, name), number in Counter(reader.live).items():
            if number > 1:
                yield time.time(), f"{feed}: {name} came {number} times"
        for record in reader.feeds.values():
            if record.gaps and record.name in KEPT and not self.judge.void:
                yield time.time(), f"{record.name}: resets {record.resets}"

    def _told_too_late(self, reader: Reader) -> Iterator[tuple[float, str]]:
        """Yield what a reader was told of that had lost the permission."""
        until = self.judge.ended.get(reader.name, float("inf")) + ACCESS
        record = reader.feeds.get("private:1")
        for name, told in record.times.items() if record else ():
            if told > until:
                yield told, f"told of {name} {told - until + ACCESS:.1f} s after the permission had ended"

    def _said(self) -> Iterator[tuple[float, str]]:
        """Yield what servers and writers should not have printed."""
        may_fail = any(name in DATABASE_FAULTS for _at, name in self.done)
        for server in self.servers:
            for text in tracebacks(server.output(), may_fail):
                yield time.time(), f"a server said: {text}"
        for writer in self.writers:
            if writer.process.returncode not in (0, -signal.SIGKILL):
                yield time.time(), f"writer {writer.seed} ended: {writer.errors()[-3000:]}"
            for text in tracebacks(writer.errors(), may_fail):
                yield time.time(), f"writer {writer.seed} said: {text}"
            for deed in writer.deeds():
                mariadb = self.surroundings.database.name == "mariadb" and DEADLOCK.search(str(deed.details))
                if deed.what in ("failed", "could not") and not may_fail and not mariadb:
                    yield deed.at, f"writer {writer.seed} {deed.what}: {deed.details}"


DATABASE_FAULTS = {"end database connections", "restart the database", "disk full", "restore"}


def tracebacks(output: str, may_fail: bool) -> Iterator[str]:
    """Yield the tracebacks in what a process has printed, but for those of its database if that may fail."""
    for text in CHAINED.sub("CHAINED", output).split(TRACEBACK)[1:]:
        if not (may_fail and ALLOWED_TO_FAIL.search(text)):
            raised = [line for line in text.splitlines() if line[:1].strip()]  # and what was printed after it
            yield "\n".join([text[:TOLD], "…", *raised[:RAISED]])
