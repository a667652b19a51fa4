"""What applications hear: after the commit, never on the event loop, and at no price for who does not listen."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.dispatch import Signal
from django.test import SimpleTestCase, TransactionTestCase, override_settings
from django.utils import timezone

from notifications import signals
from notifications.audiences import Audience
from notifications.inbox.recipients import RECIPIENT_CHUNK
from notifications.inbox.stream import INBOX
from notifications.live import background, connections, relay
from notifications.live.background import Background
from notifications.live.connections import EVENT_STREAM, Admission
from notifications.live.cursor import Position
from notifications.live.hub import Connection
from notifications.live.replay import changes_since
from notifications.live.sessions import identity
from notifications.live.threads import Threads
from notifications.models import Broadcast, Inbox, Membership, Notice, Notification
from notifications.services import (
    archive,
    create_room,
    edit_broadcast,
    mark_read,
    notify,
    post_message,
    publish_broadcast,
    recall_broadcast,
)
from notifications.signals import broadcast_sent, notification_delivered, notification_stored
from notifications.testing import travel
from tests.factories import make_user, make_users, tell

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "signals.md"


@contextmanager
def heard(signal: Signal, sender: type) -> Iterator[list[dict[str, Any]]]:
    """Receive a signal; give what each call brought."""
    calls: list[dict[str, Any]] = []

    def receive(**named: Any) -> None:
        named.pop("signal")
        assert named.pop("sender") is sender
        calls.append(named)

    signal.connect(receive)
    try:
        yield calls
    finally:
        signal.disconnect(receive)


def fail(**named: Any) -> None:
    raise RuntimeError("This receiver is broken.")


class StoredTests(TransactionTestCase):
    def test_it_comes_after_the_commit_with_positions_given(self) -> None:
        alice = make_user()
        with heard(notification_stored, Notice) as calls:
            with transaction.atomic():
                notice = notify(alice, "Hello")
                assert calls == []
            assert calls == [{"notice": notice, "recipients": [alice.pk]}]
            assert Notification.objects.get().modseq == 1

    def test_it_does_not_come_when_the_transaction_is_rolled_back(self) -> None:
        alice = make_user()
        with heard(notification_stored, Notice) as calls, transaction.atomic():
            notify(alice, "Hello")
            transaction.set_rollback(True)
        assert calls == []

    def test_many_recipients_come_in_parts(self) -> None:
        users = make_users(RECIPIENT_CHUNK + 2)
        with heard(notification_stored, Notice) as calls:
            notify(users, "Hello")
        assert [len(call["recipients"]) for call in calls] == [RECIPIENT_CHUNK, 2]
        assert {pk for call in calls for pk in call["recipients"]} == {user.pk for user in users}

    def test_it_names_those_alone_who_had_none_with_the_key(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        notify(alice, "Hello", dedupe_key="once")
        with heard(notification_stored, Notice) as calls:
            notify([alice, bob], "Hello", dedupe_key="once")
            notify([alice, bob], "Hello", dedupe_key="once")
            notify([], "Hello")
        assert [call["recipients"] for call in calls] == [[bob.pk]]

    def test_a_message_to_somebody_who_is_away_is_one_too(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        room = create_room("Project", by=alice, members=[bob])
        with heard(notification_stored, Notice) as calls:
            post_message(room, by=alice, body="Are you there?")
        assert [(call["notice"].kind, call["recipients"]) for call in calls] == [("chat.message", [bob.pk])]
        assert Membership.objects.count() == 2

    def test_a_receiver_that_raises_is_logged_and_harms_nobody(self) -> None:
        notification_stored.connect(fail)
        try:
            with heard(notification_stored, Notice) as calls, self.assertLogs("django.dispatch", "ERROR"):
                notify(make_user(), "Hello")
        finally:
            notification_stored.disconnect(fail)
        assert len(calls) == 1


class BroadcastTests(TransactionTestCase):
    def draft(self, **fields: Any) -> Broadcast:
        return Broadcast.objects.create(title="Maintenance", audience=Audience.of("everyone").dump(), **fields)

    def test_it_comes_once_when_a_broadcast_goes_out(self) -> None:
        with heard(broadcast_sent, Broadcast) as calls:
            with transaction.atomic():
                broadcast = publish_broadcast(self.draft())
                assert calls == []
            edit_broadcast(broadcast, title="Maintenance at ten")
            recall_broadcast(broadcast)
        assert calls == [{"broadcast": broadcast}]

    def test_a_scheduled_one_is_announced_at_its_time(self) -> None:
        with heard(broadcast_sent, Broadcast) as calls:
            broadcast = publish_broadcast(self.draft(publish_at=timezone.now() + timedelta(hours=1)))
            assert calls == []
            with travel(hours=1):
                pass
        assert [call["broadcast"].pk for call in calls] == [broadcast.pk]


@override_settings(NOTIFICATIONS_RECONCILE=60.0)  # only hints shall make it read
class DeliveredTests(TransactionTestCase):
    def setUp(self) -> None:
        self.alice = make_user()
        tell(self.alice, "The first")

    @contextmanager
    def heard(self) -> Iterator[asyncio.Queue[Any]]:
        """Receive the signal; give what it brought, with the thread in which it came."""
        loop = asyncio.get_running_loop()
        calls: asyncio.Queue[Any] = asyncio.Queue()

        def receive(sender: Any, recipient: Any, notifications: Any, **named: Any) -> None:
            assert sender is Notification
            loop.call_soon_threadsafe(calls.put_nowait, (recipient, notifications, threading.get_ident()))

        notification_delivered.connect(receive)
        try:
            yield calls
        finally:
            notification_delivered.disconnect(receive)
            relay._relays.pop(loop).close()

    async def listen(self) -> asyncio.Queue[Any]:
        """Open a connection at the head of the inbox; return what it gets."""
        inbox = await Inbox.objects.aget()
        received: asyncio.Queue[Any] = asyncio.Queue()
        connection = Connection("test", received.put, EVENT_STREAM, lambda: None, identity(self.alice, None))
        relay.current().hub.add(connection)
        relay.current().hub.attach(connection, inbox_key(self.alice), Position(inbox.epoch, inbox.head))
        return received

    async def test_it_comes_when_an_open_connection_got_it_and_not_on_the_event_loop(self) -> None:
        with self.heard() as calls:
            received = await self.listen()
            await sync_to_async(notify)(self.alice, "Hello")
            async with asyncio.timeout(10):
                assert b"Hello" in (await received.get())["body"]
                recipient, notifications, thread = await calls.get()
            row = await Notification.objects.aget(notice__title="Hello")
            assert (recipient, notifications) == (self.alice.pk, [row.pk])
            assert thread != threading.get_ident()

    async def test_what_is_only_changed_is_not_delivered_again(self) -> None:
        with self.heard() as calls:
            received = await self.listen()
            old = await Notification.objects.aget()
            await sync_to_async(mark_read)(self.alice, [old.pk])
            await sync_to_async(archive)(self.alice, [old.pk])
            await sync_to_async(notify)(self.alice, "Hello")
            async with asyncio.timeout(10):
                while b"Hello" not in (await received.get())["body"]:
                    pass
                _recipient, notifications, _thread = await calls.get()
            row = await Notification.objects.aget(notice__title="Hello")
            assert notifications == [row.pk]
            assert calls.empty()

    async def test_a_connection_that_comes_back_brings_what_it_missed(self) -> None:
        with self.heard() as calls:
            send, first = asyncio.Queue[Any](), Position((await Inbox.objects.aget()).epoch, 1)
            admission = Admission(inbox_key(self.alice), first, (), identity(self.alice, None), arrived=(7, 8))
            connection = connections.stream(admission, send.put)
            connections.connect(connection, admission)
            async with asyncio.timeout(10):
                recipient, notifications, _thread = await calls.get()
            connections.disconnect(connection)
            assert (recipient, notifications) == (self.alice.pk, [7, 8])

    async def test_without_a_receiver_no_batch_says_what_arrived(self) -> None:
        received = await self.listen()
        await sync_to_async(notify)(self.alice, "Hello")
        async with asyncio.timeout(10):
            await received.get()
        start = Position((await Inbox.objects.aget()).epoch, 0)
        batches = await sync_to_async(changes_since)(INBOX, {self.alice.pk: start})
        assert batches[self.alice.pk].arrived == ()
        threads = relay.current().background._threads
        assert isinstance(threads, Threads)
        assert threads._executor._threads == set()
        relay._relays.pop(asyncio.get_running_loop()).close()


class BackgroundTests(SimpleTestCase):
    def test_what_is_too_much_is_left_out_and_logged_once(self) -> None:
        work = Background("test")
        go, began, finished = threading.Event(), threading.Event(), threading.Event()
        done: list[int] = []
        last = background.BACKLOG_LIMIT - 2  # one runs, and the first number is 0

        def wait() -> None:
            began.set()
            go.wait()

        def note(number: int) -> None:
            done.append(number)
            if number == last:
                finished.set()

        work.call(wait)
        began.wait()
        with self.assertLogs("notifications", "WARNING") as logs:
            for number in range(background.BACKLOG_LIMIT + 5):
                work.call(note, number)
        assert len(logs.records) == 1
        go.set()
        assert finished.wait(10)
        work.close()
        assert done == [*range(last + 1)]

    def test_one_that_raises_is_logged_and_the_next_runs(self) -> None:
        work = Background("test")
        done = threading.Event()
        with self.assertLogs("notifications", "ERROR"):
            work.call(fail)
            work.call(done.set)
            assert done.wait(10)
        work.close()

    def test_closing_leaves_out_what_waits(self) -> None:
        work = Background("test")
        go, began = threading.Event(), threading.Event()
        done: list[int] = []

        def wait() -> None:
            began.set()
            go.wait()

        work.call(wait)
        work.call(done.append, 1)
        began.wait()
        closing = threading.Thread(target=work.close)
        closing.start()
        while not work._closed:
            pass
        go.set()
        closing.join()
        assert done == []


def inbox_key(user: Any) -> Any:
    from notifications.inbox.stream import INBOX

    return INBOX.key(user.pk)


def test_every_signal_is_public_and_has_its_section_in_the_reference() -> None:
    public = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    assert public == set(signals.__all__)
    assert set(re.findall(r"^## `(\w+)`", PAGE.read_text(), re.MULTILINE)) == public
