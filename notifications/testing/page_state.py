"""What an open page knows: the frames that it was told, folded as the browser's own client folds them."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

from django.utils import timezone

from ..exceptions import UnknownFeed
from ..feeds import Latest
from ..feeds.registry import find
from ..live.cursor import Position, dump, parse

Frame = dict[str, Any]

REMEMBERED = 20  # frames that a message about what did not come names
CURSORS = ("cursor", "to", "head")  # the fields of frames that move the reader's position


class PageState:
    """The items, the counts and the events of feeds, as of the last frame that was taken."""

    def __init__(self) -> None:
        """Know nothing."""
        self.connection = ""  # what the server's `hello` has called it
        self.positions: dict[str, Position] = {}
        self.refused: set[str] = set()  # feeds
        self.told: deque[str] = deque(maxlen=REMEMBERED)
        self._items: dict[int, dict[str, Any]] = {}
        self._counts = {"unread": 0, "unseen": 0}
        self._counted_at = timezone.now()
        self._feeds: dict[str, dict[Any, dict[str, Any]]] = {}

    @property
    def cursor(self) -> str:
        """All positions, as a client sends them when it comes again."""
        return dump(self.positions)

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items that the list shows: neither archived nor withdrawn nor expired, the highest rank on top."""
        now = timezone.now()
        shown = [item for item in self._items.values() if _is_shown(item, now)]
        return sorted(shown, key=lambda item: (item["rank"], item["id"]), reverse=True)

    def count(self, which: str) -> int:
        """Return how many items are ``"unread"`` or ``"unseen"``: what the server said, without what expired since."""
        now = timezone.now()
        gone = [
            item
            for item in self._items.values()
            if _is_shown(item, self._counted_at) and not _is_shown(item, now) and _adds(item, which)
        ]
        return self._counts[which] - len(gone)

    def events(self, feed: str) -> list[dict[str, Any]]:
        """Return the events of a feed, the oldest first."""
        return list(self._feeds.get(feed, {}).values())

    def take(self, frame: Frame, cursor: str | None = None) -> None:
        """Fold a frame in.

        Args:
            frame: The frame.
            cursor: The position that its transport gave with it, empty for none; None where it has no such place.
        """
        kind = frame["type"]
        self.told.append(describe(frame))
        if kind == "hello":
            self.connection = frame["connection"]
        elif kind == "reset":
            self._items = {}
        if kind in ("reset", "changes"):
            for item in frame["items"]:
                self._put(item)
        if kind in ("hello", "reset", "changes"):
            self._counts = {name: frame[name] for name in self._counts}
            self._counted_at = timezone.now()
        elif kind in ("feed", "feed.reset"):
            self._take_events(frame)
        elif kind == "feed.status":
            (self.refused.discard if frame["state"] == "live" else self.refused.add)(frame["feed"])
        if cursor is None and not frame.get("more"):
            cursor = next((frame[name] for name in CURSORS if frame.get(name)), "")
        self.positions |= parse(cursor or "")

    def _put(self, item: dict[str, Any]) -> None:
        known = self._items.get(item["id"])
        if known is None or item["version"] > known["version"]:
            self._items[item["id"]] = item

    def _take_events(self, frame: Frame) -> None:
        name = frame["feed"]
        if frame["type"] == "feed.reset":
            self._feeds[name] = {}
        events = self._feeds.setdefault(name, {})
        for event in frame["events"]:
            key = event["key"] if _is_latest(name) else event["id"] or object()
            events.pop(key, None)
            events[key] = event


def describe(frame: Frame) -> str:
    """Name a frame in a message."""
    kind = str(frame["type"])
    if kind in ("reset", "changes"):
        titles = [repr(item.get("title", "withdrawn")) for item in frame["items"]]
        return f"{kind} ({', '.join(titles) or 'no items'})"
    if kind == "bye":
        return f"bye ({frame['reason']})"
    if kind == "feed.status":
        return f"{kind} ({frame['feed']} is {frame['state']})"
    return f"{kind} ({frame['feed']})" if "feed" in frame else kind


def _is_latest(feed: str) -> bool:
    try:
        return isinstance(find(feed).rules.keep, Latest)
    except UnknownFeed:
        return False


def _is_shown(item: dict[str, Any], now: datetime) -> bool:
    if item.get("removed") or item["archived_at"]:
        return False
    return not item["expires_at"] or datetime.fromisoformat(item["expires_at"]).timestamp() > now.timestamp()


def _adds(item: dict[str, Any], which: str) -> bool:
    return not (item["read_at"] or (which == "unseen" and item["seen_at"]))
