"""Noting what became of a message: its worker's connection may have been lost while it was sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connections

from ..live.django_internals import in_transaction

NOTE_PAUSES: Final = (0.0, 0.5, 2.0, 8.0)  # seconds before each further try: a server is restarted in less


def noted(alias: str, note: Callable[[], Any]) -> None:
    """Note something; if the connection is lost, on a new one. What is not noted is sent once more.

    Args:
        alias: The database.
        note: Does it, and may be called again.
    """
    for pause in NOTE_PAUSES:
        try:
            note()
        except (OperationalError, InterfaceError):
            if not _is_lost(alias):
                raise
            connections[alias].close()
            time.sleep(pause)
        else:
            return
    note()


def _is_lost(alias: str) -> bool:
    """Return whether there is no connection any more, nor a transaction that ends with it."""
    if in_transaction(alias):
        return False
    connection = connections[alias]
    return connection.connection is None or not connection.is_usable()
