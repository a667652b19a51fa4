"""How long a statement may wait for a lock that somebody else holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import OperationalError, connections

from .django_internals import in_transaction

SQLITE_TIMEOUT = 5.0  # seconds; the default of Python's sqlite3

IDLE = 0  # libpq's status of a connection outside a transaction


@contextmanager
def patience(alias: str, seconds: float) -> Iterator[None]:
    """Let transactions in the database `alias` wait for a lock no longer than `seconds`; then `OperationalError`.

    It holds for this thread. Nothing of it is left on the connection, which a pool may hand to somebody else.
    """
    connection = connections[alias]
    vendor = connection.vendor
    if vendor == "postgresql":
        # Local to each transaction: behind PgBouncer a session belongs to everybody.
        with connection.execute_wrapper(_set_lock_timeout(int(seconds * 1_000))):
            yield
        return
    own, usual = _statements(connection, seconds)
    if own is None:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(own)
    try:
        yield
    finally:
        # Where that fails, the connection is gone, and its settings with it.
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute(usual)


def _statements(connection: Any, seconds: float) -> tuple[str | None, str]:
    """Return the statements that set the patience and that set it back; None where the database has no such thing."""
    if connection.vendor == "sqlite":
        usual = connection.settings_dict["OPTIONS"].get("timeout", SQLITE_TIMEOUT)
        milliseconds = int(min(seconds, usual) * 1_000)
        return f"PRAGMA busy_timeout = {milliseconds}", f"PRAGMA busy_timeout = {int(usual * 1_000)}"
    if connection.vendor == "mysql":
        name = "innodb_lock_wait_timeout"
        return f"SET SESSION {name} = {max(1, math.ceil(seconds))}", f"SET SESSION {name} = DEFAULT"
    return None, ""


def _set_lock_timeout(milliseconds: int) -> Callable[..., Any]:
    def execute(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        connection = context["connection"]
        if in_transaction(connection.alias) and connection.connection.info.transaction_status == IDLE:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")
        return execute(sql, params, many, context)

    return execute
