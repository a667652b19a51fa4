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
    """What was published after `from`, up to and including `to`; both are null in a feed that keeps nothing."""

    feed: str
    from_: str | None
    to: str | None
    events: Sequence[msgspec.Raw]


class FeedReset(msgspec.Struct, frozen=True, tag_field="type", tag="feed.reset"):
    """A fresh start: the newest events of a log, or the latest value of each key. More may follow as `feed` frames."""

    feed: str
    reason: ResetReason
    cursor: str
    events: Sequence[msgspec.Raw]


class FeedStatus(msgspec.Struct, frozen=True, tag_field="type", tag="feed.status"):
    """A connection follows a feed from here on, or no longer does; `message` says why not."""

    feed: str
    state: FeedState
    message: str = ""
