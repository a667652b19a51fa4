"""Storm: thousands of clients come back at once, each with the cursor that it had, and each has missed something."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from statistics import median
from typing import Any

from .. import brokers, databases, report
from ..load import BenchmarkError, Load
from ..measure import cpu, loop_cpu
from ..options import Options
from ..producer import Producer
from ..servers import BY_KEY, check, running

CLIENTS = 2_000
MISSED = 3  # notifications by each of them
SERVERS = ("raw", "lane", "plain", "eventstream")
WARM = 32


def measure(options: Options) -> list[dict[str, Any]]:
    """Let them all connect at the same moment."""
    wanted = dict.fromkeys(key for key in SERVERS if key in options.servers)
    check(BY_KEY[key] for key in wanted)
    count, rounds = (40, 1) if options.quick else (CLIENTS, options.rounds)
    found = []
    for database in options.databases:
        for key in wanted if database == options.databases[0] else wanted.keys() & {"lane"}:
            for processes in options.processes if key == "lane" else (1,):
                report.measuring(f"{BY_KEY[key].name}, {processes}, {database}")
                found.append(_measure(key, processes, database, count, rounds))
    return found


def _measure(key: str, processes: int, database: str, count: int, rounds: int) -> dict[str, Any]:
    server = BY_KEY[key]
    with ExitStack() as stack:
        environment = stack.enter_context(databases.opened(database))
        environment = environment | stack.enter_context(brokers.opened("core" if processes > 1 else "none"))
        rows = json.loads(databases.run("benchmarks.site.prepare", [count], environment))
        if key == "lane":
            producer = stack.enter_context(Producer(server.publisher, environment))
            producer.publish("all", MISSED, 0.0)
        servers = [stack.enter_context(running(server, environment)) for _ in range(processes)]
        clients = [servers[number % processes].client(row) for number, row in enumerate(rows)]
        with Load(clients[:WARM]):
            pass
        storms = []
        for _ in range(rounds):
            time.sleep(1.0)
            used, loop = sum(cpu(now.pid) for now in servers), sum(loop_cpu(now.pid) for now in servers)
            with Load(clients, in_flight=count) as load:
                used = sum(cpu(now.pid) for now in servers) - used
                loop = sum(loop_cpu(now.pid) for now in servers) - loop
                storms.append({**load.opened, "used": used, "loop": loop})
                if load.opened["failed"] > count / 2:
                    raise BenchmarkError(f"{server.name} opened {load.opened['opened']} of {count} streams.")
    return {
        "server": key,
        "name": server.name,
        "processes": processes,
        "database": database,
        "clients": count,
        "p50_ms": median(storm["p50_ms"] for storm in storms),
        "last_ms": median(storm["max_ms"] for storm in storms),
        "connect_ms": median(storm["used"] / count * 1e3 for storm in storms),
        "loop_ms": median(storm["loop"] / count * 1e3 for storm in storms),
        "refused": sum(storm["failed"] for storm in storms),
    }


COLUMNS = ["p50 ms", "last ms", "CPU ms\nper connect", "of it on\nthe loop", "refused"]


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    rows = []
    for row in found:
        processes = "1 process" if row["processes"] == 1 else f"{row['processes']} processes"
        where = f", {processes}, {databases.NAMES[row['database']]}" if row["server"] == "lane" else ""
        figures = [row["p50_ms"], row["last_ms"]]
        rows.append(
            [
                row["name"] + where,
                *(f"{figure:,.0f}" for figure in figures),
                f"{row['connect_ms']:.2f}",
                f"{row['loop_ms']:.2f}",
                str(row["refused"]),
            ]
        )
    return report.table([f"{found[0]['clients']:,} clients come back at once", *COLUMNS], rows)
