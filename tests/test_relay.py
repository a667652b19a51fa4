"""The relay keeps the hub true to the database, whatever happens to the database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import DEFAULT, patch

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext

from notifications.broadcasts.results import STREAM as RESULTS
from notifications.chat import handlers
from notifications.chat.commands import InboxOpen, RoomOpen
from notifications.chat.stream import ROOM
from notifications.conf import conf
from notifications.feeds import Log, feed
from notifications.feeds.names import stream_key
from notifications.feeds.publishing import LIVE_ONLY
from notifications.feeds.stream import FEED, remember
from notifications.inbox.stream import INBOX
from notifications.live import relay
from notifications.live.connections import EVENT_STREAM
from notifications.live.cursor import START, UNPUBLISHED, Position
from notifications.live.hub import Connection
from notifications.live.streams import Key
from notifications.models import Inbox, Message, Notification
from notifications.services import create_room, notify, publish
from tests.factories import make_user, tell


@pytest.mark.usefixtures("own_feeds")
@override_settings(NOTIFICATIONS_RECONCILE=60.0)  # only hints shall make it read
class RelayTests(TransactionTestCase):
    async def test_open_connections_get_a_snapshot_when_their_stream_is_set_back_or_begins_anew(self) -> None:
        table: list[tuple[dict[str, Any], bytes]] = [({"head": 1}, b"epoch"), ({"epoch": "00000000"}, b"epoch")]
        alice = await sync_to_async(make_user)()
        await sync_to_async(tell)(alice, "One", "Two")
        for change, reason in table:
            with self.subTest(reason=reason):
                inbox = await Inbox.objects.aget()
                received = self.listen(alice, Position(inbox.epoch, inbox.head))
                await Inbox.objects.aupdate(**change)
                relay.current().reconcile_soon()
                async with asyncio.timeout(10):
                    message = await received.get()
                assert b'"reason":"%s"' % reason in message["body"]
        self.end()

    async def test_who_was_being_decided_when_the_process_drained_is_told_too(self) -> None:
        ended = asyncio.Event()
        late = Connection("late", asyncio.Queue[Any]().put, EVENT_STREAM, ended.set)
        now = relay.current()
        now.drain()
        try:
            now.hub.add(late)
            now.watch(late)
            assert (late.closed, ended.is_set()) == ("drain", True)
        finally:
            now.draining = False
            now.hub.remove(late)

    async def test_one_stream_is_read_by_the_thread_that_wrote_it(self) -> None:
        alice, received = await self.alice()
        busy = threading.Event()
        occupied = [relay.current().threads.submit(busy.wait) for _ in range(conf.DATABASE_THREADS)]
        try:
            await sync_to_async(notify)(alice, "The relay's own threads are busy")
            async with asyncio.timeout(10):
                message = await received.get()
            assert b"threads are busy" in message["body"]
        finally:
            busy.set()
        assert all(future.result() for future in occupied)
        self.end()

    async def test_what_that_thread_fails_to_read_is_read_by_the_relay(self) -> None:
        alice, received = await self.alice()
        await asyncio.sleep(relay.FIRST_LOOK)  # at the stream that she has just begun to listen to
        if reading := relay.current()._reading:
            await reading
        with (
            patch.object(INBOX, "changes", side_effect=[OSError("once"), DEFAULT], wraps=INBOX.changes) as changes,
            self.assertLogs("django.db.backends.base", "ERROR"),
        ):
            await sync_to_async(notify)(alice, "Rings all the same")
            async with asyncio.timeout(10):
                message = await received.get()
        assert b"Rings all the same" in message["body"]
        assert changes.call_count == 2
        self.end()

    async def test_what_a_reader_stamps_before_its_writer_does_is_told_to_everybody(self) -> None:
        alice, received = await self.alice()
        room = await sync_to_async(create_room)("Project", by=alice)
        at_work = self.listen(alice, Position(room.epoch, room.head), ROOM.key(room.pk))
        inbox, talk = Notification.objects.all(), Message.objects.all()
        await sync_to_async(Message.objects.create)(room=room, author=alice, body="pending")
        table: list[tuple[Any, Any, Callable[[], Any]]] = [
            (inbox, received, lambda: handlers.execute(InboxOpen(1), alice.pk)),
            (inbox, received, lambda: self.client.get("/notifications/api/changes/")),
            (inbox, received, lambda: relay._compare({INBOX.key(alice.pk): Position("", 0)})),
            (talk, at_work, lambda: handlers.execute(RoomOpen(1, room.pk), alice.pk)),
        ]
        await sync_to_async(self.client.force_login)(alice)
        for number, (rows, messages, read) in enumerate(table):
            with self.subTest(number):
                if reading := relay.current()._reading:
                    await reading
                while not messages.empty():
                    messages.get_nowait()
                await rows.aupdate(modseq=None)  # as a writer leaves them between its commit and its own stamp
                await sync_to_async(read)()
                async with asyncio.timeout(10):
                    await messages.get()
        self.end()

    async def test_the_first_reader_of_a_slow_feed_waits_for_no_pace(self) -> None:
        feed("slow", every=60.0, public=True)(lambda user: True)
        await sync_to_async(publish)("slow", {"n": 1})
        for _reader in range(2):  # the second one comes after the first has left, and a moment later
            received = self.listen(None, START, FEED.key(stream_key("slow")))
            async with asyncio.timeout(10):
                message = await received.get()
            assert b'"n":1' in message["body"]
            for reader in list(relay.current().hub.connections):
                relay.current().hub.remove(reader)
        self.end()

    async def test_a_first_listener_brings_on_a_turn_only_where_one_serves_it(self) -> None:
        with patch.object(relay.current().periodic, "wake") as wake:
            self.listen(None, START, Key(LIVE_ONLY, "live"))
            wake.assert_not_called()
            self.listen(None, START, Key(RESULTS, "1"))
            wake.assert_called_once_with("")
        self.end()

    def test_a_new_reader_costs_one_look_at_where_its_stream_is(self) -> None:
        tell(make_user(), "One")
        inbox = Inbox.objects.get()
        for position, looks in ((START, 1), (Position("00000000", 1), 2)):
            with self.subTest(position), CaptureQueriesContext(connection) as queries:
                relay._read(INBOX, {inbox.pk: position})
            assert sum("floor" in query["sql"] for query in queries) == looks

    async def test_who_followed_before_anything_was_published_is_not_taken_for_a_newcomer(self) -> None:
        feed("moves", keep=Log(newest=0), public=True)(lambda user: True)
        key = FEED.key(remember("moves"))
        hub, taken = relay.current().hub, asyncio.Event()
        take = hub.continue_with

        def filled(*read: Any) -> None:
            take(*read)
            taken.set()

        busy = threading.Event()
        occupied = [relay.current().threads.submit(busy.wait) for _ in range(conf.DATABASE_THREADS)]
        try:
            newcomer = self.listen(None, START, key)  # for whom the relay reads, when it can
            with patch.object(hub, "continue_with", filled):
                waiting = self.listen(None, UNPUBLISHED, key)  # for whom another thread does
                async with asyncio.timeout(10):
                    await taken.wait()
            with patch.object(relay, "_read_here"):  # the writer is in another process
                await sync_to_async(publish)("moves", {"n": 1})
        finally:
            busy.set()
        async with asyncio.timeout(10):
            assert b'"events":[]' in (await newcomer.get())["body"]
            assert b'"n":1' in (await waiting.get())["body"]
        assert all(future.result() for future in occupied)
        self.end()

    async def alice(self) -> tuple[Any, asyncio.Queue[Any]]:
        """Make a user who listens to a new inbox; return what she will receive."""
        alice = await sync_to_async(make_user)()
        await sync_to_async(tell)(alice, "The first")
        inbox = await Inbox.objects.aget()
        return alice, self.listen(alice, Position(inbox.epoch, inbox.head))

    def end(self) -> None:
        """End the loop's relay."""
        relay._relays.pop(asyncio.get_running_loop()).close()

    def listen(self, user: Any, position: Position, key: Key | None = None) -> asyncio.Queue[Any]:
        """Open a connection that is at a position; return what it will receive."""
        received: asyncio.Queue[Any] = asyncio.Queue()
        connection = Connection("test", received.put, EVENT_STREAM, lambda: None)
        hub = relay.current().hub
        hub.add(connection)
        hub.attach(connection, key or INBOX.key(user.pk), position)
        return received
