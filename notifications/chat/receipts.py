"""Coalesced receipts: however many members read at once, their room gets one frame per tick.

When somebody posts to a room that two hundred have open, all of them read it at the same moment. Sent one
by one, that would be forty thousand frames; the first one is sent immediately, and the others together.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..live import relay
from ..live.frames import frame, json_key
from . import frames
from .stream import ROOM

RECEIPT_INTERVAL = 0.25  # seconds

Send = Callable[[int, Mapping[Any, int]], None]

logger = logging.getLogger("notifications")


class Receipts:
    """Receipts that are still to be sent: only the latest of each member, so a burst takes no more memory."""

    def __init__(self, send: Send, later: Callable[[Callable[[], None]], object]) -> None:
        """Prepare.

        Args:
            send: Sends a room up to where each of some members has read.
            later: Calls a function after a tick.
        """
        self._send = send
        self._later = later
        self._lock = threading.Lock()
        self._waiting: dict[int, dict[Any, int]] = {}  # by room, including receipts that were sent in this tick
        self._ticking = False

    def show(self, room: int, user: Any, up_to: int) -> None:
        """Report that `user` has read `room` up to a number: now, or with the next tick. Call it from any thread."""
        with self._lock:
            first = room not in self._waiting
            waiting = self._waiting.setdefault(room, {})
            if not first:
                waiting[user] = max(up_to, waiting.get(user, 0))
            start, self._ticking = not self._ticking, True
        if start:
            self._later(self._tick)
        if first:
            self._send(room, {user: up_to})

    def _tick(self) -> None:
        with self._lock:
            due = {room: users for room, users in self._waiting.items() if users}
            self._waiting = {room: {} for room in due}
            self._ticking = bool(due)
        if due:
            self._later(self._tick)
        for room, users in due.items():
            self._send(room, users)


def _signal(room: int, users: Mapping[Any, int]) -> None:
    read = [frames.ReadPosition(json_key(user), up_to) for user, up_to in users.items()]
    try:
        relay.publish_ephemeral(ROOM.key(room), frame(frames.ReceiptFrame(room, read)))
    except Exception:
        logger.exception("Could not tell a room of receipts; whoever opens it sees them.")


def _after_tick(function: Callable[[], None]) -> None:
    timer = threading.Timer(RECEIPT_INTERVAL, function)  # not an event loop's: a WSGI worker has none
    timer.daemon = True
    timer.start()


show = Receipts(_signal, _after_tick).show
