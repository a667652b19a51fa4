"""What each command of a socket does in the database; the consumer runs it in a thread.

Every one begins with the caller's membership, and answers a stranger as if there were no such room.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from ..annotations import UserKey
from ..exceptions import AccessEnded, BadCursor, OtherUser
from ..inbox.actors import actor
from ..inbox.stream import INBOX
from ..languages import site_language
from ..live import cursor, relay, sessions
from ..live.access import check_actor, users_of
from ..live.batch import Batch
from ..live.cursor import Position
from ..live.patience import patience
from ..live.replay import catch_up, changes_since, settle
from ..live.streams import Key, StreamType
from ..models import Membership
from . import commands, messages, rooms, typing
from .frames import Ack, HistoryAck, Nack
from .members import is_large, me, room_infos
from .rooms import membership
from .stream import ROOM, history

WRITE_PATIENCE = 3.0  # seconds for which a command waits for a lock; then the client is told to try again
COMMAND_RETRY = (500, 2_000)  # milliseconds after which a command is repeated that failed for no fault of its own


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream that the socket reads from now on: what is answered, what it missed, and where it is then."""

    ack: Ack
    key: Key
    batch: Batch
    language: str | None = None  # in which the socket is told from here on, if that changes


Answer = Ack | HistoryAck | Opened


def execute_patiently(command: commands.Command, user: Any) -> Answer:
    """Carry out a command that writes, as `execute` does, and wait for nobody's lock longer than `WRITE_PATIENCE`."""
    with patience(ROOM.alias, WRITE_PATIENCE):
        return execute(command, user)


@singledispatch
def execute(command: commands.Command, user: UserKey) -> Answer:
    """Carry out `command` for the user with the primary key `user`, and return the answer.

    Raises:
        AccessEnded: The user's account may do nothing any more.
        ObjectDoesNotExist: The user has no access to such a room or message.
        OtherUser: The page belongs to another user.
        PermissionDenied: A member may not do this.
        ValidationError: A field is wrong.
    """
    raise NotImplementedError(type(command).__name__)


def refuse(command: commands.Command, error: Exception) -> Nack:
    """Return the answer to a command that failed with one of the errors that `execute` raises."""
    if isinstance(error, ObjectDoesNotExist):
        return Nack(command.ref, "not-found", _("Room or message not found."))
    if isinstance(error, OtherUser):
        return Nack(command.ref, "other-user", str(error))
    if isinstance(error, PermissionDenied):
        return Nack(command.ref, "forbidden", str(error))
    if isinstance(error, ValidationError):
        field = next(iter(error.error_dict)) if hasattr(error, "error_dict") else None
        return Nack(command.ref, "invalid", " ".join(error.messages), field=field)
    if isinstance(error, DatabaseError):
        return Nack(command.ref, "busy", _("The server is busy. Please try again."), random.randint(*COMMAND_RETRY))
    return Nack(command.ref, "failed", _("Something went wrong on the server."))


@execute.register
def open_room(command: commands.RoomOpen, user: UserKey) -> Answer:
    """Continue or begin to read a room."""
    place = _place(command, user)
    position = _since(ROOM, command.room, command.since)
    settle(ROOM, [place.room_id], relay.sequence_and_announce)
    info = room_infos([place.room_id], ROOM.alias)[place.room_id]
    if position is None:
        head = Position(*ROOM.streams().filter(pk=place.room_id).values_list("epoch", "head").get())
        batch = ROOM.first_page(place.room_id, head, "start", command.limit)
    else:
        batch = changes_since(ROOM, {place.room_id: position})[place.room_id]
    # A user who has been removed since gets nothing of what was read.
    place = _place(command, user)
    return Opened(Ack(command.ref, room=place.room_id, info=info, me=me(place)), ROOM.key(place.room_id), batch)


@execute.register
def open_inbox(command: commands.InboxOpen, user: UserKey) -> Answer:
    """Continue or begin to read the inbox."""
    sessions.check_user(command.user, user)
    check_actor(_user(user))
    position = _since(INBOX, user, command.since)
    language = site_language(command.language)
    with translation.override(language):
        batch = catch_up(INBOX, user, position, relay.sequence_and_announce)
    return Opened(Ack(command.ref), INBOX.key(user), batch, language)


@execute.register
def send_message(command: commands.MessageSend, user: UserKey) -> Answer:
    """Post a message; the answer is built after the commit."""
    message = messages.post_message(
        _place(command, user), command.body, by=user, client_id=command.id, reply_to=command.reply_to
    )
    return Ack(
        command.ref,
        room=command.room,
        number=message.number,
        version=message.modseq,
        created_at=message.created_at,
    )


@execute.register
def edit_message(command: commands.MessageEdit, user: UserKey) -> Answer:
    """Edit a message."""
    messages.edit_message(_place(command, user), command.number, command.body, by=user)
    return Ack(command.ref, room=command.room, number=command.number)


@execute.register
def delete_message(command: commands.MessageDelete, user: UserKey) -> Answer:
    """Delete a message."""
    messages.delete_message(_place(command, user), command.number, by=user)
    return Ack(command.ref, room=command.room, number=command.number)


@execute.register
def toggle_reaction(command: commands.ReactionToggle, user: UserKey) -> Answer:
    """Put or take away a reaction."""
    on = messages.toggle_reaction(_place(command, user), command.number, command.emoji, by=user)
    return Ack(command.ref, room=command.room, number=command.number, on=on)


@execute.register
def show_typing(command: commands.Typing, user: UserKey) -> Answer:
    """Tell the others in the room, without storing anything."""
    place = _place(command, user)
    if not is_large(place.room):
        typing.show(place.room_id, actor(place.user), on=command.on)
    return Ack(command.ref, room=command.room)


@execute.register
def mark_read(command: commands.Receipt, user: UserKey) -> Answer:
    """Note up to where the user has read."""
    up_to = rooms.mark_room_read(_place(command, user), by=user, up_to=command.up_to)
    unread = me(membership(command.room, user)).unread
    return Ack(command.ref, room=command.room, up_to=up_to, unread=unread)


@execute.register
def mute(command: commands.RoomMute, user: UserKey) -> Answer:
    """Mute or unmute a room."""
    rooms.mute_room(_place(command, user), by=user, muted=command.on)
    return Ack(command.ref, room=command.room, on=command.on)


@execute.register
def read_history(command: commands.History, user: UserKey) -> Answer:
    """Read a page."""
    place = _place(command, user)
    page = history(place.room_id, command.before, command.after, command.limit, ROOM.alias)
    return HistoryAck(command.ref, command.room, page.messages, page.before, page.after, page.cursor)


def _place(command: Any, user: Any) -> Membership:
    """Return the user's place in the room that a command names; whoever may not sign in any more acts nowhere."""
    place = membership(command.room, user)
    check_actor(place.user)
    return place


def _user(pk: Any) -> Any:
    users = users_of([str(pk)])
    if not users:
        raise AccessEnded
    return users[str(pk)]


def _since(stream_type: StreamType, pk: Any, since: str | None) -> Position | None:
    try:
        return cursor.parse(since or "").get(stream_type.cursor_name(pk))
    except BadCursor as bad:
        raise ValidationError({"since": str(bad)}) from bad
