"""Clients that do not speak the protocol: a clear answer each, the documented close code, and nobody else harmed."""

from __future__ import annotations

import json
import random
import string
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest import mock

import msgspec
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.test import SimpleTestCase, TransactionTestCase, override_settings

from notifications import services
from notifications.chat import budget, commands, socket
from notifications.chat.commands import BadCommand, NoCommand, parse
from notifications.live import relay
from notifications.live.rate_limit import Bucket
from tests.chatting import Client, Closed
from tests.factories import make_user

DEEP = 100_000
LETTERS = string.printable + "é\u202e\u0000👍\ufffe"


class BucketTests(SimpleTestCase):
    def test_so_many_at_once_and_then_so_many_per_second(self) -> None:
        bucket = Bucket(rate=2, burst=3, now=0)
        assert [bucket.take(0) for _ in range(4)] == [0, 0, 0, 0.5]
        assert bucket.take(0.5) == 0
        assert bucket.take(0.5) == 0.5

    def test_a_rest_fills_it_no_further_than_its_size(self) -> None:
        bucket = Bucket(rate=2, burst=3, now=0)
        assert [bucket.take(1_000) for _ in range(4)] == [0, 0, 0, 0.5]

    def test_it_counts_refusals_in_a_row(self) -> None:
        bucket = Bucket(rate=1, burst=1, now=0)
        for _ in range(3):
            bucket.take(0)
        assert bucket.refused == 2
        bucket.take(5)
        assert bucket.refused == 0


class CommandTests(SimpleTestCase):
    def test_every_command_is_known_by_its_type(self) -> None:
        assert parse('{"type":"typing","ref":"a","room":7}') == commands.Typing(ref="a", room=7, on=True)
        assert parse('{"type":"ping","ref":1,"of":"another version"}') == commands.Ping(ref=1)

    def test_what_is_no_json_object_is_no_command(self) -> None:
        for text in ("", "null", "[]", "7", '"ping"', "{", '{"type":"ping","ref":1}}', "\x00", "[" * DEEP, "é"):
            with self.subTest(text=text[:20]), self.assertRaises(NoCommand):
                parse(text)

    def test_a_wrong_field_is_named(self) -> None:
        send = {"type": "message.send", "ref": 1, "room": 7, "id": "6f1c2b1e-37a9-4a7c-9d5c-0d9a3c7f5a11", "body": "x"}
        for change, field in (
            ({"room": "seven"}, "room"),
            ({"room": 0}, "room"),
            ({"room": 2**63}, "room"),
            ({"room": 1.5}, "room"),
            ({"id": "one"}, "id"),
            ({"body": ""}, "body"),
            ({"body": "x" * 4_001}, "body"),
            ({"body": None}, "body"),
            ({"body": {"deep": [[[]]]}}, "body"),
            ({"reply_to": -1}, "reply_to"),
        ):
            with self.subTest(change=str(change)[:60]), self.assertRaises(BadCommand) as caught:
                parse(json.dumps(send | change))
            assert (caught.exception.code, caught.exception.ref, caught.exception.field) == ("invalid", 1, field)
        del send["body"]
        with self.assertRaises(BadCommand) as caught:
            parse(json.dumps(send))
        assert caught.exception.field == "body"

    def test_half_a_surrogate_pair_costs_the_command_and_not_the_socket(self) -> None:
        with self.assertRaises(BadCommand) as caught:
            parse('{"type":"message.edit","ref":1,"room":7,"number":1,"body":"\\ud83d"}')
        assert (caught.exception.code, caught.exception.ref) == ("invalid", 1)

    def test_a_command_without_a_ref_or_with_an_unknown_type_says_so(self) -> None:
        for text, code, ref in (
            ('{"type":"ping"}', "invalid", None),
            ('{"type":"ping","ref":[]}', "invalid", None),
            (json.dumps({"type": "ping", "ref": "x" * 65}), "invalid", None),
            ('{"type":"ping","ref":"\\ud83d"}', "invalid", None),
            ('{"type":"room.destroy","ref":1}', "unknown-type", 1),
            ('{"type":["ping"],"ref":1}', "unknown-type", 1),
            ('{"ref":1}', "unknown-type", 1),
        ):
            with self.subTest(text=text[:40]), self.assertRaises(BadCommand) as caught:
                parse(text)
            assert (caught.exception.code, caught.exception.ref) == (code, ref)


class FaultTests(TransactionTestCase):
    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.room = services.open_direct_room(self.alice, self.bob)

    async def refused(self, client: Client) -> tuple[str, int]:
        """Return the error and the close code of a socket that is accepted only to be told why it is not served."""
        connected, _subprotocol = await client.socket.connect(10)
        assert connected
        code = await client.closed()
        return client.frames[0]["code"], code

    async def test_a_client_of_another_version_is_told(self) -> None:
        for offered in (["carillon.v9"], ["chat"], []):
            with self.subTest(offered=offered):
                assert await self.refused(Client(self.alice, subprotocols=offered)) == ("version", 4406)

    async def test_who_is_not_signed_in_is_told(self) -> None:
        for nobody in (AnonymousUser(), None):
            assert await self.refused(Client(nobody)) == ("signed-out", 4401)

    @override_settings(NOTIFICATIONS_MAX_STREAMS_PER_USER=1)
    async def test_who_has_too_many_sockets_is_told_when_to_come_back(self) -> None:
        async with Client(self.alice):
            second = Client(self.alice)
            assert await self.refused(second) == ("too-many", 4429)
            assert second.frames[0]["retry"] == 5_000

    async def test_a_full_process_is_busy(self) -> None:
        with override_settings(NOTIFICATIONS_MAX_STREAMS=0):
            assert await self.refused(Client(self.alice)) == ("busy", 4503)

    async def test_what_breaks_the_protocol_closes_only_its_own_socket(self) -> None:
        async with Client(self.bob) as bob:
            await bob.send("room.open", room=self.room.pk)
            for sent, error, code in (
                ({"text_data": "{"}, "bad-json", 4400),
                ({"text_data": "[1]"}, "bad-json", 4400),
                ({"text_data": "[" * 60_000}, "bad-json", 4400),
                ({"bytes_data": b"{}"}, "binary", 4415),
                ({"text_data": " " * 65_537}, "too-large", 4413),
            ):
                with self.subTest(error=error):
                    alice = Client(self.alice)
                    await alice.connect()
                    await alice.socket.send_to(**sent)
                    assert await alice.closed() == code
                    assert alice.frames[-1]["code"] == error
            await bob.say(self.room, "still here")
            await bob.hears("still here")

    async def test_what_is_only_wrong_is_answered_and_the_socket_stays(self) -> None:
        async with Client(self.alice) as alice:
            assert (await alice.send("room.destroy"))["code"] == "unknown-type"
            assert (await alice.send("room.open", room="7"))["field"] == "room"
            await alice.socket.send_to(text_data='{"type":"ping"}')
            error = await alice.next("error")
            assert (error["code"], error["ref"]) == ("invalid", None)
            assert (await alice.send("ping"))["type"] == "ack"

    async def test_a_database_that_fails_is_busy_and_the_command_may_be_repeated(self) -> None:
        async with Client(self.alice) as alice:
            for raised, code in ((OperationalError("gone"), "busy"), (RuntimeError("bug"), "failed")):
                failing = mock.patch("notifications.chat.handlers.execute", side_effect=raised)
                with failing, self.assertLogs("notifications", "WARNING"):
                    nack = await alice.say(self.room, "hello")
                assert (nack["code"], bool(nack["retry"])) == (code, code == "busy")
            assert (await alice.say(self.room, "hello"))["number"] == 1

    async def test_so_many_rooms_are_open_at_once_and_no_more(self) -> None:
        with mock.patch.object(socket, "OPEN_LIMIT", 1):
            async with Client(self.alice) as alice:
                assert (await alice.send("room.open", room=self.room.pk))["type"] == "ack"
                assert (await alice.send("inbox.open"))["code"] == "too-many"

    async def test_who_sends_too_much_is_refused_and_at_last_closed(self) -> None:
        async with Client(self.bob) as bob:
            alice = Client(self.alice)
            await alice.connect()
            for n in range(10_000):
                await alice.socket.send_to(text_data=f'{{"type":"ping","ref":{n}}}')
            assert await alice.closed() == 4429
            answered = [frame["type"] for frame in alice.frames if "ref" in frame]
            assert answered.count("ack") >= budget.BURST
            assert answered.count("nack") >= budget.REFUSALS
            refused = next(frame for frame in alice.frames if frame["type"] == "nack")
            assert (refused["code"], refused["retry"] > 0) == ("too-many", True)
            assert (await bob.send("ping"))["type"] == "ack"

    async def test_a_socket_that_is_old_is_asked_to_come_again(self) -> None:
        async with Client(self.bob):
            alice = Client(self.alice)
            await alice.connect()
            hub = relay.current().hub
            (connection,) = [found for found in hub.connections if found.owner == str(self.alice.pk)]
            hub.close(connection, "max-age")
            assert (await alice.next("bye"))["reason"] == "max-age"
            assert await alice.closed() == 1000
            assert connection not in hub.connections


class Fuzz:
    """Messages that no honest client sends; the same ones for the same seed."""

    def __init__(self, seed: int, room: int) -> None:
        self.random = random.Random(seed)
        self.room = room

    def value(self, depth: int = 0) -> Any:
        make: Callable[[], Any] = self.random.choice(
            [
                lambda: None,
                lambda: self.random.random() < 0.5,
                lambda: self.random.choice([0, 1, -1, self.room, 2**31, 2**53, 2**63, 2**200, 1e308, 0.5]),
                lambda: "".join(
                    self.random.choices(string.printable + "é\u202e\u0000👍\ufffe", k=self.random.randrange(40))
                ),
                lambda: "room-1=5f0c2a91.42",
                lambda: [self.value(depth + 1) for _ in range(self.random.randrange(4))] if depth < 5 else [],
                lambda: {str(n): self.value(depth + 1) for n in range(self.random.randrange(4))} if depth < 5 else {},
            ]
        )
        value: Any = make()
        return value

    def command(self) -> str:
        """Return a command with known names and wild values, now and then right."""
        names = (
            "room",
            "number",
            "body",
            "id",
            "since",
            "limit",
            "on",
            "up_to",
            "before",
            "after",
            "emoji",
            "reply_to",
        )
        fields: dict[str, Any] = {name: self.value() for name in names if self.random.random() < 0.5}
        if self.random.random() < 0.7:
            fields["room"] = self.room
        if self.random.random() < 0.3:
            fields |= {"number": 1, "body": "hi", "emoji": "👍"}
        kind = self.random.choice([*sorted(commands.TYPES), self.value()])
        ref = self.random.choice([1, "r", self.value()])
        return json.dumps({"type": kind, "ref": ref, **fields})

    def message(self) -> dict[str, Any]:
        roll = self.random.random()
        if roll < 0.03:
            return {"bytes_data": self.random.randbytes(self.random.randrange(200))}
        if roll < 0.06:
            return {"text_data": self.random.randbytes(self.random.randrange(1, 200)).decode("latin-1")}
        if roll < 0.08:
            return {"text_data": self.random.choice(["[", '{"a":', '{"type":']) * self.random.randrange(1, 9_000)}
        if roll < 0.12:
            text = self.command()
            return {"text_data": text[: self.random.randrange(1, len(text))]}
        return {"text_data": self.command()}


class FuzzTests(TransactionTestCase):
    async def test_wild_messages_raise_nothing_and_harm_nobody(self) -> None:
        alice, bob = [await sync_to_async(make_user)(name) for name in ("alice", "bob")]
        room = await services.aopen_direct_room(alice, bob)
        fuzz = Fuzz(seed=2026, room=room.pk)
        with self.assertNoLogs("notifications", "WARNING"), self.assertNoLogs("django", "ERROR"):
            async with Client(bob) as honest:
                await honest.send("room.open", room=room.pk)
                codes = {await self.rage(Client(alice), fuzz) for _ in range(100)}
                assert codes <= {None, 4400, 4413, 4415}
                assert (await honest.say(room, "still here"))["type"] == "ack"
            assert not relay.current().hub.connections

    async def rage(self, wild: Client, fuzz: Fuzz) -> int | None:
        """Send wild messages until the server closes the socket; return the code."""
        await wild.connect()
        try:
            for _ in range(25):
                await wild.socket.send_to(**fuzz.message())
                await self.answer(wild)
        except Closed as closed:
            return closed.code
        await wild.socket.disconnect()
        return None

    async def answer(self, client: Client) -> None:
        """Wait for the one answer to what was sent last."""
        while not any(frame["type"] in ("ack", "nack", "error") for frame in client.frames):
            await client.receive()
        client.frames.clear()

    def test_parsing_wild_text_raises_only_what_it_says_and_keeps_nothing(self) -> None:
        fuzz = Fuzz(seed=7, room=1)
        tracemalloc.start()
        try:
            for round_number in range(2):
                for _ in range(3_000):
                    text = fuzz.message().get("text_data")
                    if text is None:
                        continue
                    with suppress(NoCommand, BadCommand):
                        assert isinstance(parse(text), msgspec.Struct)
                if not round_number:
                    before = tracemalloc.get_traced_memory()[0]
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown < 100_000
