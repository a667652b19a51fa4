"""The relay: one per process and tenant. It sends and receives hints, and compares the hub with the database.

A hint only says that a stream moved. Losing one costs a delay: the next reconciliation finds the change
anyway. So nothing here waits for the broker, and no notification is lost while the broker is down.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

import msgspec
from django.db import InterfaceError, OperationalError

from .. import tenants
from ..conf import DECIDING_THREADS, SPARE_THREADS, conf
from . import frames, messages
from .background import Background
from .batch import Batch
from .broker import Broker
from .callers import Callers
from .chunks import chunks
from .commits import CommitWatch, may_have_moved
from .cursor import START, Position
from .epochs import renew_set_back
from .frames import ByeReason, Frame
from .heartbeats import TICK, Timer
from .hub import Connection, Hub, LiveStream, Subscription
from .identity import digest
from .listeners import Listeners
from .periodic import PeriodicTasks, is_served_at_once
from .recheck import Recheck
from .replay import NO_LANGUAGES, NOTHING_KEPT, Kept, Languages, changes_since, settle
from .sequencer import sequence
from .shutdown import on_termination
from .streams import Hint, Key, StreamType, stream_types
from .threads import MakePool, Pool, Threads
from .within import TenantBackground, TenantPool, TenantWorkers
from .workers import Terms, Workers

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("notifications")

READ_CHUNK = 500  # streams read at once
UNCHANGED = 30.0  # seconds after which streams are compared although the database says that nothing was committed
REVOKED = 60.0  # seconds; a connection that was being decided when its session ended is open by then
REVOKED_LIMIT = 10_000  # sessions remembered so
FIRST_LOOK = 0.05  # seconds after which the streams are looked at that have been opened, all at once
SECOND_LOOK = 1.0  # seconds after a requested reconciliation; clients that were just connecting are there by then
TENANT_IDLE = 120.0  # seconds after which a tenant without connections has no relay any more
DRAIN = 1.0  # seconds between sending bye and letting the server stop

_relays: dict[asyncio.AbstractEventLoop, Relay] = {}
os.register_at_fork(after_in_child=_relays.clear)  # whose loops nobody runs there


def current(tenant: str = "") -> Relay:
    """Return the running event loop's relay of a tenant, starting it at the first call.

    The one without a tenant is the only one, or keeps what those of all tenants share.
    """
    loop = asyncio.get_running_loop()
    relay = _relays.get(loop)
    if relay is None:
        for gone in [other for other in _relays if other.is_closed()]:
            _relays.pop(gone).close()
        relay = _relays[loop] = Relay(loop)
        relay.start()
    return relay.of(tenant)


@asynccontextmanager
async def serving(relay: Relay) -> AsyncIterator[None]:
    """Let a relay of your own serve its loop while the context lasts."""
    _relays[relay.loop] = relay
    relay.start()
    try:
        yield
    finally:
        del _relays[relay.loop]
        await relay.stop()


def serves(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether an event loop has a relay already."""
    return loop in _relays


def connected(stream_type: StreamType | str, *, everywhere: bool = False) -> set[str]:
    """Return the keys, as text, of the streams of a type that have subscribers in this process.

    Args:
        stream_type: The type, or its name.
        everywhere: Those of all tenants, and not of the active one alone.
    """
    name = stream_type if isinstance(stream_type, str) else stream_type.name
    relays = [one for root in list(_relays.values()) for one in root.all()] if everywhere else _running()
    return {key.pk for relay in relays for key in list(relay.hub.streams) if key.type == name}


def announce(hints: Sequence[Hint]) -> None:
    """Announce to this process and, through the broker, to all others that streams moved. Call it from any thread.

    If only one stream moved, this thread, which has just written it, also reads it for the subscribers here.
    """
    if not hints:
        return
    try:
        if len(hints) == 1:
            _read_here(hints[0].key)
    finally:
        hint(hints)


def sequence_and_announce(stream_type: StreamType, pks: Iterable[Any]) -> None:
    """Sequence streams for a reader and announce what moved, on behalf of their writer."""
    if hints := sequence(stream_type, pks):
        hint(hints)


def announce_batch(key: Key, batch: Batch) -> None:
    """Announce a batch to all processes: a hub that is at its start need not read it from the database."""
    if batch.start is None:
        raise ValueError("A snapshot is for one reader; announce what happened between two positions.")
    told = [(frame.name, frame.data.decode(), frame.cursor) for frame in batch.frames]
    post(messages.Published(*key, *batch.start, batch.to.modseq, told))


def revoke(reason: ByeReason, *, owner: str = "", session: str = "") -> None:
    """End connections in every process.

    Args:
        reason: The reason in the clients' ``bye`` frame.
        owner: Those of the user with this primary key, as text; empty for whoever has the session.
        session: Those of the session with this key; empty for all of the user's.
    """
    post(messages.Revoked(reason, owner, digest(session).hex()))


def recheck(owners: Iterable[str], streams: Iterable[str] = ()) -> None:
    """Have every process recheck the connections of some users.

    Args:
        owners: The users' primary keys, as text.
        streams: Types of streams whose subscribers are rechecked too.
    """
    post(messages.Recheck(list(owners), list(streams)))


def request_sweep() -> None:
    """Have every process compare its streams with the database, and take its turn at the periodic tasks, now."""
    post(messages.Sweep())


def request_turn() -> None:
    """Have every process take its turn at the periodic tasks now, which finds what falls due next."""
    post(messages.Turn())


def publish_ephemeral(key: Key, *told: Frame) -> None:
    """Send frames that are stored nowhere, typing for example, to a stream's listeners in every process."""
    post(messages.Ephemeral(*key, [(frame.name, frame.data.decode()) for frame in told]))


def publish_ephemeral_here(key: Key, frame: Frame) -> None:
    """Send a frame that is stored nowhere to a stream's listeners in this process alone."""
    for relay in _running():
        relay.loop.call_soon_threadsafe(relay.hub.publish_ephemeral, key, frame)


def post(message: messages.Message) -> None:
    """Send a message of the active tenant to this process and, through the broker, to all others, from any thread."""
    message = of_tenant(message, tenants.current())
    relays = [relay for relay in list(_relays.values()) if not relay.loop.is_closed()]
    for relay in relays:
        relay.loop.call_soon_threadsafe(relay.take, message)
    # One of them carries it to the other processes; without a server in this process we do it here.
    if relays:
        relays[0].loop.call_soon_threadsafe(relays[0].broker.post, message)
    else:
        Broker.post_once(message)


def of_tenant(message: messages.Message, tenant: str) -> messages.Message:
    """Return a message as one about a tenant."""
    return msgspec.structs.replace(message, tenant=tenant) if tenant else message


def _read_here(key: Key) -> None:
    """Read, in this thread, what happened in a stream for its listeners in this process.

    Waking one of the relay's threads, with a cold connection to the database, costs as much as the read.
    """
    for relay in _running():
        stream = relay.hub.streams.get(key)
        if stream is not None and not stream_types[key.type].pace(key):
            for batch in _read_streams(stream_types[key.type], {key: stream}).values():
                relay.loop.call_soon_threadsafe(relay.hub.publish_or_refresh, key, batch)


def hint(hints: Sequence[Hint]) -> None:
    """Tell all processes that streams moved; whoever listens reads. It needs no database, and waits for nothing."""
    post(messages.Hints([(*hint.key, hint.to) for hint in hints]))


def _running() -> list[Relay]:
    """Return the active tenant's relays in this process."""
    tenant = tenants.current()
    found = [relay.known(tenant) for relay in list(_relays.values()) if not relay.loop.is_closed()]
    return [relay for relay in found if relay is not None]


class Relay:
    """A process's hub with what keeps it true: hints, reads, comparison with the database, and time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        make_pool: MakePool = Threads,
        *,
        alone: bool = False,
        root: Relay | None = None,
        tenant: str = "",
    ) -> None:
        """Make the relay of `loop`; `start` sets it going.

        Args:
            loop: The event loop that serves connections.
            make_pool: Makes what database work runs in.
            alone: Whether it is no server's: it hears of no other process and of no signal, and leaves the periodic
                tasks to others.
            root: For a tenant's relay the one that keeps what those of all tenants share.
            tenant: Whose streams it serves; empty for the root.
        """
        self._alone = alone
        self._root = root or self
        self.tenant = tenant
        self._tenants: dict[str, Relay] = {}  # of the root: the tenants' own
        self.loop = loop
        self.hub = Hub(self._refresh, self._fill, loop.time, conf.MAX_BYTES, self.delivered, self._first_listens)
        self.timer = Timer(conf.HEARTBEAT, self._heartbeat, self._expire)
        if root is None:
            self._make_threads(make_pool)
        else:
            self._share_threads(root)
        self.draining = False
        self._listeners: Listeners | None = None
        self.recheck = Recheck(self.hub, self.run, lambda: conf.RECHECK)
        self._revoked: dict[bytes, tuple[ByeReason, float]] = {}  # sessions that ended, and when to forget them
        self._stale: dict[Key, None] = {}  # streams to be read, in the order in which they moved
        self._opened: dict[Key, None] = {}  # streams that have had a listener for less than `FIRST_LOOK`
        self._reading: asyncio.Task[None] | None = None
        self._commits = CommitWatch()
        self._compare_from = 0.0  # when streams are compared in any case; at once where a read has failed
        self._paced: dict[Key, bool] = {}  # streams that were read lately, and whether they moved since
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._ticking: asyncio.TimerHandle
        self._used_at = loop.time()  # when somebody was last seen to be connected

    def _make_threads(self, make_pool: MakePool) -> None:
        self.threads: Pool = make_pool(conf.DATABASE_THREADS, "notifications-read")
        # What clients ask for, each user in turn. Reads stand apart: they never wait behind a write.
        few, more = conf.DATABASE_THREADS, conf.DATABASE_THREADS + SPARE_THREADS
        self.readers: Workers | TenantWorkers = Workers(self.loop, "notifications-answer", few, more, make_pool)
        self.writers: Workers | TenantWorkers = Workers(self.loop, "notifications-write", few, more, make_pool)
        deciding = conf.HANDOFF_THREADS
        most = max(deciding, DECIDING_THREADS)
        self.deciders = Workers(self.loop, "notifications-decide", deciding, most, make_pool)
        self.callers = Callers()
        self.background: Background | TenantBackground = Background("notifications-signal", make_pool)
        self.broker = Broker(self.receive, self.reconcile_soon, alone=self._alone)
        self.periodic = PeriodicTasks(self._period, make_pool)

    def _share_threads(self, root: Relay) -> None:
        assert isinstance(root.readers, Workers)
        assert isinstance(root.writers, Workers)
        assert isinstance(root.background, Background)
        self.threads = TenantPool(root.threads, self.tenant)
        self.readers = TenantWorkers(root.readers, self.tenant)
        self.writers = TenantWorkers(root.writers, self.tenant)
        self.deciders, self.callers = root.deciders, root.callers
        self.background = TenantBackground(root.background, self.tenant)
        self.broker, self.periodic = root.broker, root.periodic

    def start(self) -> None:
        """Begin to listen, to compare and to keep time."""
        if self._root is not self:
            self._tasks = [self.loop.create_task(task) for task in (self._reconcile_loop(), self.recheck.run())]
            return
        own = [self._live(), self.recheck.run(), *([] if self._alone else [self.periodic.run()])]
        self._tasks = [*(self.loop.create_task(task) for task in own), *self.broker.start()]
        self._ticking = self.loop.call_later(TICK, self._tick)
        if not self._alone:
            on_termination(self.loop, self.drain)

    async def stop(self) -> None:
        """End what `start` began; the loop goes on."""
        self._ticking.cancel()
        tasks = [task for relay in self.all() for task in relay._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    def close(self) -> None:
        """End the threads, with what they are doing."""
        for threads in (
            self.threads,
            self.readers,
            self.writers,
            self.deciders,
            self.periodic,
            self.background,
        ):
            threads.close()
        for relay in self.all():
            relay._commits.close()

    # Tenants

    def of(self, tenant: str) -> Relay:
        """Return a tenant's relay, starting it at the first call."""
        if not tenant:
            return self
        relay = self._tenants.get(tenant)
        if relay is None:
            relay = self._tenants[tenant] = Relay(self.loop, root=self, tenant=tenant)
            relay.start()
        relay._used_at = self.loop.time()
        return relay

    def known(self, tenant: str) -> Relay | None:
        """Return a tenant's relay if it has one; any thread may ask."""
        return self._tenants.get(tenant) if tenant else self

    def take(self, message: messages.Message) -> None:
        """Act on a message: the relay of its tenant does, if there may be something for it to do."""
        if message.tenant and tenants.hook() is None:
            return  # of a process with other settings
        relay = self.known(message.tenant) if message.is_for_readers else self.of(message.tenant)
        if relay is not None:
            messages.dispatch(relay, message)

    def post_to_others(self, message: messages.Message) -> None:
        """Send a message of this tenant to all other processes."""
        self.broker.post(of_tenant(message, self.tenant))

    def connections(self) -> int:
        """Return how many connections the process has, of all tenants."""
        return sum(len(relay.hub.connections) for relay in self._root.all())

    def connections_from(self, address: str) -> int:
        """Return how many connections an address has, to all tenants."""
        return sum(relay.hub.addresses.get(address, 0) for relay in self._root.all())

    def all(self) -> list[Relay]:
        """Return the relays of all tenants, of the root; any thread may ask."""
        return [self, *list(self._tenants.values())]

    def _end_idle(self) -> None:
        """End the relays of tenants that have had no connections for some time."""
        now = self.loop.time()
        for name, relay in list(self._tenants.items()):
            if relay.hub.connections:
                relay._used_at = now
            elif now - relay._used_at > TENANT_IDLE:
                del self._tenants[name]
                for task in relay._tasks:
                    task.cancel()
                self.threads.submit(relay._commits.close)

    def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
        """Run database work in the relay's own threads."""
        return asyncio.wrap_future(self.threads.submit(function, *args, **kwargs), loop=self.loop)

    def served_by(self, server: Sequence[Any] | None) -> None:
        """Take what a connection's ASGI scope says of the ``server``; when that retires, clients are drained."""
        if self._listeners is None:
            self._listeners = Listeners(server)

    def watch(self, connection: Connection) -> None:
        """Give a new connection heartbeats and a maximum age; end it now if its session has ended, or the process."""
        self.timer.add(connection, self.loop.time(), conf.MAX_AGE)
        reason, until = self._revoked.get(connection.digest, (None, 0.0))
        if reason is not None and until > self.loop.time():
            self.hub.close(connection, reason)
        elif self.draining:  # it was being decided when all others were told
            self.hub.close(connection, "drain")
        else:
            self.recheck.opened(connection)

    def receive(self, plain: Any) -> None:
        """Act on a message of another process; one that is malformed is logged and ignored."""
        try:
            if (message := messages.decode(plain)) is not None:
                self.take(message)
        except (ValueError, TypeError):
            logger.exception("Ignored a malformed message from the channel layer.")

    def reconcile_soon(self) -> None:
        """Compare with the database now rather than at the next turn."""
        for relay in self.all():
            relay._wake.set()

    def drain(self) -> float:
        """Ask every client to reconnect to another process; return the seconds that this takes."""
        self.draining = True
        for relay in self.all():
            for connection in list(relay.hub.connections):
                relay.hub.close(connection, "drain")
        return DRAIN if self.connections() else 0.0

    def sweep(self) -> None:
        """Compare with the database and take a turn at the periodic tasks, now; then compare once more."""
        self.periodic.wake(self.tenant)
        self.reconcile_soon()
        self.loop.call_later(SECOND_LOOK, self.reconcile_soon)

    def revoke(self, reason: ByeReason, owner: str, session: bytes) -> None:
        """End the connections of a user, of a session's digest, or of a user's session."""
        if session:
            self._revoked.pop(session, None)
            self._revoked[session] = reason, self.loop.time() + REVOKED
            while len(self._revoked) > REVOKED_LIMIT:
                del self._revoked[next(iter(self._revoked))]
        for connection in self.hub.owners.get(owner, ()) if owner else list(self.hub.connections):
            if session in (b"", connection.digest):
                self.hub.close(connection, reason)
        if owner:
            self.recheck.soon([owner])  # of whom others may be connected by the same sign-in, under an earlier key

    def delivered(self, key: Key, arrived: tuple[Any, ...]) -> None:
        """Announce, in a separate thread, that entries of a stream were handed to an open connection."""
        stream_type = stream_types[key.type]
        self.background.call(stream_type.delivered, stream_type.pk(key), arrived)

    # Reading

    def _refresh(self, key: Key) -> None:
        stream_type = stream_types.get(key.type)
        if stream_type is None:  # nothing of it is stored
            if is_served_at_once(key.type):
                self.periodic.wake(self.tenant)
            return
        if (pace := stream_type.pace(key)) and self._holds_back(key, pace) and not self._begins(key):
            return
        self._stale[key] = None
        if self._reading is None:
            self._reading = self.loop.create_task(self._read_stale())

    def _first_listens(self, key: Key) -> None:
        """Look soon whether a stream has moved since its first listener was read to, together with others."""
        stream_type = stream_types.get(key.type)
        if stream_type is None or stream_type.pace(key) or self._begins(key):  # who listens waits for it
            self._refresh(key)
            return
        if not self._opened:
            self.loop.call_later(FIRST_LOOK, self._look)
        self._opened[key] = None

    def _look(self) -> None:
        opened, self._opened = self._opened, {}
        for key in opened.keys() & self.hub.streams.keys():
            self._refresh(key)

    def _begins(self, key: Key) -> bool:
        """Return whether a stream has told nothing yet, so nothing to space out: its first reader waits for that."""
        return key in self.hub.streams and self.hub.streams[key].position == START

    def _holds_back(self, key: Key, pace: float) -> bool:
        """Return whether a stream was read so lately that it has to wait; it is read then, once for all that came."""
        if key in self._paced:
            self._paced[key] = True
            return True
        self._paced[key] = False
        self.loop.call_later(pace, self._pace_is_over, key)
        return False

    def _pace_is_over(self, key: Key) -> None:
        if self._paced.pop(key) and key in self.hub.streams:
            self._refresh(key)

    async def _read_stale(self) -> None:
        """Read what moved, until nothing is stale: one read at a time, of many streams each."""
        try:
            while self._stale:
                keys = list(self._stale)[:READ_CHUNK]
                for key in keys:
                    del self._stale[key]
                await self._read_chunk(keys)
        finally:
            self._reading = None

    async def _read_chunk(self, keys: Iterable[Key]) -> None:
        wanted: dict[str, dict[Key, LiveStream]] = {}
        for key in keys:
            stream = self.hub.streams.get(key)
            if stream is not None:
                wanted.setdefault(key.type, {})[key] = stream
        for name, streams in wanted.items():
            if errors := await self._read_together(stream_types[name], streams):
                logger.error(
                    "Could not read changes of %s (%s failed); the next comparison with the database repeats it.",
                    name,
                    len(errors),
                    exc_info=errors[0],
                )
                self._compare_from = 0.0

    async def _read_together(self, stream_type: StreamType, streams: Mapping[Key, LiveStream]) -> list[Exception]:
        """Read streams at once, and publish what happened; return why any could not be read.

        Where it is not the database that fails, they are read by halves: what one of them holds keeps nothing from the
        readers of the others.
        """
        try:
            batches = await self.run(_read_streams, stream_type, streams)
        except Exception as error:  # noqa: BLE001  # whatever the site's code raises
            if len(streams) == 1 or isinstance(error, (OperationalError, InterfaceError)):
                return [error]
            halves = chunks(streams.items(), -(-len(streams) // 2))
            return [one for half in halves for one in await self._read_together(stream_type, dict(half))]
        for key, batch in batches.items():
            self.hub.publish(key, batch)
        return []

    def _fill(self, subscription: Subscription) -> None:
        stream_type = stream_types[subscription.key.type]
        # One at a time for each subscription, so there is an end to them.
        terms = Terms(subscription.connection.owner, limit=math.inf)
        pk, language = stream_type.pk(subscription.key), subscription.connection.language
        reading = self.readers.run(terms, _read, stream_type, {pk: subscription.position}, {pk: (language,)})
        reading.add_done_callback(lambda done: self._filled(subscription, done))

    def _filled(self, subscription: Subscription, done: asyncio.Future[dict[Any, Batch]]) -> None:
        if done.cancelled() or done.exception() is not None:
            if not done.cancelled():
                logger.error("Could not read what a client missed; it has to come again.", exc_info=done.exception())
            self.hub.close(subscription.connection, "slow")
            return
        self.hub.continue_with(subscription, next(iter(done.result().values()), None))

    # Comparing with the database

    async def _live(self) -> None:
        """Reconcile for as long as the loop runs; when it is cancelled, the threads are closed too."""
        try:
            await self._reconcile_loop()
        finally:
            self.close()

    async def _reconcile_loop(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._period()):
                    await self._wake.wait()
                self._compare_from = 0.0
            except TimeoutError:
                pass
            self._wake.clear()
            if self.hub.streams and await self._may_have_moved():
                await self._reconcile()

    async def _may_have_moved(self) -> bool:
        """Return whether streams have to be compared; asked before they are, so that nothing is missed meanwhile."""
        names = {key.type for key in self.hub.streams if key.type in stream_types}

        def moved() -> bool:  # in a thread, where a router knows the tenant
            return self._commits.moved({stream_types[name].alias for name in names})

        return await may_have_moved(lambda: self.run(moved)) or self.loop.time() >= self._compare_from

    async def _reconcile(self) -> None:
        self._compare_from = self.loop.time() + UNCHANGED
        for chunk in list(chunks(list(self.hub.streams))):
            # Where readers have been: the database is not behind that when it is asked now, unless it lost commits.
            seen = {key: self.hub.streams[key].position for key in chunk if key in self.hub.streams}
            try:
                found, settled = await self.run(_compare, seen)
                for key, position in found:
                    self.hub.reconcile(key, position)
                if not settled:  # and whoever is in the way may commit nothing
                    self._compare_from = 0.0
            except Exception:
                logger.exception("Could not compare with the database; the next turn repeats it.")
                self._compare_from = 0.0

    def _period(self) -> float:
        return conf.RECONCILE or (30.0 if self.broker.connected else 1.0)

    # Time

    def _tick(self) -> None:
        self._ticking = self.loop.call_later(TICK, self._tick)
        if not self.draining and self._listeners is not None and self._listeners.closed():
            logger.info("The server has stopped listening; its clients reconnect elsewhere.")
            self.drain()
        for relay in self.all():
            relay.timer.turn(self.loop.time())
        self._end_idle()

    def _heartbeat(self, connection: Connection) -> None:
        heads = []
        for subscription in connection.subscriptions:
            if stream_type := stream_types.get(subscription.key.type):
                stream = self.hub.streams[subscription.key]
                if stream.position != START:
                    heads.append(stream_type.cursor(subscription.key.pk, stream.position))
        self.hub.send(connection, frames.frame(frames.Heartbeat(",".join(heads))))

    def _expire(self, connection: Connection) -> None:
        self.hub.close(connection, "slow" if connection.blocked else "max-age")


def _languages(stream_type: StreamType, stream: LiveStream) -> Collection[str]:
    """Return the languages of a stream's readers, where they matter; any thread may ask.

    Who comes while the stream is read, with another one, has a gap, which is filled by a read of its own.
    """
    if not stream_type.translates:
        return ()
    return {subscription.connection.language for subscription in tuple(stream.subscriptions)}


def _read_streams(stream_type: StreamType, streams: Mapping[Key, LiveStream]) -> dict[Key, Batch]:
    """Read, in a thread, what happened in streams since where they are here, in the languages of their readers."""
    keys: dict[Any, Key] = {}
    positions: dict[Any, Position] = {}
    languages: dict[Any, Collection[str]] = {}
    kept: dict[Any, Any] = {}
    for key, stream in streams.items():
        pk = stream_type.pk(key)
        keys[pk] = key
        positions[pk] = stream.position  # before what was kept there: see `LiveStream.move`
        kept[pk] = stream.kept
        languages[pk] = _languages(stream_type, stream)
    return {keys[pk]: batch for pk, batch in _read(stream_type, positions, languages, kept).items()}


def _read(
    stream_type: StreamType,
    positions: Mapping[Any, Position],
    languages: Languages = NO_LANGUAGES,
    kept: Kept = NOTHING_KEPT,
) -> dict[Any, Batch]:
    """Read, in a thread, what happened after `positions`, at which readers of some languages here have been."""
    cursors = {pk: None if position == START else position for pk, position in positions.items()}
    batches = changes_since(stream_type, cursors, languages, kept)
    begun_afresh = {pk: positions[pk] for pk, batch in batches.items() if batch.start is None}
    if renew_set_back(stream_type, begun_afresh):
        batches = changes_since(stream_type, cursors, languages)
    return batches


def _compare(seen: Mapping[Key, Position]) -> tuple[list[tuple[Key, Position]], bool]:
    """Store, in a thread, what waited for the readers of streams; stamp what is pending; return where they are.

    It says also whether nobody was in the way of that.

    A stream that the database has behind the position that readers have `seen` gets a new epoch first, before
    what is stamped brings it to their position again.
    """
    found: list[tuple[Key, Position]] = []
    settled = True
    for name, stream_type in stream_types.items():
        positions = {stream_type.pk(key): position for key, position in seen.items() if key.type == name}
        if pks := list(positions):
            renew_set_back(stream_type, positions)
            settled = settle(stream_type, pks, sequence_and_announce) and settled
            rows = stream_type.positions.run(pks, stream_type.alias)
            found += [(stream_type.key(pk), Position(epoch, head)) for pk, epoch, head, _floor in rows]
    return found, settled


@messages.handles(messages.Hints)
def _on_hints(relay: Relay, message: messages.Hints) -> None:
    for name, pk, to in message.moved:
        relay.hub.on_hint(Key(name, pk), to)


@messages.handles(messages.Published)
def _on_published(relay: Relay, message: messages.Published) -> None:
    told = tuple(Frame(name, data.encode(), cursor) for name, data, cursor in message.frames)
    start, to = Position(message.epoch, message.start), Position(message.epoch, message.to)
    relay.hub.publish_or_refresh(Key(message.type, message.pk), Batch(start, to, told))


@messages.handles(messages.Ephemeral)
def _on_ephemeral(relay: Relay, message: messages.Ephemeral) -> None:
    told = [Frame(name, data.encode()) for name, data in message.frames]
    relay.hub.publish_ephemeral(Key(message.type, message.pk), *told)


@messages.handles(messages.Revoked)
def _on_revoked(relay: Relay, message: messages.Revoked) -> None:
    relay.revoke(message.reason, message.owner, bytes.fromhex(message.session))


@messages.handles(messages.Recheck)
def _on_recheck(relay: Relay, message: messages.Recheck) -> None:
    relay.recheck.soon(message.owners, message.streams)


@messages.handles(messages.Turn)
def _on_turn(relay: Relay, message: messages.Turn) -> None:
    relay.periodic.wake(relay.tenant)


@messages.handles(messages.Sweep)
def _on_sweep(relay: Relay, message: messages.Sweep) -> None:
    relay.sweep()
