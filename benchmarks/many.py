"""Many feeds on one connection: what each of them costs the server in memory, and what it costs to connect."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .load import BenchmarkError, Client, Load
from .measure import cpu, sample
from .servers import Server, running

FEEDS = 50  # on one connection


def measure(server: Server, rows: Sequence[dict[str, Any]], database: Path, settle: float) -> dict[str, Any]:
    """Open connections without a feed, and then as many with fifty feeds each that nobody else follows."""
    memory, connect = [], []
    for count in (1, FEEDS):
        with running(server, {"BENCH_DATABASE": str(database)}) as now:
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
