"""The frames of the inbox, and the notification as every frame and the JSON API show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from ..kinds.growing import people
from ..live.frames import VERSION, Frame, ResetReason

ZWNJ: Final = "\u200c"  # keeps letters apart that would be joined, as Arabic ones are


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who caused a notification: a user's key and display name, or an instance's label with its key, and its name.

    `avatar` is the address of a picture, where the site has one.
    """

    id: int | str
    name: str
    avatar: str | None = None

    @property
    def initials(self) -> str:
        """The letters that stand for who has no picture: of the first word of their name, and of the last."""
        words = self.name.split()
        return ZWNJ.join(word[0] for word in (words if len(words) < 2 else [words[0], words[-1]]))


class Group(msgspec.Struct, frozen=True):
    """The events that an item has grown by: how many, of how many distinct actors, and the latest three of those.

    `since` is the position at which the item first arrived, if it has grown since: whoever has been there
    already has been told of it.
    """

    events: int
    actors: int
    latest: Sequence[Actor]
    since: int | None


class ItemAction(msgspec.Struct, frozen=True):
    """What the reader may do: its name, what the button says, and its style."""

    name: str
    label: str
    style: str


class Outcome(msgspec.Struct, frozen=True):
    """What somebody has done: the action, what is said of it, who did it (empty once that account is gone), when."""

    action: str
    text: str
    by: str
    at: datetime


class Item(msgspec.Struct, frozen=True, omit_defaults=False):
    """One notification as one recipient has it; the same in every frame and in the JSON API.

    `version` rises with every change of the item; the reader keeps the higher one. It is 0 while a change
    has not been given its position yet: a frame with the number follows. Lists are in the order of `rank`, the highest
    on top, and of `id` where it is the same. `toast` is false where it should draw no attention: neither a toast nor a
    sound or a notification of the desktop. `mutable` is true where its recipient may switch off its kind or category.
    """

    id: int
    version: int
    kind: str
    category: str
    level: str
    icon: str
    title: str
    body: str
    url: str
    data: dict[str, Any]
    actor: Actor | None
    created_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None
    expires_at: datetime | None
    snoozed_until: datetime | None
    pinned: bool
    rank: int
    group: Group | None
    actions: Sequence[ItemAction]
    outcome: Outcome | None
    toast: bool
    mutable: bool

    @property
    def caused_by(self) -> str:
        """Who has caused it, in words of the active language; empty where nobody has, or a grown item's title says so.

        The client's `people` says the same.
        """
        if self.group is None or self.group.actors < 2 or not self.group.latest:
            return self.actor.name if self.actor is not None else ""
        names = [one.name for one in self.group.latest]
        told = names[: 3 if self.group.actors <= 3 else 2]
        return "" if all(name in self.title for name in told) else people(names, self.group.actors)


class Tombstone(msgspec.Struct, frozen=True):
    """The tombstone of a recalled item."""

    id: int
    version: int
    removed: Literal[True] = True


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame: the position from which the connection continues (null: a `reset` follows), and the counts."""

    connection: str
    cursor: str | None
    unread: int
    unseen: int
    heartbeat: float
    time: datetime
    v: int = VERSION


class Changes(msgspec.Struct, frozen=True, tag_field="type", tag="changes", rename={"from_": "from"}):
    """Items whose latest state lies after `from`; with them the reader has everything up to and including `to`.

    Where the changes of one position are cut into several frames, items lie above `to`: only the last one completes it.
    """

    from_: str
    to: str
    items: Sequence[msgspec.Raw]
    unread: int
    unseen: int


def one_change(start: str, to: str, item: bytes, unread: int, unseen: int) -> Frame:
    """Return the frame of `Changes` with one item, which is JSON already, as most are: cursors need no escapes."""
    data = b'{"type":"changes","from":"%b","to":"%b","items":[%b],"unread":%d,"unseen":%d}'
    return Frame("changes", data % (start.encode(), to.encode(), item, unread, unseen), to)


class Reset(msgspec.Struct, frozen=True, tag_field="type", tag="reset"):
    """A fresh snapshot for a reader that cannot be continued from its cursor."""

    reason: ResetReason
    cursor: str
    items: Sequence[Item | Tombstone]
    unread: int
    unseen: int


class PreferencesChanged(msgspec.Struct, frozen=True, tag_field="type", tag="preferences"):
    """The user has chosen something in another tab: what shows preferences asks for them anew.

    It is stored nowhere. Who was not connected asks anew anyway, once it is.
    """
