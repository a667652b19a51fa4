"""Held connections: admitted streams and polls on the event loop, with or without the hand-off lane."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from .. import tenants
from ..conf import conf
from ..exceptions import Refused
from . import callers, frames, relay
from .cursor import Position
from .frames import ByeReason, Frame
from .hub import Connection, Message, Send, Transport
from .identity import Identity
from .streams import Key, stream_types

Receive = Callable[[], Awaitable[Message]]

SCOPE_KEY = "carillon.handoff"  # where the lane leaves the slot for the view
FAREWELL = 5.0  # seconds that a slow client gets to take the last frame
RETRY_AFTER = 5  # seconds until a refused client should retry
SSE_RETRY = (1_000, 5_000)  # milliseconds; native EventSource waits this long, so each connection gets its own

# Milliseconds after which a client whose connection was ended should come back, chosen between the two.
BYE_RETRY: Final[dict[ByeReason, tuple[int, int] | None]] = {
    "drain": (500, 3_000),
    "max-age": (0, 1_000),
    "limit": (0, 1_000),
    "reauthenticate": (1_000, 3_000),  # the answer to a change of password brings the new cookie meanwhile
    "slow": (1_000, 5_000),
    "signed-out": None,
    "revoked": None,
}


def new_connection_id() -> str:
    """Return a name for a connection, for logs."""
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class Admission:
    """The view's decision: which stream, from which position, and the first frames.

    `wait` is None for a stream; for a poll it is how many seconds the answer may take. `name` is what logs and
    the client's `hello` call the connection. `arrived` is what `frames` brings that is new to the client. `more` are
    further streams that the connection reads, each from a position; `key` is None where it reads those alone.
    `language` is the reader's, and `tenant` the one that was active when it was decided.
    """

    key: Key | None
    position: Position
    frames: tuple[Frame, ...]
    identity: Identity
    wait: float | None = None
    name: str = field(default_factory=new_connection_id)
    arrived: tuple[Any, ...] = ()
    more: tuple[tuple[Key, Position], ...] = ()
    transport: Transport | None = None
    language: str = ""
    tenant: str = field(default_factory=tenants.current)

    @property
    def opening(self) -> bytes:
        """The first bytes of a stream."""
        first: bytes = (self.transport or EVENT_STREAM).message(self.frames)["body"]
        return b"retry: %d\n\n" % random.randint(*SSE_RETRY) + first


@dataclass(slots=True)
class HandoffSlot:
    """What the lane puts into the request's scope: if the view fills in an admission, the lane takes over.

    `urlconf` is the one in which middleware found the view, unless it is that of the settings; `foreign` means that the
    request reached a view that is not one of the lane's.
    """

    admission: Admission | None = None
    urlconf: Any = None
    foreign: bool = False

    def admitted(self, status: int) -> Admission | None:
        """Return the admission, unless some middleware has answered with something else in its place."""
        return self.admission if status == 200 else None


class EventStream:
    """SSE: frames as the body of a response that does not end."""

    duplex = False

    def message(self, frames: Iterable[Frame]) -> Message:
        """Join `frames` to one piece of the body."""
        return body(b"".join([frame.sse for frame in frames]))

    def forget(self, key: Key) -> None:
        """Do nothing: each frame has the position in its own stream."""


class JoinedEventStream:
    """SSE for a client that keeps the latest ``id:`` alone, as a browser's own `EventSource` does.

    A connection that reads several streams then needs all of its positions in each id. So each such connection has a
    transport of its own, and frames are encoded for it anew.
    """

    __slots__ = ("_positions",)

    duplex = False

    def __init__(self, cursor: str) -> None:
        """Begin with the positions that the client has."""
        self._positions = dict(part.split("=", 1) for part in cursor.split(",") if part)

    def message(self, frames: Iterable[Frame]) -> Message:
        """Join `frames` to one piece of the body, each with the positions that the client has after it."""
        pieces = []
        for frame in frames:
            if frame.cursor:
                self._positions |= dict(part.split("=", 1) for part in frame.cursor.split(","))
                cursor = ",".join(f"{name}={position}" for name, position in self._positions.items())
                frame = Frame(frame.name, frame.data, cursor)
            pieces.append(frame.sse)
        return body(b"".join(pieces))

    def forget(self, key: Key) -> None:
        """Leave a stream out of further ids."""
        if stream_type := stream_types.get(key.type):
            self._positions.pop(stream_type.cursor_name(key.pk), None)


class Poll:
    """A held poll: frames as the JSON body of a response."""

    duplex = False

    def message(self, frames: Iterable[Frame]) -> Message:
        """Make the whole body of `frames`."""
        return body(poll_body(frames), more=False)

    def forget(self, key: Key) -> None:
        """Do nothing: there is one answer."""


EVENT_STREAM: Final = EventStream()
POLL: Final = Poll()


def body(data: bytes, *, more: bool = True) -> Message:
    """Return the ASGI message that carries `data`."""
    return {"type": "http.response.body", "body": data, "more_body": more}


def poll_body(answer: Iterable[Frame]) -> bytes:
    """Return the JSON with which a poll answers."""
    return b'{"frames":[%s]}' % b",".join([frame.data for frame in answer])


def error_body(code: str, message: str) -> bytes:
    """Return the JSON that explains a refusal."""
    return json.dumps({"code": code, "message": message}).encode()


def bye(reason: ByeReason) -> Frame:
    """Return the last frame of a connection."""
    between = BYE_RETRY[reason]
    return frames.frame(frames.Bye(reason, between and random.randint(*between)))


def let_go_of_headers(scope: dict[str, Any]) -> None:
    """Empty the list of a request's headers, which a server keeps as long as its scope: 3 KB of a browser's."""
    if isinstance(scope["headers"], list):
        scope["headers"].clear()


def check_process_limit() -> None:
    """Refuse a connection that this process has no room for.

    Raises:
        Refused: The process holds ``NOTIFICATIONS_MAX_STREAMS``, or is about to stop.
    """
    now = relay.current()
    if now.draining or now.connections() >= conf.MAX_STREAMS:
        raise Refused(503, "busy", "This process has reached its limit of open streams; try again later.")


def check_address_limit(scope: dict[str, Any]) -> str:
    """Refuse a connection from an address that has too many, and return the address; empty where none is limited.

    Raises:
        Refused: The address has ``NOTIFICATIONS_MAX_STREAMS_PER_ADDRESS`` in this process.
    """
    limit = conf.MAX_STREAMS_PER_ADDRESS
    if limit is None:
        return ""
    found = callers.address(scope)
    if relay.current().connections_from(found) >= limit:
        raise Refused(429, "too-many", "Too many connections come from your address; try again later.")
    return found


def check_user_limit(owner: str, tenant: str = "") -> None:
    """Refuse a connection of a user who has too many of them.

    Raises:
        Refused: The user has ``NOTIFICATIONS_MAX_STREAMS_PER_USER`` in this process; or those who are not signed in
            have ``NOTIFICATIONS_MAX_ANONYMOUS_STREAMS`` together.
    """
    limit = conf.MAX_STREAMS_PER_USER if owner else conf.MAX_ANONYMOUS_STREAMS
    if len(relay.current(tenant).hub.owners.get(owner, ())) >= limit:
        raise Refused(429, "too-many", "You have too many open streams; close some tabs.")


def stream(admission: Admission, send: Send, address: str = "") -> Connection:
    """Return the connection of an admitted stream; the hub ends it by cancelling the task that serves it."""
    return _connection(admission, send, admission.transport or EVENT_STREAM, _this_task().cancel, address)


def connect(connection: Connection, admission: Admission) -> None:
    """Have the hub serve a connection from the position at which it was admitted."""
    now = relay.current(connection.tenant)
    now.hub.add(connection)
    if admission.key is not None:
        now.hub.attach(connection, admission.key, admission.position)
    for key, position in admission.more:
        now.hub.attach(connection, key, position)
    now.watch(connection)
    if admission.key is not None and admission.arrived and connection.closed is None:
        now.delivered(admission.key, admission.arrived)


def disconnect(connection: Connection) -> None:
    """Forget a connection."""
    relay.current(connection.tenant).hub.remove(connection)


def was_ended(connection: Connection) -> bool:
    """Return whether this task was cancelled because the hub ended `connection`, and for no other reason."""
    return connection.closed is not None and _this_task().uncancel() == 0


async def send_bye(connection: Connection, send: Send) -> None:
    """Send a stream's client the reason why the hub ended it, if it did."""
    if connection.closed is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await send(body(bye(connection.closed).sse))
                await send(body(b"", more=False))


async def answer(admission: Admission, receive: Receive, address: str = "") -> bytes:
    """Wait until something happens in the stream, for `admission.wait` seconds at most, and return the JSON."""
    task = _this_task()
    answers: list[Message] = []

    async def write(message: Message) -> None:
        if not answers:
            answers.append(message)
            connection.closed = "limit"  # one answer is all that a poll may have
            task.cancel()

    connection = _connection(admission, write, POLL, task.cancel, address)
    try:
        connect(connection, admission)
        async with asyncio.timeout(admission.wait):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        if not was_ended(connection):
            raise
    finally:
        disconnect(connection)
    if answers:
        return bytes(answers[0]["body"])
    if connection.closed is not None:
        return poll_body([bye(connection.closed)])
    places = [(admission.key, admission.position), *admission.more]
    heads = [
        stream_types[key.type].cursor(key.pk, at) for key, at in places if key is not None and key.type in stream_types
    ]
    return poll_body([frames.frame(frames.Heartbeat(",".join(heads)))])


async def iterate(admission: Admission) -> AsyncIterator[bytes]:
    """Yield a stream's body, for a server without the lane: `StreamingHttpResponse` then carries it."""
    yield admission.opening
    if refusal := _refusal(admission):
        yield refusal.sse
        return
    slot: asyncio.Queue[bytes] = asyncio.Queue(1)  # a full slot blocks the connection, as a slow client does

    async def write(message: Message) -> None:
        await slot.put(message["body"])

    def end() -> None:
        ending.append(asyncio.ensure_future(slot.put(b"")))

    ending: list[asyncio.Future[None]] = []
    connection = _connection(admission, write, admission.transport or EVENT_STREAM, end)
    try:
        connect(connection, admission)
        while data := await slot.get():
            yield data
        if connection.closed is not None:
            yield bye(connection.closed).sse
    finally:
        disconnect(connection)
        for future in ending:
            future.cancel()


async def iterate_answer(admission: Admission) -> AsyncIterator[bytes]:
    """Yield a held poll's body, for a server without the lane."""
    refusal = _refusal(admission)
    yield poll_body([refusal]) if refusal else await answer(admission, asyncio.Future)


def _refusal(admission: Admission) -> Frame | None:
    """Return the frame that refuses a connection for which there is no room; the status is sent already."""
    try:
        check_process_limit()
        check_user_limit(admission.identity.owner, admission.tenant)
    except Refused:
        return frames.frame(frames.Bye("limit", RETRY_AFTER * 1_000))
    return None


def _connection(
    admission: Admission, write: Send, transport: Transport, end: Callable[[], Any], address: str = ""
) -> Connection:
    client = admission.identity, address, admission.language, admission.tenant
    return Connection(admission.name, write, transport, end, *client)


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("A held connection must run in an asyncio task, as every ASGI server runs its applications.")
    return task
