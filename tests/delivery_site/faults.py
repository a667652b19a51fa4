"""What goes wrong inside a process of the site, because its environment says so: its clock, and its disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.backends.signals import connection_created
from django.utils import timezone

UNLIMITED = 1_073_741_823  # pages: SQLite's own default


def move_clock(seconds: float) -> None:
    """Let this process be so many seconds ahead of all others; called before anybody has imported the clock."""
    if not seconds:
        return
    now, seconds_now, ahead = timezone.now, time.time, timedelta(seconds=seconds)
    timezone.now = lambda: now() + ahead
    time.time = lambda: seconds_now() + seconds


def obey(flag: str) -> None:
    """Let SQLite find the disk full for as long as a file of this name is there."""
    if flag:
        connection_created.connect(lambda connection, **kwargs: _watch(connection, Path(flag)), weak=False)


def _watch(connection: Any, flag: Path) -> None:
    if connection.vendor != "sqlite":
        return
    is_full = False

    def run(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal is_full
        if flag.exists() != is_full:
            is_full = not is_full
            # Less than there is means that no page may be added.
            connection.connection.execute(f"PRAGMA max_page_count = {1 if is_full else UNLIMITED}")
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(run)
