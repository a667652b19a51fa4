"""The checker of senders: what is stored is sent once, or says why not, whoever is killed meanwhile.

Writers notify in transactions, of which a fifth roll back; two workers send by three channels and are killed again and
again; receivers fail, hang, ask for patience, and take a message and die before they say so. When all is well again:

1. Every delivery of what was committed is ``sent``, ``failed`` or ``skipped``, and the last has a reason.
2. What is ``sent`` was taken by its receiver, under one id: one that drops what it has had told its user once.
3. What failed is what no try could send; what is ``bounced``, and who has no address, is just that.
4. Nothing that was rolled back was ever sent.
5. Nothing was sent from within a transaction.

``python -m tests.senders SEED NUMBER [--postgresql | --mariadb]`` plays with so many deliveries, and prints a report.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from tests.delivery_site.surroundings import prepared
from tests.senders_site.receiver import Receiver
from tests.servers.asgi import ROOT

SETTINGS = "tests.senders_site.settings"
WORKERS = 2
RECIPIENTS = ("ann", "ben", "cem", "dora", "eve", "gus gone", "bob broken", "hal homeless")
CHANNELS = 3
ROLLBACK = 0.2  # share of the transactions
KILLING = 60.0  # seconds for which workers are killed when nothing is written any more
CALM = 60.0  # seconds without a killed worker in which something must end
LIFE = (0.3, 2.0)  # seconds that a worker lives


class Rollback(Exception):
    """A writer's own change of mind."""


class Worker:
    """A process that sends, and is killed some time after it has begun to."""

    def __init__(self, life: float) -> None:
        self.life = life
        self.end: float | None = None
        read, write = os.pipe()
        command = [sys.executable, "-m", "tests.senders_site.worker", str(write)]
        self.process = subprocess.Popen(command, cwd=ROOT, pass_fds=[write])
        os.close(write)
        self._ready = os.fdopen(read, "rb")

    def is_over(self) -> bool:
        """Return whether its time has come; it is counted from when it is ready, which takes long on a busy machine."""
        if self.end is None:
            if not select.select([self._ready], [], [], 0)[0]:
                return False
            self._ready.close()
            self.end = time.monotonic() + self.life
        return time.monotonic() > self.end

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Game:
    """Writers, workers, and who kills them."""

    def __init__(self, seed: str, number: int, receiver: Receiver) -> None:
        self.chance = random.Random(seed)
        self.number = number
        self.receiver = receiver
        self.committed: set[str] = set()
        self.doomed: set[str] = set()
        self.kills = 0
        self.longest = 0.0  # seconds of a transaction
        self.workers: list[Worker] = []

    def play(self) -> dict[str, Any]:
        from django.contrib.auth import get_user_model

        users = get_user_model()._default_manager
        people = users.bulk_create([users.model(username=name) for name in RECIPIENTS])
        try:
            for count in itertools.count():
                if len(self.committed) * CHANNELS * len(RECIPIENTS) >= self.number:
                    break
                self.nemesis()
                self.write(f"Notice {count}", people)
            written = moved = time.monotonic()
            left = self.waiting()
            while left and time.monotonic() < moved + CALM:
                if time.monotonic() < written + KILLING:
                    self.nemesis()
                self.keep_workers()
                time.sleep(0.1)
                before, left = left, self.waiting()
                if left < before:
                    moved = time.monotonic()
        finally:
            for worker in self.workers:
                worker.stop()
        return self.report()

    def write(self, title: str, people: list[Any]) -> None:
        from django.db import transaction

        from notifications.services import notify

        begun = time.monotonic()
        doomed = self.chance.random() < ROLLBACK
        try:
            with transaction.atomic():
                notify(people, title)
                if doomed:
                    raise Rollback
        except Rollback:
            self.doomed.add(title)
        else:
            self.committed.add(title)
        self.longest = max(self.longest, time.monotonic() - begun)

    def keep_workers(self) -> None:
        """Have as many workers as there should be."""
        self.workers = [worker for worker in self.workers if worker.process.poll() is None]
        while len(self.workers) < WORKERS:
            self.workers.append(Worker(self.chance.uniform(*LIFE)))

    def nemesis(self) -> None:
        """Kill whose time has come."""
        self.keep_workers()
        for worker in self.workers:
            if worker.is_over():
                worker.process.kill()
                worker.process.wait()
                self.kills += 1

    def waiting(self) -> int:
        from notifications.models import Delivery

        return Delivery.objects.filter(due_at__isnull=False).count()

    def report(self) -> dict[str, Any]:
        from notifications.models import Delivery

        receiver = self.receiver
        faults: list[str] = []
        states: Counter[str] = Counter()
        rows = Delivery.objects.values_list(
            "channel", "recipient__username", "notice__title", "state", "reason", "attempts"
        )
        known = set()
        for channel, name, title, state, reason, attempts in rows:
            what = f"{title} for {name} by {channel}"
            known.add((channel, name, title))
            states[f"{state} {reason}".strip()] += 1
            ids = receiver.taken.get((channel, name, title), set())
            expected = {"gone": "skipped bounced", "broken": "failed", "homeless": "skipped no-address"}
            if f"{state} {reason}".strip() != expected.get(name.rpartition(" ")[2], "sent"):
                faults.append(f"{what} is {state} {reason} after {attempts} tries")
            if state == "sent" and len(ids) != 1:
                faults.append(f"{what} was taken under {len(ids)} ids")
        expected_rows = len(self.committed) * CHANNELS * len(RECIPIENTS)
        if len(known) != expected_rows:
            faults.append(f"{len(known)} deliveries instead of {expected_rows}")
        faults += [f"{title} was rolled back" for _, _, title in receiver.taken if title in self.doomed]
        if receiver.in_transactions:
            faults.append(f"{receiver.in_transactions} were sent from within a transaction")
        return {
            "deliveries": len(known),
            "states": dict(states),
            "kills": self.kills,
            "answers": dict(receiver.done),
            "repeated": receiver.repeated,
            "rolled back": len(self.doomed),
            "longest transaction": round(self.longest, 3),
            "faults": faults[:20],
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.senders")
    parser.add_argument("seed")
    parser.add_argument("number", type=int)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--mariadb", action="store_true")
    options = parser.parse_args()
    receiver = Receiver()
    receiver.start()
    try:
        database = "postgresql" if options.postgresql else "mariadb" if options.mariadb else "sqlite"
        with prepared(database=database, settings=SETTINGS, environment={"RECEIVER": str(receiver.port)}):
            report = Game(options.seed, options.number, receiver).play()
    finally:
        receiver.stop()
    print(json.dumps(report, indent=1))  # noqa: T201
    return 1 if report["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
