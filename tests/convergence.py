"""Writers against readers, as a program: `python -m tests.convergence SEED` prints what happened as JSON.

Writers on connections of their own run transactions of random length; a tenth of them roll back and three of
ten commit hooks are lost. Readers keep nothing but a cursor and what they were told. The test in
`test_convergence.py` runs this on SQLite and on PostgreSQL and judges the report.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

USERS = 8
WRITERS = 6
TRANSACTIONS = 40  # of each writer
OPERATIONS = 6  # of one transaction, at most
ROLLBACK = 0.1  # share of the transactions
LOST_HOOK = 0.3  # share of the commit hooks
PAUSE = 0.01  # seconds between two looks of a reader, at most; without one the readers leave the writers no processor
DOOMED = "rolled back"


class Rollback(Exception):
    """A writer's own change of mind."""


class Reader:
    """A client: a position, and the items as it was told of them."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.position: Any = None
        self.items: dict[int, dict[str, Any]] = {}
        self.resets = 0
        self.faults: list[str] = []

    def catch_up(self) -> bool:
        """Read once; return whether there was anything."""
        from notifications.inbox.stream import INBOX
        from notifications.live.replay import changes_since

        batch = changes_since(INBOX, {self.user.pk: self.position}).get(self.user.pk)
        if batch is None:
            return False
        if batch.start is None:
            self.start_afresh()
        for frame in batch.frames:
            self.apply(json.loads(frame.data)["items"], continued=batch.start is not None)
        moved: bool = batch.to != self.position
        self.position = batch.to
        return moved

    def start_afresh(self) -> None:
        """Load everything page by page, as a client does that shows the whole list."""
        from notifications.inbox.reading import page

        self.resets += 1
        self.items = {}
        for state in ("all", "archived"):
            before = None
            while True:
                found = page(self.user, state, before=before, limit=100)
                self.apply(json.loads(json.dumps([as_json(item) for item in found.items])), continued=False)
                before = found.next
                if before is None:
                    break

    def apply(self, items: list[dict[str, Any]], *, continued: bool) -> None:
        for item in items:
            if item["title"].startswith(DOOMED):
                self.faults.append(f"saw {item['title']}")
            if continued and item["version"] <= self.position.modseq:
                self.faults.append(f"item {item['id']} came again at {item['version']}")
            known = self.items.get(item["id"])
            if known is None or item["version"] >= known["version"]:
                self.items[item["id"]] = item


def as_json(item: Any) -> Any:
    from notifications.live.frames import encode

    return json.loads(encode(item))


def write(number: int, seed: str, users: list[Any], report: dict[str, Any]) -> None:
    """Run one writer's transactions. It changes only rows of its own, so that no other writer can be to blame."""
    from django.db import connection, transaction

    from notifications import services
    from notifications.models import Notification

    choice = random.Random(f"{seed} writer {number}")
    for turn in range(TRANSACTIONS):
        doomed = choice.random() < ROLLBACK
        title = f"{DOOMED if doomed else 'kept'} {number}.{turn}"
        try:
            with transaction.atomic():
                for _ in range(choice.randint(1, OPERATIONS)):
                    user = choice.choice(users)
                    mine = Notification.objects.of(user).filter(notice__kind=f"writer-{number}")
                    ids = list(mine.values_list("pk", flat=True))
                    verb = choice.choice(["notify", "notify", "notify", "read", "unread", "archive", "unarchive"])
                    if verb == "notify":
                        to = choice.sample(users, choice.randint(1, USERS))
                        services.notify(to, title, kind=f"writer-{number}")
                    elif ids:
                        some = choice.sample(ids, min(len(ids), 3))
                        verbs: dict[str, Any] = {
                            "read": services.mark_read,
                            "unread": services.mark_unread,
                            "archive": services.archive,
                            "unarchive": services.unarchive,
                        }
                        verbs[verb](user, some)
                if doomed:
                    raise Rollback
        except Rollback:
            report["rolled_back"] += 1
        except Exception as error:  # noqa: BLE001  # every abort is a finding
            report["aborted"].append(repr(error))
        else:
            report["committed"] += 1
    connection.close()


def read(reader: Reader, seed: str, done: threading.Event) -> None:
    """Read at moments that the seed decides, until the writers have ended, and then what is left."""
    from django.db import connection

    choice = random.Random(f"{seed} reader {reader.user.username}")
    while not done.wait(choice.random() * PAUSE):
        reader.catch_up()
    while reader.catch_up():
        pass
    connection.close()


def lose_hooks(seed: str, report: dict[str, Any]) -> None:
    """Drop commit hooks, as a process that is killed between commit and hook does."""
    from notifications.live import commit

    choice = random.Random(f"{seed} hooks")
    hook = commit.sequence_now

    def sometimes(*args: Any) -> None:
        if choice.random() < LOST_HOOK:
            report["hooks_lost"] += 1
        else:
            report["hooks_run"] += 1
            hook(*args)

    commit.sequence_now = sometimes  # type: ignore[assignment]


def run(seed: str) -> dict[str, Any]:
    """Play one whole game and return what happened."""
    from django.contrib.auth import get_user_model

    from notifications.inbox.stream import INBOX, items_of
    from notifications.live.sequencer import sequence
    from notifications.models import Notification

    user_model = get_user_model()
    users = [user_model.objects.create(username=f"user {number}") for number in range(USERS)]
    report: dict[str, Any] = {"committed": 0, "rolled_back": 0, "hooks_run": 0, "hooks_lost": 0, "aborted": []}
    lose_hooks(seed, report)
    readers = [Reader(user) for user in users]
    done = threading.Event()
    reading = [threading.Thread(target=read, args=(reader, seed, done)) for reader in readers]
    writing = [threading.Thread(target=write, args=(number, seed, users, report)) for number in range(WRITERS)]
    for thread in [*reading, *writing]:
        thread.start()
    for thread in writing:
        thread.join()
    sequence(INBOX, [user.pk for user in users])  # what the comparison with the database does every second
    done.set()
    for thread in reading:
        thread.join()

    report["pending"] = Notification.objects.filter(modseq=None).count()
    report["rows"] = Notification.objects.count()
    report["faults"] = [fault for reader in readers for fault in reader.faults]
    report["resets"] = [reader.resets for reader in readers]
    report["different"] = [
        f"{reader.user}: {row.pk}"
        for reader in readers
        for row in Notification.objects.of(reader.user).with_content()
        if reader.items.get(row.pk) != as_json(items_of([row])[0])
    ]
    report["surplus"] = sum(len(reader.items) for reader in readers) - report["rows"]
    return report


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.DATABASE_FOLDER.mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    print(json.dumps(run(sys.argv[1])))  # noqa: T201


if __name__ == "__main__":
    main()
