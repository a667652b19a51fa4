"""Slow: a client that never reads, among many that do, all on one stream."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from .. import databases, report
from ..load import Client, Load
from ..measure import cpu, sample
from ..options import Options
from ..servers import BY_KEY, Running, check, running

SERVERS = ("lane", "plain")
EVENTS, GAP = 200, 0.02
WINDOW = 1_024  # bytes that the slow client's kernel takes for it; the server's holds what it sends beyond them


def measure(options: Options) -> list[dict[str, Any]]:
    """Publish in peace, and then beside the slow client."""
    wanted = [key for key in SERVERS if key in options.servers]
    check(BY_KEY[key] for key in wanted)
    count, events, rounds = (40, 10, 1) if options.quick else (options.connections, EVENTS, options.rounds)
    found = []
    for key in wanted:
        report.measuring(BY_KEY[key].name)
        with databases.sqlite() as environment:
            rows = json.loads(databases.run("benchmarks.site.prepare", [1], environment))
            with running(BY_KEY[key], environment) as now, Load([now.client(rows[0])] * count) as load:
                alone = [_burst(now, load, events) for _ in range(rounds)]
                with _never_reading(now.client(rows[0])):
                    beside = [_burst(now, load, events) for _ in range(rounds)]
        figures = {
            f"{name}_{figure}": median(burst[figure] for burst in bursts)
            for name, bursts in (("alone", alone), ("beside", beside))
            for figure in bursts[0]
        }
        found.append({"name": BY_KEY[key].name, "connections": count, **figures})
    return found


def _burst(now: Running, load: Load, events: int) -> dict[str, float]:
    load.expect(events)
    before = sample(now.pid)
    now.publish("one", events, GAP)
    told = load.delivered()
    return {
        "event_us": (cpu(now.pid) - before.cpu) / max(1, told["delivered"]) * 1e6,
        "p50_ms": told["p50_ms"],
        "p99_ms": told["p99_ms"],
        "last_ms": told["max_ms"],
        "grown_kb": (sample(now.pid).memory - before.memory) / 1024,
        "lost": told["expected"] - told["delivered"],
    }


@contextmanager
def _never_reading(client: Client) -> Iterator[None]:
    """Ask for a stream, and read nothing of it."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        one.connect(("127.0.0.1", client.port))
        one.sendall(f"GET {client.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {client.cookie}\r\n\r\n".encode())
        time.sleep(0.5)
        yield


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    columns = ["CPU µs\nper event", "p50 ms", "p99 ms", "last ms", "grown\nby KB", "lost"]
    figures = ["event_us", "p50_ms", "p99_ms", "last_ms", "grown_kb", "lost"]
    rows = [
        [f"{row['name']}, {name}", *(f"{row[f'{name}_{figure}']:.1f}" for figure in figures)]
        for row in found
        for name in ("alone", "beside")
    ]
    return report.table([f"one that never reads, among {found[0]['connections']:,}", *columns], rows)
