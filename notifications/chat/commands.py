"""The commands that a client may send over the socket: their shapes, and how a text becomes one. Pure."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from uuid import UUID

import msgspec

from ..exceptions import CarillonError
from ..validators import BODY_LENGTH

COMMAND_BYTES = 64 * 1024  # a body of 4,000 characters, each escaped to twelve, and some room

Ref = Annotated[str, msgspec.Meta(max_length=64)] | Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Pk = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Body = Annotated[str, msgspec.Meta(min_length=1, max_length=BODY_LENGTH)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Since = Annotated[str, msgspec.Meta(max_length=256)]

_FIELD = re.compile(r"at `\$\.(\w+)")
_MISSING = re.compile(r"missing required field `(\w+)`")


class Command(msgspec.Struct, frozen=True, tag_field="type"):
    """What every command has: a `ref`, which its one answer repeats."""

    ref: Ref


class RoomOpen(Command, frozen=True, tag="room.open"):
    """Continue a room from a position, or begin with its latest page, and stay for what comes."""

    room: Pk
    since: Since | None = None
    limit: Annotated[int, msgspec.Meta(ge=0, le=100)] = 50


class RoomClose(Command, frozen=True, tag="room.close"):
    """Unsubscribe from a room."""

    room: Pk


class RoomMute(Command, frozen=True, tag="room.mute"):
    """Stop or allow notifications of a room."""

    room: Pk
    on: bool


class MessageSend(Command, frozen=True, tag="message.send"):
    """Post a message; `id` makes it safe to repeat."""

    room: Pk
    id: UUID
    body: Body
    reply_to: Pk | None = None


class MessageEdit(Command, frozen=True, tag="message.edit"):
    """Edit one's own message."""

    room: Pk
    number: Pk
    body: Body


class MessageDelete(Command, frozen=True, tag="message.delete"):
    """Delete one's own message or, as a moderator, hide another user's."""

    room: Pk
    number: Pk


class ReactionToggle(Command, frozen=True, tag="reaction.toggle"):
    """Put an emoji on a message, or take it away."""

    room: Pk
    number: Pk
    emoji: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class Typing(Command, frozen=True, tag="typing"):
    """Show the others that one types, or no longer does."""

    room: Pk
    on: bool = True


class Receipt(Command, frozen=True, tag="receipt"):
    """Report up to which number one has read."""

    room: Pk
    up_to: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class History(Command, frozen=True, tag="history"):
    """Read a page of a room."""

    room: Pk
    before: Pk | None = None
    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    limit: Limit = 50


class InboxOpen(Command, frozen=True, tag="inbox.open"):
    """Carry the inbox too, with the same frames as the event stream.

    `user` is for whom the page was made, and `language` the one that it is in.
    """

    since: Since | None = None
    user: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    language: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class InboxClose(Command, frozen=True, tag="inbox.close"):
    """Unsubscribe from the inbox."""


class Checkpoint(Command, frozen=True, tag="checkpoint"):
    """Repeat the token of a frame of this name, which shows that one has read it."""

    token: Annotated[str, msgspec.Meta(max_length=64)]


class Ping(Command, frozen=True, tag="ping"):
    """Ask for a reply."""


AnyCommand = (
    RoomOpen
    | RoomClose
    | RoomMute
    | MessageSend
    | MessageEdit
    | MessageDelete
    | ReactionToggle
    | Typing
    | Receipt
    | History
    | InboxOpen
    | InboxClose
    | Checkpoint
    | Ping
)
READS = (RoomOpen, History, InboxOpen, Typing)  # they change nothing in the database
TYPES = frozenset(kind.__struct_config__.tag for kind in AnyCommand.__args__)

_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


class NoCommand(CarillonError):
    """The text is not a JSON object: the client does not speak this protocol."""


class BadCommand(CarillonError):
    """The text is an invalid command; the message says why."""

    def __init__(self, code: str, message: str, ref: str | int | None, field: str | None = None) -> None:
        """Name the error, the command by its `ref` (None where it has none) and, where one is at fault, the field."""
        super().__init__(message)
        self.code = code
        self.ref = ref
        self.field = field


def parse(text: str) -> AnyCommand:
    """Read a command.

    Raises:
        NoCommand: It is not JSON, or no object.
        BadCommand: Its type is unknown or a field is wrong.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _explain(text, error) from None


def _explain(text: str, error: Exception) -> NoCommand | BadCommand:
    """Find out why `text` is not a valid command, and its `ref`."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return NoCommand("The message is not valid JSON.")
    if not isinstance(found, dict):
        return NoCommand("A command is a JSON object with a type and a ref.")
    ref = found.get("ref")
    try:
        ref = msgspec.convert(ref, Ref)
        str(ref).encode()  # the answer repeats it, and half of a surrogate pair cannot be sent
    except (msgspec.ValidationError, UnicodeEncodeError):
        return BadCommand("invalid", "Each command needs a ref: a text of at most 64 characters or a number.", None)
    if found.get("type") not in TYPES if isinstance(found.get("type"), str) else True:
        return BadCommand("unknown-type", f"Type must be one of {', '.join(sorted(map(str, TYPES)))}.", ref)
    if not isinstance(error, msgspec.ValidationError):
        return BadCommand("invalid", "The text is not valid Unicode or is nested too deeply.", ref)
    reason = str(error)
    field = _FIELD.search(reason) or _MISSING.search(reason)
    return BadCommand("invalid", f"{reason}.", ref, field[1] if field else None)
