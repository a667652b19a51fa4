"""How long it takes to store, and how many statements."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

SINGLE = 200  # notifications to one user


def way(name: str, store: Callable[[], object], recipients: int, rounds: int) -> dict[str, Any]:
    """Measure one way of storing for many."""
    return {"name": name, "rate": recipients / _seconds(store, rounds), "queries": _statements(store)}


def single(name: str, store: Callable[[], object]) -> dict[str, Any]:
    """Measure one way of storing for one user."""
    return {"name": name, "ms": _seconds(store, SINGLE) * 1e3, "queries": _statements(store)}


def _seconds(store: Callable[[], object], rounds: int) -> float:
    """Return the median time of `store`; the first time, which makes the inboxes, does not count."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        store()
        times.append(time.perf_counter() - start)
    return median(times[1:])


def _statements(store: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        store()
    return len(queries)
