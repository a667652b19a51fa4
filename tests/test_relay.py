"""The relay keeps the hub true to the database, whatever happens to the database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import DEFAULT, patch

from asgiref.sync import sync_to_async
from django.test import TransactionTestCase, override_settings

from notifications.chat import handlers
from notifications.chat.commands import InboxOpen, RoomOpen
from notifications.chat.stream import ROOM
from notifications.conf import conf
from notifications.inbox.stream import INBOX
from notifications.live import relay
from notifications.live.connections import EVENT_STREAM
from notifications.live.cursor import Position
from notifications.live.hub import Connection
from notifications.live.streams import Key
from notifications.models import Inbox, Message, Notification
from notifications.services import create_room, notify
from tests.factories import make_user, tell


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
        if reading := relay.current()._reading:  # of the stream that she has just begun to listen to
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
