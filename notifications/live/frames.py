"""The frames of protocol version 1: the one place where wire shapes are decided.

A frame is one JSON object on one line. Over SSE its ``type`` is also the event's name and its cursor the
event's ``id``; over WebSocket it is a text message; a poll answers with a list of them. Each is encoded
once and its bytes are shared by every connection that gets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

VERSION = 1
FRAME_BYTES = 32 * 1024  # a frame holds as many items as fit, and at least one

ByeReason = Literal["drain", "max-age", "reauthenticate", "signed-out", "revoked", "slow", "limit"]
ResetReason = Literal["start", "epoch", "ahead", "pruned", "too-many"]

_encoder = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """Return `value` (a struct, or plain JSON data) as JSON bytes without a line break."""
    return _encoder.encode(value)


def now() -> datetime:
    """Return the present time in UTC, as frames carry it."""
    return datetime.now(UTC)


def json_key(pk: Any) -> int | str:
    """Return a user's primary key as JSON carries it."""
    return pk if isinstance(pk, int) else str(pk)


class Heartbeat(msgspec.Struct, frozen=True, tag_field="type", tag="heartbeat"):
    """A sign of life with the stream's position: a reader can see that it is behind."""

    head: str


class Bye(msgspec.Struct, frozen=True, tag_field="type", tag="bye"):
    """The connection's end; `retry` in milliseconds, null means that coming back is of no use."""

    reason: ByeReason
    retry: int | None


class Checkpoint(msgspec.Struct, frozen=True, tag_field="type", tag="checkpoint"):
    """A question to a client that may answer: it repeats `token`, and so shows that it has read all before it."""

    token: str


class Error(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """Something went wrong; `ref` names the command that caused it."""

    code: str
    message: str
    retry: int | None = None
    ref: str | int | None = None


class Frame:
    """An encoded frame, with its renderings for each transport."""

    __slots__ = ("cursor", "data", "name")

    def __init__(self, name: str, data: bytes, cursor: str | None = None) -> None:
        """Keep the frame's `name`, its JSON `data` and, where it moves the reader's position, the new `cursor`."""
        self.name = name
        self.data = data
        self.cursor = cursor

    @property
    def sse(self) -> bytes:
        """The frame as one event of an event stream (WHATWG HTML, 9.2.6)."""
        head = f"event: {self.name}\nid: {self.cursor}\n" if self.cursor else f"event: {self.name}\n"
        return b"%bdata: %b\n\n" % (head.encode(), self.data)


def frame(struct: msgspec.Struct, cursor: str | None = None) -> Frame:
    """Encode `struct`; `cursor` is given if the frame moves the reader's position."""
    return Frame(str(struct.__struct_config__.tag), encode(struct), cursor)


class Versioned(Protocol):
    """Something that a frame carries, at a position in its stream."""

    @property
    def version(self) -> int:
        """The position of its latest change."""


class Encoded(NamedTuple):
    """The same, as JSON."""

    version: int
    data: bytes


def encoded(items: Iterable[Versioned]) -> list[Encoded]:
    """Encode what frames carry."""
    return [Encoded(item.version, encode(item)) for item in items]


def pack(items: Sequence[Encoded], start: int) -> list[tuple[int, list[msgspec.Raw]]]:
    """Split `items`, in order of version, into pieces of at most `FRAME_BYTES`.

    Return each piece with the position it completes. Items of one position may fall into several pieces; all
    but the last then complete only the position before (`start` at first), so that a reader which is cut
    off between two pieces gets the rest again instead of missing it.
    """
    pieces: list[tuple[int, list[msgspec.Raw]]] = []
    piece: list[msgspec.Raw] = []
    size = 0
    complete = previous = start
    for version, data in items:
        if version != previous:
            complete, previous = previous, version
        if piece and size + len(data) > FRAME_BYTES:
            pieces.append((complete, piece))
            piece, size = [], 0
        piece.append(msgspec.Raw(data))
        size += len(data)
    if piece:
        pieces.append((previous, piece))
    return pieces
