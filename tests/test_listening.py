"""PostgreSQL's LISTEN and NOTIFY in the place of a broker, and everything that happens to such a connection."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction
from django.test import override_settings

from notifications.live import broker
from notifications.live import postgresql as listening
from notifications.live.broker import Broker, group, site
from notifications.live.messages import Hints, Published, Sweep, encode
from notifications.live.outgoing import STREAM_LIMIT
from notifications.live.postgresql import PostgreSQL, parts
from tests.hearing import ALIAS, Listener, primary
from tests.servers.faults import FaultProxy
from tests.servers.postgresql import PostgreSQL as Server
from tests.servers.postgresql import running
from tests.servers.process import wait_until


@pytest.fixture
def database(postgresql: Server, django_db_blocker: Any) -> Iterator[str]:
    """Let a PostgreSQL be the primary database; return its address."""
    url = postgresql.create()
    with django_db_blocker.unblock(), primary(url):
        yield url


class Process:
    """A serving process as the broker sees it: what it has heard, and when it joined."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self.joined: asyncio.Queue[None] = asyncio.Queue()
        self.broker = Broker(self.heard.put_nowait, lambda: self.joined.put_nowait(None))

    async def rejoined(self) -> None:
        async with asyncio.timeout(15):
            await self.joined.get()


@asynccontextmanager
async def process() -> AsyncIterator[Process]:
    """Run a process's broker, which has joined."""
    one = Process()
    tasks = one.broker.start()
    try:
        await one.rejoined()
        yield one
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until(there: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, there, "It did not happen.")


def said(message: Any, sender: str = "another") -> dict[str, Any]:
    told = {"site": site(), "process": sender, "message": encode(message)}
    return dict(json.loads(json.dumps(told)))


def sessions(url: str, *, end: bool = False, application: str = "carillon") -> int:
    """Count the sessions that listen, or those without a name, or end them as an administrator does."""
    what = "pg_terminate_backend(pid, 5000)" if end else "pid"
    query = f"SELECT {what} FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
    with psycopg.connect(url, autocommit=True) as connection:
        return len(connection.execute(query.encode(), [application]).fetchall())


def tell(url: str, message: Any) -> None:
    """Tell all that listen something, as another process does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(listening.NOTIFY.encode(), (group(), parts(said(message))))


def test_one_connection_listens_and_ends_with_the_process(database: str) -> None:
    async def run() -> None:
        async with process():
            assert sessions(database) == 1

    asyncio.run(run())
    assert sessions(database) == 0


def test_a_session_that_is_ended_is_opened_again_and_what_was_missed_is_compared(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with process() as one:
            await asyncio.to_thread(sessions, database, end=True)
            await one.rejoined()  # upon which the relay compares
            await asyncio.to_thread(tell, database, Sweep())
            assert await one.heard.get() == {"name": "sweep"}

    asyncio.run(run())
    assert "comparing with the database each second" in caplog.text


def test_a_server_that_restarts_is_found_again_and_what_waited_is_sent(django_db_blocker: Any) -> None:
    async def run(server: Server) -> None:
        async with process() as one:
            server.process.kill()
            await until(lambda: not one.broker.connected)
            one.broker.post(Hints([("inbox", "1", 7)]))
            one.broker.post(Hints([("inbox", "1", 8), ("inbox", "2", 3)]))
            server.process.start()
            async with Listener(PostgreSQL(group())) as other:
                await one.rejoined()
                told = await other.next()
        assert told == said(Hints([("inbox", "1", 8), ("inbox", "2", 3)]), broker._process)

    with running() as server, django_db_blocker.unblock(), primary(server.url()):
        asyncio.run(run(server))


def test_a_network_that_swallows_everything_is_noticed(
    postgresql: Server,
    fault_proxy: Callable[[int], FaultProxy],
    django_db_blocker: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "HEARTBEAT", 0.1)
    monkeypatch.setattr(listening, "ANSWER", 0.5)
    monkeypatch.setitem(listening.DEFAULTS, "connect_timeout", 2)
    proxy = fault_proxy(postgresql.port)
    url = postgresql.create()

    async def run() -> None:
        async with process() as one:
            proxy.black_hole()
            await until(lambda: not one.broker.connected)
            proxy.cut()
            proxy.heal()
            await one.rejoined()

    with django_db_blocker.unblock(), primary(url.replace(str(postgresql.port), str(proxy.port))):
        asyncio.run(run())


def test_without_a_connection_that_is_left_each_process_compares_and_tries_again(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        one = Process()
        name = database.rpartition("/")[2]
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0".encode())
            admin.execute(b"CREATE ROLE guest LOGIN")
            with override_settings(NOTIFICATIONS_LISTEN_URL="user=guest"):
                tasks = one.broker.start()
                await until(lambda: "too many connections" in caplog.text)
                assert not one.broker.connected
                admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1".encode())
                await one.rejoined()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            admin.execute(b"DROP ROLE guest")

    asyncio.run(run())


def test_a_flood_becomes_one_request_to_compare(database: str) -> None:
    async def run() -> None:
        async with process() as one, Listener(PostgreSQL(group())) as other:
            for number in range(STREAM_LIMIT + 1):
                one.broker.post(Hints([("inbox", str(number), 1)]))
            assert await other.next() == said(Sweep(), broker._process)
            one.broker.post(Published("room", "1", "e", 1, 2, [("message", "x" * listening.MESSAGE_BYTES, None)]))
            assert await other.next() == said(Sweep(), broker._process)

    asyncio.run(run())


def in_atomic() -> None:
    with transaction.atomic(using=ALIAS):
        Broker.post_once(Sweep())
        assert transaction.get_connection(ALIAS).run_on_commit, "it waits for the commit"
    connections[ALIAS].close()


def in_no_transaction() -> None:
    Broker.post_once(Sweep())


def in_a_manual_transaction() -> None:
    transaction.set_autocommit(False, using=ALIAS)
    Broker.post_once(Sweep())
    transaction.rollback(using=ALIAS)
    connections[ALIAS].close()


def in_a_hook_of_another_database() -> None:
    with transaction.atomic(using="default"):
        transaction.on_commit(in_no_transaction, using="default")
    connections["default"].close()


def on_an_event_loop() -> None:
    async def post() -> None:
        Broker.post_once(Sweep())

    asyncio.run(post())


PLACES = [in_no_transaction, in_atomic, in_a_manual_transaction, in_a_hook_of_another_database, on_an_event_loop]


@pytest.mark.parametrize("post", PLACES)
def test_a_process_without_a_server_tells_it_from_wherever_it_is(database: str, post: Callable[[], None]) -> None:
    async def run() -> None:
        async with Listener(PostgreSQL(group())) as other:
            await asyncio.to_thread(post)
            assert await other.next() == said(Sweep(), broker._process)
        await until(lambda: sessions(database, application="") == 1)  # that of the question itself

    connections[ALIAS].close()
    asyncio.run(run())


def test_so_many_threads_send_hints_and_no_more() -> None:
    leave, sent = threading.Event(), threading.Semaphore(0)

    def send() -> None:
        leave.wait()
        sent.release()

    before = threading.active_count()
    try:
        for _hint in range(listening.APART_LIMIT + 3):
            listening._apart(send)
        assert threading.active_count() == before + listening.APART_LIMIT
    finally:
        leave.set()
    for _hint in range(listening.APART_LIMIT):
        sent.acquire()
    assert not sent.acquire(blocking=False)


def test_a_thread_that_cannot_start_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        for _hint in range(listening.APART_LIMIT):
            with pytest.raises(RuntimeError):
                listening._apart(lambda: None)
    sent = threading.Event()
    listening._apart(sent.set)
    assert sent.wait(30)


def test_what_is_rolled_back_is_told_to_nobody(database: str) -> None:
    def post() -> None:
        with transaction.atomic(using=ALIAS):
            Broker.post_once(Hints([("inbox", "1", 1)]))
            transaction.set_rollback(True, using=ALIAS)
        Broker.post_once(Sweep())
        connections.close_all()

    async def run() -> None:
        async with Listener(PostgreSQL(group())) as other:
            await asyncio.to_thread(post)
            assert (await other.next())["message"] == {"name": "sweep"}

    asyncio.run(run())


def test_a_message_leaves_no_setting_behind(database: str) -> None:
    with connections[ALIAS].cursor() as cursor:
        Broker.post_once(Sweep())
        cursor.execute("SELECT current_setting('synchronous_commit'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("on", "0")


def test_a_server_that_is_away_costs_the_sender_a_warning(database: str, caplog: pytest.LogCaptureFixture) -> None:
    connections[ALIAS].close()
    connections[ALIAS].settings_dict["PORT"] = "1"
    Broker.post_once(Sweep())
    assert "did not reach PostgreSQL" in caplog.text


STRANGE = [
    "",
    "x",
    "1/1 {",
    "1/1 7",
    '1/1 {"site": 7}',
    "0/0 {}",
    "1/2 a",
    "2/2 b",
    "-1/1 {}",
    "1/x {}",
    "é",
    "1/1 [[[" * 900,
]


def test_what_others_send_under_our_name_is_passed_over(database: str) -> None:
    async def run() -> None:
        async with process() as one, await psycopg.AsyncConnection.connect(database, autocommit=True) as stranger:
            for payload in STRANGE:
                await stranger.execute("SELECT pg_notify(%s, %s)", (group(), payload))
            await asyncio.to_thread(tell, database, Sweep())
            async with asyncio.timeout(10):
                assert await one.heard.get() == {"name": "sweep"}
            assert one.broker.connected

    asyncio.run(run())


SECRET = "top-secret"
ADDRESSES = [f"postgresql://postgres:{SECRET}@[", f"host=127.0.0.1 password={SECRET} oops", f"postgres:{SECRET}"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_cannot_be_read_is_not_logged(
    database: str, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    caplog.set_level(logging.DEBUG)

    async def run() -> None:
        one = Process()
        tasks = one.broker.start()
        await until(lambda: "NOTIFICATIONS_LISTEN_URL is no address" in caplog.text)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    with override_settings(NOTIFICATIONS_LISTEN_URL=address):
        asyncio.run(run())
    assert SECRET not in caplog.text


def test_nothing_listens_where_the_setting_says_so(database: str) -> None:
    assert broker.transport() is not None
    with override_settings(NOTIFICATIONS_LISTEN_URL=None):
        assert broker.transport() is None
        assert Broker(print, print).post_once(Sweep()) is None


def test_in_a_transaction_of_a_test_case_nothing_is_sent(database: str) -> None:
    connection: Any = connections[ALIAS]
    with transaction.atomic(using=ALIAS):
        for block in connection.atomic_blocks:
            block._from_testcase = True
        with connection.execute_wrapper(lambda *_args: pytest.fail("It asked the database.")):
            Broker.post_once(Sweep())
        assert not connection.run_on_commit
