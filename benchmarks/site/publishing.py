"""Publishing: how many events per second one process publishes, from its own thread.

Runs in a process of its own: ``python -m benchmarks.site.publishing EVENTS`` prints JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from notifications.services import publish, publish_many  # noqa: E402

from . import feeds  # noqa: E402, F401  # declares them

BATCH = 100  # events published together
DATA = {"symbol": "CARILLON", "price": 12.34, "body": "x" * 60}


def batches(name: Callable[[int], str], events: int) -> None:
    """Publish in batches."""
    for start in range(0, events, BATCH):
        publish_many([(name(n), DATA) for n in range(start, start + BATCH)])


def singly(name: Callable[[int], str], events: int) -> None:
    """Publish one by one."""
    for n in range(events):
        publish(name(n), DATA)


CASES: dict[str, tuple[Any, Callable[[int], str], int]] = {
    "Log, one feed, batches of 100": (batches, lambda n: "bench:1", 1),
    "Log, 1,000 feeds, batches of 100": (batches, lambda n: f"bench:{n % 1_000 + 10}", 1),
    "Latest, one feed, batches of 100": (batches, lambda n: "value:1", 1),
    "Log, one feed, one by one": (singly, lambda n: "bench:2", 10),
    "Nothing, one by one": (singly, lambda n: "live:1", 1),
    "Nothing, batches of 100": (batches, lambda n: "live:1", 1),
}


def main(events: int) -> None:
    """Measure and print."""
    call_command("migrate", verbosity=0)
    report: dict[str, Any] = {"database": connection.display_name, "rates": {}}
    for title, (send, name, divisor) in CASES.items():
        send(name, BATCH)
        start = time.perf_counter()
        send(name, events // divisor)
        report["rates"][title] = events // divisor / (time.perf_counter() - start)
    print(json.dumps(report))


if __name__ == "__main__":
    main(int(sys.argv[1]))
