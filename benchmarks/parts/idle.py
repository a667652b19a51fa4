"""Idle: the CPU of a process whose streams are all quiet, with and without a broker."""

from __future__ import annotations

import json
import time
from typing import Any

from .. import brokers, databases, report
from ..load import BenchmarkError, Load
from ..measure import cpu
from ..options import Options
from ..servers import BY_KEY, check, running

CASES = (("raw", "none"), ("lane", "none"), ("lane", "core"))
FACTORS = (1, 10)  # times as many connections
SECONDS = 31.0  # in which every connection has a heartbeat, and every stream is compared with the database


def measure(options: Options) -> list[dict[str, Any]]:
    """Open streams, each of another user, and leave them in peace."""
    check(BY_KEY[key] for key, _broker in CASES)
    counts = [20] if options.quick else [options.connections * factor for factor in FACTORS]
    seconds, settle = (1.0, 0.5) if options.quick else (SECONDS, 3.0)
    found = []
    for count in counts:
        for key in options.databases:
            with databases.opened(key) as environment:
                rows = json.loads(databases.run("benchmarks.site.prepare", [count], environment))
                for server, broker in CASES:
                    if server == "raw" and key != options.databases[0]:
                        continue
                    report.measuring(f"{count:,} streams, {BY_KEY[server].name}, {broker}, {key}")
                    with brokers.opened(broker) as more:
                        used = _measure(server, rows, environment | more, seconds, settle)
                    found.append(
                        {
                            "server": server,
                            "name": BY_KEY[server].name,
                            "broker": broker,
                            "database": key,
                            "streams": count,
                            "idle_ms": used * 1e3,
                        }
                    )
    return found


def _measure(
    server: str, rows: list[dict[str, Any]], environment: databases.Environment, seconds: float, settle: float
) -> float:
    """Return the CPU seconds in a second."""
    with running(BY_KEY[server], environment) as now, Load([now.client(row) for row in rows]) as load:
        if load.opened["failed"]:
            raise BenchmarkError(f"{now.server.name} opened {load.opened['opened']} of {len(rows)} streams.")
        time.sleep(settle)
        before = cpu(now.pid)
        time.sleep(seconds)
        return (cpu(now.pid) - before) / seconds


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    rows = []
    for row in found:
        where = f", {brokers.BROKERS[row['broker']]}, {databases.NAMES[row['database']]}"
        name = row["name"] + (where if row["server"] != "raw" else "")
        rows.append([f"{row['streams']:,} streams, {name}", f"{row['idle_ms']:.1f}"])
    return report.table(["an idle process", "CPU ms\na second"], rows)
