"""Tenants of one process hear nothing of each other. `test_schemas.py` tries it with real ones, on real servers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import IsolatedAsyncioTestCase
from unittest.mock import patch

import pytest
from channels.testing import WebsocketCommunicator
from django.db import transaction
from django.test import SimpleTestCase, TestCase, override_settings

from notifications import checks, tenants
from notifications.consumers import SUBPROTOCOL, ChatConsumer
from notifications.deliveries.couriers import Courier
from notifications.exceptions import Refused
from notifications.feeds import texts
from notifications.feeds.answers import _Text
from notifications.feeds.texts import Handle
from notifications.inbox.progress import progress
from notifications.inbox.stream import INBOX
from notifications.live import commit, connections, keeping, messages, periodic, postgresql, relay
from notifications.live.broker import site_key
from notifications.live.coalesce import Coalescer
from notifications.live.connections import EVENT_STREAM
from notifications.live.cursor import UNPUBLISHED
from notifications.live.frames import Frame
from notifications.live.hub import Connection
from notifications.live.identity import Identity
from notifications.live.periodic import PeriodicTasks
from notifications.live.relay import Relay
from notifications.live.sessions import user_key
from notifications.live.streams import Key
from notifications.live.transactions import after_commit
from notifications.live.workers import Overflow, Terms
from notifications.routing import websocket_application
from tests.factories import make_user

PACKAGE = Path(tenants.__file__).parent
TOWNS = "tests.two_towns.TwoTowns"
KEY = Key("room", "1")
BOTH = ("north", "south")


def two_towns() -> override_settings:
    return override_settings(NOTIFICATIONS_TENANT=TOWNS)


class Client(Connection):
    """A client of a tenant's user 1, and what it was sent."""

    def __init__(self, town: str, session: str = "") -> None:
        self.sent: list[bytes] = []

        async def write(message: Mapping[str, Any]) -> None:
            self.sent.append(message["body"])

        super().__init__(town, write, EVENT_STREAM, lambda: None, Identity("1", session, b"", 0.0), "::1", tenant=town)


class RelayTests(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.enterContext(two_towns())
        self.root = Relay(asyncio.get_running_loop(), alone=True)
        await self.enterAsyncContext(relay.serving(self.root))
        self.north, self.south = (relay.current(town) for town in BOTH)

    def open(self, town: str, session: str = "") -> Client:
        client = Client(town, session)
        relay.current(town).hub.add(client)
        relay.current(town).watch(client)
        relay.current(town).hub.attach(client, Key("live", "1"), UNPUBLISHED)
        return client

    async def test_what_is_told_to_one_is_not_heard_by_the_other(self) -> None:
        here, there = map(self.open, BOTH)
        with tenants.activate("north"):
            relay.publish_ephemeral(Key("live", "1"), Frame("typing", b"{}"))
        await asyncio.sleep(0)
        assert (len(here.sent), len(there.sent)) == (1, 0)

    async def test_what_another_process_tells_of_one_is_not_heard_by_the_other(self) -> None:
        here, there = map(self.open, BOTH)
        told = messages.Ephemeral("live", "1", [("typing", "{}")], tenant="south")
        self.root.receive(messages.encode(told))
        assert (len(here.sent), len(there.sent)) == (0, 1)

    async def test_what_is_posted_to_other_processes_names_its_tenant(self) -> None:
        with patch.object(self.root.broker, "post") as post:
            self.north.post_to_others(messages.Sweep())
            with tenants.activate("south"):
                relay.request_sweep()
            await asyncio.sleep(0)
        assert [call.args[0].tenant for call in post.mock_calls] == ["north", "south"]

    async def test_a_site_without_tenants_ignores_what_is_about_one(self) -> None:
        with override_settings(NOTIFICATIONS_TENANT=""), patch.object(messages, "dispatch") as dispatch:
            self.root.receive(messages.encode(messages.Sweep(tenant="north")))
            self.root.receive(messages.encode(messages.Sweep()))
        assert dispatch.call_count == 1

    async def test_a_user_of_the_same_key_keeps_the_connection_when_the_others_access_ends(self) -> None:
        here, there = map(self.open, BOTH)
        with tenants.activate("north"):
            relay.revoke("revoked", owner="1")
        await asyncio.sleep(0)
        assert (here.closed, there.closed) == ("revoked", None)

    async def test_a_session_that_ends_while_nobody_is_connected_is_remembered(self) -> None:
        await self.leave_and_end()
        with tenants.activate("north"):
            relay.revoke("signed-out", owner="1", session="key")
        await asyncio.sleep(0)
        late, other = (self.open(town, "key") for town in BOTH)
        assert (late.closed, other.closed) == ("signed-out", None)

    async def test_a_tenant_without_connections_has_no_relay_any_more_and_gets_another(self) -> None:
        client = self.open("north")
        with patch.object(relay, "TENANT_IDLE", -1.0):
            self.root._end_idle()
            assert self.root.known("north") is self.north
            assert self.root.known("south") is None
            self.north.hub.remove(client)
            self.root._end_idle()
        assert self.root.known("north") is None
        assert relay.current("north") is not self.north
        await asyncio.gather(*self.north._tasks, return_exceptions=True)

    async def test_a_hint_for_a_tenant_without_connections_starts_nothing(self) -> None:
        await self.leave_and_end()
        self.root.receive(messages.encode(messages.Hints([("inbox", "1", 1)], tenant="north")))
        assert self.root.known("north") is None

    async def test_the_streams_that_are_open_are_those_of_the_active_tenant(self) -> None:
        self.open("north")
        for town, keys in (("north", {"1"}), ("south", set())):
            with tenants.activate(town):
                assert relay.connected("live") == keys
                assert relay.connected("live", everywhere=True) == {"1"}

    async def test_the_limit_of_a_user_is_one_for_each_tenant_and_those_of_the_process_are_for_all(self) -> None:
        self.open("north")
        with override_settings(NOTIFICATIONS_MAX_STREAMS_PER_USER=1):
            connections.check_user_limit("1", "south")
            with pytest.raises(Refused):
                connections.check_user_limit("1", "north")
        scope = {"client": ("::1", 1), "headers": []}
        with override_settings(NOTIFICATIONS_MAX_STREAMS_PER_ADDRESS=1), pytest.raises(Refused):
            connections.check_address_limit(scope)
        with override_settings(NOTIFICATIONS_MAX_STREAMS=1), pytest.raises(Refused):
            connections.check_process_limit()

    async def test_a_retiring_process_sends_the_clients_of_all_tenants_away(self) -> None:
        clients = [self.open(town) for town in BOTH]
        assert self.root.drain() == relay.DRAIN
        assert [client.closed for client in clients] == ["drain", "drain"]

    async def test_each_piece_of_work_is_done_for_its_tenant(self) -> None:
        for town, one in zip(BOTH, (self.north, self.south), strict=True):
            assert await one.run(tenants.current) == town
            assert await one.readers.run(Terms("1"), tenants.current) == town
            assert await one.writers.run(Terms("1", place=KEY), tenants.current) == town
            told: Future[str] = Future()
            one.background.call(self.tell_current, told)
            assert await asyncio.wrap_future(told) == town

    @staticmethod
    def tell_current(told: Future[str]) -> None:
        told.set_result(tenants.current())

    async def test_who_asks_for_much_takes_nothing_from_the_user_of_the_same_key(self) -> None:
        terms = Terms("1", limit=1)
        busy = threading.Event()
        waiting: list[asyncio.Future[Any]] = [self.north.readers.run(terms, busy.wait) for _ in range(2)]
        with pytest.raises(Overflow):
            self.north.readers.run(terms, int)
        waiting.append(self.south.readers.run(terms, int))
        busy.set()
        await asyncio.gather(*waiting)

    async def leave_and_end(self) -> None:
        with patch.object(relay, "TENANT_IDLE", -1.0):
            self.root._end_idle()
        await asyncio.gather(*self.north._tasks, *self.south._tasks, return_exceptions=True)


class PeriodicTests(IsolatedAsyncioTestCase):
    async def test_tasks_take_their_turns_for_each_tenant_and_one_that_fails_holds_up_no_other(self) -> None:
        self.enterContext(two_towns())
        seen: list[str] = []
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def task() -> float:
            seen.append(tenants.current())
            if len(seen) in (2, 3):
                loop.call_soon_threadsafe(done.set)
            if seen[-1] == "north":
                raise ValueError("of the test")
            return 60.0

        turns = PeriodicTasks(lambda: 60.0)
        with (
            patch.object(periodic, "_tasks", [task]),
            patch.object(periodic, "_closers", []),
            patch.object(periodic, "AGAIN", 60.0),
        ):
            running = asyncio.create_task(turns.run())
            with self.assertLogs("notifications"):
                await done.wait()
            done.clear()
            turns.wake("south")
            await done.wait()
            running.cancel()
            turns.close()
        assert seen == ["north", "south", "south"]


@two_towns()
class TellingTests(SimpleTestCase):
    def test_what_is_told_together_is_told_to_each_tenant(self) -> None:
        told: list[tuple[str, str, Mapping[str, int]]] = []
        ticks: list[Any] = []
        together: Coalescer[str, str, int] = Coalescer(
            lambda key, values: told.append((tenants.current(), key, values)), max, ticks.append
        )
        for town in BOTH:
            with tenants.activate(town):
                together.show("1", town, 1)
                together.show("1", town, 2)
        ticks.pop()()
        assert told == [(town, "1", {town: number}) for number in (1, 2) for town in BOTH]

    def test_who_sends_does_so_for_the_tenants_that_have_something_to_send(self) -> None:
        courier, done = Courier("email", 1), threading.Event()
        seen: list[str] = []

        def send(name: str, limit: int, stop: Any) -> int:
            seen.append(tenants.current())
            if seen[-1] == "south":
                done.set()
                return 0
            raise ValueError("of the test")

        with patch("notifications.deliveries.couriers.send_some", send), self.assertLogs("notifications"):
            for town in BOTH:
                with tenants.activate(town):
                    courier.call()
            assert done.wait(10)
            courier.close(wait=True)
        assert sorted(set(seen)) == sorted(BOTH)

    def test_a_tenant_that_has_much_to_send_does_not_keep_the_others_waiting(self) -> None:
        courier, done = Courier("email", 1), threading.Event()
        left = {"north": 1_000, "south": 1}
        seen: list[str] = []

        def send(name: str, limit: int, stop: Any) -> int:
            town = tenants.current()
            seen.append(town)
            if not done.is_set() and town == "north" and len(seen) == 1:
                with tenants.activate("south"):
                    courier.call()
            left[town] -= 1
            if town == "south":
                done.set()
            return int(left[town] > 0 and not stop())

        with (
            patch("notifications.deliveries.couriers.send_some", send),
            patch("notifications.deliveries.couriers.TENANT_TURN", 0.0),
        ):
            with tenants.activate("north"):
                courier.call()
            assert done.wait(10)
            courier.close(wait=True)
        assert seen.index("south") < 10

    def test_what_is_signed_and_named_for_one_tenant_is_not_so_for_another(self) -> None:
        names: list[Callable[[], str]] = [lambda: user_key(1), site_key, lambda: tenants.salted("x")]
        for made in names:
            found = set()
            for town in BOTH:
                with tenants.activate(town):
                    found.add(made())
            with override_settings(NOTIFICATIONS_TENANT=""):
                found.add(made())
            assert len(found) == 3


@two_towns()
class CommitTests(TestCase):
    def test_what_waits_for_a_commit_is_done_for_the_tenant_in_which_it_was_asked_for(self) -> None:
        seen: list[str] = []
        with self.captureOnCommitCallbacks(execute=True), transaction.atomic():
            for town in BOTH:
                with tenants.activate(town):
                    after_commit(lambda: seen.append(tenants.current()), "default")
        assert seen == [*BOTH]

    def test_streams_of_one_key_that_one_transaction_changes_are_sequenced_in_each_tenant(self) -> None:
        seen: list[tuple[str, list[int]]] = []

        def sequence_now(_stream_type: object, pks: Iterable[int]) -> None:
            seen.append((tenants.current(), list(pks)))

        with patch.object(commit, "sequence_now", sequence_now), self.captureOnCommitCallbacks(execute=True):
            for town in BOTH:
                with tenants.activate(town):
                    commit.sequence_after_commit(INBOX, [1])
        assert seen == [(town, [1]) for town in BOTH]


class FailureTests(TestCase):
    def test_what_fails_after_a_commit_is_logged_and_holds_up_nothing(self) -> None:
        seen: list[int] = []
        with self.assertLogs("django", "ERROR"), self.captureOnCommitCallbacks(execute=True):
            after_commit(partial(int, "no number"), "default")
            after_commit(lambda: seen.append(1), "default")
        assert seen == [1]


@two_towns()
class WorkTests(TestCase):
    """Work that stores how far it is, in whatever thread, does so for the tenant in which it began."""

    def setUp(self) -> None:
        self.seen: list[str] = []

    def in_a_thread(self, function: Callable[[], object]) -> None:
        working = threading.Thread(target=function)  # in which no tenant was activated
        working.start()
        working.join()

    def see(self, *_args: object) -> bool:
        self.seen.append(tenants.current())
        return False

    def test_a_progress(self) -> None:
        with tenants.activate("north"):
            work = progress(make_user(), "Import")._work
            work.begin()
        with patch("notifications.inbox.progress._write", self.see):
            self.in_a_thread(work.store)
        assert self.seen == ["north"]
        self.asks_to_stop("progress", work.pk, lambda: work.cancelled)

    def test_a_text(self) -> None:
        feed: Any = None
        with tenants.activate("north"):
            text = _Text(Handle(feed, 1, "answer", texts.work_of(1), tenants.current()))
        with patch.object(texts, "keep_alive", self.see), patch.object(texts, "grow", self.see):
            self.in_a_thread(text.store)
            text.add("More")
            self.in_a_thread(text.store)
        assert self.seen == ["north", "north"]

    def asks_to_stop(self, name: str, pk: int, is_stopped: Callable[[], bool]) -> None:
        for town in ("south", "north"):
            with tenants.activate(town):
                keeping.ask_to_stop(tenants.salted(f"{name}:{pk}"))
            assert is_stopped() == (town == "north")


class SocketTests(IsolatedAsyncioTestCase):
    async def test_a_socket_of_which_nothing_says_whose_it_is_is_refused(self) -> None:
        with two_towns(), self.assertLogs("notifications", "ERROR"):
            wire = WebsocketCommunicator(ChatConsumer.as_asgi(), "/", subprotocols=[SUBPROTOCOL])
            await wire.connect()
            await wire.receive_from()
            assert (await wire.receive_output())["code"] == 4500

    async def test_a_socket_for_an_address_of_no_tenant_is_refused_before_the_handshake(self) -> None:
        with two_towns(), override_settings(ALLOWED_HOSTS=["*"]):
            await self.enterAsyncContext(relay.serving(Relay(asyncio.get_running_loop(), alone=True)))
            headers = [(b"host", b"west.example.com"), (b"origin", b"http://west.example.com")]
            wire = WebsocketCommunicator(websocket_application(), "/notifications/ws/", headers, [SUBPROTOCOL])
            assert (await wire.connect())[0] is False


@pytest.mark.parametrize("one", [True, False])
def test_tenants_of_several_databases_are_not_told_through_one_of_them(one: bool) -> None:
    with (
        two_towns(),
        override_settings(NOTIFICATIONS_LISTEN_URL=""),
        patch("tests.two_towns.TwoTowns.one_database", one),
        patch.object(postgresql, "connections", {"default": SimpleNamespace(vendor="postgresql")}),
        patch.object(postgresql, "alias", lambda: "default"),
    ):
        assert (postgresql.find("carillon.x") is not None) is one


def test_whatever_waits_for_a_commit_is_bound_to_its_tenant() -> None:
    waiting = [path.name for path in PACKAGE.rglob("*.py") if "transaction.on_commit(" in path.read_text()]
    assert waiting == ["transactions.py"]  # whose `after_commit` binds it


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("tests.two_towns.Nowhere", "carillon.E022"),
        ("tests.two_towns.NOT_A_HOOK", "carillon.E022"),
        ("notifications.tenants.Schemas", "carillon.E026"),
    ],
)
def test_a_setting_that_cannot_keep_tenants_apart_is_refused(path: str, id: str) -> None:
    with override_settings(NOTIFICATIONS_TENANT=path):
        (found,) = checks.check_tenants(None)
    assert found.id == id
    assert found.hint
