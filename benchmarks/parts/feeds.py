"""Many feeds on one connection: what each of them costs the server in memory, and what it costs to connect."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from .. import databases
from ..load import BenchmarkError, Client, Load
from ..measure import cpu, sample
from ..options import Options
from ..servers import BY_KEY, running

CONNECTIONS = 200
FEEDS = 50  # on one connection


def measure(options: Options) -> dict[str, Any]:
    """Open connections with one feed, and then as many with fifty feeds each that nobody else follows."""
    count, settle = (40, 0.2) if options.quick else (CONNECTIONS, 1.0)
    with databases.sqlite() as environment:
        rows = json.loads(databases.run("benchmarks.site.prepare", [count], environment))
        return _measure(rows, environment, settle)


def _measure(rows: Sequence[dict[str, Any]], environment: databases.Environment, settle: float) -> dict[str, Any]:
    memory, connect = [], []
    for count in (1, FEEDS):
        with running(BY_KEY["feeds"], environment) as now:
            clients = [
                Client(
                    now.port, f"/notifications/stream/?inbox=0&ids=each&feeds={_names(number, count)}", row["cookie"]
                )
                for number, row in enumerate(rows)
            ]
            with Load(clients[:32]):
                pass
            time.sleep(settle)
            before, start = sample(now.pid), cpu(now.pid)
            with Load(clients) as load:
                if load.opened["failed"]:
                    raise BenchmarkError(f"Only {load.opened['opened']} connections with {count} feeds were opened.")
                connect.append((cpu(now.pid) - start) / len(clients) * 1e3)
                time.sleep(settle)
                memory.append((sample(now.pid).memory - before.memory) / len(clients))
    return {
        "connections": len(rows),
        "feeds": FEEDS,
        "bytes_per_feed": (memory[1] - memory[0]) / (FEEDS - 1),
        "connect_ms": connect[1],
    }


def _names(number: int, count: int) -> str:
    return ",".join(f"bench:{number * FEEDS + n + 100_000}" for n in range(count))


def show(found: dict[str, Any]) -> list[str]:
    """Return the figures as lines."""
    return [
        (
            f"{found['feeds']} feeds on each of {found['connections']} connections:"
            f" {found['bytes_per_feed']:,.0f} bytes a feed, {found['connect_ms']:.1f} ms of CPU to connect"
        )
    ]
