"""Restart: both processes of `carillon_serve` are replaced, one after the other, while a thousand streams are open."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.servers.serving import Serving

from .. import brokers, databases, report
from ..load import BenchmarkError, Client
from ..options import Options
from ..producer import Producer
from ..servers import SETTINGS

WORKERS = 2
EVENTS, GAP = 20, 0.5  # to everybody while the processes are replaced
PATIENCE = 60.0  # seconds within which what is waited for must come
MARKER = re.compile(rb"bench-t=(\d+)")
RETRY = 1.0  # seconds after which a client comes again that was told nothing, as browsers do
DATABASE, BROKER = "sqlite", "core"


def measure(options: Options) -> dict[str, Any]:
    """Open the streams, have the processes replaced, and count how long each client was away, and what it got."""
    count, events = (20, 4) if options.quick else (options.connections, EVENTS)
    report.measuring(f"{count:,} streams of {WORKERS} processes")
    with ExitStack() as stack:
        environment = stack.enter_context(databases.opened(DATABASE))
        environment = environment | stack.enter_context(brokers.opened(BROKER))
        rows = json.loads(databases.run("benchmarks.site.prepare", [count], environment))
        supervisor = stack.enter_context(_serving(environment))
        producer = stack.enter_context(Producer("notify", environment))
        return asyncio.run(_restart(supervisor, producer, rows, events))


@contextmanager
def _serving(environment: databases.Environment) -> Iterator[Serving]:
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        everything = {"DJANGO_SETTINGS_MODULE": SETTINGS, **environment}
        supervisor = Serving(f"--workers={WORKERS}", folder=Path(folder), database_url="", env=everything)
        try:
            supervisor.start()
        except RuntimeError as error:
            raise BenchmarkError(str(error)) from error
        try:
            yield supervisor
        finally:
            supervisor.stop()


async def _restart(supervisor: Serving, producer: Producer, rows: list[dict[str, Any]], events: int) -> dict[str, Any]:
    path = "/notifications/stream/?since={cursor}"
    clients = [_Reader(Client(supervisor.port, path.format(**row), row["cookie"])) for row in rows]
    reading = [asyncio.create_task(client.run()) for client in clients]
    try:
        await _until(lambda: all(client.is_open for client in clients), "could not connect")
        before = supervisor.workers()
        supervisor.signal(signal.SIGHUP)
        began = time.monotonic()
        await asyncio.to_thread(producer.publish, "all", events, GAP)
        await asyncio.to_thread(supervisor.wait_for_other_workers, before)
        replaced = time.monotonic() - began
        await _until(lambda: all(client.is_open for client in clients), "did not come back")
        await _until(lambda: all(len(client.told) == events for client in clients), "were not told everything")
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    away = sorted(seconds for client in clients for seconds in client.away)
    delays = [seconds for client in clients for seconds in client.told.values()]
    return {
        "clients": len(clients),
        "events": events,
        "replaced_s": replaced,
        "away_ms": median(away) * 1e3 if away else 0.0,
        "away_last_ms": away[-1] * 1e3 if away else 0.0,
        "delay_p99_ms": quantiles(delays, n=100, method="inclusive")[-1] * 1e3,
        "delay_last_ms": max(delays) * 1e3,
        "farewells": sum(client.farewells for client in clients),
        "cut": len(away) - sum(client.farewells for client in clients),
    }


async def _until(done: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"Clients {what} within {PATIENCE:.0f} s.")
        await asyncio.sleep(0.05)


class _Reader:
    """A client that keeps its position, waits as long as it is told to, and comes again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last = ""
        self._ended = 0.0  # when it lost its connection
        self.is_open = False
        self.told: dict[int, float] = {}  # by event, after how many seconds it came first
        self.away: list[float] = []  # seconds without a connection
        self.farewells = 0  # of the server's

    async def run(self) -> None:
        while True:
            pause = RETRY
            with suppress(OSError):
                pause = await self._read()
            if self.is_open:
                self.is_open, self._ended = False, time.monotonic()
            await asyncio.sleep(pause)

    async def _read(self) -> float:
        """Read one connection to its end; return after how many seconds to come again."""
        client = self._client
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        try:
            last = f"Last-Event-ID: {self._last}\r\n" if self._last else ""
            head = f"GET {client.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {client.cookie}\r\n{last}\r\n"
            writer.write(head.encode())
            if b" 200 " not in await reader.readline():
                return RETRY
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    self._last = line[4:].decode().strip()
                elif line.startswith(b"data: "):
                    frame = json.loads(line[6:])
                    if frame["type"] == "bye":
                        self.farewells += 1
                        return float(frame["retry"]) / 1e3
                    self._take(frame["type"], line)
            return RETRY
        finally:
            writer.close()

    def _take(self, kind: str, line: bytes) -> None:
        if kind == "hello":
            self.is_open = True
            if self._ended:
                self.away.append(time.monotonic() - self._ended)
                self._ended = 0.0
        for sent in MARKER.findall(line):
            self.told.setdefault(int(sent), time.monotonic() - int(sent) / 1e9)


def show(found: dict[str, Any]) -> list[str]:
    """Return the figures as lines."""
    columns = ["away\np50 ms", "away\nlast ms", "events late\np99 ms", "events late\nlast ms", "cut", "lost"]
    figures = ["away_ms", "away_last_ms", "delay_p99_ms", "delay_last_ms", "cut"]
    row = [
        f"carillon_serve, {WORKERS} processes, replaced in {found['replaced_s']:.1f} s",
        *(f"{found[name]:,.0f}" for name in figures),
        "0",  # else it would not have ended
    ]
    return report.table([f"{found['clients']:,} streams, {found['events']} events meanwhile", *columns], [row])
