"""Broadcasts: publishing to a million users, and when the last of a thousand connected ones has it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from .. import databases, report
from ..load import Load
from ..options import Options
from ..servers import CARILLON, LANE, Server, running

SERVER = Server("broadcast", "Carillon's lane, uvicorn", "uvicorn", LANE, CARILLON, "broadcast")
USERS = 1_000_000
SENDS, GAP = 5, 3.0  # broadcasts to those who are connected, and seconds between them
QUICK_USERS, QUICK_CONNECTIONS = 500, 20


def measure(options: Options) -> list[dict[str, Any]]:
    """Measure on each database that is asked for."""
    users, connections = (QUICK_USERS, QUICK_CONNECTIONS) if options.quick else (USERS, options.connections)
    sends, gap = (1, 0.5) if options.quick else (SENDS, GAP)
    found = []
    for key in options.databases:
        report.measuring(databases.NAMES[key])
        with databases.opened(key) as environment:
            row = json.loads(databases.run("benchmarks.site.broadcasts", [users, connections], environment))
            row |= _connected(row.pop("rows"), environment, sends, gap)
        found.append({"database": databases.NAMES[key], "users": users, "connections": connections, **row})
    return found


def _connected(
    rows: list[dict[str, Any]], environment: databases.Environment, sends: int, gap: float
) -> dict[str, Any]:
    """Broadcast to open streams, in the server's own process as the admin does."""
    with running(SERVER, environment) as now, Load([now.client(row) for row in rows]) as load:
        time.sleep(gap)  # the streams have collected what came before
        load.expect(sends)
        now.publish("one", sends, gap)  # it loads no more than a user; the audience decides
        told = load.delivered()
    return {
        "last_ms": median(event["last_ms"] for event in told["events"]),
        "lost": told["expected"] - told["delivered"],
    }


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    return [line for row in found for line in _lines(row)]


def _lines(row: dict[str, Any]) -> Iterator[str]:
    yield f"Broadcasts on {row['database']}, {row['users']:,} users, {row['connections']:,} of them connected"
    for label, text in (
        ("publish to everyone", f"{row['publish_ms']:.0f} ms, {row['publish_queries']} queries"),
        ("count everyone (an estimate)", f"{row['size_ms']:.0f} ms, {row['size_queries']} queries"),
        ("a late visitor collects 50 broadcasts", f"{row['late_ms']:.0f} ms, {row['late_queries']} queries"),
        ("a visitor with nothing to collect", f"{row['idle_ms']:.2f} ms, {row['idle_queries']} query"),
        ("the last of those connected has it, from before publishing", f"{row['last_ms']:.0f} ms, {row['lost']} lost"),
    ):
        yield f"  {label:<58} {text}"
