"""Who is here: a lease for each process, several tabs, reloads, and processes that die."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from django.utils import timezone

from notifications import inbox, members, presence, relay, services
from notifications.models import Lease, Membership, Notification, Presence
from tests.chatting import Client, SocketTestCase
from tests.factories import make_user, make_users


class PresenceTest(SocketTestCase):
    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.room = services.open_direct_room(self.alice, self.bob)
        for name, seconds in (("LOOK", 0.05), ("SETTLE", 0.0), ("LEAVE", 0.2)):
            patch = mock.patch.object(presence, name, seconds)
            patch.start()
            self.addCleanup(patch.stop)

    async def sees(self, client: Client, *users: Any) -> None:
        """Wait until the room is told that exactly `users` are here."""
        wanted = sorted(user.pk for user in users)
        await client.next("presence", lambda frame: sorted(frame["online"]) == wanted)

    async def test_coming_and_leaving_are_told_once_for_all_tabs(self) -> None:
        async with Client(self.alice) as alice:
            await alice.send("room.open", room=self.room.pk)
            async with Client(self.bob):
                await self.sees(alice, self.alice, self.bob)
                async with Client(self.bob):
                    await alice.send("ping")
                assert (await alice.send("ping"))["type"] == "ack"
                assert not [frame for frame in alice.frames if frame["type"] == "presence"]
            await self.sees(alice, self.alice)

    async def test_a_reload_does_not_flicker(self) -> None:
        board = relay.current().presence
        with mock.patch.object(presence, "LEAVE", 60.0):
            async with Client(self.alice) as alice:
                await alice.send("room.open", room=self.room.pk)
                async with Client(self.bob):
                    await self.sees(alice, self.alice, self.bob)
                assert str(self.bob.pk) in board._leaving
                async with Client(self.bob):
                    assert board._leaving == {}
                    await board._turn()
                    await alice.send("ping")
                    assert not [frame for frame in alice.frames if frame["type"] == "presence"]

    async def test_the_users_of_a_dead_process_vanish_together_with_its_lease(self) -> None:
        async with Client(self.alice) as alice:
            await alice.send("room.open", room=self.room.pk)
            soon = timezone.now() + timedelta(seconds=0.4)
            lease = await Lease.objects.acreate(process="dead", until=soon)
            await Presence.objects.acreate(lease=lease, user=self.bob)
            await self.sees(alice, self.alice, self.bob)
            await self.sees(alice, self.alice)

    async def test_a_process_whose_lease_was_cleared_away_takes_a_new_one(self) -> None:
        async with Client(self.alice) as alice:
            await alice.send("room.open", room=self.room.pk)
            await self.sees(alice, self.alice)
            await Lease.objects.all().adelete()
            await relay.current().presence._turn()
            assert await Presence.objects.filter(user=self.alice).aexists()

    async def test_the_last_to_leave_takes_the_lease_along(self) -> None:
        async with Client(self.alice) as alice:
            await alice.send("room.open", room=self.room.pk)
            await self.sees(alice, self.alice)
        watch = relay.current().presence._task
        assert watch is not None
        await asyncio.wait_for(watch, 10)
        assert not await Lease.objects.aexists()

    async def test_who_has_the_chat_open_is_not_notified_of_messages(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob):
            await alice.send("room.open", room=self.room.pk)
            await self.sees(alice, self.alice, self.bob)
            await alice.say(self.room, "you are here")
            assert (await sync_to_async(inbox.summary)(self.bob)).unread == 0


class LargeRoomTest(SocketTestCase):
    def setUp(self) -> None:
        self.people = make_users(members.LARGE + 1)
        self.room = services.create_room("Everybody", self.people[0], self.people)

    async def test_it_tells_counts_and_neither_names_nor_typing_nor_receipts(self) -> None:
        async with Client(self.people[0]) as one, Client(self.people[1]) as other:
            ack = await one.send("room.open", room=self.room.pk)
            assert (ack["info"]["members"], ack["info"]["online"]) == (None, None)
            assert ack["info"]["member_count"] == members.LARGE + 1
            assert (await one.next("presence"))["online"] is None
            await other.send("typing", room=self.room.pk)
            await other.say(self.room, "hello @user0")
            await one.hears("hello @user0")
            await other.send("receipt", room=self.room.pk, upto=1)
            await one.send("ping")
            assert not [frame for frame in one.frames if frame["type"] in ("typing", "receipt")]

    def test_only_mentions_notify(self) -> None:
        services.post_message(self.room, self.people[1], "@user0 and nobody else")
        assert list(Notification.objects.values_list("recipient__username", flat=True)) == ["user0"]

    def test_it_becomes_small_again_when_somebody_leaves(self) -> None:
        services.remove_member(self.room, self.people[-1])
        self.room.refresh_from_db()
        assert self.room.size == Membership.objects.filter(room=self.room).count() == members.LARGE
        assert not members.is_large(self.room)
