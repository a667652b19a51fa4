"""Storing: how many recipients' rows a second ``notify()`` stores and orders, beside a bulk insert."""

from __future__ import annotations

import json
from typing import Any

from .. import databases, report
from ..options import Options

RECIPIENTS = 10_000
QUICK = 500


def measure(options: Options) -> list[dict[str, Any]]:
    """Measure on each database that is asked for."""
    found = []
    for key in options.databases:
        report.measuring(databases.NAMES[key])
        with databases.opened(key) as environment:
            arguments = [QUICK if options.quick else RECIPIENTS, options.rounds]
            found.append(json.loads(databases.run("benchmarks.site.storing", arguments, environment)))
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
    single = f"notify() to one user: {row['single_ms']:.2f} ms, {row['single_queries']} queries"
    return [*report.table(columns, ways), single, ""]
