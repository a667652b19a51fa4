"""Coalesced receipts: however many members read at once, their room gets one frame per tick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..live import relay
from ..live.coalesce import Coalescer
from ..live.frames import frame, json_key
from . import frames
from .stream import ROOM


def _signal(room: int, users: Mapping[Any, int]) -> None:
    read = [frames.ReadPosition(json_key(user), up_to) for user, up_to in users.items()]
    relay.publish_ephemeral(ROOM.key(room), frame(frames.ReceiptFrame(room, read)))


show = Coalescer(_signal, max).show
