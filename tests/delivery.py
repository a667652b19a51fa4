"""The delivery checker: feeds, the inbox, broadcasts and rooms, through all that goes wrong.

Writers in processes of their own run random transactions through the public verbs; a tenth of them roll back, and a
tenth of the commit hooks are lost. Readers over server-sent events, WebSockets and polling keep positions and what they
were told, and nothing else. Meanwhile servers are killed and stopped, connections cut, left half open and swallowed,
broker and writers die, the database is pruned, is full, ends its connections, restarts and is restored from an older
copy, one process has the wrong time, and readers lose their permission. When all is well again, these rules hold:

1.  ``Log``: every event that was committed was told, but those before a ``feed.reset`` that its policy lets go.
    Where the policy keeps everything, no ``feed.reset`` comes after the first, but the empty one at position 0 with
    which a feed begins that a reader has followed before anything was published in it.
2.  ``Latest``: the reader ends with the newest value of each key, and no key ever goes back to an older one.
3.  ``Nothing``: an event comes once at most; with a broker, who is connected when all is well hears the next one.
4.  The inbox: all that changed after its last ``reset`` is there, notifications and broadcasts, and each item that a
    reader has is the database's in every field. The counts are the database's.
5.  Rooms: all messages that changed after the last ``reset`` are there, in every field, with their reactions. Numbers
    have no gaps. What was acknowledged to its author is stored once, under that number.
6.  Nothing that was rolled back is ever told, and nothing is lost that was committed.
7.  A frame begins where the reader is, changes come in their order, and nothing comes twice at one version, but what
    changed while a ``reset`` was read: it may show that already, above its cursor, and it comes once more.
8.  Nobody is told of what is for somebody else. Who loses the permission for a feed hears nothing that is published
    later than a bound after that; who leaves a room, nothing that comes after that in the room's order.
9.  What is written when all is well is heard within 2 s, and within 30 s when the broker is dead. What was sent later,
    scheduled or snoozed until then is heard within 2 s of its time.
10. No request is answered with an error of ours, and neither server nor writer prints a traceback, but of a database
    that fails just then. No transaction of an application is aborted, but by the locks that MariaDB takes for it.

A database that is restored forgets what was committed since its copy: then that is not asked for, and nothing of it may
be left with any reader.

``python -m tests.delivery SEED SECONDS [--database D] [--broker B] [--servers N] [--only ACT …]`` plays one game, and
prints a report as JSON: ``faults`` is empty, or ``history`` shows what readers and writers did around the first ones.
With ``--soak`` it plays in all surroundings, one after the other, until the seconds are over: ``make soak``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from typing import Any

from tests.delivery_site.game import Game
from tests.delivery_site.surroundings import BROKERS, DATABASES, prepared

# Database, broker and servers of the games of a soak.
SOAKED = (
    ("sqlite", "none", 1),
    ("postgresql", "none", 2),
    ("sqlite", "core", 2),
    ("postgresql", "pubsub", 4),
    ("mariadb", "none", 2),
    ("sqlite", "none", 2),
    ("postgresql", "core", 2),
    ("mariadb", "core", 4),
    ("postgresql", "listen", 4),
    ("sqlite", "pubsub", 4),
    ("mariadb", "pubsub", 2),
    ("postgresql", "listen", 2),
    ("postgresql", "none", 1),
)


def run(seed: str, seconds: float, options: argparse.Namespace) -> dict[str, Any]:
    """Play one game in a folder of its own, and return what happened."""
    with prepared(database=options.database, broker=options.broker) as surroundings:
        game = Game(seed, surroundings, options.servers, options.only)
        try:
            game.start()
            return asyncio.run(game.play(seconds))
        finally:
            game.stop()


def soak(seed: str, seconds: float, each: float) -> int:
    """Play games of `each` so long in all surroundings for some seconds; print the report of the first that fails."""
    end = time.monotonic() + seconds
    print("| database | broker | servers | seed | seconds | transactions | frames | probes, s | faults |")  # noqa: T201
    print("|---|---|---|---|---|---|---|---|---|", flush=True)  # noqa: T201
    for number in range(1_000_000):
        if time.monotonic() > end:
            break
        database, broker, servers = SOAKED[number % len(SOAKED)]
        words = [f"{seed}{number}", str(min(each, seconds))]
        words += [f"--database={database}", f"--broker={broker}", f"--servers={servers}"]
        played = subprocess.run([sys.executable, "-m", "tests.delivery", *words], capture_output=True, text=True)
        if not played.stdout:
            print(words, played.stderr)  # noqa: T201
            return 1
        report = json.loads(played.stdout)
        numbers = [report[name] for name in ("seed", "seconds", "committed", "told", "probes")]
        cells = [database, broker, servers, *numbers, len(report["faults"])]
        print("|", " | ".join(map(str, cells)), "|", flush=True)  # noqa: T201
        if report["faults"]:
            print(played.stdout)  # noqa: T201
            return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.delivery")
    parser.add_argument("seed")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--broker", choices=BROKERS, default="none")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], metavar="ACT", help="do nothing else; may be repeated")
    parser.add_argument("--soak", action="store_true", help="play in all surroundings, one after the other")
    parser.add_argument("--each", type=float, default=60.0, help="seconds of one game of a soak (60)")
    options = parser.parse_args()
    if options.soak:
        return soak(options.seed, options.seconds, options.each)
    report = run(options.seed, options.seconds, options)
    print(json.dumps(report, indent=1))  # noqa: T201
    return 1 if report["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
