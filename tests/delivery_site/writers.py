"""A writer, as a program: ``python -m tests.delivery_site.writers SEED`` writes until its input ends.

It says on its output what it does and how each transaction ended, one JSON list a line: the time, a word, and details.
What it did last before it was killed, or before its database failed, may have been committed or not.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

FEEDS = ("all:1", "all:2", "short:1", "latest:1", "live:1", "private:1")
KEYS = 8  # of a feed with the latest values
ROLLBACK = 0.1  # share of the transactions
ALONE = 0.3  # share of the turns that are one call outside a transaction
LOST_HOOK = 0.1  # share of the commit hooks
OPERATIONS = 5  # of one transaction, at most
BURST = 30  # events published by one call, at most
TRIM = 0.05  # share of the turns after which old events go
PAUSE = 0.15  # seconds between two turns, at most
LATER = 3.0  # seconds for which something is snoozed or put off, at most
REMEMBERED = 30  # notices, broadcasts and messages that a writer goes on with

# How often each verb is taken in a transaction. In one, a writer changes no row that another may change, so that no
# other writer can be to blame if it is aborted.
VERBS = {
    "publish": 8,
    "publish_many": 2,
    "notify": 8,
    "change_states": 8,
    "edit_notice": 2,
    "withdraw": 1,
    "broadcast": 1,
    "edit_broadcast": 1,
    "recall_broadcast": 0.5,
    "post_message": 4,
    "edit_message": 2,
    "delete_message": 1,
    "react": 2,
}
ALONE_VERBS = {
    "see": 2,
    "read_all": 1,
    "archive_all": 0.5,
    "undo": 1,
    "read_room": 2,
    "join_or_leave": 1,
    "rename": 0.5,
}
STATES = ("mark_read", "mark_unread", "archive", "unarchive", "pin", "unpin", "mark_clicked")


class Rollback(Exception):
    """A writer's own change of mind."""


def restore(remembered: Sequence[list[Any]], known: Sequence[list[Any]]) -> None:
    """Remember what was known before: of what was not committed the keys may be given to something else."""
    for one, before in zip(remembered, known, strict=True):
        one[:] = before


class Writer:
    """Runs random transactions, each thing that it writes with a name of its own."""

    def __init__(self, seed: str, readers: list[Any], guests: list[Any], rooms: dict[Any, list[Any]]) -> None:
        self.seed = seed
        self.choice = random.Random(seed)
        self.readers = readers
        self.guests = guests
        self.rooms = rooms  # members by room
        self.kind = f"writer-{seed}"
        self.count = 0
        self.doomed = False
        self.notices: list[Any] = []
        self.broadcasts: list[Any] = []
        self.undoable: list[tuple[Any, str]] = []

    def write(self) -> None:
        """Run one transaction, or call one verb outside one, and say how it went."""
        from django.core.exceptions import ObjectDoesNotExist
        from django.db import connection, transaction

        # What was found may be pruned before it is changed; and a driver's own error may come out as it is.
        failures: tuple[type[Exception], ...] = (*database_errors(), ObjectDoesNotExist)
        alone = self.choice.random() < ALONE
        self.doomed = not alone and self.choice.random() < ROLLBACK
        remembered: tuple[list[Any], ...] = (self.notices, self.broadcasts, self.undoable)
        known = [list(one) for one in remembered]
        self.say("begin", "alone" if alone else "doomed" if self.doomed else "")
        try:
            if alone:
                self.perform(VERBS | ALONE_VERBS)
            else:
                with transaction.atomic():
                    for _ in range(self.choice.randint(1, OPERATIONS)):
                        self.perform(VERBS)
                    if self.doomed:
                        raise Rollback
        except Rollback:
            self.say("rolled back")
            restore(remembered, known)
        except failures as error:
            self.say("failed", repr(error))
            restore(remembered, known)
            connection.close()
        else:
            self.say("done")
        for one in remembered:
            del one[:-REMEMBERED]

    def perform(self, verbs: dict[str, float]) -> None:
        verb: Callable[[], None] = getattr(self, self.choice.choices(list(verbs), list(verbs.values()))[0])
        verb()

    def name(self) -> str:
        self.count += 1
        return f"{self.seed}/{self.count}{'/doomed' if self.doomed else ''}"

    def some(self, people: list[Any]) -> list[Any]:
        return self.choice.sample(people, self.choice.randint(1, len(people)))

    def say(self, what: str, *details: Any) -> None:
        # By the true clock, even where this process has another one.
        print(json.dumps([time.clock_gettime(time.CLOCK_REALTIME), what, *details]), flush=True)  # noqa: T201

    # Feeds

    def event(self) -> dict[str, Any]:
        return {"name": self.name(), "key": str(self.choice.randrange(KEYS)), "at": time.time()}

    def publish(self) -> None:
        from notifications.services import publish

        feed, event = self.choice.choice(FEEDS), self.event()
        self.say("publish", [[feed, event["name"]]])
        publish(feed, event, event="said")

    def publish_many(self) -> None:
        from notifications.services import publish_many

        events = [(self.choice.choice(FEEDS), self.event()) for _ in range(self.choice.randint(2, BURST))]
        self.say("publish", [[feed, event["name"]] for feed, event in events])
        publish_many(events)

    # The inbox

    def notify(self) -> None:
        from django.utils import timezone

        from notifications.services import notify

        name, to = self.name(), self.some(self.readers)
        options: dict[str, Any] = {"actor": self.choice.choice(self.readers)}
        if self.choice.random() < 0.3:
            options["group"] = f"group {self.choice.randrange(3)}"
        if self.choice.random() < 0.15:
            options["dedupe_key"] = f"{self.seed} {self.choice.randrange(20)}"
        if self.choice.random() < 0.1:
            options["send_at"] = timezone.now() + timedelta(seconds=self.choice.random() * LATER)
        names = [user.username for user in to]
        self.say("notify", name, names, sorted(options))
        notice = notify(to, name, body=f"{name} to:{'|'.join(names)};", kind=self.kind, **options)
        if notice.title == name:
            self.notices.append(notice)
        else:
            self.say("deduped", name)

    def edit_notice(self) -> None:
        from notifications.services import edit_notice

        if self.notices:
            notice, name = self.choice.choice(self.notices), self.name()
            self.say("edit", notice.pk, name)
            edit_notice(notice, name)

    def withdraw(self) -> None:
        from notifications.services import withdraw

        if self.notices:
            notice = self.notices.pop(self.choice.randrange(len(self.notices)))
            self.say("withdraw", notice.pk)
            withdraw(notice)

    def own_ids(self, user: Any) -> list[int]:
        from notifications.models import Notification

        mine = Notification.objects.of(user).items().filter(notice__kind=self.kind).order_by("-pk")
        ids = list(mine.values_list("pk", flat=True)[:REMEMBERED])
        return self.choice.sample(ids, min(len(ids), self.choice.randint(1, 3)))

    def change_states(self) -> None:
        from django.utils import timezone

        from notifications import services

        user = self.choice.choice(self.readers)
        if not (ids := self.own_ids(user)):
            return
        verb = self.choice.choice((*STATES, "snooze", "unsnooze"))
        self.say(verb, user.username, ids)
        if verb == "snooze":
            until = timezone.now() + timedelta(seconds=0.2 + self.choice.random() * LATER)
            services.snooze(user, ids, until)
            return
        done = getattr(services, verb)(user, ids)
        if getattr(done, "undo", ""):
            self.undoable.append((user, done.undo))

    def undo(self) -> None:
        from notifications.services import undo

        if self.undoable:
            user, token = self.undoable.pop()
            self.say("undo", user.username, token)
            undo(user, token)

    def see(self) -> None:
        from notifications.services import mark_seen

        user = self.choice.choice(self.readers)
        self.say("see", user.username)
        mark_seen(user)

    def read_all(self) -> None:
        from notifications.services import mark_all_read

        user = self.choice.choice(self.readers)
        self.say("read all", user.username)
        mark_all_read(user)

    def archive_all(self) -> None:
        from notifications.services import archive_all

        user = self.choice.choice(self.readers)
        self.say("archive all", user.username)
        archive_all(user, kind=self.kind)

    # Broadcasts

    def broadcast(self) -> None:
        from django.contrib.auth.models import Group

        from notifications.services import broadcast

        name, to = self.name(), self.choice.choice(["everyone", "odd", "even", "some"])
        meant: Any = to
        names = [to]
        if to == "some":
            meant = self.some(self.readers)
            names = [user.username for user in meant]
        elif to != "everyone":
            meant = Group.objects.get(name=to)
        self.say("broadcast", name, names)
        self.broadcasts.append(broadcast(name, to=meant, body=f"{name} to:{'|'.join(names)};"))

    def edit_broadcast(self) -> None:
        from notifications.services import edit_broadcast

        if found := self.own_broadcast():
            name = self.name()
            self.say("edit broadcast", found.pk, name)
            edit_broadcast(found, title=name)

    def recall_broadcast(self) -> None:
        from notifications.services import recall_broadcast

        if found := self.own_broadcast():
            self.say("recall broadcast", found.pk)
            recall_broadcast(found)

    def own_broadcast(self) -> Any:
        from notifications.broadcasts.publishing import OUT
        from notifications.models import Broadcast

        pks = [broadcast.pk for broadcast in self.broadcasts]
        found = list(Broadcast.objects.filter(pk__in=pks, state__in=OUT))
        return self.choice.choice(found) if found else None

    # The chat

    def post_message(self) -> None:
        from notifications.services import post_message

        room = self.choice.choice(list(self.rooms))
        by, name = self.choice.choice(self.rooms[room]), self.name()
        self.say("post", room, name, by.username)
        post_message(room, f"{name} in:{room};", by=by)

    def own_message(self) -> Any:
        from notifications.models import Message

        mine = Message.objects.numbered().filter(body__startswith=f"{self.seed}/", deleted_at=None, hidden_at=None)
        found = list(mine.select_related("author").order_by("-pk")[:REMEMBERED])
        return self.choice.choice(found) if found else None

    def edit_message(self) -> None:
        from notifications.services import edit_message

        if found := self.own_message():
            name = self.name()
            self.say("edit message", found.room_id, found.number, name)
            edit_message(found.room_id, found.number, f"{name} in:{found.room_id};", by=found.author)

    def delete_message(self) -> None:
        from notifications.services import delete_message

        if found := self.own_message():
            self.say("delete message", found.room_id, found.number)
            delete_message(found.room_id, found.number, by=found.author)

    def react(self) -> None:
        from notifications.services import toggle_reaction

        if found := self.own_message():
            by = self.choice.choice(self.rooms[found.room_id])
            self.say("react", found.room_id, found.number, by.username)
            toggle_reaction(found.room_id, found.number, self.choice.choice("👍🎉👀"), by=by)

    def read_room(self) -> None:
        from notifications.services import mark_room_read

        room = self.choice.choice(list(self.rooms))
        by = self.choice.choice(self.rooms[room])
        self.say("read room", room, by.username)
        mark_room_read(room, by=by)

    def join_or_leave(self) -> None:
        from notifications.models import Room
        from notifications.services import add_member, remove_member

        room, guest = Room.objects.get(pk=self.choice.choice(list(self.rooms))), self.choice.choice(self.guests)
        if self.choice.random() < 0.5:
            self.say("join", room.pk, guest.username)
            add_member(room, guest)
        else:
            self.say("leave", room.pk, guest.username)
            remove_member(room, guest)

    def rename(self) -> None:
        from notifications.models import Room
        from notifications.services import rename_room

        room = Room.objects.get(pk=self.choice.choice(list(self.rooms)))
        self.say("rename", room.pk)
        rename_room(room, f"Room {self.count}")


def lose_hooks(seed: str) -> None:
    """Drop commit hooks, as a process that is killed between commit and hook does."""
    from notifications.broadcasts import publishing
    from notifications.live import commit, relay

    choice = random.Random(f"{seed} hooks")

    def sometimes(hook: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any) -> None:
            if choice.random() >= LOST_HOOK:
                hook(*args)

        return call

    commit.sequence_now = sometimes(commit.sequence_now)
    publishing.post = sometimes(publishing.post)
    relay.announce_batch = sometimes(relay.announce_batch)


def writer(seed: str) -> Writer:
    """Return a writer who knows the site's people and rooms."""
    from django.contrib.auth import get_user_model

    from notifications.models import Room

    def members(usernames: Iterable[str]) -> list[Any]:
        names = set(usernames)
        return [user for user in readers if user.username in names]

    users = get_user_model()._default_manager.order_by("pk")
    readers = list(users.filter(username__startswith="reader"))
    rooms = json.loads(os.environ["ROOMS"])  # names of those who stay in each, by primary key
    here = {room.pk: members(rooms[str(room.pk)]) for room in Room.objects.order_by("pk") if str(room.pk) in rooms}
    return Writer(seed, readers, list(users.filter(username__startswith="guest")), here)


def database_errors() -> tuple[type[Exception], ...]:
    """Return what a database raises: as Django says it, and as the driver does."""
    from django.db import Error, connection

    driver: Any = connection
    return Error, driver.Database.Error


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    from notifications.feeds.stream import trim

    seed = sys.argv[1]
    lose_hooks(seed)
    ended = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    found: Writer | None = None
    pause = random.Random(f"{seed} pauses")
    while not ended.wait(pause.random() * PAUSE):
        try:
            found = found or writer(seed)
            found.write()
            if pause.random() < TRIM:
                trim(pause.choice(["short:1", "latest:1"]))
        except database_errors() as error:  # beside its transactions
            with suppress(Exception):
                connection.close()
            print(json.dumps([time.clock_gettime(time.CLOCK_REALTIME), "could not", repr(error)]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
