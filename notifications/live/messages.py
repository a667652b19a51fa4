"""Messages between processes: one type for each, and the handler that the subject it belongs to has registered.

A process that knows a message's name has a handler for it. One that does not (it runs an older version, or serves no
chat) ignores it: like every hint, it only saves the time until the next comparison with the database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, Union

import msgspec

from .frames import ByeReason


class Message(msgspec.Struct, frozen=True, tag_field="name", kw_only=True, omit_defaults=True):
    """A message from one process to all others, about one tenant; `relay.post` says about which.

    `is_for_readers`: it is about open connections alone, so of no interest where the tenant has none.
    """

    is_for_readers: ClassVar[bool] = False

    tenant: str = ""


class Hints(Message, frozen=True, tag="hints"):
    """Streams moved: for each its type, its primary key as text, and its new position."""

    is_for_readers = True

    moved: list[tuple[str, str, int]]


class Published(Message, frozen=True, tag="published"):
    """A stream moved, with the changes: a hub that is at `start` need not read them.

    Each of `frames` is its name, its JSON and its cursor.
    """

    is_for_readers = True

    type: str
    pk: str
    epoch: str
    start: int
    to: int
    frames: list[tuple[str, str, str | None]]


class Ephemeral(Message, frozen=True, tag="ephemeral"):
    """Frames that are stored nowhere, typing for example, for the listeners of a stream."""

    is_for_readers = True

    type: str
    pk: str
    frames: list[tuple[str, str]]


class Revoked(Message, frozen=True, tag="revoked"):
    """Connections end: those of a user, of a session (its digest in hexadecimal), or of a user's session."""

    reason: ByeReason
    owner: str = ""
    session: str = ""


class Recheck(Message, frozen=True, tag="recheck"):
    """Something about some users changed: ask whether their connections may go on.

    `streams` are types of streams whose listeners are asked about too, whoever they are.
    """

    owners: list[str]
    streams: list[str] = []


class Turn(Message, frozen=True, tag="turn"):
    """Take the next turn of the periodic tasks now: something falls due before that."""


class Sweep(Message, frozen=True, tag="sweep"):
    """Compare with the database, and take the next turn of the periodic tasks, now."""


M = TypeVar("M", bound=Message)
Handler = Callable[[Any, M], None]  # with the relay, which knows this module and is not known here

_handlers: dict[type[Message], Handler[Any]] = {}
_names: set[str] = set()
_union: Any = Message


def handles(kind: type[M]) -> Callable[[Handler[M]], Handler[M]]:
    """Register a function as the handler of a type of message; it runs on the relay's event loop and must not block."""

    def register(handler: Handler[M]) -> Handler[M]:
        global _union
        _handlers[kind] = handler
        _names.add(str(kind.__struct_config__.tag))
        _union = Union.__getitem__(tuple(_handlers))
        return handler

    return register


def dispatch(relay: object, message: Message) -> None:
    """Pass a message to its handler."""
    _handlers[type(message)](relay, message)


def encode(message: Message) -> dict[str, Any]:
    """Return a message as plain data, which every serializer of a channel layer can write."""
    plain: dict[str, Any] = msgspec.to_builtins(message)
    return plain


def decode(plain: Any) -> Message | None:
    """Decode a message of another process; return None if this process has no handler for it.

    Raises:
        msgspec.ValidationError: It has another form.
    """
    if isinstance(plain, dict) and plain.get("name") not in _names:
        return None
    message: Message = msgspec.convert(plain, _union)
    return message
