"""The chat over a socket: what each command answers, and what the others hear."""

from __future__ import annotations

from django.test import TransactionTestCase

from notifications import services
from tests.chatting import Client
from tests.factories import make_user


class TwoPeopleTest(TransactionTestCase):
    def setUp(self) -> None:
        self.alice = make_user("alice")
        self.bob = make_user("bob")
        self.room = services.open_direct_room(self.alice, self.bob)

    async def test_they_hear_each_other(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob) as bob:
            for client in (alice, bob):
                assert (await client.send("room.open", room=self.room.pk))["type"] == "ack"
                assert (await client.next("reset"))["messages"] == []
            ack = await alice.say(self.room, "Hello")
            assert (ack["type"], ack["number"]) == ("ack", 1)
            for client in (alice, bob):
                (message,) = await client.hears("Hello")
                assert message["author"]["name"] == "alice"
            await bob.say(self.room, "Hi")
            await alice.hears("Hi")
