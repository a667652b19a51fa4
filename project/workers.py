"""Work in the background of the demo: few threads, each for a while. A real site would have a task queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

from django.db import connections
from django.utils.translation import get_language, override

LIMIT = 8  # threads at once

_lock = threading.Lock()
_running: set[Hashable] = set()


def start(name: Hashable, work: Callable[[], None]) -> bool:
    """Do some work in a thread, in the language that is active here.

    Args:
        name: What it is called; of one name only one is at work.
        work: What to do. It must end by itself.

    Returns:
        Whether it is at work now; False if too many others are.
    """
    with _lock:
        if name in _running:
            return True
        if len(_running) >= LIMIT:
            return False
        _running.add(name)
    language = get_language()

    def run() -> None:
        try:
            with override(language):
                work()
        finally:
            with _lock:
                _running.discard(name)
            connections.close_all()

    threading.Thread(target=run, name=f"demo-{name}", daemon=True).start()
    return True
