"""Functions at once, each on a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

R = TypeVar("R")


def together(*functions: Callable[[], R]) -> list[R]:
    """Run `functions` in threads that start at the same moment; return what they return."""
    barrier = Barrier(len(functions))

    def run(function: Callable[[], R]) -> R:
        try:
            connections["default"].ensure_connection()
            barrier.wait(10)
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))
