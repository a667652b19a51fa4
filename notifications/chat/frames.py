"""The chat's frames of protocol version 1; `docs/reference/chat-protocol.md` documents them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ..inbox.frames import Actor
from ..live.frames import VERSION, ResetReason

Ref = str | int
Deleted = Literal["author", "moderator"]
RoomEvent = Literal["changed", "added", "removed"]

TYPING_EXPIRES = 6  # seconds; a client repeats the command every 3


class ReactionItem(msgspec.Struct, frozen=True):
    """One emoji on a message: how many gave it, and the first of them."""

    emoji: str
    count: int
    users: list[int | str]


class MessageItem(msgspec.Struct, frozen=True):
    """One message, whole; the same in every frame and in the JSON API.

    `number` names it in its room and orders it; `version` rises with every change, and the reader keeps the
    higher one.
    """

    number: int
    version: int
    kind: str
    client_id: str | None
    author: Actor | None
    subject: Actor | None
    body: str
    reply_to: int | None
    created_at: datetime
    edited_at: datetime | None
    deleted: Deleted | None
    reactions: list[ReactionItem]


class ReactionsItem(msgspec.Struct, frozen=True):
    """The reactions to one message, all of them; nothing else of it has changed."""

    number: int
    version: int
    reactions: list[ReactionItem]


class Member(msgspec.Struct, frozen=True):
    """One member of a room, with the number up to which they have read.

    `handle` is by what they are mentioned; null where the site has chosen nothing for it.
    """

    id: int | str
    name: str
    handle: str | None
    role: str
    last_read: int


class RoomInfo(msgspec.Struct, frozen=True):
    """What every member may know of a room; `members` and `online` are null in a large one."""

    id: int
    kind: str
    name: str
    last_number: int
    member_count: int
    members: list[Member] | None
    online: list[int | str] | None
    online_count: int


class Me(msgspec.Struct, frozen=True):
    """What a room is to the reader alone."""

    role: str
    last_read: int
    muted: bool
    unread: int


class ListedRoom(msgspec.Struct, frozen=True):
    """A room in the reader's list, with its latest message and its position."""

    info: RoomInfo
    me: Me
    last: MessageItem | None
    cursor: str


class RoomList(msgspec.Struct, frozen=True):
    """A page of rooms, the most recently active first; `next` is the `before` of the following page."""

    rooms: list[ListedRoom]
    next: str | None


class History(msgspec.Struct, frozen=True):
    """A page of messages in the order of their numbers, and where the pages beside it begin (null: nowhere)."""

    messages: list[msgspec.Raw]
    before: int | None
    after: int | None
    cursor: str


class SocketHello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame of a socket."""

    connection: str
    cursor: None
    unread: int
    unseen: int
    heartbeat: float
    time: datetime
    user: Actor
    v: int = VERSION


class Messages(
    msgspec.Struct, frozen=True, tag_field="type", tag="message", rename={"from_": "from"}, omit_defaults=True
):
    """Messages whose latest state lies after `from`; with them the reader has everything up to and including `to`.

    As in the inbox's changes, some may lie above `to`. Of those in `reactions` nothing else has changed since `from`.
    """

    room: int
    from_: str
    to: str
    messages: Sequence[msgspec.Raw]
    reactions: Sequence[msgspec.Raw] = ()


class RoomReset(msgspec.Struct, frozen=True, tag_field="type", tag="reset"):
    """The latest page of a room for a reader that cannot be continued; `before` leads to older ones."""

    room: int
    reason: ResetReason
    cursor: str
    messages: Sequence[msgspec.Raw]
    before: int | None
    limited: bool


class RoomFrame(msgspec.Struct, frozen=True, tag_field="type", tag="room"):
    """A room changed, or the reader came to it or left it."""

    room: int
    event: RoomEvent
    info: RoomInfo | None


class TypingFrame(msgspec.Struct, frozen=True, tag_field="type", tag="typing"):
    """A user is typing; hide it after `expires` seconds, immediately if that is 0."""

    room: int
    user: Actor
    expires: int


class ReadPosition(msgspec.Struct, frozen=True):
    """Up to which number a member has read."""

    user: int | str
    up_to: int


class ReceiptFrame(msgspec.Struct, frozen=True, tag_field="type", tag="receipt"):
    """Members have read on."""

    room: int
    read: list[ReadPosition]


class PresenceFrame(msgspec.Struct, frozen=True, tag_field="type", tag="presence"):
    """Who of a room is here; `online` is null in a large room."""

    room: int
    online: list[int | str] | None
    count: int


class Ack(msgspec.Struct, frozen=True, tag_field="type", tag="ack", omit_defaults=True):
    """A command was carried out; which fields it has depends on the command."""

    ref: Ref
    room: int | None = None
    info: RoomInfo | None = None
    me: Me | None = None
    number: int | None = None
    version: int | None = None
    created_at: datetime | None = None
    on: bool | None = None
    up_to: int | None = None
    unread: int | None = None


class HistoryAck(msgspec.Struct, frozen=True, tag_field="type", tag="ack"):
    """The answer to `history`."""

    ref: Ref
    room: int
    messages: list[msgspec.Raw]
    before: int | None
    after: int | None
    cursor: str


class Nack(msgspec.Struct, frozen=True, tag_field="type", tag="nack"):
    """A command was refused; without `retry` (milliseconds), repeating it is of no use."""

    ref: Ref
    code: str
    message: str
    retry: int | None = None
    field: str | None = None
