"""Deliveries: statements and CPU time of ``notify()``, without channels and with three of them."""

from __future__ import annotations

import json
from typing import Any

from .. import databases, report
from ..options import Options

RECIPIENTS, ROUNDS = 10_000, 300
QUICK = (100, 3)


def measure(options: Options) -> list[dict[str, Any]]:
    """Measure on each database that is asked for."""
    found = []
    for key in options.databases:
        report.measuring(databases.NAMES[key])
        with databases.opened(key) as environment:
            arguments = QUICK if options.quick else (RECIPIENTS, ROUNDS)
            found.append(json.loads(databases.run("benchmarks.site.deliveries", arguments, environment)))
    return found


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    figures = ["statements, one", "ms, one", "statements, many", "ms, many"]
    rows = [
        [f"{row['database']}, {name}", *(str(row[name][figure]) for figure in figures)]
        for row in found
        for name in ("without", "with three channels")
    ]
    many = f"{found[0]['recipients']:,} users"
    columns = ["notify() with deliveries", "statements,\none user", "CPU ms,\none user"]
    return report.table([*columns, f"statements,\n{many}", f"CPU ms,\n{many}"], rows)
