"""One user does not hurt another: not by asking much, not by a lock, not by slow requests, and not by being many."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.test import SimpleTestCase, TransactionTestCase, override_settings

from notifications import services
from notifications.asgi import Decision, Handoff, SyncHandler
from notifications.chat import budget, handlers, socket
from notifications.conf import conf
from notifications.live import callers, relay
from notifications.live.callers import Callers
from notifications.live.patience import patience
from notifications.live.workers import LIMIT
from notifications.models import Room
from tests.chatting import Client, Frame
from tests.factories import make_user, tell
from tests.streaming import cookies

WAIT = 10  # seconds; a test that needs them fails


@contextmanager
def lock_held(room: Room) -> Iterator[None]:
    """Hold the lock of a room, which on SQLite is that of everything, in a thread of its own."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Room.objects.filter(pk=room.pk).update(name="held")
                held.set()
                assert release.wait(60)
                transaction.set_rollback(True)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(WAIT)
    try:
        yield
    finally:
        release.set()
        thread.join(WAIT)


class ChatTest(TransactionTestCase):
    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.room = services.create_room("Project", by=self.alice, members=[self.bob])
        services.post_message(self.room, "hello", by=self.alice)


class LockTests(ChatTest):
    async def test_no_read_waits_for_a_lock_that_somebody_holds(self) -> None:
        await sync_to_async(tell)(self.bob, "pending")
        async with Client(self.bob) as bob:
            lock = lock_held(self.room)
            await asyncio.to_thread(lock.__enter__)
            try:
                async with asyncio.timeout(WAIT):
                    for command in ("history", "room.open", "typing"):
                        assert (await bob.send(command, room=self.room.pk))["type"] == "ack", command
                    assert (await bob.send("inbox.open"))["type"] == "ack"
            finally:
                await asyncio.to_thread(lock.__exit__, None, None, None)

    async def test_a_write_behind_a_lock_is_busy_after_a_while_and_holds_up_no_read(self) -> None:
        with mock.patch.object(handlers, "WRITE_PATIENCE", 0.3):
            async with Client(self.alice) as alice, Client(self.bob) as bob:
                lock = lock_held(self.room)
                await asyncio.to_thread(lock.__enter__)
                try:
                    with self.assertLogs("notifications", "WARNING"):
                        writing = asyncio.create_task(alice.say(self.room, "waits"))
                        assert (await bob.send("history", room=self.room.pk))["type"] == "ack"
                        assert not writing.done()
                        nack = await writing
                    assert (nack["type"], nack["code"], nack["retry"] > 0) == ("nack", "busy", True)
                finally:
                    await asyncio.to_thread(lock.__exit__, None, None, None)
                assert (await alice.say(self.room, "goes through"))["type"] == "ack"

    async def test_a_lock_of_one_room_holds_up_no_other_where_rows_have_locks(self) -> None:
        if not connection.features.has_select_for_update:
            self.skipTest("this database has one lock for everything")
        elsewhere = await services.acreate_room("Elsewhere", by=self.bob)
        people = [await sync_to_async(make_user)(f"person {n}") for n in range(6)]
        for person in people:
            await services.aadd_member(self.room, person)
        clients = [Client(person) for person in people]
        async with Client(self.bob) as bob:
            for client in clients:
                await client.connect()
            lock = lock_held(self.room)
            await asyncio.to_thread(lock.__enter__)
            try:
                writing = [asyncio.create_task(client.say(self.room, "waits")) for client in clients]
                assert (await bob.say(elsewhere, "at once"))["type"] == "ack"
                assert not any(task.done() for task in writing)
            finally:
                await asyncio.to_thread(lock.__exit__, None, None, None)
            assert [(await task)["type"] for task in writing] == ["ack"] * 6
            for client in clients:
                await client.socket.disconnect(timeout=WAIT)

    async def test_the_patience_of_a_command_is_left_on_no_connection(self) -> None:
        def own() -> Any:
            with connection.cursor() as cursor:
                cursor.execute({"sqlite": "PRAGMA busy_timeout", "postgresql": "SHOW lock_timeout"}[connection.vendor])
                return cursor.fetchone()

        def both() -> tuple[Any, Any]:
            before = own()
            with patience("default", 1.0), transaction.atomic():
                Room.objects.count()
                inside = own()
            assert inside != before
            return before, own()

        if connection.vendor == "mysql":
            self.skipTest("there a session has it, and Django has no pool")
        before, after = await sync_to_async(both)()
        assert before == after


class TurnTests(ChatTest):
    async def test_fifty_sockets_of_one_user_delay_another_by_one_command(self) -> None:
        begun, go_on = threading.Event(), threading.Event()
        order: list[Any] = []
        execute = handlers.execute

        def slow(command: Any, user: Any) -> Any:
            order.append(user)
            if user == self.alice.pk:
                begun.set()
                assert go_on.wait(WAIT)
            return execute(command, user)

        attackers = [Client(self.alice) for _ in range(LIMIT + 1)]
        async with Client(self.bob) as bob:
            for attacker in attackers:
                await attacker.connect()
            with mock.patch("notifications.chat.handlers.execute", slow):
                asking = [asyncio.create_task(attacker.send("history", room=self.room.pk)) for attacker in attackers]
                await asyncio.to_thread(begun.wait, WAIT)
                # One of hers is in the thread, and does not end; his is answered all the same.
                assert (await bob.send("history", room=self.room.pk))["type"] == "ack"
                assert order == [self.alice.pk, self.bob.pk]
                go_on.set()
                assert {(await asked)["type"] for asked in asking} == {"ack"}
            for attacker in attackers:
                await attacker.socket.disconnect(timeout=WAIT)

    async def test_who_has_too_many_commands_waiting_is_told_so(self) -> None:
        begun, go_on = threading.Event(), threading.Event()
        execute = handlers.execute

        def slow(command: Any, user: Any) -> Any:
            begun.set()
            assert go_on.wait(WAIT)
            return execute(command, user)

        clients = [Client(self.alice) for _ in range(LIMIT + 2)]
        for client in clients:
            await client.connect()
        with mock.patch("notifications.chat.handlers.execute", slow):
            asking = [asyncio.create_task(client.send("history", room=self.room.pk)) for client in clients]
            done, _waiting = await asyncio.wait(asking, timeout=WAIT, return_when=asyncio.FIRST_COMPLETED)
            (nack,) = [task.result() for task in done]
            assert (nack["type"], nack["code"], nack["retry"]) == ("nack", "too-many", socket.WAITING_RETRY)
            go_on.set()
            answers = [(await asked)["type"] for asked in asking]
        assert answers.count("ack") == LIMIT + 1
        for client in clients:
            await client.socket.disconnect(timeout=WAIT)

    async def test_all_sockets_of_a_user_share_a_budget_and_others_have_their_own(self) -> None:
        with mock.patch.multiple(budget, USER_RATE=0.001, USER_BURST=10):
            async with Client(self.alice) as one, Client(self.alice) as other, Client(self.bob) as bob:
                answers = [(await client.send("ping")) for _ in range(6) for client in (one, other)]
                assert [answer["type"] for answer in answers] == ["ack"] * 10 + ["nack"] * 2
                assert (answers[-1]["code"], answers[-1]["retry"] > 0) == ("too-many", True)
                assert (await bob.send("ping"))["type"] == "ack"
            async with Client(self.alice) as again:
                assert (await again.send("ping"))["type"] == "nack", "to come again fills no budget"

    async def test_a_long_message_costs_as_much_as_several(self) -> None:
        with mock.patch.multiple(budget, RATE=0.001, BURST=8):
            async with Client(self.alice) as alice:
                kinds = [(await alice.say(self.room, "x" * 3_500))["type"] for _ in range(3)]
        assert kinds == ["ack", "ack", "nack"]

    async def test_typing_in_an_open_room_needs_no_database(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob) as bob:
            for client in (alice, bob):
                await client.send("room.open", room=self.room.pk)
            with mock.patch("notifications.chat.handlers.execute", side_effect=AssertionError):
                assert (await alice.send("typing", room=self.room.pk))["type"] == "ack"
                assert (await bob.next("typing"))["user"]["name"] == "alice"

    async def test_who_toggles_typing_is_heard_once_a_tick(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob) as bob:
            for client in (alice, bob):
                await client.send("room.open", room=self.room.pk)
            for n in range(100):
                await alice.send("typing", room=self.room.pk, on=bool(n % 2))
            await alice.send("typing", room=self.room.pk, on=False)
            heard: list[Frame] = [await bob.next("typing")]
            await alice.say(self.room, "done")
            await bob.hears("done")
            last = await bob.next("typing", lambda frame: frame["expires"] == 0)
            heard += [frame for frame in bob.frames if frame["type"] == "typing"]
            assert last["user"]["id"] == self.alice.pk
            assert len(heard) < 50


class ByteTests(ChatTest):
    @override_settings(NOTIFICATIONS_MAX_BYTES=100_000)
    async def test_answers_count_like_everything_else(self) -> None:
        for _ in range(10):
            await services.apost_message(self.room, "x" * 3_000, by=self.alice)
        async with Client(self.alice) as other:
            bob = Client(self.bob)
            await bob.connect()
            for _ in range(20):
                await bob.socket.send_to(text_data=f'{{"type":"history","ref":1,"room":{self.room.pk}}}')
            assert await bob.closed() == 1000
            assert [frame["reason"] for frame in bob.frames if frame["type"] == "bye"] == ["limit"]
            read = sum(len(frame["messages"]) * 3_000 for frame in bob.frames if frame["type"] == "ack")
            assert read < 200_000
            assert (await other.send("ping"))["type"] == "ack"

    @override_settings(NOTIFICATIONS_MAX_BYTES=100_000)
    async def test_who_shows_that_they_read_may_read_on(self) -> None:
        for _ in range(10):
            await services.apost_message(self.room, "x" * 3_000, by=self.alice)
        read = 0
        async with Client(self.bob) as bob:
            while read < 400_000:
                for frame in [frame for frame in bob.frames if frame["type"] == "checkpoint"]:
                    wrong = await bob.send("checkpoint", token="0123456789abcdef")
                    assert (wrong["code"], wrong["field"]) == ("invalid", "token")
                    assert (await bob.send("checkpoint", token=frame["token"]))["type"] == "ack"
                    assert (await bob.send("checkpoint", token=frame["token"]))["type"] == "nack", "it counts once"
                    bob.frames.remove(frame)
                read += 3_000 * len((await bob.send("history", room=self.room.pk))["messages"])


def request(cookie: str = "", address: str = "192.0.2.1", **headers: str) -> dict[str, Any]:
    found = {"cookie": cookie, **headers} if cookie else headers
    return {
        "type": "http",
        "method": "GET",
        "path": "/notifications/stream/",
        "query_string": b"",
        "client": (address, 1),
        "headers": [
            (b"accept", b"text/event-stream"),
            (b"host", b"testserver"),
            *((name.replace("_", "-").encode(), value.encode()) for name, value in found.items()),
        ],
    }


class CallerTests(SimpleTestCase):
    def test_who_is_known_has_a_line_of_their_own_and_who_shows_nothing_has_none(self) -> None:
        known = Callers()
        bob, carol = request("sessionid=bob"), request("sessionid=carol")
        assert known.terms(bob).owner == known.terms(carol).owner, "anybody can write a cookie"
        known.remember(bob)
        assert known.terms(bob).owner != known.terms(carol).owner
        assert known.terms(request("sessionid=bob; theme=dark", "192.0.2.9")) == known.terms(bob)
        nameless = known.terms(request())
        assert nameless == known.terms(request(address="192.0.2.9"))
        assert nameless.limit < known.terms(carol).limit
        token = request(authorization="Bearer 1")
        assert known.terms(token).owner != nameless.owner

    def test_so_many_are_remembered_and_the_latest_stay(self) -> None:
        with mock.patch.object(callers, "KNOWN", 2):
            known = Callers()
            people = [request(f"sessionid={n}") for n in range(3)]
            for person in (people[0], people[1], people[0], people[2]):
                known.remember(person)
            stranger = known.terms(request("sessionid=x")).owner
            assert [known.terms(person).owner != stranger for person in people] == [True, False, True]

    def test_an_address_is_what_the_server_saw_unless_a_proxy_of_ours_says_more(self) -> None:
        forged = request(address="10.0.0.1", x_forwarded_for="203.0.113.7, 198.51.100.4")
        for proxies, found in ((0, "10.0.0.1"), (1, "198.51.100.4"), (2, "203.0.113.7"), (3, "10.0.0.1")):
            with self.subTest(proxies=proxies), override_settings(NOTIFICATIONS_PROXIES=proxies):
                assert callers.address(forged) == found
        assert callers.address({**request(), "client": None}) == ""


class ConnectTests(TransactionTestCase):
    def setUp(self) -> None:
        self.cookie = cookies(make_user("bob"))
        with mock.patch.object(Handoff, "installed", False):
            self.handoff = Handoff(mock.AsyncMock())

    async def connect(self, handoff: Handoff, scope: dict[str, Any]) -> int:
        """Open a stream, leave it, and return the status."""
        answers: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            answers.append(message)

        await handoff(scope, receive, send)
        status: int = answers[0]["status"]
        return status

    async def test_a_request_that_hangs_in_the_middleware_keeps_nobody_waiting(self) -> None:
        handoff = self.handoff
        begun, go_on = threading.Event(), threading.Event()
        decide = SyncHandler.decide

        def slow(handler: SyncHandler, scope: dict[str, Any]) -> Decision:
            if scope["client"][0] == "192.0.2.66":
                begun.set()
                assert go_on.wait(WAIT)
            return decide(handler, scope)

        with mock.patch.object(SyncHandler, "decide", slow):
            hanging = [
                asyncio.create_task(self.connect(handoff, request(f"sessionid={n}", "192.0.2.66"))) for n in range(9)
            ]
            await asyncio.to_thread(begun.wait, WAIT)
            async with asyncio.timeout(WAIT / 2):
                assert await self.connect(handoff, request(self.cookie)) == 200
            assert not any(task.done() for task in hanging)
            go_on.set()
            assert set(await asyncio.gather(*hanging)) == {401}

    async def test_a_flood_without_credentials_lets_who_is_known_pass_and_is_bounded(self) -> None:
        handoff = self.handoff
        assert await self.connect(handoff, request(self.cookie)) == 200
        decided: list[bool] = []
        decide = SyncHandler.decide

        def noted(handler: SyncHandler, scope: dict[str, Any]) -> Decision:
            decided.append(any(name == b"cookie" for name, _value in scope["headers"]))
            return decide(handler, scope)

        with mock.patch.object(SyncHandler, "decide", noted):
            flood = [asyncio.create_task(self.connect(handoff, request())) for _ in range(1_500)]
            await asyncio.sleep(0)
            assert await self.connect(handoff, request(self.cookie)) == 200
            assert decided.index(True) <= 2
            statuses = await asyncio.gather(*flood)
        assert set(statuses) == {401, 503}
        assert statuses.count(401) < callers.NAMELESS_LIMIT * 2

    async def test_a_user_may_open_as_many_at_once_as_they_may_have(self) -> None:
        assert await self.connect(self.handoff, request(self.cookie)) == 200
        opening = [self.connect(self.handoff, request(self.cookie)) for _ in range(conf.MAX_STREAMS_PER_USER)]
        assert set(await asyncio.gather(*opening)) == {200}

    @override_settings(NOTIFICATIONS_MAX_STREAMS_PER_ADDRESS=2)
    async def test_an_address_has_so_many_connections_where_the_site_wants_it(self) -> None:
        handoff = self.handoff
        opened = asyncio.Queue[int]()
        leave = asyncio.Event()

        async def stay(address: str) -> None:
            async def receive() -> dict[str, Any]:
                await leave.wait()
                return {"type": "http.disconnect"}

            async def send(message: dict[str, Any]) -> None:
                if "status" in message:
                    opened.put_nowait(message["status"])

            await handoff(request(self.cookie, address), receive, send)

        staying = [asyncio.create_task(stay(address)) for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")]
        assert [await opened.get() for _ in staying] == [200, 200, 200]
        assert await self.connect(handoff, request(self.cookie, "192.0.2.1")) == 429
        leave.set()
        await asyncio.gather(*staying)
        assert relay.current().hub.addresses == {}
        assert await self.connect(handoff, request(self.cookie, "192.0.2.1")) == 200
