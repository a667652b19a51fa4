"""Reading what a feed keeps, for the first paint of a page."""

from __future__ import annotations

from typing import Any

import msgspec

from ..twins import twin
from .policies import Nothing
from .registry import find
from .stream import FEED, remember


def present_events(feed: str) -> list[dict[str, Any]]:
    """Return the data of what a new reader of a feed would be told, oldest first.

    These are the newest events of a `Log`, and the latest value of each key of a `Latest`. It asks nobody's
    permission: the caller has.

    Args:
        feed: The feed's name.

    Raises:
        UnknownFeed: Nobody has declared it.
        ValueError: It keeps nothing.
    """
    found = find(feed)
    if isinstance(found.rules.keep, Nothing):
        raise ValueError(f"The feed {feed!r} keeps nothing that could be read.")
    return [msgspec.json.decode(event.data) for event in FEED.present(remember(feed))]


apresent_events = twin(present_events)
