"""The cursor: a reader's whole session, as text.

``inbox=5f0c2a91.42`` names a stream, the epoch of its present life and a position in it; several streams
are joined by commas. It is the ``id:`` of an SSE event, the ``since`` of a poll and the resume point of a
WebSocket. It comes from a client, so it is parsed strictly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..exceptions import BadCursor

MAX_LENGTH = 8_000  # characters; a hundred feeds and the inbox, and proxies take headers of 8 KiB

_PART = re.compile(r"([a-z]+(?:-[0-9a-f-]{1,36})?)=([0-9a-f]{8})\.(0|[1-9][0-9]{0,17})", re.ASCII)


class Position(NamedTuple):
    """A place in one stream: the stream's `epoch` and the `modseq` of the last change that was read."""

    epoch: str
    modseq: int


START = Position("", -1)  # of a reader that has read nothing of a stream: it gets a snapshot
UNPUBLISHED = Position("00000000", 0)  # of one that read a stream before there was any: all of it is new to it


def parse(text: str) -> dict[str, Position]:
    """Read a cursor.

    Args:
        text: What `dump` made, as the client sent it back. Empty means that the client has no position.

    Returns:
        The position in each stream, by the stream's name.

    Raises:
        BadCursor: The text has another form, is longer than `MAX_LENGTH` or names a stream twice.
    """
    if not text:
        return {}
    if len(text) > MAX_LENGTH:
        raise BadCursor(f"A cursor can have at most {MAX_LENGTH} characters; this one has {len(text)}.")
    positions: dict[str, Position] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or match[1] in positions:
            raise BadCursor("The cursor must look like inbox=5f0c2a91.42; omit it to start fresh.")
        positions[match[1]] = Position(match[2], int(match[3]))
    return positions


def dump(positions: Mapping[str, Position]) -> str:
    """Write `positions`, by stream name, as a cursor."""
    return ",".join(f"{name}={epoch}.{modseq}" for name, (epoch, modseq) in positions.items())
