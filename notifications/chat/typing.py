"""Typing on its way: a room hears of each member's latest state, once a tick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..inbox.frames import Actor
from ..live import relay
from ..live.coalesce import Coalescer
from ..live.frames import Frame, frame
from . import frames
from .stream import ROOM


def show(room: int, who: Actor, *, on: bool) -> None:
    """Tell a room that a member types, or no longer does, without storing anything."""
    expires = frames.TYPING_EXPIRES if on else 0
    _typing.show(room, who.id, frame(frames.TypingFrame(room, who, expires)))


def _signal(room: int, told: Mapping[Any, Frame]) -> None:
    relay.publish_ephemeral(ROOM.key(room), *told.values())


_typing: Coalescer[int, Any, Frame] = Coalescer(_signal, lambda _before, now: now)
