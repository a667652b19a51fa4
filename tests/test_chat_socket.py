"""The chat over a socket: what each command answers, what the others hear, and that strangers learn nothing."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.test import TransactionTestCase

from notifications import services
from notifications.chat.socket import ChatSocket
from notifications.chat.stream import ROOM
from notifications.live import relay, sessions
from notifications.live.identity import Identity, digest
from notifications.models import Notification
from notifications.services import post_message
from tests.chatting import Client
from tests.factories import make_session, make_user


async def serve(socket: ChatSocket, commands: asyncio.Queue[dict[str, Any]]) -> None:
    """Serve a socket whose client gives `commands`."""
    await socket.serve(commands.get)


class ChatTest(TransactionTestCase):
    def setUp(self) -> None:
        self.alice, self.bob, self.mallory = make_user("alice"), make_user("bob"), make_user("mallory")
        self.room = services.create_room("Project", by=self.alice, members=[self.bob])

    async def opened(self, client: Client, **fields: Any) -> dict[str, Any]:
        """Open the room and return the frame that it begins with."""
        ack = await client.send("room.open", room=self.room.pk, **fields)
        assert ack["type"] == "ack", ack
        return await client.next("reset")


class ConversationTests(ChatTest):
    async def test_they_hear_each_other(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob) as bob:
            for client in (alice, bob):
                assert (await self.opened(client))["messages"] == []
            ack = await alice.say(self.room, "Hello")
            assert (ack["type"], ack["number"]) == ("ack", 1)
            for client in (alice, bob):
                (message,) = await client.hears("Hello")
                assert message["author"] == {"id": self.alice.pk, "name": "alice"}
            await bob.say(self.room, "Hi", reply_to=1)
            assert (await alice.hears("Hi"))[0]["reply_to"] == 1

    async def test_the_headers_of_the_handshake_are_not_kept_with_the_socket(self) -> None:
        client = Client(self.alice)
        headers = client.socket.scope["headers"] = [(b"user-agent", b"Mozilla/5.0")]
        async with client:
            assert headers == []

    async def test_without_the_wrapper_the_consumer_serves_by_itself(self) -> None:
        async with Client(self.alice, carried=False) as alice, Client(self.bob) as bob:
            await self.opened(bob)
            await alice.say(self.room, "Hello")
            await bob.hears("Hello")

    async def test_a_repeated_send_is_answered_like_the_first_and_heard_once(self) -> None:
        async with Client(self.alice) as alice:
            await self.opened(alice)
            name = str(uuid.uuid4())
            acks = [await alice.send("message.send", room=self.room.pk, id=name, body="once") for _ in range(3)]
            assert {ack["number"] for ack in acks} == {1}
            await alice.say(self.room, "next")
            await alice.hears("once", "next")

    async def test_edits_and_deletions_are_heard_as_whole_messages_and_reactions_alone(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob) as bob:
            await self.opened(bob)
            await alice.say(self.room, "helo")
            await alice.send("message.edit", room=self.room.pk, number=1, body="hello")
            await bob.hears("helo", "hello")
            assert (await alice.send("reaction.toggle", room=self.room.pk, number=1, emoji="👍"))["on"] is True
            told = await bob.next("message")
            thumb = {"emoji": "👍", "count": 1, "users": [self.alice.pk]}
            assert (told["messages"], told["reactions"]) == ([], [{"number": 1, "version": 3, "reactions": [thumb]}])
            await alice.send("message.edit", room=self.room.pk, number=1, body="hello again")
            (message,) = await bob.hears("hello again")
            assert message["reactions"] == [thumb]
            await alice.send("message.delete", room=self.room.pk, number=1)
            (message,) = await bob.hears("")
            assert (message["number"], message["deleted"], message["reactions"]) == (1, "author", [])

    async def test_typing_and_receipts_reach_the_others_and_are_not_repeated(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob) as bob:
            await self.opened(bob)
            await alice.send("typing", room=self.room.pk)
            assert (await bob.next("typing"))["expires"] == 6
            await alice.send("typing", room=self.room.pk, on=False)
            assert (await bob.next("typing"))["expires"] == 0
            await alice.say(self.room, "read me")
            await bob.hears("read me")
            receipt = await bob.send("receipt", room=self.room.pk, up_to=1)
            assert (receipt["up_to"], receipt["unread"]) == (1, 0)
            told = await bob.next("receipt")
            assert told["read"] == [{"user": self.bob.pk, "up_to": 1}]

    async def test_the_history_goes_both_ways(self) -> None:
        for n in range(1, 8):
            await sync_to_async(post_message)(self.room, f"m{n}", by=self.alice)
        async with Client(self.bob) as bob:
            reset = await self.opened(bob, limit=2)
            assert [message["number"] for message in reset["messages"]] == [6, 7]
            older = await bob.send("history", room=self.room.pk, before=reset["before"], limit=3)
            assert [message["number"] for message in older["messages"]] == [3, 4, 5]
            newer = await bob.send("history", room=self.room.pk, after=5, limit=1)
            assert (newer["messages"][0]["number"], newer["after"]) == (6, 6)

    async def test_a_room_that_is_closed_is_silent_and_still_takes_commands(self) -> None:
        async with Client(self.bob) as bob:
            await self.opened(bob)
            await bob.send("room.close", room=self.room.pk)
            assert (await bob.say(self.room, "unheard"))["type"] == "ack"
            assert await bob.silent()

    async def test_the_inbox_comes_over_the_same_socket(self) -> None:
        async with Client(self.bob) as bob:
            assert (await bob.send("inbox.open", since=None))["type"] == "ack"
            assert (await bob.next("reset"))["items"] == []
            await services.anotify(self.bob, "Ready")
            changes = await bob.next("changes")
            assert changes["items"][0]["title"] == "Ready"
            await bob.send("inbox.close")
            await services.anotify(self.bob, "Unheard")
            assert await bob.silent()

    async def test_the_inbox_does_not_come_to_a_page_that_was_made_for_somebody_else(self) -> None:
        async with Client(self.bob) as bob:
            assert (await bob.send("inbox.open", user=sessions.user_key(self.bob.pk)))["type"] == "ack"
            await bob.next("reset")
            assert (await bob.send("inbox.close"))["type"] == "ack"
            nack = await bob.send("inbox.open", user=sessions.user_key(self.alice.pk))
            assert (nack["type"], nack["code"], nack["retry"]) == ("nack", "other-user", None)
            await services.anotify(self.bob, "Unheard")
            assert await bob.silent()

    async def test_mentions_ring_the_bell_of_who_is_elsewhere_on_the_site(self) -> None:
        async with Client(self.alice) as alice:
            await alice.say(self.room, "@bob look")
        found = Notification.objects.of(self.bob).values_list("notice__title", flat=True)
        assert [title async for title in found] == ["alice mentioned you in Project"]


class ReactionTests(ChatTest):
    async def test_a_reader_from_before_the_text_gets_it_and_one_who_has_it_the_reactions_alone(self) -> None:
        async with Client(self.bob) as bob:
            start = (await self.opened(bob))["cursor"]
            await services.apost_message(self.room, "text", by=self.alice)
            (message,) = await bob.hears("text")
            posted = f"room-{self.room.pk}={self.room.epoch}.{message['version']}"
        await services.atoggle_reaction(self.room, 1, "👍", by=self.alice)
        async with Client(self.bob) as bob:
            await bob.send("room.open", room=self.room.pk, since=start)
            whole = await bob.next("message")
            assert [said["body"] for said in whole["messages"]] == ["text"]
            assert "reactions" not in whole
            await bob.send("room.close", room=self.room.pk)
            await bob.send("room.open", room=self.room.pk, since=posted)
            alone = await bob.next("message")
            assert (alone["messages"], alone["from"], alone["to"]) == ([], posted, whole["to"])
            assert alone["reactions"] == [
                {key: whole["messages"][0][key] for key in ("number", "version", "reactions")}
            ]

    async def test_an_edit_and_a_reaction_that_get_one_position_are_told_whole(self) -> None:
        await services.apost_message(self.room, "text", by=self.alice)

        def both() -> None:
            with transaction.atomic():
                services.edit_message(self.room, 1, "edited", by=self.alice)
                services.toggle_reaction(self.room, 1, "👍", by=self.alice)

        async with Client(self.bob) as bob:
            await self.opened(bob)
            await sync_to_async(both)()
            (message,) = await bob.hears("edited")
            assert [one["emoji"] for one in message["reactions"]] == ["👍"]

    async def test_who_toggles_a_reaction_under_a_long_text_is_heard_little_and_seldom(self) -> None:
        await services.apost_message(self.room, "x" * 4_000, by=self.alice)
        async with Client(self.alice) as alice, Client(self.bob) as bob:
            await self.opened(bob)
            bob.frames.clear()
            hub = relay.current().hub
            (connection,) = [found for found in hub.connections if found.owner == str(self.bob.pk)]
            before = connection.written
            for _ in range(41):
                assert (await alice.send("reaction.toggle", room=self.room.pk, number=1, emoji="👍"))["type"] == "ack"
            await alice.say(self.room, "done")
            told = 0
            while not any(said["body"] == "done" for said in (await bob.next("message"))["messages"]):
                told += 1
            assert connection.written - before < 41 * 300
            assert told < 41
            history = await bob.send("history", room=self.room.pk, limit=2)
            assert [one["emoji"] for one in history["messages"][0]["reactions"]] == ["👍"]


class ResumeTests(ChatTest):
    async def test_a_reader_continues_from_its_cursor_without_a_gap(self) -> None:
        async with Client(self.bob) as bob:
            cursor = (await self.opened(bob))["cursor"]
        for text in "ab":
            await sync_to_async(post_message)(self.room, text, by=self.alice)
        async with Client(self.bob) as bob:
            await bob.send("room.open", room=self.room.pk, since=cursor)
            await bob.hears("a", "b")
            await sync_to_async(post_message)(self.room, "c", by=self.alice)
            await bob.hears("c")

    async def test_a_gap_of_more_than_200_is_limited_and_points_to_the_page_before(self) -> None:
        async with Client(self.bob) as bob:
            cursor = (await self.opened(bob))["cursor"]
        await sync_to_async(self.post_many)(201)
        async with Client(self.bob) as bob:
            await bob.send("room.open", room=self.room.pk, since=cursor)
            reset = await bob.next("reset")
            assert (reset["reason"], reset["limited"], reset["before"]) == ("too-many", True, 152)
            page = await bob.send("history", room=self.room.pk, before=reset["before"], limit=100)
            assert [message["number"] for message in page["messages"]] == list(range(52, 152))

    def post_many(self, count: int) -> None:
        for n in range(count):
            post_message(self.room, f"m{n}", by=self.alice)

    async def test_a_cursor_of_another_life_or_ahead_begins_afresh(self) -> None:
        async with Client(self.bob) as bob:
            for since, reason in (
                (f"room-{self.room.pk}=00000000.0", "epoch"),
                (f"room-{self.room.pk}={self.room.epoch}.9", "ahead"),
                ("inbox=00000000.1", "start"),
                ("", "start"),
            ):
                assert (await self.opened(bob, since=since))["reason"] == reason

    async def test_a_cursor_that_is_none_is_refused_by_field(self) -> None:
        async with Client(self.bob) as bob:
            nack = await bob.send("room.open", room=self.room.pk, since="yesterday")
            assert (nack["type"], nack["code"], nack["field"]) == ("nack", "invalid", "since")


COMMANDS: dict[str, dict[str, Any]] = {
    "room.open": {},
    "room.mute": {"on": True},
    "message.send": {"id": "6f1c2b1e-37a9-4a7c-9d5c-0d9a3c7f5a11", "body": "hi"},
    "message.edit": {"number": 1, "body": "hi"},
    "message.delete": {"number": 1},
    "reaction.toggle": {"number": 1, "emoji": "👍"},
    "typing": {},
    "receipt": {"up_to": 1},
    "history": {},
}


class PermissionTests(ChatTest):
    async def test_a_stranger_cannot_tell_a_room_from_none(self) -> None:
        await sync_to_async(post_message)(self.room, "secret", by=self.alice)
        async with Client(self.mallory) as mallory:
            for command, fields in COMMANDS.items():
                with self.subTest(command=command):
                    real = await mallory.send(command, room=self.room.pk, **fields)
                    none = await mallory.send(command, room=987_654_321, **fields)
                    assert real["type"] == "nack"
                    assert {**real, "ref": 0} == {**none, "ref": 0}
                    assert real["code"] == "not-found"
            assert await mallory.silent()

    async def test_who_is_removed_hears_nothing_from_then_on(self) -> None:
        async with Client(self.alice) as alice, Client(self.bob) as bob:
            await self.opened(alice)
            cursor = (await self.opened(bob))["cursor"]
            await services.aremove_member(self.room, self.bob, by=self.alice)
            told = await bob.next("room")
            assert (told["event"], told["info"]) == ("removed", None)
            await alice.say(self.room, "now we can talk")
            left, *_rest = (await alice.next("message"))["messages"]
            assert (left["kind"], left["subject"]["name"]) == ("left", "bob")
            changed = await alice.next("room")
            assert [member["handle"] for member in changed["info"]["members"]] == ["alice"]
            await alice.hears("now we can talk")
            assert (await bob.send("room.open", room=self.room.pk, since=cursor))["code"] == "not-found"
            assert await bob.silent()

    async def test_who_is_removed_while_every_hint_is_lost_hears_nothing_either(self) -> None:
        async with Client(self.bob) as bob:
            await self.opened(bob)
            hub = relay.current().hub
            key = ROOM.key(self.room.pk)
            hear, hub.on_hint = hub.on_hint, lambda *_hint: None  # type: ignore[method-assign]
            await services.aremove_member(self.room, self.bob)
            await services.apost_message(self.room, "secret", by=self.alice)
            hub.on_hint = hear  # type: ignore[method-assign]
            hub.on_hint(key, 2)
            assert (await bob.next("room"))["event"] == "removed"
            assert await bob.silent()

    async def test_who_is_removed_while_a_room_that_they_asked_for_is_written_hears_nothing_after_it(self) -> None:
        told: asyncio.Queue[str] = asyncio.Queue()
        commands: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        written, room = asyncio.Event(), asyncio.Event()

        async def send(message: dict[str, Any]) -> None:
            if '"info"' in message.get("text", ""):  # the answer that they do not read, until all is over
                written.set()
                await room.wait()
            told.put_nowait(message.get("text", "closed"))

        def command(kind: str, **fields: Any) -> None:
            commands.put_nowait({"type": "websocket.receive", "text": json.dumps({"type": kind, "ref": 1, **fields})})

        async def until(text: str) -> None:
            async with asyncio.timeout(10):
                while text not in (heard := await told.get()):
                    assert "secret" not in heard

        async with Client(self.alice) as alice:
            await self.opened(alice)
            socket = ChatSocket(send, self.bob.pk, Identity(str(self.bob.pk)))
            serving = asyncio.create_task(serve(socket, commands))
            command("room.open", room=self.room.pk)
            await written.wait()
            await services.aremove_member(self.room, self.bob, by=self.alice)
            await alice.say(self.room, "secret")
            assert (await alice.next("message"))["messages"][0]["kind"] == "left"
            await alice.hears("secret")
            room.set()
            await until('"removed"')
            await alice.say(self.room, "secret too")
            await alice.hears("secret too")
            command("ping")
            await until('"ref":1}')
            commands.put_nowait({"type": "websocket.disconnect"})
            await serving

    async def test_who_is_added_is_told_and_can_read_what_was_said_before(self) -> None:
        await sync_to_async(post_message)(self.room, "old news", by=self.alice)
        async with Client(self.mallory) as mallory:
            await services.aadd_member(self.room, self.mallory, by=self.alice)
            added = await mallory.next("room")
            assert (added["event"], added["info"]["name"]) == ("added", "Project")
            reset = await self.opened(mallory)
            assert [message["kind"] for message in reset["messages"]] == ["text", "joined"]

    async def test_sign_out_ends_the_sockets_of_that_session_alone(self) -> None:
        session = await sync_to_async(make_session)(self.bob)
        async with Client(self.bob) as other:
            bob = Client(self.bob, session=session)
            await bob.connect()
            relay.revoke("signed-out", owner=str(self.bob.pk), session=session.session_key)
            bye = await bob.next("bye")
            assert (bye["reason"], bye["retry"]) == ("signed-out", None)
            assert await bob.closed() == 4401
            assert (await other.send("ping"))["type"] == "ack"

    async def test_a_session_that_ended_during_the_handshake_is_not_served(self) -> None:
        session = await sync_to_async(make_session)(self.bob)
        relay.current().revoke("signed-out", str(self.bob.pk), digest(session.session_key))
        bob = Client(self.bob, session=session)
        connected, _subprotocol = await bob.socket.connect(10)
        assert connected
        assert await bob.closed() == 4401

    async def test_a_member_may_not_edit_what_another_said(self) -> None:
        await sync_to_async(post_message)(self.room, "mine", by=self.alice)
        async with Client(self.bob) as bob:
            nack = await bob.send("message.edit", room=self.room.pk, number=1, body="yours")
            assert nack["code"] == "forbidden"
            assert (await bob.send("message.delete", room=self.room.pk, number=1))["code"] == "forbidden"
            assert (await bob.send("message.edit", room=self.room.pk, number=9, body="x"))["code"] == "not-found"
            assert (await bob.say(self.room, "x", reply_to=9))["field"] == "reply_to"
