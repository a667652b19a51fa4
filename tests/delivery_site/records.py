"""What one reader was told, and where it is: of a feed, of the inbox, and of a room. Pure: no network, no database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

UNPUBLISHED = "=00000000.0"  # end of the cursor of a feed in which nothing was published yet
DOOMED = "doomed"  # in all that is written in a transaction that will be rolled back
MEANT = re.compile(r" to:([^;]*);")  # in the body of a notification: for whom it is

Frame = dict[str, Any]
Heard = set[tuple[Any, ...]]  # what a connection has brought
Say = Callable[[str], None]  # reports a fault


def position(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])


def life(cursor: str) -> str:
    """Return the stream and its epoch."""
    return cursor.rpartition(".")[0]


class FeedRecord:
    """What one reader was told of one feed, and where it is in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cursor = ""
        self.at = -1  # the position in `cursor`
        self.resume = ""  # the cursor from which it may be continued: that of a frame with an id
        self.again = False  # what it knows may be told again
        self.resets: list[tuple[str, int]] = []  # reason and position of each
        self.gaps = 0  # resets after the first that was told whole, but for the one with which the feed itself begins
        self.spans: list[tuple[int, int]] = []  # positions between which everything must have been told
        self.told: dict[int, int] = {}  # version by event
        self.names: dict[str, int] = {}  # version by the event's own name
        self.times: dict[str, float] = {}  # when it was told
        self.values: dict[str, tuple[int, int, str]] = {}  # version, event and name by key

    def reset(self, reason: str, cursor: str) -> None:
        self.resets.append((reason, position(cursor)))
        begins = self.cursor.endswith(UNPUBLISHED) and position(cursor) == 0
        self.gaps += bool(self.resume) and not begins
        if self.cursor and life(cursor) != life(self.cursor):  # another life: its positions mean something else
            self.spans.clear()
            self.names.clear()
            self.told.clear()
        self.values.clear()
        self.spans.append((position(cursor), position(cursor)))
        self.moved(cursor)

    def moved(self, cursor: str) -> None:
        self.cursor, self.at = cursor, position(cursor)
        if self.spans:
            self.spans[-1] = (self.spans[-1][0], max(self.at, self.spans[-1][1]))


class InboxRecord:
    """The inbox as one reader was told of it."""

    def __init__(self, me: str, groups: Iterable[str]) -> None:
        self.mine = {me, *groups, "everyone"}  # what a notification for this reader may be meant for
        self.cursor = ""
        self.at = -1
        self.since = -1  # position of the last reset: what has not changed since may be unknown
        self.items: dict[int, Frame] = {}
        self.known: set[int] = set()  # every item that was ever told
        self.unread = self.unseen = -1
        self.resets: list[str] = []

    def take(self, frame: Frame, heard: Heard, say: Say) -> None:
        if frame["type"] == "reset":
            self.resets.append(frame["reason"])
            self.items.clear()
            heard.difference_update([key for key in heard if key[0] == "item"])
            self.cursor, self.since = frame["cursor"], position(frame["cursor"])
            self.at = self.since
        elif life(frame["from"]) != life(self.cursor) or position(frame["from"]) > self.at:
            say(f"inbox: a hole between {self.cursor} and {frame['from']}")
        before = 0
        for item in frame["items"]:
            self._take_item(item, heard, say, is_whole=frame["type"] == "changes")
            if frame["type"] == "changes":
                if item["version"] < before:
                    say(f"inbox: item {item['id']} at {item['version']} came after {before}")
                before = item["version"]
        if frame["type"] == "changes" and position(frame["to"]) > self.at:
            self.cursor, self.at = frame["to"], position(frame["to"])
        self.count(frame)

    def count(self, frame: Frame) -> None:
        self.unread, self.unseen = frame["unread"], frame["unseen"]

    def _take_item(self, item: Frame, heard: Heard, say: Say, *, is_whole: bool) -> None:
        """Take an item of a frame; what a `reset` shows from above its own cursor comes again, for it is not all."""
        title, body = item.get("title", ""), item.get("body", "")
        if DOOMED in title + body:
            say(f"inbox: told of {title!r} {body!r}, which was rolled back")
        meant = MEANT.search(body)
        if meant and self.mine.isdisjoint(meant[1].split("|")):
            say(f"inbox: told of {title!r}, which is for {meant[1]}")
        key = ("item", item["id"], item["version"])
        if item["version"] and key in heard:
            say(f"inbox: item {item['id']} came twice at {item['version']}")
        if is_whole or item["version"] <= self.at:
            heard.add(key)
        self.known.add(item["id"])
        known = self.items.get(item["id"])
        if known is None or item["version"] > known["version"] or not item["version"]:
            self.items[item["id"]] = item


class RoomRecord:
    """A room as one reader was told of it."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.cursor = ""
        self.at = -1
        self.since = -1
        self.messages: dict[int, Frame] = {}
        self.last = 0  # the highest number that was ever told
        self.is_out = False  # it was told that it is no longer a member

    def take(self, frame: Frame, heard: Heard, say: Say) -> None:
        if frame["type"] == "reset":
            self.messages.clear()
            heard.difference_update([key for key in heard if key[:2] == ("message", self.pk)])
            self.cursor, self.since = frame["cursor"], position(frame["cursor"])
            self.at = self.since
        elif life(frame["from"]) != life(self.cursor) or position(frame["from"]) > self.at:
            say(f"room {self.pk}: a hole between {self.cursor} and {frame['from']}")
        whole = frame["type"] == "reset" or position(frame["from"]) <= self.at
        for message in frame["messages"]:
            self._take_message(message, heard, say, is_whole=frame["type"] == "message")
        for told in frame.get("reactions", ()):
            known = self.messages.get(told["number"])
            if whole and known is not None and told["version"] > known["version"]:
                self.messages[told["number"]] = known | told
        if frame["type"] == "message" and position(frame["to"]) > self.at:
            self.cursor, self.at = frame["to"], position(frame["to"])

    def _take_message(self, message: Frame, heard: Heard, say: Say, *, is_whole: bool) -> None:
        number, version = message["number"], message["version"]
        if DOOMED in message["body"]:
            say(f"room {self.pk}: told of {message['body']!r}, which was rolled back")
        if " in:" in message["body"] and f" in:{self.pk};" not in message["body"]:
            say(f"room {self.pk}: told of {message['body']!r}, which is of another room")
        if ("message", self.pk, number, version) in heard:
            say(f"room {self.pk}: message {number} came twice at {version}")
        if is_whole or version <= self.at:
            heard.add(("message", self.pk, number, version))
        self.last = max(self.last, number)
        known = self.messages.get(number)
        if known is None or version > known["version"]:
            self.messages[number] = message
