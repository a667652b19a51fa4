"""The delivery checker: feeds of all policies and the inbox beside them, through all that goes wrong.

Writers in processes of their own run random transactions through the public verbs; a tenth of them roll back, a tenth
of the commit hooks are lost, and old events are let go meanwhile. Readers keep positions and what they were told,
and nothing else. Servers are killed, connections cut and left half open, the broker dies, writers die, and readers
lose their permission. When all is well again, these rules hold for each reader:

1. ``Log``: every event that was committed was told, but those before a ``feed.reset`` that its policy lets go.
   Where the policy keeps everything, no ``feed.reset`` comes after the first, but the empty one at position 0 with
   which a feed begins that a reader has followed before anything was published in it.
2. ``Latest``: the reader ends with the newest value of each key, and no key ever goes back to an older one.
3. ``Nothing``: an event comes once at most; with a broker, who is connected when all is well hears the next one.
4. The inbox: all that was committed after its last ``reset`` is there, at its newest version.
5. Nothing that was rolled back is ever told.
6. A frame begins where the reader is, no event comes twice at one version, and none at a version below the reader's.
7. Whoever loses the permission hears nothing that is published later than a bound after that.
8. No request of a reader is answered with an error of ours, and no server prints a traceback.

``python -m tests.delivery SEED SECONDS [--servers N] [--broker] [--postgresql]`` prints a report as JSON;
with ``--soak`` it plays in all surroundings, one after the other, until the seconds are over: ``make soak``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.delivery_site.readers import KINDS, Reader
from tests.delivery_site.surroundings import Surroundings, prepared
from tests.servers.asgi import ROOT
from tests.servers.faults import FaultProxy

WRITERS = 3
EACH = 3  # readers of each kind; the last one loses its permission
FEEDS = ("all:1", "all:2", "short:1", "latest:1", "live:1", "private:1")
KEPT = ("all:1", "all:2", "private:1")  # their policies let nothing go
STORED = (*KEPT, "short:1", "latest:1")  # those that have positions
BOUND = 6.0  # seconds after which nobody hears more who may not: two rounds of rechecks, and a busy machine
CALM = 30.0  # seconds within which all must end right when all is well again
LOOK = 0.25  # seconds between two looks whether it has


class WriterProcess:
    """One writer, and what it says."""

    def __init__(self, seed: str, log: Path) -> None:
        self.seed = seed
        self.log = log
        with log.open("wb") as output, log.with_suffix(".errors").open("wb") as errors:
            command = [sys.executable, "-m", "tests.delivery_site.writers", seed]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=errors, cwd=ROOT)

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def journal(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return what it has committed, and what it may have: pairs of a feed, or the inbox, and an event's name."""
        done: list[tuple[str, str]] = []
        tried: list[tuple[str, str]] = []
        for line in self.log.read_text().splitlines():
            what, steps = json.loads(line)
            if what == "try":
                tried = [pair for step in steps for pair in pairs(step)]
                continue
            done += tried if what == "done" else []
            tried = []
        return done, tried

    def errors(self) -> str:
        return self.log.with_suffix(".errors").read_text()


def pairs(step: Any) -> list[tuple[str, str]]:
    kind, what = step
    return [("inbox", what["name"])] if kind == "inbox" else [(feed, event["name"]) for feed, event in what]


class Game:
    """Servers, writers and readers, and what is done to them."""

    def __init__(self, seed: str, surroundings: Surroundings, servers: int) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.folder = surroundings.folder
        self.broker = surroundings.broker
        self.servers = [surroundings.server() for _ in range(servers)]
        self.proxies = [FaultProxy(server.port) for server in self.servers]
        self.writers: list[WriterProcess] = []
        self.readers: list[Reader] = []
        self.ended: dict[str, float] = {}  # when a reader lost its permission
        self.done: Counter[str] = Counter()  # what the nemesis did

    def start(self) -> None:
        from django.contrib.auth.models import Group, User

        from tests.streaming import cookies

        for server, proxy in zip(self.servers, self.proxies, strict=True):
            server.start()
            proxy.start()
        group = Group.objects.create(name="private:1")
        for kind, make in KINDS.items():
            for number in range(EACH):
                user = User.objects.create_user(f"reader {kind} {number}")
                user.groups.add(group)
                addresses = [proxy.url for proxy in self.proxies]
                self.readers.append(make(user.username, cookies(user), addresses, FEEDS, self.seed))

    def stop(self) -> None:
        for writer in self.writers:
            writer.kill()
        for proxy in self.proxies:
            proxy.stop()
        for server in self.servers:
            server.kill()

    def add_writer(self) -> None:
        seed = f"{self.seed}-{len(self.writers)}"
        self.writers.append(WriterProcess(seed, self.folder / f"writer-{len(self.writers)}"))

    async def play(self, seconds: float) -> dict[str, Any]:
        """Let all run, break things for some seconds, heal them, and return what is found."""
        reading = [asyncio.create_task(reader.run()) for reader in self.readers]
        await self._all_follow()
        for _ in range(WRITERS):
            self.add_writer()
        await self._storm(seconds)
        await asyncio.to_thread(self._heal)
        deadline = time.monotonic() + CALM
        while (missing := await asyncio.to_thread(self._missing)) and time.monotonic() < deadline:
            await asyncio.to_thread(self._ping)
            await asyncio.sleep(LOOK)
        await asyncio.sleep(1.0)  # for what comes twice
        for task in reading:
            task.cancel()
        results = await asyncio.gather(*reading, return_exceptions=True)
        crashes = [repr(one) for one in results if isinstance(one, Exception)]
        report = await asyncio.to_thread(self._report)
        return {**report, "missing": missing, "crashed": crashes, "calm": CALM - (deadline - time.monotonic())}

    async def _all_follow(self) -> None:
        """Wait until every reader has a position of each feed: from there on nothing may be kept from it."""
        deadline = time.monotonic() + CALM
        while strangers := [
            f"{reader.name}: {reader.states} {reader.faults}"
            for reader in self.readers
            if not all(reader.feeds[feed].resume for feed in STORED)
        ]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"These could not follow: {strangers}")
            await asyncio.sleep(0.05)

    async def _storm(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        outsiders = [reader for reader in self.readers if reader.name.endswith(str(EACH - 1))]
        acts = [self._cut, self._half_open, self._kill_server, self._kill_writer]
        if self.broker:
            acts.append(self._kill_broker)
        for turn in range(10_000):
            await asyncio.sleep(self.chance.uniform(0.2, 0.8))
            if time.monotonic() > end and turn >= len(acts):
                return
            act = acts[turn % len(acts)] if turn < len(acts) else self.chance.choice(acts)
            await asyncio.to_thread(act)
            self.done[act.__name__] += 1
            if outsiders and time.monotonic() > end - seconds * 0.8:
                await asyncio.to_thread(self._shut_out, outsiders.pop())

    def _cut(self) -> None:
        self.chance.choice(self.proxies).cut()

    def _half_open(self) -> None:
        self.chance.choice(self.proxies).half_open()

    def _kill_server(self) -> None:
        server = self.chance.choice(self.servers)
        server.kill()
        server.start()

    def _kill_writer(self) -> None:
        self.writers[self.chance.randrange(len(self.writers))].kill()
        self.add_writer()

    def _kill_broker(self) -> None:
        assert self.broker is not None
        self.broker.kill()
        time.sleep(self.chance.uniform(0.1, 1.0))
        self.broker.start()

    def _shut_out(self, reader: Reader) -> None:
        from django.contrib.auth.models import User
        from django.db import connection

        from notifications.services import recheck_feed

        User.objects.get(username=reader.name).groups.clear()
        self.ended[reader.name] = time.time()
        if self.chance.random() < 0.5:
            recheck_feed("private:1")
        connection.close()

    def _heal(self) -> None:
        for writer in self.writers:
            if writer.process.poll() is None:
                writer.end()
        for proxy in self.proxies:
            proxy.heal()
        for reader in self.readers:
            reader.calm.set()

    def _ping(self) -> None:
        from django.db import connection

        from notifications.services import publish

        publish("live:1", {"name": f"ping {time.monotonic()}", "key": "", "at": time.time()})
        connection.close()

    # What must be there

    def _missing(self) -> list[str]:
        """Return what readers still lack: rules 1 to 4."""
        from django.db import connection

        from notifications.feeds.names import stream_key
        from notifications.models import FeedEvent, Notification

        kept: dict[str, list[tuple[int, int, str, str]]] = {}
        for feed in FEEDS:
            rows = FeedEvent.objects.filter(feed=stream_key(feed)).order_by("modseq", "pk")
            found = list(rows.values_list("modseq", "pk", "key", "data"))
            kept[feed] = [(modseq or 0, pk, key, json.loads(data)["name"]) for modseq, pk, key, data in found]
        pending = [f"{feed} has pending events" for feed, rows in kept.items() if any(not row[0] for row in rows)]
        known = self._versions(kept)
        lacking: list[str] = []
        for reader in self.readers:
            lacking += [f"{reader.name}: {lack}" for lack in self._lacks(reader, kept, known)]
            mine = Notification.objects.filter(recipient__username=reader.name, modseq__gt=reader.inbox_from)
            for pk, modseq, title in mine.values_list("pk", "modseq", "notice__title"):
                if reader.items.get(pk) != (modseq, title):
                    lacking.append(f"{reader.name}: notification {pk} at {modseq}")
        connection.close()
        return pending + lacking

    def _versions(self, kept: dict[str, list[tuple[int, int, str, str]]]) -> dict[str, dict[str, int]]:
        """Return the version of each event of each feed, as far as anybody knows it."""
        known = {feed: {name: modseq for modseq, _pk, _key, name in rows} for feed, rows in kept.items()}
        for reader in self.readers:
            for feed, record in reader.feeds.items():
                known[feed] |= record.names
        return known

    def _lacks(self, reader: Reader, kept: Any, known: Any) -> list[str]:
        feeds = [feed for feed in FEEDS if feed != "private:1" or reader.name not in self.ended]
        lacking: list[str] = []
        for feed in feeds:
            record = reader.feeds[feed]
            if feed.startswith("latest"):
                newest = {key: (modseq, pk, name) for modseq, pk, key, name in kept[feed]}
                lacking += [f"{feed} {key}" for key, value in newest.items() if record.values.get(key) != value]
            elif feed.startswith("live"):
                # Without a broker such events stay in the process in which they are published.
                if self.broker and not any(name.startswith("ping") for _feed, name in reader.live):
                    lacking.append(f"{feed}: no ping")
            else:
                head = max((row[0] for row in kept[feed]), default=0)
                if head > record.at:
                    lacking.append(f"{feed} ends at {record.at}, not {head}")
                for start, to in record.spans:
                    lacking += [
                        f"{feed} {name} at {version}, between {start} and {to}"
                        for name, version in known[feed].items()
                        if start < version <= to and name not in record.names
                    ]
        return lacking

    def _report(self) -> dict[str, Any]:
        from notifications.feeds.names import stream_key
        from notifications.models import FeedEvent

        stored = {}
        for feed in KEPT:
            rows = FeedEvent.objects.filter(feed=stream_key(feed)).values_list("data", flat=True)
            stored[feed] = {json.loads(data)["name"] for data in rows}
        faults = [f"{reader.name}: {fault}" for reader in self.readers for fault in reader.faults]
        committed = 0
        lost: list[str] = []
        for writer in self.writers:
            done, _maybe = writer.journal()
            committed += len(done)
            lost += [f"{feed} lost {name}" for feed, name in done if feed in KEPT and name not in stored[feed]]
            if "Traceback" in (said := writer.errors()):
                faults.append(f"writer {writer.seed} said: {said[-3000:]}")
            for reader in self.readers:
                lost += [
                    f"{reader.name}: {feed} never told of {name}"
                    for feed, name in done
                    if feed in KEPT and name not in reader.feeds[feed].names and self._must_have(reader, feed)
                ]
        forbidden = [f"{reader.name}: {told}" for reader in self.readers for told in self._told_too_late(reader)]
        for reader in self.readers:
            faults += [f"{reader.name}: {fault}" for fault in self._judge(reader)]
        for server in self.servers:
            if "Traceback" in server.output():
                at = server.output().index("Traceback")
                faults.append(f"a server said: {server.output()[max(0, at - 500) : at + 3000]}")
        return {
            "faults": faults + lost + forbidden,
            "committed": committed,
            "lost": len(lost),
            "forbidden": len(forbidden),
            "done": self.done,
            "connections": sum(reader.connections for reader in self.readers),
            "told": sum(len(record.names) for reader in self.readers for record in reader.feeds.values()),
            "resets": Counter(
                f"{feed} {reason}"
                for reader in self.readers
                for feed, record in reader.feeds.items()
                for reason, _at in record.resets
            ),
            "shut out": {name: round(at) for name, at in self.ended.items()},
        }

    def _must_have(self, reader: Reader, feed: str) -> bool:
        return feed != "private:1" or reader.name not in self.ended

    def _judge(self, reader: Reader) -> list[str]:
        faults = [f"{feed}: {name} came {n} times" for (feed, name), n in Counter(reader.live).items() if n > 1]
        again = [record for record in reader.feeds.values() if record.gaps and record.name in KEPT]
        return faults + [f"{record.name}: resets {record.resets}" for record in again]

    def _told_too_late(self, reader: Reader) -> list[str]:
        """Return what a reader was told of that had lost the permission: rule 7."""
        until = self.ended.get(reader.name, float("inf")) + BOUND
        return [
            f"told of {name} {told - until + BOUND:.1f} s after the permission had ended"
            for name, told in reader.feeds["private:1"].times.items()
            if told > until
        ]


def run(seed: str, seconds: float, options: argparse.Namespace) -> dict[str, Any]:
    """Play one game in a folder of its own, and return what happened."""
    with prepared(broker=options.broker, on_postgresql=options.postgresql) as surroundings:
        game = Game(seed, surroundings, options.servers)
        try:
            game.start()
            return asyncio.run(game.play(seconds))
        finally:
            game.stop()


SOAKED: tuple[list[str], ...] = (
    [],
    ["--servers=2", "--broker"],
    ["--servers=2", "--postgresql"],
    ["--postgresql", "--broker"],
)
ROUND = 60.0  # seconds of one game of a soak
SAID = ("committed", "told", "lost", "missing", "forbidden", "resets", "connections", "shut out", "done")


def soak(seed: str, seconds: float) -> int:
    """Play game after game in all surroundings for some seconds; print the report of the first that fails."""
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        words = [f"{seed}{number}", str(min(ROUND, seconds)), *SOAKED[number % len(SOAKED)]]
        played = subprocess.run([sys.executable, "-m", "tests.delivery", *words], capture_output=True, text=True)
        report = json.loads(played.stdout) if played.returncode == 0 else {"faults": [played.stderr]}
        print(" ".join(words), {name: report.get(name) for name in SAID}, flush=True)  # noqa: T201
        if report["faults"] or report.get("missing") or report.get("crashed"):
            print(json.dumps(report, indent=1))  # noqa: T201
            return 1
        number += 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.delivery")
    parser.add_argument("seed")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--broker", action="store_true")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--soak", action="store_true", help="play in all surroundings, one after the other")
    options = parser.parse_args()
    if options.soak:
        return soak(options.seed, options.seconds)
    print(json.dumps(run(options.seed, options.seconds, options), indent=1))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
