"""A client learns of every room that it is let into or put out of, also when the frame that says so was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from django.test import TransactionTestCase
from django.utils import timezone

from notifications import services
from notifications.chat import members, presence, roster
from notifications.chat.roster import ROUND
from notifications.live import relay
from notifications.models import Membership, Room
from tests.chatting import Client
from tests.factories import make_user, make_users

LONG_AGO = timezone.now() - timedelta(days=1)


class RosterTests(TransactionTestCase):
    """Turns are taken by the tests, as in those of presence. Without its verb a membership comes without a frame."""

    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.room = services.create_room("Project", by=self.alice)
        for name in ("LOOK", "SETTLE"):
            patch = mock.patch.object(presence, name, 3_600.0)
            patch.start()
            self.addCleanup(patch.stop)

    async def turn(self, seconds: float = 0.0) -> None:
        """Take a turn as if it were so many seconds later."""
        tracker = presence.tracker(relay.current())
        await tracker.turn(relay.current().loop.time() + seconds)

    async def frames(self, client: Client) -> list[tuple[str, int]]:
        """Return the `room` frames that have come."""
        assert (await client.send("ping"))["type"] == "ack"
        found = [(frame["event"], frame["room"]) for frame in client.frames if frame["type"] == "room"]
        client.frames.clear()
        return found

    def join(self, since: Any = LONG_AGO, room: Room | None = None) -> None:
        Membership.objects.create(room=room or self.room, user=self.bob, joined_at=since)

    async def test_a_lost_frame_comes_with_the_next_comparison_and_once(self) -> None:
        async with Client(self.bob) as bob:
            await self.turn()
            await sync_to_async(self.join)()
            assert await self.frames(bob) == []
            await self.turn()
            assert await self.frames(bob) == [("added", self.room.pk)]
            await self.turn()
            assert await self.frames(bob) == []

    async def test_one_that_came_is_not_sent_again(self) -> None:
        async with Client(self.bob) as bob:
            await self.turn()
            await services.aadd_member(self.room, self.bob)
            await bob.next("room")
            await self.turn()
            assert await self.frames(bob) == []

    async def test_who_was_put_out_learns_it(self) -> None:
        await sync_to_async(self.join)()
        async with Client(self.bob) as bob:
            await self.turn()
            await Membership.objects.filter(user=self.bob).adelete()
            await self.turn()
            assert await self.frames(bob) == [("removed", self.room.pk)]

    async def test_who_is_put_out_while_a_room_is_read_for_them_is_not_told_of_it(self) -> None:
        def read_late(*arguments: Any) -> Any:
            found = members.room_infos(*arguments)
            Membership.objects.filter(user=self.bob).delete()
            return found

        async with Client(self.bob) as bob:
            await self.turn()
            await sync_to_async(self.join)()
            with mock.patch.object(roster, "room_infos", read_late):
                await self.turn()
            assert await self.frames(bob) == []
            await sync_to_async(self.join)()
            await self.turn()
            assert await self.frames(bob) == [("added", self.room.pk)]

    async def test_what_came_while_the_client_was_slow_comes_when_it_is_not(self) -> None:
        async with Client(self.bob) as bob:
            await self.turn()
            [connection] = [one for one in relay.current().hub.connections if one.owner == str(self.bob.pk)]
            connection.blocked = True
            await services.aadd_member(self.room, self.bob)
            await self.turn()
            connection.blocked = False
            assert await self.frames(bob) == []
            await self.turn()
            assert await self.frames(bob) == [("added", self.room.pk)]

    async def test_what_came_just_before_the_first_comparison_is_told(self) -> None:
        old = await sync_to_async(services.create_room)("Old", by=self.alice)
        await sync_to_async(self.join)(room=old)
        async with Client(self.bob) as bob:
            await sync_to_async(self.join)(timezone.now())
            await self.turn()
            assert await self.frames(bob) == [("added", self.room.pk)]

    async def test_a_part_of_many_is_compared_in_each_turn_and_all_in_a_round(self) -> None:
        users = await sync_to_async(make_users)(3)
        async with Client(users[0]) as one, Client(users[1]) as two, Client(users[2]) as three:
            await self.turn()
            for user in users:
                await Membership.objects.acreate(room=self.room, user=user, joined_at=LONG_AGO)
            for number in range(1, 4):
                await self.turn(number * 0.3 * ROUND)
                found = [bool(await self.frames(client)) for client in (one, two, three)]
                assert sum(found) == 1, number
