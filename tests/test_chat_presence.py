"""Who is here: a lease for each process, several tabs, reloads, and processes that die."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from django.test import TransactionTestCase
from django.utils import timezone

from notifications import services
from notifications.chat import members, presence
from notifications.inbox import reading
from notifications.live import relay
from notifications.models import Lease, Membership, Notification, Presence
from tests.chatting import Client
from tests.factories import make_user, make_users


class PresenceTest(TransactionTestCase):
    """Turns are taken by the tests, at times of their own: the tracker's own clock stands still."""

    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.room = services.open_direct_room(self.alice, self.bob)
        for name, seconds in (("LOOK", 3_600.0), ("SETTLE", 0.0)):
            patch = mock.patch.object(presence, name, seconds)
            patch.start()
            self.addCleanup(patch.stop)

    async def turn(self, seconds: float = 0.0) -> None:
        """Take a turn as if it were so many seconds later."""
        tracker = presence.tracker(relay.current())
        await tracker.turn(asyncio.get_running_loop().time() + seconds)

    async def sees(self, client: Client, *users: Any) -> None:
        """Wait until the room is told that exactly `users` are here."""
        wanted = sorted(user.pk for user in users)
        await client.next("presence", lambda frame: sorted(frame["online"]) == wanted)

    async def sees_no_change(self, client: Client) -> bool:
        assert (await client.send("ping"))["type"] == "ack"
        return not [frame for frame in client.frames if frame["type"] == "presence"]

    async def opened(self, client: Client) -> None:
        """Open the room and see oneself."""
        await client.send("room.open", room=self.room.pk)
        await self.turn()
        await self.sees(client, self.alice)

    async def test_coming_and_leaving_are_told_once_for_all_tabs(self) -> None:
        async with Client(self.alice) as alice:
            await self.opened(alice)
            async with Client(self.bob):
                await self.turn()
                await self.sees(alice, self.alice, self.bob)
                async with Client(self.bob):
                    await self.turn()
                await self.turn(presence.LEAVE + 1)
                assert await self.sees_no_change(alice)
            await self.turn(presence.LEAVE + 1)
            await self.sees(alice, self.alice)

    async def test_a_reload_does_not_flicker(self) -> None:
        async with Client(self.alice) as alice:
            await self.opened(alice)
            async with Client(self.bob):
                await self.turn()
                await self.sees(alice, self.alice, self.bob)
            await self.turn(presence.LEAVE / 2)
            async with Client(self.bob):
                await self.turn(presence.LEAVE + 1)
                assert await self.sees_no_change(alice)

    async def test_the_users_of_a_dead_process_vanish_together_with_its_lease(self) -> None:
        async with Client(self.alice) as alice:
            await self.opened(alice)
            lease = await Lease.objects.acreate(process="dead", until=timezone.now() + timedelta(seconds=10))
            await Presence.objects.acreate(lease=lease, user=self.bob)
            await self.turn()
            await self.sees(alice, self.alice, self.bob)
            await Lease.objects.filter(process="dead").aupdate(until=timezone.now())
            await self.turn()
            await self.sees(alice, self.alice)

    async def test_a_process_whose_lease_was_cleared_away_takes_a_new_one(self) -> None:
        async with Client(self.alice) as alice:
            await self.opened(alice)
            await Lease.objects.all().adelete()
            await self.turn()
            assert await Presence.objects.filter(user=self.alice).aexists()

    async def test_the_last_to_leave_takes_the_lease_along(self) -> None:
        async with Client(self.alice) as alice:
            await self.opened(alice)
        tracker = presence.tracker(relay.current())
        assert await Lease.objects.aexists()
        await self.turn(presence.LEAVE + 1)
        assert not await Lease.objects.aexists()
        tracker.refresh_soon()
        assert tracker._task is not None
        await asyncio.wait_for(tracker._task, 10)

    async def test_who_has_the_chat_open_is_not_notified_of_messages(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob):
            await alice.send("room.open", room=self.room.pk)
            await self.turn()
            await self.sees(alice, self.alice, self.bob)
            await alice.say(self.room, "you are here")
            assert (await sync_to_async(reading.summary)(self.bob)).unread == 0


class LargeRoomTest(TransactionTestCase):
    def setUp(self) -> None:
        self.people = make_users(members.LARGE + 1)
        self.room = services.create_room("Everybody", by=self.people[0], members=self.people)

    async def test_it_tells_counts_and_neither_names_nor_typing_nor_receipts(self) -> None:
        async with Client(self.people[0]) as one, Client(self.people[1]) as other:
            ack = await one.send("room.open", room=self.room.pk)
            assert (ack["info"]["members"], ack["info"]["online"]) == (None, None)
            assert ack["info"]["member_count"] == members.LARGE + 1
            assert (await one.next("presence"))["online"] is None
            await other.send("typing", room=self.room.pk)
            await other.say(self.room, "hello @user0")
            await one.hears("hello @user0")
            await other.send("receipt", room=self.room.pk, up_to=1)
            await one.send("ping")
            assert not [frame for frame in one.frames if frame["type"] in ("typing", "receipt")]

    def test_only_mentions_notify(self) -> None:
        services.post_message(self.room, "@user0 and nobody else", by=self.people[1])
        assert list(Notification.objects.values_list("recipient__username", flat=True)) == ["user0"]

    def test_it_becomes_small_again_when_somebody_leaves(self) -> None:
        services.remove_member(self.room, self.people[-1])
        self.room.refresh_from_db()
        assert self.room.size == Membership.objects.filter(room=self.room).count() == members.LARGE
        assert not members.is_large(self.room)
