"""The relay keeps the hub true to the database, whatever happens to the database."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from unittest.mock import DEFAULT, patch

from asgiref.sync import sync_to_async
from django.test import TransactionTestCase, override_settings

from notifications import relay
from notifications.conf import conf
from notifications.cursor import Position
from notifications.hub import Connection, Message
from notifications.inbox import INBOX
from notifications.lane import EVENT_STREAM
from notifications.models import Inbox
from notifications.services import notify
from tests.factories import make_user, tell


@override_settings(NOTIFICATIONS_RECONCILE=60.0)  # only hints shall make it read
class RelayTests(TransactionTestCase):
    async def test_open_connections_get_a_snapshot_when_their_stream_is_set_back_or_begins_anew(self) -> None:
        table: list[tuple[dict[str, Any], bytes]] = [({"head": 1}, b"ahead"), ({"epoch": "00000000"}, b"epoch")]
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

    async def alice(self) -> tuple[Any, asyncio.Queue[Message]]:
        """Make a user who listens to a new inbox; return what she will receive."""
        alice = await sync_to_async(make_user)()
        await sync_to_async(tell)(alice, "The first")
        inbox = await Inbox.objects.aget()
        return alice, self.listen(alice, Position(inbox.epoch, inbox.head))

    def end(self) -> None:
        """End the loop's relay."""
        relay._relays.pop(asyncio.get_running_loop()).close()

    def listen(self, user: Any, position: Position) -> asyncio.Queue[Message]:
        """Open a connection that is at a position; return what it will receive."""
        received: asyncio.Queue[Message] = asyncio.Queue()
        connection = Connection("test", received.put, EVENT_STREAM, lambda: None)
        hub = relay.current().hub
        hub.add(connection)
        hub.attach(connection, INBOX.key(user.pk), position)
        return received
