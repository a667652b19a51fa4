"""Probes: what is written when all is quiet, and how long it takes until every reader has heard of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .readers import Reader, SocketReader
from .surroundings import connected

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

PROBES = 5
BOUND = 2.0  # seconds within which a probe is heard
BOUND_DEAD = 30.0  # and without the broker that there should be
MACHINE = 1.0  # seconds that a busy machine may take beside
PUT_OFF = 2.0  # seconds from now until what is put off is due

Wanted = list[tuple[Reader, str]]


class Probes:
    """Writes something in each kind of stream, and something that is due later."""

    def __init__(
        self,
        readers: Sequence[Reader],
        members: Mapping[int, list[str]],
        note: Callable[[str], None],
        chance: random.Random,
    ) -> None:
        self.readers = readers
        self.members = members
        self.note = note
        self.chance = chance
        self.took: dict[str, float] = {}  # seconds, at most, by the kind of probe

    async def play(self, word: str, bound: float) -> list[str]:
        """Write something, now and then; return which readers hear of it too late, or never."""
        late: list[str] = []
        for number in range(PROBES if bound < BOUND_DEAD else 1):
            name = f"{word}/{number}"
            sent = await asyncio.to_thread(self._write, name)
            late += await self._wait(word, sent, self._wanted(name), bound)
            await asyncio.sleep(self.chance.random())
        return late

    async def play_due(self, bound: float) -> list[str]:
        """Put something off; return which readers hear of it too late after it is due, or never."""
        names = ["put off/sent", "put off/scheduled", "put off/asleep"]
        sent = await asyncio.to_thread(self._write_asleep, names[2])
        wanted = [(reader, names[2]) for reader in self.readers]
        if late := await self._wait("probe", sent, wanted, bound):
            return late
        for reader in self.readers:
            del reader.arrived[names[2]]  # it is told again when it comes back
        due = await asyncio.to_thread(self._put_off, *names)
        return await self._wait("due", due, [(reader, name) for reader in self.readers for name in names], bound)

    async def _wait(self, word: str, sent: Mapping[str, float], wanted: Wanted, bound: float) -> list[str]:
        while waiting := [(reader, what) for reader, what in wanted if what not in reader.arrived]:
            if time.time() - max(sent.values()) > bound + MACHINE:
                break
            await asyncio.sleep(0.02)
        took = [reader.arrived[what] - sent[what] for reader, what in wanted if what in reader.arrived]
        self.took[word] = max(self.took.get(word, 0.0), *took, 0.0)
        return [f"{reader.name}: {what} did not come within {bound} s" for reader, what in waiting]

    def _wanted(self, name: str) -> Wanted:
        return [
            (reader, f"{name}-{what}")
            for reader in self.readers
            for what in ("inbox", "feed", "room")
            if (what != "feed" or reader.feeds) and (what != "room" or self._is_inside(reader))
        ]

    def _is_inside(self, reader: Reader) -> bool:
        return isinstance(reader, SocketReader) and not reader.shut

    def _write(self, name: str) -> dict[str, float]:
        """Write something in each kind of stream; return when each was committed."""
        from django.contrib.auth.models import User

        from notifications.services import notify, post_message, publish

        room, members = next(iter(self.members.items()))
        writes: dict[str, Callable[[], object]] = {
            f"{name}-inbox": lambda: notify(self._users(), f"{name}-inbox"),
            f"{name}-feed": lambda: publish("all:1", {"name": f"{name}-feed", "key": "", "at": time.time()}),
            f"{name}-room": lambda: post_message(
                room, f"{name}-room in:{room};", by=User.objects.get(username=members[0])
            ),
        }
        return self._commit(writes)

    def _write_asleep(self, name: str) -> dict[str, float]:
        """Write what is put to sleep later; return when it was committed."""
        from notifications.services import notify

        return self._commit({name: lambda: notify(self._users(), name)})

    def _put_off(self, sent: str, scheduled: str, asleep: str) -> dict[str, float]:
        """Send something later, schedule something, and put to sleep what is there; return when each is due."""
        from notifications.models import Notification
        from notifications.services import broadcast, notify, snooze

        def snooze_all(until: datetime) -> None:
            for user in self._users():
                rows = Notification.objects.filter(recipient=user, notice__title=asleep)
                snooze(user, rows.values_list("pk", flat=True), until)

        writes: dict[str, Callable[[datetime], object]] = {
            sent: lambda at: notify(self._users(), sent, send_at=at),
            scheduled: lambda at: broadcast(scheduled, to="everyone", publish_at=at),
            asleep: snooze_all,
        }
        due: dict[str, float] = {}
        for name, write in writes.items():
            at = datetime.now(UTC) + timedelta(seconds=PUT_OFF)
            committed = self._commit({name: lambda at=at, write=write: write(at)})  # type: ignore[misc]
            due[name] = max(at.timestamp(), committed[name])
        return due

    def _users(self) -> QuerySet[User]:
        from django.contrib.auth.models import User

        return User.objects.filter(username__in=[reader.name for reader in self.readers])

    def _commit(self, writes: Mapping[str, Callable[[], object]]) -> dict[str, float]:
        """Write each in a transaction of its own; return when it was committed."""
        from django.db import transaction

        committed: dict[str, float] = {}
        with connected():
            for what, write in writes.items():
                with transaction.atomic():
                    transaction.on_commit(lambda what=what: committed.setdefault(what, time.time()))  # type: ignore[misc]
                    write()
                self.note(f"wrote {what}")
        return committed
