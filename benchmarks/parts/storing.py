"""Storing: how many recipients' rows a second ``notify()`` stores and orders, beside a bulk insert and its peers."""

from __future__ import annotations

import json
from typing import Any

from .. import databases, report
from ..options import Options
from ..servers import HQ

RECIPIENTS = 10_000
QUICK = 500


def measure(options: Options) -> list[dict[str, Any]]:
    """Measure on each database that is asked for."""
    found = []
    for key in options.databases:
        report.measuring(databases.NAMES[key])
        with databases.opened(key) as environment:
            arguments = [QUICK if options.quick else RECIPIENTS, options.rounds]
            figures = json.loads(databases.run("benchmarks.site.storing", arguments, environment))
            if HQ.exists():  # `make test` does without
                peer = json.loads(databases.run("benchmarks.site.hq", [options.rounds], environment))
                figures["ways"].insert(-1, peer["way"])
                figures["singles"].append(peer["single"])
            found.append(figures)
    return found


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    return [line for row in found for line in _lines(row)]


def _lines(row: dict[str, Any]) -> list[str]:
    title = f"Storing for {row['recipients']:,} users on {row['database']}"
    columns = [title, "rows/s", "times an\ninsert", "queries"]
    insert = row["ways"][-1]["rate"]
    ways = [
        [way["name"], f"{way['rate']:,.0f}", f"{insert / way['rate']:.2f}", str(way["queries"])] for way in row["ways"]
    ]
    singles = [[one["name"], f"{one['ms']:.2f}", str(one["queries"])] for one in row["singles"]]
    return [*report.table(columns, ways), "", *report.table(["one user", "ms", "queries"], singles), ""]
