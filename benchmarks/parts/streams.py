"""Streams: what each kind of server pays for open connections, for one event to all of them, and for connects."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .. import databases, report
from ..load import BenchmarkError, Client, Load
from ..measure import Sample, cpu, sample
from ..options import Options
from ..servers import SERVERS, Running, Server, check, running

LOOKED_AT = 0.1  # seconds after which a server has looked whether what was opened has moved meanwhile
WARM = 32  # connections opened at once to warm a server up, so few that it has no memory of a crowd

MEMORY_KB = 12.0  # of a stream
EVENT_RATIO = 2.0  # times the bare protocol's CPU
CONNECT_MS = 2.5  # of CPU


@dataclass(frozen=True)
class Size:
    """How much is done to each server."""

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

    key: str
    name: str
    authenticated: bool
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


def measure(options: Options) -> dict[str, Any]:
    """Put each server that is asked for through everything."""
    wanted = [server for server in SERVERS if server.key in options.servers]
    check(wanted)
    size = QUICK if options.quick else Size(connections=options.connections, rounds=options.rounds)
    found = []
    with databases.sqlite() as environment:
        rows = json.loads(databases.run("benchmarks.site.prepare", [size.connections], environment))
        for server in wanted:
            report.measuring(server.name)
            found.append(asdict(_measure(server, rows, Path(environment["BENCH_DATABASE"]), size)))
    return {"connections": size.connections, "rounds": size.rounds, "servers": found}


def _measure(server: Server, rows: Sequence[dict[str, Any]], database: Path, size: Size) -> Result:
    result = Result(server.key, server.name, server.authenticated)
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
            time.sleep(LOOKED_AT)
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


COLUMNS = [
    "server",
    "CPU µs\nper event",
    "times\nbare",
    "times\nraw",
    "CPU ms\nper send",
    "KB each,\none stream",
    "KB each,\nown streams",
    "threads\neach",
    "DB conn.\neach",
    "CPU ms\nper connect",
    "p50 ms",
    "p99 ms",
    "last of\nall, ms",
    "bytes\nper event",
    "generator\nCPU",
]

NOTES = [
    "CPU is the server's own, user and system; memory is its share of what is in memory, without the kernel's.",
    "“Per event”: delivered to one of all connections on one stream, publishing included. “Per send”: to a single one.",
    "“Own streams”: each connection is another user's. “Last of all”: one send to all of them, until the last has it.",
    "Carillon stores and orders each event before it shows it; the others store nothing.",
]


def show(found: dict[str, Any]) -> list[str]:
    """Return the figures as lines."""
    results = [Result(**figures) for figures in found["servers"]]
    limits = {result.key: result.event_us for result in results}
    return [
        f"{found['connections']:,} streams; medians of {found['rounds']}; loopback; SQLite (WAL)",
        "",
        *report.table(COLUMNS, [_row(result, limits.get("bare"), limits.get("raw")) for result in results]),
        "",
        *NOTES,
        *_targets(results),
    ]


def _row(result: Result, bare: float | None, raw: float | None) -> list[str]:
    own = result.authenticated
    return [
        result.name + (f" ({result.lost} lost)" if result.lost else ""),
        f"{result.event_us:.1f}",
        report.times(result.event_us, bare),
        report.times(result.event_us, raw),
        f"{result.publish_ms:.2f}",
        f"{result.shared_kb:.1f}",
        "–" if result.own_kb is None else f"{result.own_kb:.1f}",
        f"{result.threads:.2f}",
        f"{result.database:.2f}" if own else "–",
        f"{result.connect_ms:.2f}",
        f"{result.p50_ms:.1f}",
        f"{result.p99_ms:.1f}",
        "–" if result.last_ms is None else f"{result.last_ms:.0f}",
        f"{result.event_bytes:.0f}",
        f"{result.generator:.0%}",
    ]


def _targets(results: Iterable[Result]) -> list[str]:
    """Compare the lane under uvicorn with the project's targets."""
    found = {result.key: result for result in results}
    lane, bare, plain = found.get("lane"), found.get("bare"), found.get("plain")
    if lane is None:
        return []
    memory = max(lane.shared_kb, lane.own_kb or 0.0)
    lines = [
        _target("Memory per stream", memory, MEMORY_KB, "KB"),
        _target("Threads per stream", lane.threads, 0.0, "", slack=0.005),
        _target("Database connections per stream", lane.database, 0.0, "", slack=0.005),
        _target("Authenticated connect", lane.connect_ms, CONNECT_MS, "ms of CPU"),
    ]
    if bare:
        lines.append(_target("CPU per event, times bare", lane.event_us / bare.event_us, EVENT_RATIO, "×"))
    if feeds := found.get("feeds"):
        lines.append(_target("CPU per event of a feed, times the inbox's", feeds.event_us / lane.event_us, 1.2, "×"))
    if plain:
        lines.append(
            f"        {plain.connect_ms / lane.connect_ms:.1f} × cheaper to connect than through Django's handler"
        )
    return ["", "Carillon's lane under uvicorn against its targets:", *lines]


def _target(name: str, value: float, limit: float, unit: str, slack: float = 0.0) -> str:
    """Return whether a target is met; `slack` is the share per stream of a few threads of the whole process."""
    verdict = "met   " if value <= limit + slack else "MISSED"
    return f"{verdict}  {name}: {value:.2f} {unit}".rstrip() + f" (at most {limit:g})"
