"""Memory: what an open stream takes with a browser's headers, in the first storm of a process and beyond."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import replace
from typing import Any

from .. import databases, report
from ..headers import CHROMIUM
from ..load import BenchmarkError, Load
from ..measure import sample
from ..options import Options
from ..servers import BY_KEY, Server, check, running

SERVERS = ("raw", "lane", "lane-daphne", "lane-granian")
WARM = 32


def measure(options: Options) -> list[dict[str, Any]]:
    """Open as many streams twice, each of another user, with few headers and with those of a browser."""
    wanted = [BY_KEY[key] for key in SERVERS if key in options.servers]
    check(wanted)
    count, settle = (40, 0.2) if options.quick else (options.connections, 1.5)
    with databases.sqlite() as environment:
        rows = json.loads(databases.run("benchmarks.site.prepare", [2 * count], environment))
        found = []
        for server in wanted:
            for headers in ((), CHROMIUM):
                report.measuring(f"{server.name}, {len(headers) or 1} headers")
                found.append(_measure(server, rows, environment, headers, settle))
    return found


def _measure(
    server: Server,
    rows: list[dict[str, Any]],
    environment: databases.Environment,
    headers: tuple[str, ...],
    settle: float,
) -> dict[str, Any]:
    with running(server, environment) as now:
        clients = [now.client(row) for row in rows]
        if headers:
            clients = [replace(client, headers=headers) for client in clients]
        half = len(clients) // 2
        with Load(clients[:WARM]):
            pass
        sizes = [_size(now.pid, settle)]
        with Load(clients[:half]) as first:
            sizes.append(_size(now.pid, settle))
            with Load(clients[half:]) as second:
                sizes.append(_size(now.pid, settle))
                if failed := first.opened["failed"] + second.opened["failed"]:
                    raise BenchmarkError(f"{server.name} refused {failed} of {len(clients)} streams.")
    first_kb, more_kb = ((after - before) / half / 1024 for before, after in itertools.pairwise(sizes))
    return {
        "server": server.name,
        "streams": half,
        "headers": len(headers) + 2 if headers else 3,
        "first_kb": first_kb,
        "more_kb": more_kb,
    }


def _size(pid: int, settle: float) -> int:
    time.sleep(settle)
    return sample(pid).memory


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    count = f"{found[0]['streams']:,}"
    columns = ["KB per stream, each of another user", f"the first\n{count}", f"the next\n{count}"]
    rows = [
        [f"{row['server']}, {row['headers']} request headers", f"{row['first_kb']:.1f}", f"{row['more_kb']:.1f}"]
        for row in found
    ]
    return report.table(columns, rows)
