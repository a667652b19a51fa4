"""A writer, as a program: ``python -m tests.delivery_site.writers SEED`` writes until its input ends.

It says on its output what it tries, and afterwards whether that was committed or rolled back, one JSON list a line;
what it tried last before it was killed may have been committed or not.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from typing import Any

FEEDS = ("all:1", "all:2", "short:1", "latest:1", "live:1", "private:1")
KEYS = 8  # of a feed with the latest values
ROLLBACK = 0.1  # share of the transactions
LOST_HOOK = 0.1  # share of the commit hooks
OPERATIONS = 5  # of one transaction, at most
BURST = 30  # events published by one call, at most
TRIM = 0.05  # share of the turns after which old events go
PAUSE = 0.05  # seconds between two transactions, at most


class Rollback(Exception):
    """A writer's own change of mind."""


class Writer:
    """Runs random transactions, each event with a number of its own."""

    def __init__(self, seed: str, readers: list[Any]) -> None:
        self.seed = seed
        self.choice = random.Random(seed)
        self.readers = readers
        self.count = 0

    def write(self) -> None:
        """Run one transaction, and say how it went."""
        from django.db import transaction

        doomed = self.choice.random() < ROLLBACK
        steps = [self.step(doomed) for _ in range(self.choice.randint(1, OPERATIONS))]
        self.say("try", steps)
        try:
            with transaction.atomic():
                for step in steps:
                    self.perform(step)
                if doomed:
                    raise Rollback
        except Rollback:
            self.say("rolled back", [])
        else:
            self.say("done", [])

    def step(self, doomed: bool) -> Any:
        """Return one call: a notification, or events in one feed or in several."""
        if self.choice.random() < 0.15:
            return ["inbox", self.event(doomed)]
        many = self.choice.randint(2, BURST) if self.choice.random() < 0.2 else 1
        return ["feeds", [[self.choice.choice(FEEDS), self.event(doomed)] for _ in range(many)]]

    def event(self, doomed: bool) -> dict[str, Any]:
        self.count += 1
        name = f"{self.seed}/{self.count}{'/doomed' if doomed else ''}"
        return {"name": name, "key": str(self.choice.randrange(KEYS)), "at": time.time()}

    def perform(self, step: Any) -> None:
        from notifications.services import notify, publish, publish_many

        kind, what = step
        if kind == "inbox":
            notify(self.readers, what["name"])
        elif len(what) == 1:
            publish(what[0][0], what[0][1], event="said")
        else:
            publish_many([(name, event) for name, event in what])

    def say(self, what: str, steps: Any) -> None:
        print(json.dumps([what, steps]), flush=True)  # noqa: T201


def lose_hooks(seed: str) -> None:
    """Drop commit hooks, as a process that is killed between commit and hook does."""
    from notifications.live import commit

    choice = random.Random(f"{seed} hooks")
    hook = commit.sequence_now

    def sometimes(*args: Any) -> None:
        if choice.random() >= LOST_HOOK:
            hook(*args)

    commit.sequence_now = sometimes  # type: ignore[assignment]


def main() -> None:
    import django

    django.setup()
    from django.contrib.auth import get_user_model

    from notifications.feeds.stream import trim

    seed = sys.argv[1]
    lose_hooks(seed)
    writer = Writer(seed, list(get_user_model().objects.filter(username__startswith="reader")))
    ended = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    while not ended.wait(writer.choice.random() * PAUSE):
        writer.write()
        if writer.choice.random() < TRIM:
            trim(writer.choice.choice(["short:1", "latest:1"]))


if __name__ == "__main__":
    main()
