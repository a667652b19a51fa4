"""Functions at once, each on a database connection of its own; and functions of other threads to wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any, TypeVar
from unittest.mock import patch

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


@contextmanager
def returned(owner: Any, name: str, when: Callable[..., bool] = lambda *_arguments, **_more: True) -> Iterator[Event]:
    """Yield an event that is set once the function `name` of `owner` returns from arguments that satisfy `when`."""
    function, done = getattr(owner, name), Event()

    def call(*arguments: Any, **more: Any) -> Any:
        result = function(*arguments, **more)
        if when(*arguments, **more):
            done.set()
        return result

    with patch.object(owner, name, call):
        yield done
