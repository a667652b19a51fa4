"""What is done to each server, and what is written down."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .load import BenchmarkError, Client, Load
from .measure import Sample, cpu, sample
from .servers import Running, Server, running

WARM = 32  # connections opened at once to warm a server up, so few that it has no memory of a crowd


@dataclass(frozen=True)
class Size:
    """How much is done."""

    connections: int = 1_000
    events: int = 50  # of one burst
    alone: int = 20  # events to a single connection
    gap: float = 0.15  # seconds between events, so that each is delivered by itself
    sends: int = 5  # to all users at once
    send_gap: float = 2.0  # seconds between those
    rounds: int = 3  # bursts, and openings; the median counts
    settle: float = 1.0  # seconds of peace before a sample, in which a server finishes what it began


QUICK = Size(connections=40, events=5, alone=5, gap=0.05, sends=2, send_gap=0.5, rounds=1, settle=0.2)


@dataclass
class Result:
    """A server's figures; None where it has no such thing."""

    server: Server
    event_us: float = 0.0  # CPU of the server for one event delivered to one connection
    publish_ms: float = 0.0  # CPU of the server for one event to a single connection: what a crowd shares
    connect_ms: float = 0.0  # CPU of the server for one connection opened
    shared_kb: float = 0.0  # memory of a connection, all on one stream
    own_kb: float | None = None  # memory of a connection that has a stream of its own
    threads: float = 0.0  # per connection
    database: float = 0.0  # database connections per connection
    p50_ms: float = 0.0  # from publication to the client
    p99_ms: float = 0.0
    last_ms: float | None = None  # from one send to every user until the last has it
    event_bytes: float = 0.0  # on the wire
    generator: float = 0.0  # the generator's CPU, as a part of the time of a burst
    lost: int = 0  # events that did not arrive


def measure(server: Server, rows: Sequence[dict[str, Any]], database: Path, size: Size) -> Result:
    """Put `server` through everything."""
    result = Result(server)
    with running(server, {"BENCH_DATABASE": str(copy(database))}) as now:
        _open_own(now, [now.client(row) for row in rows], size, result)
    with running(server, {"BENCH_DATABASE": str(copy(database))}) as now:
        _open_one(now, now.client(rows[0]), size, result)
    return result


def _open_own(now: Running, clients: Sequence[Client], size: Size, result: Result) -> None:
    """Open a stream for each user, several times; then send to all of them."""
    before = _warm(now, clients, size)
    costs = []
    for turn in range(size.rounds):
        start = cpu(now.pid)
        with _open(now, clients) as load:
            costs.append((cpu(now.pid) - start) / len(clients) * 1e3)
            if turn == 0:
                time.sleep(size.settle)
                _write_down(result, before, _sample(now), len(clients))
                result.own_kb = result.shared_kb if now.server.authenticated else None
            if turn == size.rounds - 1 and now.server.authenticated:
                load.expect(size.sends)
                now.publish("all", size.sends, size.send_gap)
                report = load.delivered()
                result.last_ms = median(event["last_ms"] for event in report["events"])
                result.lost += report["expected"] - report["delivered"]
        time.sleep(size.settle)
    result.connect_ms = median(costs)


def _open_one(now: Running, client: Client, size: Size, result: Result) -> None:
    """Open all connections on one stream and publish to it; then once more to a single connection."""
    before = _warm(now, [client] * WARM, size)
    with _open(now, [client] * size.connections) as load:
        time.sleep(size.settle)
        _write_down(result, before, _sample(now), size.connections)
        reports = [_burst(now, load, size.events, size.gap) for _ in range(size.rounds)]
    with _open(now, [client]) as load:
        result.publish_ms = _burst(now, load, size.alone, size.gap)["cpu_of_server"] / size.alone * 1e3
    result.event_us = median(report["cpu_of_server"] / max(1, report["delivered"]) * 1e6 for report in reports)
    result.p50_ms = median(report["p50_ms"] for report in reports)
    result.p99_ms = median(report["p99_ms"] for report in reports)
    result.event_bytes = median(report["bytes"] / max(1, report["delivered"]) for report in reports)
    result.generator = median(report["cpu"] / report["seconds"] for report in reports)
    result.lost += sum(report["expected"] - report["delivered"] for report in reports)


def _burst(now: Running, load: Load, events: int, gap: float) -> dict[str, Any]:
    """Publish to the first user's stream; return the generator's report, with the server's CPU and the time taken."""
    load.expect(events)
    start, begun = cpu(now.pid), time.monotonic()
    now.publish("one", events, gap)
    report = load.delivered()
    return {**report, "cpu_of_server": cpu(now.pid) - start, "seconds": time.monotonic() - begun}


def _warm(now: Running, clients: Sequence[Client], size: Size) -> Sample:
    """Let every client connect once and leave: imports, thread pools and the database's cache are no stream's cost."""
    for first in range(0, len(clients), WARM):
        with _open(now, clients[first : first + WARM]):
            pass
    time.sleep(size.settle)
    return _sample(now)


def _open(now: Running, clients: Sequence[Client]) -> Load:
    load = Load(clients)
    if load.opened["failed"]:
        load.close()
        raise BenchmarkError(
            f"{now.server.name} opened {load.opened['opened']} of {len(clients)} streams"
            f" (first refusal: {load.opened['refusal'] or 'no answer'})."
        )
    return load


def _sample(now: Running) -> Sample:
    return sample(now.pid, now.database if now.server.authenticated else None)


def _write_down(result: Result, before: Sample, after: Sample, count: int) -> None:
    result.shared_kb = (after.memory - before.memory) / count / 1024
    result.threads = max(result.threads, (after.threads - before.threads) / count)
    result.database = max(result.database, (after.database - before.database) / count)


def copy(database: Path) -> Path:
    """Return a fresh copy, so that no server inherits another's rows."""
    for old in database.parent.glob("run.sqlite3*"):
        old.unlink()
    return Path(shutil.copy(database, database.with_name("run.sqlite3")))
