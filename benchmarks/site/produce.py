"""A producer: publishes from a process that serves nothing, as a worker of a WSGI site or of a queue does.

``python -m benchmarks.site.produce`` reads an order from each line of its input, and answers it with a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402

from .publish import PUBLISHERS  # noqa: E402

commits: list[int] = []  # CLOCK_MONOTONIC in nanoseconds, right after each


def note_commits() -> None:
    """Take note of the moment of every commit: before the callbacks that wait for it, which tell other processes."""
    commit = connection._commit

    def noted() -> None:
        commit()
        commits.append(time.monotonic_ns())

    connection._commit = noted


def publish(publisher: str, to: str, events: int, gap: float) -> dict[str, Any]:
    """Send so many events, one each `gap` seconds, and return what they cost."""
    users = list(get_user_model().objects.order_by("pk")[: 1 if to == "one" else None])
    committed, took = [], []
    due, cpu = time.monotonic(), time.process_time()
    for _ in range(events):
        time.sleep(max(0.0, due - time.monotonic()))
        commits.clear()
        begun = time.monotonic()
        PUBLISHERS[publisher](users)
        took.append((time.monotonic() - begun) * 1e3)
        committed.append(commits[0])
        due += gap
    return {"committed": committed, "took_ms": took, "cpu_ms": (time.process_time() - cpu) / events * 1e3}


if __name__ == "__main__":
    note_commits()
    for line in sys.stdin:
        print(json.dumps(publish(**json.loads(line))), flush=True)
