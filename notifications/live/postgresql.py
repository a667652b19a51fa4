"""PostgreSQL's LISTEN and NOTIFY as a way to other processes, for a site without a channel layer.

A serving process has one connection for it, of its own: beside Django's and outside any pool, for who listens has to
stay on one session of the server. It both listens and sends. Other processes send on the connection with which they
have just written. A message of any length goes in parts, in one transaction: PostgreSQL delivers them together and in
order. They are plain ASCII, so the database's encoding does not matter.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from threading import BoundedSemaphore, Thread
from typing import TYPE_CHECKING, Any

from django.db import Error, connections, router, transaction

from .. import tenants
from ..conf import conf
from ..exceptions import CarillonError
from ..models import Inbox
from .django_internals import connection_parameters, in_test_transaction, in_transaction, is_connected
from .threads import on_event_loop
from .transactions import after_commit
from .transport import TooLong, Transport

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Notify

logger = logging.getLogger("notifications")

PART_BYTES = 7_900  # of the 7,999 that a notification may have, beside the part's number
MESSAGE_BYTES = 1024 * 1024  # a message of more is not sent
MOST_PARTS = MESSAGE_BYTES // PART_BYTES + 1  # of a message
ANSWER = 5.0  # seconds; a server that answers nothing for so long is gone
APART_LIMIT = 8  # hints that are sent at once by threads of their own
HEARTBEAT = 10.0  # seconds between two questions to a server that says nothing
DEFAULTS = {  # libpq's words; a network that has lost the server says nothing by itself
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "carillon",
}
PLACE = {"host", "hostaddr", "port", "service"}  # who names one of them names all

# A notification is a commit, and commits of notifications stand in one queue: it waits neither for the disk nor long.
NOTIFY = """SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '2s', true),
    (SELECT count(pg_notify(%s, part)) FROM unnest(%s::text[]) AS part)"""


class Unreachable(CarillonError, ConnectionError):
    """Nothing can be heard as things are; the text says why, and holds no secret."""


def alias() -> str:
    """Return the database through which processes hear each other: the inboxes' primary one."""
    return router.db_for_write(Inbox)


def can_listen() -> bool:
    """Return whether the driver can: psycopg 2 has no asynchronous connections."""
    return find_spec("psycopg") is not None


def find(group: str) -> PostgreSQL | None:
    """Return the way over the database, if that is PostgreSQL and the settings do not forbid it."""
    if conf.LISTEN_URL is None or connections[alias()].vendor != "postgresql" or not can_listen():
        return None
    if (hook := tenants.hook()) is not None and not hook.one_database:
        return None  # what is told in one database is not heard in another
    return PostgreSQL(group)


def parts(told: Mapping[str, Any]) -> list[str]:
    """Return the payloads that carry a message.

    Raises:
        TooLong: It has more than `MESSAGE_BYTES`.
    """
    text = json.dumps(told, separators=(",", ":"))
    if len(text) > MESSAGE_BYTES:
        raise TooLong(f"a message of {len(text):,} bytes")
    pieces = [text[start : start + PART_BYTES] for start in range(0, len(text), PART_BYTES)]
    return [f"{number}/{len(pieces)} {piece}" for number, piece in enumerate(pieces, 1)]


class Assembly:
    """Makes messages of payloads; what is not ours is passed over."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._pieces: list[str] = []

    def add(self, payload: str) -> Any:
        """Return the message that `payload` completes, or None."""
        place, _space, piece = payload.partition(" ")
        number, _slash, total = place.partition("/")
        try:
            if int(total) > MOST_PARTS:
                raise ValueError(total)
            if int(number) != len(self._pieces) + 1:  # the first of another message, for the rest of one is lost
                self._pieces = []
            self._pieces.append(piece)
            if int(number) != len(self._pieces) or len(self._pieces) < int(total):
                return None
            text, self._pieces = "".join(self._pieces), []
            return json.loads(text)
        except (ValueError, RecursionError):
            logger.warning("Ignored a notification of PostgreSQL that is no message of ours.")
            self._pieces = []
            return None


class PostgreSQL(Transport):
    """A channel of the primary database."""

    title = "PostgreSQL's LISTEN"
    in_place = True

    def __init__(self, group: str) -> None:
        """Prepare; nothing is connected yet."""
        super().__init__(group)
        self._session: _Session | None = None

    async def send(self, told: Mapping[str, Any]) -> None:
        """Send on the connection that listens."""
        if self._session is None:
            raise Unreachable("there is no connection")
        await self._session.ask(NOTIFY, (self.group, parts(told)))

    def send_in_place(self, told: Mapping[str, Any]) -> None:
        """Send on this thread's connection; after its transaction, if it is in one."""
        send = partial(_send, alias(), self.group, parts(told))
        if on_event_loop():
            _apart(send)
        else:
            send()

    async def listen(self, heard: Callable[[Any], None], joined: Callable[[], None]) -> None:
        """Listen until the connection breaks."""
        session = await _Session.open(partial(self._take, heard, Assembly()))
        try:
            await session.listen(self.group)
            self._session = session
            joined()
            await session.watch()
        finally:
            self._session = None
            await session.close()

    def _take(self, heard: Callable[[Any], None], assembly: Assembly, payload: str) -> None:
        if (told := assembly.add(payload)) is not None:
            heard(told)


def _send(using: str, group: str, payloads: list[str]) -> None:
    if in_test_transaction(using):
        return  # which nobody else sees
    if in_transaction(using):
        after_commit(partial(_send, using, group, payloads), using)
        return
    keeps = is_connected(using)
    try:
        if not transaction.get_autocommit(using):  # a transaction that is ended by hand
            _apart(partial(_send, using, group, payloads))
            return
        with connections[using].cursor() as cursor:
            cursor.execute(NOTIFY, (group, payloads))
    except Error as error:
        logger.warning("A hint did not reach PostgreSQL (%s); other processes find out by themselves.", error)
    finally:
        if not keeps:  # a timer's thread, for example, ends without closing what it has opened
            connections[using].close()


def _apart(send: Callable[[], None]) -> None:
    """Send in a thread of its own, on a connection of its own; not if as many as may are on their way already."""
    slots = _slots
    if not slots.acquire(blocking=False):
        logger.warning(
            "A hint was not sent, for others are still on their way; other processes find out by themselves."
        )
        return

    def run() -> None:
        try:
            send()
        finally:
            slots.release()

    try:
        Thread(target=run, name="notifications-hint").start()
    except RuntimeError:  # the process may start no more threads, now or ever
        slots.release()
        raise


def _renew_slots() -> None:
    """Begin anew in a child of this process, where none of its threads are."""
    global _slots
    _slots = BoundedSemaphore(APART_LIMIT)


_slots = BoundedSemaphore(APART_LIMIT)
os.register_at_fork(after_in_child=_renew_slots)


class _Session:
    """One connection that listens. It is read when the server has sent something, and costs nothing until then."""

    def __init__(self, connection: AsyncConnection[Any], take: Callable[[str], None]) -> None:
        self._connection = connection
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._broken: asyncio.Future[None] = self._loop.create_future()
        self._fileno = connection.fileno()
        self._reads = False  # when the loop says that there is something; the descriptor is ours alone until then
        self._server = 0  # the process that serves it
        connection.add_notify_handler(self._on_notify)

    @classmethod
    async def open(cls, take: Callable[[str], None]) -> _Session:
        """Connect; `take` is called with each payload of another session."""
        from psycopg import AsyncConnection

        parameters = await asyncio.to_thread(parameters_of, alias())
        return cls(await AsyncConnection.connect(**parameters, autocommit=True), take)

    async def listen(self, group: str) -> None:
        """Begin to listen.

        Raises:
            Unreachable: A pooler lends the sessions of the server to everybody in turn.
        """
        from psycopg import sql

        self._server = await self._serving()
        if self._server != self._connection.info.backend_pid:  # a pooler answers in the server's place
            await self._refuse_shared()
        await self.ask(sql.SQL("LISTEN {}").format(sql.Identifier(group)))
        self._read(True)

    async def ask(self, statement: Any, parameters: tuple[Any, ...] = ()) -> Any:
        """Execute a statement, and return the first column of its first row, if it has rows."""
        async with self._turn:
            reads = self._reads
            self._read(False)  # psycopg does so meanwhile
            # A question that is cancelled would ask the server once more; one whose connection is cut is over.
            timer = self._loop.call_later(ANSWER, _cut, self._fileno)
            try:
                cursor = await self._connection.execute(statement, parameters or None)
                row = await cursor.fetchone() if cursor.description else None
            except Exception as error:
                if self._connection.closed:
                    self._break(error)
                raise
            finally:
                timer.cancel()
                if reads and not self._connection.closed:
                    self._read(True)
                    self._loop.call_soon(self._readable)  # for what has come with the answer
            return row[0] if row else None

    async def watch(self) -> None:
        """Ask now and then whether the server is there; raise when it is not."""
        while True:
            done, _pending = await asyncio.wait([self._broken], timeout=HEARTBEAT)
            if done:
                self._broken.result()
            if await self._serving() != self._server:
                raise Unreachable(SHARED)

    async def close(self) -> None:
        """Close the connection, without a wait for the network."""
        self._read(False)
        if not self._broken.cancel() and not self._broken.cancelled():
            self._broken.exception()  # is known, or of no interest any more
        await self._connection.close()

    async def _serving(self) -> int:
        return int(await self.ask("SELECT pg_backend_pid()"))

    async def _refuse_shared(self) -> None:
        """Raise if a second client gets the session that this one has just used, while this one is there."""
        other = await type(self).open(lambda _payload: None)
        try:
            if await other._serving() == self._server:
                raise Unreachable(SHARED)
        finally:
            await other.close()

    def _read(self, reads: bool) -> None:
        if reads != self._reads:
            self._reads = reads
            if reads:
                self._loop.add_reader(self._fileno, self._readable)
            else:
                self._loop.remove_reader(self._fileno)

    def _readable(self) -> None:
        pgconn = self._connection.pgconn
        more = self._reads
        try:
            while more:  # once more after something has come: encryption may hold back what the socket has given
                pgconn.consume_input()
                more = False
                while (notify := pgconn.notifies()) is not None:
                    more = True
                    self._pass_on(notify.be_pid, notify.extra)
        except Exception as error:  # noqa: BLE001  # whatever it is, another connection is needed
            self._read(False)
            self._break(error)

    def _break(self, error: Exception) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)

    def _on_notify(self, notify: Notify) -> None:
        self._pass_on(notify.pid, notify.payload.encode())

    def _pass_on(self, sender: int, payload: bytes) -> None:
        if sender != self._server:
            self._take(payload.decode("ascii", "replace"))


SHARED = (
    "a pooler gives this connection to several clients in turn, as pgbouncer does in transaction mode, so nothing can"
    " be heard over it; set NOTIFICATIONS_LISTEN_URL to the server's own address"
)


def _cut(fileno: int) -> None:
    """Let whoever reads from a socket find its end."""
    with suppress(OSError), socket.socket(fileno=os.dup(fileno)) as connection:
        connection.shutdown(socket.SHUT_RDWR)


def parameters_of(using: str) -> dict[str, Any]:
    """Return how to connect: as the database's settings say, but for what ``NOTIFICATIONS_LISTEN_URL`` says itself.

    Raises:
        Unreachable: The setting cannot be read.
    """
    direct = direct_parameters()
    usual = connection_parameters(using)
    if direct.keys() & PLACE:
        usual = {name: value for name, value in usual.items() if name not in PLACE}
    return DEFAULTS | usual | direct


def direct_parameters() -> dict[str, Any]:
    """Return what ``NOTIFICATIONS_LISTEN_URL`` says.

    Raises:
        Unreachable: It cannot be read. Its text is not repeated, for it may hold a password.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return dict(conninfo_to_dict(conf.LISTEN_URL or ""))
    except ProgrammingError:
        raise Unreachable("NOTIFICATIONS_LISTEN_URL is no address of a PostgreSQL server") from None
