"""The hub: from streams to connections. Pure: no database, no HTTP, no thread.

A stream remembers its position and its latest batches; a subscription remembers how far its connection got.
A batch goes to every subscription that is exactly where the batch starts. The others (a slow client,
a new one) continue from their own position, out of the latest batches or from the database. So a
connection costs a position, never a queue.

Access to a stream changes at positions of the stream: a batch that includes such a position carries the `Access`
that applies from there. A subscription is checked against every `Access` that it passes, whether the batch is
published, replayed from memory, or read to fill its gap. So being subscribed at a position means having been allowed
to read there, also for a subscription that was admitted earlier and arrives late.

Everything here runs on one event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from hmac import compare_digest
from secrets import token_hex
from types import CoroutineType, coroutine
from typing import Any, Protocol

from .batch import Access, Batch
from .cursor import Position
from .frames import ByeReason, Checkpoint, Frame, frame
from .identity import NOBODY, Identity, digest

Message = dict[str, Any]  # an ASGI message
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger("notifications")

RECENT_BATCHES = 8
RECENT_BYTES = 32 * 1024  # of one stream's latest batches


class Transport(Protocol):
    """How frames become the messages of one kind of connection; the message is shared by all who get it."""

    duplex: bool  # whether the client may send too

    def message(self, frames: Iterable[Frame]) -> Message:
        """Return the one ASGI message that carries `frames`."""

    def forget(self, key: Any) -> None:
        """Forget what is known of the connection's place in a stream that it no longer reads."""


class Connection:
    """One client: where its bytes go, and its subscriptions.

    `send` is called inline. If it returns without suspending, the bytes are with the server; if it suspends,
    the client is slow: a task finishes that one call, and meanwhile the connection is `blocked`.
    """

    __slots__ = (
        "_task",
        "active_at",
        "address",
        "blocked",
        "checkpoint",
        "closed",
        "deadline",
        "decided_at",
        "digest",
        "language",
        "name",
        "on_close",
        "open",
        "owner",
        "session",
        "stamp",
        "subscriptions",
        "tenant",
        "transport",
        "write",
        "written",
    )

    def __init__(
        self,
        name: str,
        write: Send,
        transport: Transport,
        on_close: Callable[[], object],
        identity: Identity = NOBODY,
        address: str = "",
        language: str = "",
        tenant: str = "",
    ) -> None:
        """Describe a client.

        Args:
            name: What logs call it.
            write: The ASGI ``send`` of the connection.
            transport: Turns frames into messages for `write`.
            on_close: Called once when the hub ends the connection; `closed` then holds the reason.
            identity: On whose behalf it is held, for limits and for the question whether it still may be.
            address: Where it comes from, if connections are limited by that.
            language: In which it is told what is translated.
            tenant: Whose client it is.
        """
        self.name = name
        self.write = write
        self.transport = transport
        self.on_close = on_close
        self.owner = identity.owner
        self.session = identity.session
        self.stamp = identity.stamp
        self.decided_at = identity.at
        self.digest = digest(identity.session)
        self.address = address
        self.language = language
        self.tenant = tenant
        self.subscriptions: tuple[Subscription, ...] = ()  # few, and most often one: a list would be larger
        self.open = False  # the hub has it
        self.blocked = False
        self.closed: ByeReason | None = None
        self.written = 0  # bytes, or characters of text, of which we do not know that the client has read them
        self.checkpoint: tuple[str, int] | None = None  # a token that it was asked to repeat, and what was written then
        self.active_at = 0.0  # when something was last written, by the hub's clock
        self.deadline = 0.0  # when the connection has lived long enough, by the hub's clock
        self._task: asyncio.Task[None] | None = None

    @property
    def identity(self) -> Identity:
        """On whose behalf the connection is held."""
        return Identity(self.owner, self.session, self.stamp, self.decided_at)

    def push(self, message: Message, now: float, drained: Callable[[Connection], None]) -> None:
        """Write `message` now; where the client is slow, call `drained` once the server has taken it."""
        self.active_at = now
        try:
            writing: Any = self.write(message)
            if isinstance(writing, CoroutineType):
                waiting = writing.send(None)
            else:  # not every server's awaitable is one
                writing = writing.__await__()
                waiting = next(writing)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001  # the server says that the client is gone; its `receive` says so too
            self.blocked = True
            return
        self.blocked = True
        self._task = asyncio.get_running_loop().create_task(self._finish(writing, waiting, drained))

    async def _finish(
        self, writing: Generator[Any, Any, None], waiting: Any, drained: Callable[[Connection], None]
    ) -> None:
        try:
            await _resume(writing, waiting)
        except Exception:  # noqa: BLE001  # as above
            return
        finally:
            self._task = None
        self.blocked = False
        drained(self)

    def drop(self) -> None:
        """Forget a write that never finished, and the client: the timer keeps the rest until its next turn."""
        if self._task is not None:
            self._task.cancel()
        self.write = _nobody
        self.on_close = _nothing


async def _nobody(message: Message) -> None:
    """Take a message for a client that is gone."""


def _nothing() -> None:
    """End what has ended."""


@coroutine
def _resume(writing: Generator[Any, Any, None], waiting: Any) -> Generator[Any, Any, None]:
    """Go on with an awaitable's iterator that was started by hand and yielded `waiting`."""
    try:
        yield waiting
    except BaseException as error:
        throw = getattr(writing, "throw", None)
        if throw is None:
            raise
        try:
            waiting = throw(error)
        except StopIteration:
            return
        yield from _resume(writing, waiting)  # it has caught the error, and waits for something else
    else:
        yield from writing


class Subscription:
    """A connection's place in one stream."""

    __slots__ = ("connection", "key", "place", "position", "reading")

    def __init__(self, connection: Connection, key: Any, position: Position) -> None:
        """Subscribe `connection`, which has read the stream `key` up to `position`."""
        self.connection = connection
        self.key = key
        self.position = position
        self.place = 0  # in the stream's list
        self.reading: Position | None = None  # where the stream was when a read of its gap began, while it is read


class LiveStream:
    """The hub's state of one stream that has subscribers."""

    __slots__ = ("kept", "position", "recent", "subscriptions")

    def __init__(self, position: Position) -> None:
        """Begin at the position that the first subscription brings."""
        self.position = position
        self.kept: Any = None  # that of the batch which brought it there
        self.subscriptions: list[Subscription] = []  # unordered; a set of one would be three times as large
        self.recent: tuple[Batch, ...] = ()  # at most RECENT_BATCHES; a deque would cost each stream 0.7 KB

    def move(self, batch: Batch) -> None:
        """Take the end of a batch as its position.

        Another thread may be reading both: the position first, and then what was kept there, or nothing.
        """
        self.kept = None
        self.position = batch.to
        self.kept = batch.kept

    def add(self, subscription: Subscription) -> None:
        """Add a subscription."""
        subscription.place = len(self.subscriptions)
        self.subscriptions.append(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription; the last one takes its place."""
        last = self.subscriptions.pop()
        if last is not subscription:
            last.place = subscription.place
            self.subscriptions[last.place] = last

    def remember(self, batch: Batch) -> None:
        """Keep `batch` for subscriptions that are slightly behind; a snapshot continues nobody."""
        if batch.start is None:
            self.recent = ()
            return
        recent = (*self.recent, batch)[-RECENT_BATCHES:]
        while sum(batch.size for batch in recent) > RECENT_BYTES:
            recent = recent[1:]
        self.recent = recent

    def is_followed(self, position: Position | None) -> bool:
        """Return whether its one subscription is at `position`, and its client not slow: it needs no memory."""
        if len(self.subscriptions) != 1:
            return False
        [only] = self.subscriptions
        return only.position == position and not only.connection.blocked

    def after(self, position: Position) -> Batch | None:
        """Return the recent batch that starts at `position`, if it is still here."""
        return next((batch for batch in self.recent if batch.start == position), None)


def _ignore(key: Any, arrived: tuple[Any, ...]) -> None:
    """Announce no deliveries."""


class Hub:
    """All streams that this process's clients are subscribed to."""

    def __init__(
        self,
        refresh: Callable[[Any], None],
        fill: Callable[[Subscription], None],
        clock: Callable[[], float],
        max_bytes: int,
        delivered: Callable[[Any, tuple[Any, ...]], None] = _ignore,
        opened: Callable[[Any], None] | None = None,
    ) -> None:
        """Make an empty hub.

        Args:
            refresh: Called with a stream's key when the stream moved beyond what the hub has; it reads the
                database and calls `publish`.
            fill: Called with a subscription whose gap is not in memory; it reads the database and calls
                `continue_with`.
            clock: Monotonic seconds.
            max_bytes: What one connection may be sent before it has to come again or, where it can, to show that it
                has read.
            delivered: Called with a stream's key and the primary keys of entries that arrived in it, when they
                were handed to a connection.
            opened: Called with a stream's key when it has its first listener: it may have moved while nobody
                listened, but need not have. Without it `refresh` is called.
        """
        self.streams: dict[Any, LiveStream] = {}
        self.connections: set[Connection] = set()
        self.owners: dict[str, tuple[Connection, ...]] = {}  # open connections by owner: few each
        self.addresses: dict[str, int] = {}  # how many connections come from each, where that is limited
        self._stalled: set[Subscription] = set()  # where the database is, and the hub is not: until it has looked
        self._refresh = refresh
        self._fill = fill
        self._clock = clock
        self._max_bytes = max_bytes
        self._delivered = delivered
        self._opened = opened or refresh

    def add(self, connection: Connection) -> None:
        """Add a connection; `attach` then subscribes it to streams."""
        connection.open = True
        self.connections.add(connection)
        self.owners[connection.owner] = (*self.owners.get(connection.owner, ()), connection)
        self._count_address(connection, 1)
        logger.debug("Connection %s of user %s opened.", connection.name, connection.owner)

    def remove(self, connection: Connection) -> None:
        """End a connection and all its subscriptions."""
        for subscription in connection.subscriptions:
            self.detach(subscription)
        self._count_address(connection, -1 if connection.open else 0)
        connection.open = False
        self.connections.discard(connection)
        others = tuple(other for other in self.owners.get(connection.owner, ()) if other is not connection)
        if others:
            self.owners[connection.owner] = others
        else:
            self.owners.pop(connection.owner, None)
        connection.drop()
        logger.debug("Connection %s ended: %s.", connection.name, connection.closed or "the client left")

    def _count_address(self, connection: Connection, change: int) -> None:
        if connection.address:
            count = self.addresses.pop(connection.address, 0) + change
            if count:
                self.addresses[connection.address] = count

    def attach(self, connection: Connection, key: Any, position: Position) -> Subscription:
        """Subscribe `connection` to a stream in which it has read up to `position`."""
        stream = self.streams.get(key)
        if stream is None:
            stream = self.streams[key] = LiveStream(position)
            self._opened(key)
        elif stream.position.epoch != position.epoch or position.modseq > stream.position.modseq:
            self._refresh(key)
        subscription = Subscription(connection, key, position)
        stream.add(subscription)
        connection.subscriptions += (subscription,)
        self._advance(subscription)
        return subscription

    def detach(self, subscription: Subscription) -> None:
        """End one subscription."""
        connection = subscription.connection
        connection.subscriptions = tuple(other for other in connection.subscriptions if other is not subscription)
        connection.transport.forget(subscription.key)
        self._stalled.discard(subscription)
        stream = self.streams[subscription.key]
        stream.remove(subscription)
        if not stream.subscriptions:
            del self.streams[subscription.key]

    def on_hint(self, key: Any, to: int) -> None:
        """Take a hint: the stream `key` has moved to position `to`; it may come again, should its read fail."""
        stream = self.streams.get(key)
        if stream is not None and to > stream.position.modseq:
            self._refresh(key)

    def reconcile(self, key: Any, position: Position) -> None:
        """Take a stream's position in the database, which also reveals that it was restored or recreated."""
        stream = self.streams.get(key)
        if stream is not None and position != stream.position:
            self._refresh(key)

    def publish_or_refresh(self, key: Any, batch: Batch) -> None:
        """Take a hint that carries what happened: publish it where the stream is at its start, else read."""
        stream = self.streams.get(key)
        if stream is not None and stream.position == batch.start:
            self.publish(key, batch)
        else:
            self.on_hint(key, batch.to.modseq)

    def publish(self, key: Any, batch: Batch) -> None:
        """Send `batch` to every subscription that is where it starts; a snapshot, to all that are where the stream was.

        Who is elsewhere may well be continued from there, though the stream's position could not be. Raises nothing and
        waits for nobody. A batch that brings nothing new is ignored.
        """
        stream = self.streams.get(key)
        if stream is None:
            return
        if batch.start is not None and batch.start != stream.position:
            # It was read for a position that has moved since. That move was published, though not all of this.
            self.on_hint(key, batch.to.modseq)
            return
        stalled = self._stalled.intersection(stream.subscriptions) if self._stalled else ()
        self._stalled.difference_update(stalled)
        if batch.access is not None:
            self._admit_all(stream, batch, batch.access)
        before = stream.position
        if batch.to != before:
            stream.move(batch)  # else the subscription's own object stays, and nobody keeps two
        if batch.start == batch.to:
            for subscription in stalled:
                self._advance(subscription)
            return
        if stream.is_followed(batch.start):
            stream.recent = ()
        else:
            stream.remember(batch)
        if self._fan_out(stream, batch, before) and batch.arrived:
            self._delivered(key, batch.arrived)
        if batch.more:
            self._refresh(key)

    def _admit_all(self, stream: LiveStream, batch: Batch, access: Access) -> None:
        """End the subscriptions that a batch takes to where their owners may no longer read."""
        for subscription in list(stream.subscriptions):
            if _passes(subscription, batch):
                self.admit(subscription, access)

    def _fan_out(self, stream: LiveStream, batch: Batch, before: Position) -> bool:
        """Send `batch` to all who are where it starts or, if it is a snapshot, `before`; return whether anybody is."""
        handed = False
        messages: _Messages | None = _Messages(batch.frames)
        translated: dict[str, _Messages] | None = None
        if batch.translated is not None:
            translated = {language: _Messages(frames) for language, frames in batch.translated.items()}
        now = self._clock()
        start, to = batch.start or before, batch.to
        for subscription in stream.subscriptions:
            connection = subscription.connection
            if connection.blocked or connection.closed is not None:
                continue
            if translated is not None:
                messages = translated.get(connection.language)
            if subscription.position == start and messages is not None:
                subscription.position = to  # also if a batch moves it without frames
                if messages.frames:
                    self._push(connection, messages, now)
                    handed = True
            else:
                self._advance(subscription)
        return handed

    def publish_ephemeral(self, key: Any, *frames: Frame) -> None:
        """Send frames that are not part of the stream's history, and so are not repeated to slow clients."""
        stream = self.streams.get(key)
        messages = _Messages(frames)
        now = self._clock()
        for subscription in stream.subscriptions if stream else ():
            connection = subscription.connection
            # A subscription whose gap is being read may have lost access within it.
            if not (connection.blocked or subscription.reading or connection.closed):
                self._push(connection, messages, now)

    def send(self, connection: Connection, *frames: Frame) -> None:
        """Send frames to one client, unless it is slow."""
        if not connection.blocked and connection.closed is None:
            self._push(connection, _Messages(frames), self._clock())

    async def send_and_drain(self, connection: Connection, *frames: Frame) -> None:
        """Send frames to one client and wait until the server has taken them, however slow the client is.

        They count like all others: a server that never pushes back keeps what its client does not read.
        """
        message, size = _Messages(frames)[connection.transport]
        connection.active_at = self._clock()
        await connection.write(message)
        connection.written += size
        if connection.written > self._max_bytes // 2:
            self._limit(connection)

    def continue_with(self, subscription: Subscription, batch: Batch | None) -> None:
        """Send a subscription the batch that `fill` has read for it; None where the stream does not exist yet."""
        seen, subscription.reading = subscription.reading, None
        connection = subscription.connection
        if connection.blocked or connection.closed is not None:
            return
        if subscription in connection.subscriptions:
            self._take(subscription, batch, seen)
        self._advance_all(connection)  # the others have waited for this one

    def _take(self, subscription: Subscription, batch: Batch | None, seen: Position | None) -> None:
        if batch is None:
            # There is nothing to read until somebody creates the stream, which brings a snapshot to all who are here.
            if seen is not None and self.streams[subscription.key].position == seen:
                subscription.position = seen
            return
        if batch.access is not None and not self.admit(subscription, batch.access):
            return
        if batch.start == batch.to != seen == self.streams[subscription.key].position:
            # The database has nothing for it, and is elsewhere than the hub, which must look before it is read again.
            self._stalled.add(subscription)
            self._refresh(subscription.key)
        elif batch.frames_in(subscription.connection.language) is None:  # its language has changed meanwhile
            self.close(subscription.connection, "slow")
        elif batch.start is None or batch.start == subscription.position:
            self._give(subscription, batch)

    def close(self, connection: Connection, reason: ByeReason) -> None:
        """End a connection from this side; its task sends `bye`."""
        if connection.closed is None:
            connection.closed = reason
            connection.on_close()

    def admit(self, subscription: Subscription, access: Access) -> bool:
        """End a subscription whose owner may no longer read the stream; return whether it continues."""
        connection = subscription.connection
        if subscription not in connection.subscriptions:
            return False
        if connection.owner in access.owners:
            return True
        self.detach(subscription)
        if access.farewell is None:
            self.close(connection, "reauthenticate")
        elif connection.blocked:  # it cannot take the frame: it reconnects, and is admitted or refused then
            self.close(connection, "slow")
        else:
            self.send(connection, access.farewell)
        return False

    def _give(self, subscription: Subscription, batch: Batch) -> None:
        subscription.position = batch.to
        connection = subscription.connection
        if frames := batch.frames_in(connection.language):
            self._push(connection, _Messages(frames), self._clock())
            if batch.arrived:
                self._delivered(subscription.key, batch.arrived)

    def _push(self, connection: Connection, messages: _Messages, now: float) -> None:
        message, size = messages[connection.transport]
        connection.push(message, now, self._advance_all)
        connection.written += size
        if connection.written > self._max_bytes // 2:
            self._limit(connection)

    def confirm(self, connection: Connection, token: str) -> bool:
        """Take the answer to a checkpoint, after which what was written before it is read; tell whether it is right."""
        if connection.checkpoint is None or not compare_digest(connection.checkpoint[0].encode(), token.encode()):
            return False
        connection.written -= connection.checkpoint[1]
        connection.checkpoint = None
        return True

    def _limit(self, connection: Connection) -> None:
        """End a connection that was sent too much, or ask one that was sent half of that to show that it reads."""
        if connection.written > self._max_bytes:
            self.close(connection, "limit")
        elif self._may_ask(connection):
            connection.checkpoint = token_hex(8), connection.written
            self.send(connection, frame(Checkpoint(connection.checkpoint[0])))

    @staticmethod
    def _may_ask(connection: Connection) -> bool:
        """Return whether a client can be asked to show that it reads; one that is slow is not."""
        return connection.transport.duplex and connection.checkpoint is None and not connection.blocked

    def _advance(self, subscription: Subscription) -> None:
        """Bring a subscription to its stream's position as far as it goes without waiting."""
        stream = self.streams[subscription.key]
        connection = subscription.connection
        while not (connection.blocked or connection.closed or _is_reading(connection)):
            position = stream.position
            if subscription.position == position:
                return
            if subscription.position.epoch == position.epoch and subscription.position.modseq > position.modseq:
                return  # it has read more than the hub knows of; a refresh is on its way
            batch = stream.after(subscription.position)
            if subscription in self._stalled:
                return
            if batch is None or not _allows(batch, connection) or batch.frames_in(connection.language) is None:
                subscription.reading = position
                self._fill(subscription)
                return
            self._give(subscription, batch)

    def _advance_all(self, connection: Connection) -> None:
        for subscription in connection.subscriptions:
            self._advance(subscription)


def _is_reading(connection: Connection) -> bool:
    """Return whether a gap is being read for it: one at a time, for what it cannot take is read in vain."""
    return any(subscription.reading for subscription in connection.subscriptions)


def _passes(subscription: Subscription, batch: Batch) -> bool:
    """Return whether a batch takes a subscription on; who was admitted at its end or later is judged already."""
    position, to = subscription.position, batch.to
    return batch.start is None or position.epoch != to.epoch or position.modseq < to.modseq


def _allows(batch: Batch, connection: Connection) -> bool:
    """Return whether a batch may be replayed from memory; if not, access is read from the database."""
    return batch.access is None or connection.owner in batch.access.owners


class _Messages(dict[Transport, tuple[Message, int]]):
    """Frames as one message per transport, with its size, built when the first such connection gets it."""

    __slots__ = ("frames",)

    def __init__(self, told: Sequence[Frame]) -> None:
        self.frames = told

    def __missing__(self, transport: Transport) -> tuple[Message, int]:
        message = transport.message(self.frames)
        size = len(message.get("body") or message.get("text") or "")
        self[transport] = message, size
        return message, size
