"""A socket that was admitted: its commands, one after the other, and an answer to each."""

from __future__ import annotations

import asyncio
import logging
import math
from asyncio import Future
from typing import Any, Final

import msgspec
from django.contrib.auth import get_user_model

from .. import tenants
from ..conf import conf
from ..exceptions import AccessEnded, CarillonError
from ..inbox.actors import actor
from ..inbox.counts import counts
from ..inbox.frames import Actor
from ..inbox.stream import INBOX
from ..live import connections, relay
from ..live.connections import Receive
from ..live.frames import ByeReason, Error, Frame, frame, now
from ..live.hub import Connection, Message, Send
from ..live.identity import Identity
from ..live.streams import Key
from ..live.workers import Overflow, Terms
from . import commands, frames, handlers, presence, typing
from .budget import BURST, RATE, Budget
from .stream import ROOM

OPEN_LIMIT = 100  # streams on one socket
RUDE_RETRY = 5_000  # milliseconds
WAITING_RETRY = 1_000  # milliseconds; after which a command is repeated that found too many of its user waiting
CLOSE_TIMEOUT = 5.0  # seconds; a client that does not read must not hold the task

# Only 1000 and 4xxx: not every server can send others.
CLOSE_CODES: Final[dict[ByeReason, int]] = {
    "drain": 4503,
    "max-age": 1000,
    "limit": 1000,
    "reauthenticate": 1000,
    "signed-out": 4401,
    "revoked": 4403,
    "slow": 4408,
}

logger = logging.getLogger("notifications")


class Fault(CarillonError):
    """The client broke the protocol, or cannot be served: the socket is closed with a reason."""

    def __init__(self, close: int, code: str, message: str, retry: int | None = None) -> None:
        """Keep the close code and the content of the error frame."""
        super().__init__(message)
        self.close = close
        self.error = Error(code, message, retry)


class Gone(CarillonError):
    """The client left during a send."""


class Texts:
    """WebSocket as a transport: frames as one text message, a frame on each line."""

    duplex = True

    def message(self, frames: Any) -> Message:
        """Join `frames` to one text message."""
        return {"type": "websocket.send", "text": "\n".join([frame.data.decode() for frame in frames])}

    def forget(self, key: Any) -> None:
        """Do nothing: each frame has the position in its own stream."""


TEXTS: Final = Texts()


class ChatSocket:
    """One client's socket."""

    __slots__ = ("actor", "budget", "connection", "relay", "small", "user")

    def __init__(self, send: Send, user: Any, identity: Identity, address: str = "", tenant: str = "") -> None:
        """Take up the socket of `user`, a primary key of a tenant's, in the task that serves it."""
        self.user = user
        name = connections.new_connection_id()
        self.connection = Connection(name, send, TEXTS, _this_task().cancel, identity, address, tenant=tenant)
        self.relay = relay.current(tenant)
        self.budget = Budget(self.relay, self.connection.owner)
        self.actor: Actor | None = None
        self.small: frozenset[int] = frozenset()  # rooms that are open here, with few enough members to tell of typing

    async def serve(self, receive: Receive) -> None:
        """Hold the connection until the client leaves, breaks the protocol or is sent away."""
        connection = self.connection
        send = connection.write
        self.relay.hub.add(connection)
        self.relay.watch(connection)
        presence.tracker(self.relay).enter(connection)
        fault: Fault | None = None
        try:
            await self._greet()
            while (message := await receive())["type"] == "websocket.receive":
                await self._take(message)
        except asyncio.CancelledError:
            if connection.closed is None or _this_task().uncancel() > 0:
                raise
        except Fault as broken:
            fault = broken
        except Gone:
            return
        finally:
            presence.tracker(self.relay).leave(connection)
            self.relay.hub.remove(connection)
            self.budget.leave()
        if fault is not None:
            await close(send, fault.close, frame(fault.error))
        elif connection.closed is not None:
            last = () if connection.blocked else (connections.bye(connection.closed),)
            await close(send, CLOSE_CODES[connection.closed], *last)

    async def _greet(self) -> None:
        """Say who the user is."""
        terms = Terms(self.connection.owner, limit=math.inf)  # one for each socket, so there is an end to them
        hello = await self.relay.readers.run(terms, _hello, self.connection.name, self.user)
        self.actor = hello.user
        await self._reply(hello)

    async def _take(self, received: Message) -> None:
        """Answer one message of the client."""
        command = self._command(received)
        if isinstance(command, msgspec.Struct) and not isinstance(command, commands.Command):
            await self._reply(command)
            return
        if wait := self._charge(received):
            message = f"At most {RATE:.0f} commands per second, and {BURST} at once; a long one counts as several."
            await self._reply(frames.Nack(command.ref, "too-many", message, math.ceil(wait * 1_000)))
            return
        await self._obey(command)

    def _charge(self, received: Message) -> float:
        """Return how many seconds the client must wait before the next command, 0 for none."""
        wait = self.budget.take(len(received["text"]))
        if self.budget.is_exhausted:
            raise Fault(4429, "too-many", "Rate limit exceeded.", RUDE_RETRY)
        return wait

    def _command(self, message: Message) -> Any:
        """Return the command in a message, or the frame that says why it is invalid."""
        text = message.get("text")
        if text is None:
            raise Fault(4415, "binary", "Commands must be text messages, not binary.")
        if len(text) > commands.COMMAND_BYTES:
            raise Fault(4413, "too-large", f"A command can have at most {commands.COMMAND_BYTES} bytes.")
        try:
            return commands.parse(text)
        except commands.NoCommand as bad:
            raise Fault(4400, "bad-json", str(bad)) from None
        except commands.BadCommand as bad:
            self._charge(message)
            if bad.ref is None:
                return Error(bad.code, str(bad))
            return frames.Nack(bad.ref, bad.code, str(bad), field=bad.field)

    async def _obey(self, command: Any) -> None:
        """Carry out a command and answer it."""
        if isinstance(command, commands.Ping):
            await self._reply(frames.Ack(command.ref))
        elif isinstance(command, commands.Checkpoint):
            right = self.relay.hub.confirm(self.connection, command.token)
            wrong = frames.Nack(command.ref, "invalid", "This is not the token that you were sent.", field="token")
            await self._reply(frames.Ack(command.ref) if right else wrong)
        elif isinstance(command, commands.RoomClose):
            self._detach(ROOM.key(command.room))
            await self._reply(frames.Ack(command.ref, room=command.room))
        elif isinstance(command, commands.InboxClose):
            self._detach(INBOX.key(self.connection.owner))
            await self._reply(frames.Ack(command.ref))
        elif isinstance(command, commands.Typing) and self.actor and self._hears(command.room):
            # Whoever hears a room is a member: what is typed many times a minute needs no database.
            if command.room in self.small:
                with tenants.speaking_for(self.relay.tenant):
                    typing.show(command.room, self.actor, on=command.on)
            await self._reply(frames.Ack(command.ref, room=command.room))
        elif isinstance(command, commands.RoomOpen | commands.InboxOpen) and self._full():
            await self._reply(frames.Nack(command.ref, "too-many", f"At most {OPEN_LIMIT} rooms at a time."))
        else:
            await self._ask(command)

    async def _ask(self, command: Any) -> None:
        """Carry out a command that needs the database."""
        try:
            answer = await self._execute(command)
        except AccessEnded:
            self.relay.hub.close(self.connection, "reauthenticate")
            return
        except Overflow:
            message = "You have too many commands waiting."
            await self._reply(frames.Nack(command.ref, "too-many", message, WAITING_RETRY))
            return
        except Exception as error:  # every command gets an answer
            nack = handlers.refuse(command, error)
            if nack.code == "busy":  # without its trace: when the database is down, every command fails so
                logger.warning("The database failed a command of connection %s: %r", self.connection.name, error)
            elif nack.code == "failed":
                logger.exception("A command of connection %s failed.", self.connection.name)
            await self._reply(nack)
            return
        if isinstance(answer, handlers.Opened):
            self._detach(answer.key)
            if answer.language is not None:
                self.connection.language = answer.language
            self._describe(answer.ack.info)
            await self._write(frame(answer.ack), *answer.batch.frames)
            self.relay.hub.attach(self.connection, answer.key, answer.batch.to)
            if answer.batch.arrived:
                self.relay.delivered(answer.key, answer.batch.arrived)
        else:
            await self._reply(answer)

    def _execute(self, command: Any) -> Future[handlers.Answer]:
        """Carry out a command in a thread when it is the user's turn; what only reads never waits behind a write."""
        owner = self.connection.owner
        if isinstance(command, commands.READS):
            return self.relay.readers.run(Terms(owner), handlers.execute, command, self.user)
        # One at a time in each room: its lock would put them in a row anyway, and a thread behind each.
        terms = Terms(owner, place=ROOM.key(command.room))
        return self.relay.writers.run(terms, handlers.execute_patiently, command, self.user)

    def _hears(self, room: int) -> bool:
        key = ROOM.key(room)
        return any(subscription.key == key for subscription in self.connection.subscriptions)

    def _full(self) -> bool:
        return len(self.connection.subscriptions) >= OPEN_LIMIT

    def _describe(self, info: frames.RoomInfo | None) -> None:
        if info is not None:
            self.small = self.small - {info.id} if info.members is None else self.small | {info.id}

    def _detach(self, key: Key) -> None:
        for subscription in self.connection.subscriptions:
            if subscription.key == key:
                self.relay.hub.detach(subscription)
                return

    async def _reply(self, struct: msgspec.Struct) -> None:
        await self._write(frame(struct))

    async def _write(self, *told: Frame) -> None:
        try:
            await self.relay.hub.send_and_drain(self.connection, *told)
        except Exception:  # noqa: BLE001  # whatever the server raises when the client left
            raise Gone from None


def _hello(name: str, user: Any) -> frames.SocketHello:
    numbers = counts([user])[user]
    found = get_user_model()._base_manager.using(ROOM.alias).filter(pk=user).first()
    if found is None:
        raise Fault(4401, "signed-out", "Your account was deleted.")
    named = actor(found)
    return frames.SocketHello(name, None, numbers.unread, numbers.unseen, conf.HEARTBEAT, now(), named)


async def close(send: Send, code: int, *last: Frame) -> None:
    """Send the last frames and close, unless the client is gone or takes too long."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            if last:
                await send(TEXTS.message(last))
            await send({"type": "websocket.close", "code": code})
    except Exception:  # noqa: BLE001  # whatever the server raises when the client left first
        logger.debug("The client was gone before the last frames could be sent.")


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("A consumer must run in a task, as every ASGI server runs its applications.")
    return task
