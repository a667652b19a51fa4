"""Growth: what each hot path costs at some lengths of the tables, on each database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .. import databases, report
from ..options import Options

QUICK_ROWS = (1_000,)


def measure(options: Options) -> list[dict[str, Any]]:
    """Fill the tables of each database to some lengths, and measure each path."""
    found = []
    for rows in QUICK_ROWS if options.quick else options.rows:
        for key in options.databases:
            report.measuring(f"{databases.NAMES[key]}, {rows:,} rows")
            with databases.opened(key) as environment:
                found.append(json.loads(databases.run("benchmarks.site.growth", [rows], environment)))
    return found


def show(found: Sequence[dict[str, Any]]) -> list[str]:
    """Return a table for each database: median CPU and statements of each path, by the length of the tables."""
    lines: list[str] = []
    for database in dict.fromkeys(one["database"] for one in found):
        runs = [one for one in found if one["database"] == database]
        lengths = "  ".join(f"{one['rows']:>12,}" for one in runs)
        lines += ["", f"{database}: ms of CPU (statements) by rows", f"{'':<40}{lengths}  scans"]
        for paths in zip(*(one["paths"] for one in runs), strict=True):
            cells = [f"{path['ms']:,.1f} ({path['statements']})".rjust(12) for path in paths]
            scans = ", ".join(paths[-1]["scans"])
            lines.append(f"{paths[-1]['name']:<40}{'  '.join(cells)}  {scans}".rstrip())
    return lines[1:]
