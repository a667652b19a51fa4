"""Pages that are loaded while what they show changes: ``python -m tests.delivery_site.loading LOADS [--postgresql]``.

Each page is read and rendered by the real view, waits for a random while, and subscribes from the position that it
carries. Whenever its feed moves, it has its part rendered anew. When nothing changes any more, it must show the last.
It prints a report as JSON, and fails if a page does not; ``make soak`` loads a thousand with each database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from typing import Any

import httpx

from tests.delivery_site.surroundings import prepared
from tests.servers.asgi import ROOT

TOGETHER = 50  # pages that are open at once
LASTS = 2.0  # seconds in which they are loaded while the part changes
DELAY = 0.5  # seconds between rendering and subscribing, at most
CALM = 20.0  # seconds in which a page must show the last, when nothing changes any more
RATE = 100  # changes a second, of all writers
# A change costs its writer 1 or 2 ms, so one process would do, but for all else that the processors do meanwhile.
WRITERS = 5

CHANGE = f"""
import sys, time, django
django.setup()
from notifications.services import publish
first, pause = int(sys.argv[1]), {WRITERS / RATE}
print("ready", flush=True)
sys.stdin.readline()
next_at = time.monotonic()
for count in range({round(LASTS * RATE / WRITERS)}):
    publish("shown:1", {{"value": first + count}})
    next_at += pause
    time.sleep(max(0.0, next_at - time.monotonic()))
"""
APART = 1_000_000  # the values of two writers: no two changes are alike


class Page:
    """One page with one live part."""

    def __init__(self, url: str, client: httpx.AsyncClient, began: asyncio.Event, begin: float, delay: float) -> None:
        self.url, self.client, self.began, self.begin, self.delay = url, client, began, begin, delay
        self.html = self.cursor = self.token = ""
        self.head = ""
        self.rendered = 0
        self.moved = asyncio.Event()

    async def open(self) -> None:
        await self.began.wait()
        await asyncio.sleep(self.begin)
        made = (await self.client.get(f"{self.url}/shown/1/")).json()
        self.html, self.cursor, self.token = made["html"], made["cursor"], made["token"]
        self.head = self.cursor
        await asyncio.sleep(self.delay)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.listen())
            tasks.create_task(self.render())

    async def listen(self) -> None:
        query = f"?ids=each&inbox=0&feeds=shown:1&since={self.cursor}"
        headers = {"Accept": "text/event-stream"}
        async with self.client.stream("GET", f"{self.url}/notifications/stream/{query}", headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    self.head = line.removeprefix("id: ")
                    self.moved.set()

    async def render(self) -> None:
        """Have the part rendered anew, once for all that came meanwhile."""
        while True:
            await self.moved.wait()
            self.moved.clear()
            if position(self.head) <= position(self.cursor):
                continue
            answer = await self.client.get(f"{self.url}/notifications/part/", params={"t": self.token})
            assert answer.status_code == 200, answer.text
            self.html, self.cursor = answer.text, answer.headers["Carillon-Cursor"]
            self.rendered += 1
            await asyncio.sleep(0.2)

    def value(self) -> int:
        return int(self.html.strip().removeprefix("<b>").removesuffix("</b>") or -1)


def position(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])


async def change(began: asyncio.Event) -> float:
    """Have the part changed by several writers, which begin together; return how many seconds they took."""
    arguments = [str(number * APART) for number in random.sample(range(1, 1_000), WRITERS)]
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHANGE, first, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE
        )
        for first in arguments
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert await writer.stdout.readline() == b"ready\n"
    began.set()
    at = time.monotonic()
    await asyncio.gather(*(writer.communicate(b"go\n") for writer in writers))
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    return time.monotonic() - at


async def play(url: str, cookie: str, count: int, chance: random.Random) -> tuple[list[str], float, int]:
    """Open pages while the part changes; return those that end stale, how long it did, and how often they rendered."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)  # a server may close those that are idle
    async with httpx.AsyncClient(headers={"Cookie": cookie}, timeout=60, limits=limits) as client:
        began = asyncio.Event()
        pages = [Page(url, client, began, chance.uniform(0, LASTS), chance.uniform(0, DELAY)) for _ in range(count)]
        opening = [asyncio.create_task(page.open()) for page in pages]
        from notifications.services import apresent_events

        seconds = await change(began)
        last = (await apresent_events("shown:1"))[-1]["value"]
        deadline = time.monotonic() + CALM
        while any(not page.html or page.value() != last for page in pages) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        stale = [
            f"{page.value()} at {page.cursor}, of {last}, heard {page.head}" for page in pages if page.value() != last
        ]
        for task in opening:
            task.cancel()
        ended = await asyncio.gather(*opening, return_exceptions=True)
        stale += [repr(one) for one in ended if not isinstance(one, asyncio.CancelledError)]
    return stale, seconds, sum(page.rendered for page in pages)


def run(loads: int, on_postgresql: bool) -> dict[str, Any]:
    with prepared(database="postgresql" if on_postgresql else "sqlite") as surroundings:
        from django.contrib.auth.models import User

        from tests.streaming import cookies

        cookie = cookies(User.objects.create_user("reader"))
        server = surroundings.server()
        server.start()
        report: dict[str, Any] = {"loads": 0, "changes": 0, "seconds": 0.0, "rendered": 0, "stale": []}
        try:
            chance = random.Random(loads)
            while report["loads"] < loads:
                together = min(TOGETHER, loads - report["loads"])
                stale, seconds, rendered = asyncio.run(play(server.url, cookie, together, chance))
                report["loads"] += together
                report["stale"] += stale
                report["changes"] += round(LASTS * RATE)
                report["seconds"] += seconds
                report["rendered"] += rendered
        finally:
            server.kill()
        return {**report, "rate": round(report["changes"] / report["seconds"], 1)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.delivery_site.loading")
    parser.add_argument("loads", type=int)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    report = run(options.loads, options.postgresql)
    print(json.dumps(report))  # noqa: T201
    return 1 if report["stale"] else 0


if __name__ == "__main__":
    sys.exit(main())
