"""Publishing in feeds: how many events a second one process publishes."""

from __future__ import annotations

import json
from typing import Any

from .. import databases, report
from ..options import Options

EVENTS = 20_000
QUICK = 1_000


def measure(options: Options) -> list[dict[str, Any]]:
    """Measure on each database that is asked for."""
    found = []
    for key in options.databases:
        report.measuring(databases.NAMES[key])
        with databases.opened(key) as environment:
            events = QUICK if options.quick else EVENTS
            found.append(json.loads(databases.run("benchmarks.site.publishing", [events], environment)))
    return found


def show(found: list[dict[str, Any]]) -> list[str]:
    """Return the figures as lines."""
    columns = ["publish(), events a second", *(row["database"] for row in found)]
    return report.table(
        columns, [[title, *(f"{row['rates'][title]:,.0f}" for row in found)] for title in found[0]["rates"]]
    )
