"""What takes a reader of one stream from one position to another. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from .cursor import Position
from .frames import Frame


class Access(NamedTuple):
    """Who may read a stream from here on, and the last frame for those who no longer may.

    Without a `farewell` the whole connection ends, and Django decides again whether it may reconnect.
    """

    owners: frozenset[str]
    farewell: Frame | None


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Frames that take a reader of one stream from one position to another; `start` is None for a snapshot.

    `access` is given if it may have changed on the way: other owners are unsubscribed. `arrived` holds the
    primary keys of the entries that arrived on the way, if somebody wants to know when they are delivered. `more` says
    that the stream goes on behind `to`: it was too much for one read.

    `kept` is what the stream's type wants to be given again when it reads on from `to`, for this process's readers.

    `translated` has the frames by language where they are not the same for every reader; it has those languages alone
    that readers had when it was made.
    """

    start: Position | None
    to: Position
    frames: tuple[Frame, ...]
    access: Access | None = None
    arrived: tuple[Any, ...] = ()
    more: bool = False
    translated: Mapping[str, tuple[Frame, ...]] | None = None
    kept: Any = None

    def frames_in(self, language: str) -> tuple[Frame, ...] | None:
        """Return the frames for a reader of a language; None if there are none in that one."""
        return self.frames if self.translated is None else self.translated.get(language)

    @property
    def size(self) -> int:
        """The bytes of its frames, in all languages."""
        frames = [self.frames] if self.translated is None else self.translated.values()
        return sum(len(frame.data) for told in frames for frame in told)
