"""The frames of feeds; `docs/reference/feeds.md` tells them to client authors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ..live.frames import ResetReason

FeedState = Literal["live", "denied", "unknown", "ended", "too-many"]


class Event(msgspec.Struct, frozen=True):
    """Something that was published.

    `version` is its position in the feed; in a feed that keeps nothing, it and `id` are 0.
    """

    id: int
    version: int
    event: str
    key: str
    data: msgspec.Raw
    at: datetime


class FeedEvents(msgspec.Struct, frozen=True, tag_field="type", tag="feed", rename={"from_": "from"}):
    """What was published after `from`, up to and including `to`; both are null in a feed that keeps nothing.

    In the continuation of a reset both are the reset's cursor, and `more` says that another frame continues it.
    """

    feed: str
    from_: str | None
    to: str | None
    events: Sequence[msgspec.Raw]
    more: bool = False


class FeedReset(msgspec.Struct, frozen=True, tag_field="type", tag="feed.reset"):
    """A fresh start: the newest events of a log, or the latest value of each key.

    Where `more` is true, `feed` frames bring the rest, and only the last of them completes the cursor: a reader that is
    cut off in between has to start again.
    """

    feed: str
    reason: ResetReason
    cursor: str
    events: Sequence[msgspec.Raw]
    more: bool = False


class FeedStatus(msgspec.Struct, frozen=True, tag_field="type", tag="feed.status"):
    """A connection follows a feed from here on, or no longer does; `message` says why not."""

    feed: str
    state: FeedState
    message: str = ""
