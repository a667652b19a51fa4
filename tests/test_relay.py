"""The relay keeps the hub true to the database, whatever happens to the database."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.test import TransactionTestCase

from notifications import relay
from notifications.cursor import Position
from notifications.hub import Connection, Message
from notifications.inbox import INBOX
from notifications.lane import EVENT_STREAM
from notifications.models import Inbox
from tests.factories import make_user, tell


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
        relay._relays.pop(asyncio.get_running_loop()).threads.close()

    def listen(self, user: Any, position: Position) -> asyncio.Queue[Message]:
        """Open a connection that is at a position; return what it will receive."""
        received: asyncio.Queue[Message] = asyncio.Queue()
        connection = Connection("test", received.put, EVENT_STREAM, lambda: None)
        hub = relay.current().hub
        hub.add(connection)
        hub.attach(connection, INBOX.key(user.pk), position)
        return received
