"""The hub: from streams to connections, without a database and without HTTP."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterable
from itertools import permutations
from typing import Any

from django.test import SimpleTestCase
from msgspec.structs import replace

from notifications.live.batch import Access, Batch
from notifications.live.cursor import Position
from notifications.live.frames import Frame
from notifications.live.hub import RECENT_BATCHES, RECENT_BYTES, Connection, Hub, Message, Send, Subscription
from notifications.live.identity import Identity

KEY = "inbox-1"


def at(modseq: int, epoch: str = "5f0c2a91") -> Position:
    return Position(epoch, modseq)


def step(start: int, to: int, size: int = 0) -> Batch:
    """Return the batch from one position to another; its frame says so."""
    return Batch(at(start), at(to), (Frame("changes", f"{start}-{to} ".encode() + b"x" * size),))


def snapshot(to: int, epoch: str = "5f0c2a91") -> Batch:
    return Batch(None, at(to, epoch), (Frame("reset", f"={to} ".encode()),))


def spoken(start: int | None, to: int, *languages: str, size: int = 0) -> Batch:
    """Return a batch whose frame says in which language it is."""
    told = {name: (Frame("changes", f"{to}-{name} ".encode() + b"x" * size),) for name in languages}
    return Batch(None if start is None else at(start), at(to), (), translated=told)


class TrackedMessage(dict[str, Any]):
    """A message whose end of life can be seen."""

    __slots__ = ("__weakref__",)


class Lines:
    """A transport that remembers, weakly, what it made."""

    duplex = True

    def __init__(self) -> None:
        self.made: list[weakref.ref[Message]] = []

    def message(self, frames: Iterable[Frame]) -> Message:
        message = TrackedMessage(body=b"".join(frame.data for frame in frames))
        self.made.append(weakref.ref(message))
        return message

    def forget(self, key: Any) -> None:
        """Do nothing."""

    def alive(self) -> int:
        gc.collect()
        return sum(message() is not None for message in self.made)


class Client:
    """A client that takes messages at once or, while `slow`, makes the server wait in `send`."""

    def __init__(self, world: World, owner: str = "1", language: str = "") -> None:
        self.text = b""
        self.sends = 0
        self.slow = False
        self.gone = False
        self.ended = 0
        self._room = asyncio.Event()
        self._taken = asyncio.Event()
        identity = Identity(owner)
        self.connection = Connection(
            f"client of {owner}", self._send, world.lines, self._end, identity, language=language
        )
        world.hub.add(self.connection)

    async def _send(self, message: Message) -> None:
        self.sends += 1
        if self.gone:
            raise ConnectionResetError
        if self.slow:
            await self._room.wait()
            self._room.clear()
        self.text += message["body"]
        self._taken.set()

    def _end(self) -> None:
        self.ended += 1

    async def drain(self) -> None:
        """Take what waits, and be quick from now on."""
        self.slow = False
        await self.take()

    async def take(self) -> None:
        """Take what waits."""
        self._taken.clear()
        self._room.set()
        await self._taken.wait()
        await asyncio.sleep(0)  # the task that finished the send tells the hub

    @property
    def read(self) -> list[str]:
        return self.text.decode().split()


class World:
    """A hub with a database whose reads the test answers by hand, and a clock that it sets."""

    def __init__(self, max_bytes: int = 1_000_000) -> None:
        self.time = 0.0
        self.lines = Lines()
        self.refreshes: list[Any] = []
        self.fills: list[Subscription] = []
        self.delivered: list[tuple[Any, tuple[Any, ...]]] = []
        self.hub = Hub(self.refreshes.append, self.fills.append, lambda: self.time, max_bytes, self._note)

    def _note(self, key: Any, arrived: tuple[Any, ...]) -> None:
        self.delivered.append((key, arrived))

    def client(self, position: int = 0, **options: Any) -> Client:
        client = Client(self, **options)
        self.hub.attach(client.connection, KEY, at(position))
        return client


class LanguageTests(SimpleTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.hub = self.world.hub

    async def test_each_reader_is_told_in_their_language(self) -> None:
        german, arabic = (self.world.client(language=language) for language in ("de", "ar"))
        self.hub.publish(KEY, spoken(0, 1, "de", "ar"))
        self.hub.publish(KEY, step(1, 2))  # the same for all
        self.assertEqual((german.read, arabic.read), (["1-de", "1-2"], ["1-ar", "1-2"]))
        self.assertEqual(self.world.fills, [])

    async def test_a_message_is_made_once_for_all_of_one_language(self) -> None:
        clients = [self.world.client(language=language) for language in ("de", "ar", "de", "de")]
        self.hub.publish(KEY, spoken(0, 1, "de", "ar"))
        self.assertEqual([client.read for client in clients], [["1-de"], ["1-ar"], ["1-de"], ["1-de"]])
        self.assertEqual(len(self.world.lines.made), 2)

    async def test_a_language_that_the_batch_lacks_is_a_gap_which_a_read_of_its_own_fills(self) -> None:
        for start in (0, None):
            with self.subTest(start=start):
                self.setUp()
                german, arabic = (self.world.client(language=language) for language in ("de", "ar"))
                self.hub.publish(KEY, spoken(start, 1, "de"))
                [waiting] = self.world.fills
                self.assertEqual((german.read, arabic.read), (["1-de"], []))
                self.assertEqual((waiting.connection, waiting.position), (arabic.connection, at(0)))
                self.hub.publish(KEY, spoken(1, 2, "de", "ar"))  # meanwhile
                self.hub.continue_with(waiting, spoken(start, 1, "ar"))
                self.assertEqual((german.read, arabic.read), (["1-de", "2-de"], ["1-ar", "2-ar"]))
                self.assertEqual(len(self.world.fills), 1)

    async def test_who_is_slow_gets_what_is_remembered_in_their_language(self) -> None:
        german, arabic = (self.world.client(language=language) for language in ("de", "ar"))
        arabic.slow = german.slow = True
        for position in range(3):
            self.hub.publish(KEY, spoken(position, position + 1, "de", "ar"))
        await arabic.drain()
        await german.drain()
        self.assertEqual(german.read, ["1-de", "2-de", "3-de"])
        self.assertEqual(arabic.read, ["1-ar", "2-ar", "3-ar"])
        self.assertEqual(self.world.fills, [])

    async def test_what_is_remembered_is_bounded_over_all_languages(self) -> None:
        for _ in range(2):
            self.world.client(language="de")
        for position in range(RECENT_BATCHES):
            self.hub.publish(KEY, spoken(position, position + 1, "de", "ar", size=RECENT_BYTES // 4))
        self.assertEqual(len(self.hub.streams[KEY].recent), 1)

    async def test_who_changes_the_language_while_a_gap_is_read_comes_again(self) -> None:
        arabic = self.world.client(language="ar")
        self.hub.publish(KEY, spoken(0, 1, "de"))
        arabic.connection.language = "en"
        self.hub.continue_with(self.world.fills[0], spoken(0, 1, "ar"))
        self.assertEqual((arabic.read, arabic.connection.closed), ([], "slow"))


class DeliveredTests(SimpleTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.hub = self.world.hub
        self.batch = replace(step(0, 1), arrived=(7,))

    def test_it_is_told_once_what_arrived_however_many_got_it(self) -> None:
        self.world.client()
        self.world.client()
        self.hub.publish(KEY, self.batch)
        assert self.world.delivered == [(KEY, (7,))]

    def test_nothing_is_told_where_nothing_arrived_or_nobody_got_it(self) -> None:
        client = self.world.client()
        self.hub.publish(KEY, step(0, 1))
        self.hub.remove(client.connection)
        self.hub.publish(KEY, self.batch)
        assert self.world.delivered == []

    async def test_what_only_a_slow_client_gets_is_told_when_it_does(self) -> None:
        client = self.world.client()
        client.slow = True
        self.hub.publish(KEY, step(0, 1))
        self.hub.publish(KEY, replace(step(1, 2), arrived=(8,)))
        assert self.world.delivered == []
        await client.drain()
        assert client.read == ["0-1", "1-2"]
        assert self.world.delivered == [(KEY, (8,))]

    def test_what_was_read_for_a_late_client_is_told(self) -> None:
        self.world.client(1)
        self.world.client(0)
        self.hub.continue_with(self.world.fills[0], self.batch)
        assert self.world.delivered == [(KEY, (7,))]


class FanOutTests(SimpleTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.hub = self.world.hub

    def test_everybody_at_the_start_of_a_batch_has_it_before_publish_returns(self) -> None:
        clients = [self.world.client() for _ in range(3)]
        self.hub.publish(KEY, step(0, 1))
        assert [client.read for client in clients] == [["0-1"]] * 3

    def test_one_message_is_made_for_all_connections_of_a_transport(self) -> None:
        for _ in range(100):
            self.world.client()
        self.hub.publish(KEY, step(0, 1))
        assert len(self.world.lines.made) == 1

    def test_a_batch_that_is_published_twice_is_ignored(self) -> None:
        client = self.world.client()
        self.hub.publish(KEY, step(0, 1))
        self.hub.publish(KEY, step(0, 1))
        assert client.read == ["0-1"]

    def test_a_batch_for_another_stream_goes_to_nobody(self) -> None:
        client = self.world.client()
        self.hub.publish("inbox-2", step(0, 1))
        assert client.sends == 0

    def test_a_batch_without_frames_moves_nobody(self) -> None:
        client = self.world.client()
        self.hub.publish(KEY, Batch(at(0), at(0), ()))
        assert client.sends == 0

    def test_a_snapshot_that_somebody_new_needed_is_not_for_who_came_with_a_position(self) -> None:
        new = self.world.client()
        new.connection.subscriptions[0].position = Position("", -1)
        self.world.hub.streams[KEY].position = Position("", -1)
        old = self.world.client(6)
        self.hub.publish(KEY, snapshot(7))
        assert (new.read, old.read) == (["=7"], [])
        self.hub.continue_with(self.world.fills.pop(), step(6, 7))
        assert old.read == ["6-7"]

    def test_a_stream_that_does_not_exist_yet_leaves_its_readers_as_they_are(self) -> None:
        self.world.client()
        new = Client(self.world)
        subscription = self.hub.attach(new.connection, KEY, Position("", -1))
        self.hub.continue_with(self.world.fills.pop(), None)
        assert not subscription.reading
        self.hub.publish_ephemeral(KEY, Frame("typing", b"typing "))
        assert new.read == ["typing"]

    def test_two_streams_that_do_not_exist_are_read_once_each(self) -> None:
        other = "inbox-2"
        self.world.client()
        self.hub.attach(Client(self.world).connection, other, at(0))
        client = Client(self.world)
        for key in (KEY, other):
            self.hub.attach(client.connection, key, Position("", -1))
        for _read in range(2):
            (filling,) = self.world.fills
            self.world.fills.clear()
            self.hub.continue_with(filling, None)
        assert self.world.fills == []
        self.hub.publish(other, snapshot(1, "aaaaaaaa"))
        assert client.read == ["=1"]

    async def test_what_a_slow_client_missed_in_many_streams_is_read_once(self) -> None:
        keys = [f"feed-{number}" for number in range(20)]
        client = Client(self.world)
        for key in keys:
            self.hub.attach(client.connection, key, at(0))
        client.slow = True
        for key in keys:
            for number in range(RECENT_BATCHES + 2):
                self.hub.publish(key, step(number, number + 1))
        reads = 0
        while behind := [one for one in client.connection.subscriptions if one.position != at(RECENT_BATCHES + 2)]:
            await client.take()
            while self.world.fills:
                filling = self.world.fills.pop()
                reads += 1
                self.hub.continue_with(filling, step(filling.position.modseq, RECENT_BATCHES + 2))
            assert reads <= len(keys), f"{len(behind)} are behind"
        assert reads <= len(keys)

    async def test_streams_go_on_when_the_one_that_is_read_is_let_go(self) -> None:
        other = "inbox-2"
        for key in (KEY, other):
            self.hub.attach(Client(self.world).connection, key, at(5))
        client = Client(self.world)
        first = self.hub.attach(client.connection, KEY, at(1))
        second = self.hub.attach(client.connection, other, at(1))
        assert [bool(one.reading) for one in (first, second)] == [True, False]
        self.hub.detach(first)
        self.hub.continue_with(first, step(1, 5))
        assert second.reading
        assert client.read == []

    def test_a_snapshot_goes_to_everybody_who_is_where_the_stream_was(self) -> None:
        clients = [self.world.client(), self.world.client()]
        self.hub.publish(KEY, step(0, 1))
        self.hub.publish(KEY, snapshot(7, "aaaaaaaa"))
        assert [client.read for client in clients] == [["0-1", "=7"]] * 2
        self.hub.publish(KEY, Batch(at(7, "aaaaaaaa"), at(8, "aaaaaaaa"), (Frame("changes", b"7-8"),)))
        assert clients[0].read == ["0-1", "=7", "7-8"]

    def test_a_signal_is_told_to_all_who_listen_and_moves_nobody(self) -> None:
        client = self.world.client()
        self.hub.publish_ephemeral(KEY, Frame("typing", b"typing "))
        self.hub.publish_ephemeral("room-9", Frame("typing", b"elsewhere "))
        self.hub.publish(KEY, step(0, 1))
        assert client.read == ["typing", "0-1"]

    def test_whoever_stays_goes_on_hearing_in_whatever_order_the_others_leave(self) -> None:
        for order in permutations(range(4)):
            clients = [self.world.client() for _ in range(4)]
            for number, leaves in enumerate(order, 1):
                self.hub.remove(clients[leaves].connection)
                self.hub.publish(KEY, step(number - 1, number))
            for client in clients:
                left_after = order.index(clients.index(client))
                assert client.read == [f"{n}-{n + 1}" for n in range(left_after)]
            assert self.hub.streams == {}

    def test_a_client_that_is_gone_does_not_disturb_the_others(self) -> None:
        gone, other = self.world.client(), self.world.client()
        gone.gone = True
        self.hub.publish(KEY, step(0, 1))
        self.hub.publish(KEY, step(1, 2))
        assert other.read == ["0-1", "1-2"]
        assert gone.sends == 1


class AccessTests(SimpleTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.hub = self.world.hub
        self.access = Access(frozenset({"1"}), Frame("room", b"farewell "))

    def test_who_has_lost_access_is_told_so_and_nothing_else(self) -> None:
        stays, goes = self.world.client(owner="1"), self.world.client(owner="2")
        self.hub.publish(KEY, replace(step(0, 1), access=self.access))
        self.hub.publish(KEY, step(1, 2))
        assert (stays.read, goes.read) == (["0-1", "1-2"], ["farewell"])
        assert goes.connection.subscriptions == ()

    def test_a_gap_that_was_read_for_somebody_who_left_is_not_given_to_them(self) -> None:
        self.world.client(9, owner="1")
        late = self.world.client(1, owner="2")
        self.hub.continue_with(self.world.fills.pop(), replace(step(1, 9), access=self.access))
        assert late.read == ["farewell"]

    def test_the_last_listener_may_be_sent_away(self) -> None:
        goes = self.world.client(owner="2")
        self.hub.publish(KEY, replace(step(0, 1), access=self.access))
        assert (goes.read, self.hub.streams) == (["farewell"], {})

    def test_who_comes_late_is_given_nothing_out_of_memory_that_lies_beyond_the_loss(self) -> None:
        self.world.client(owner="1")
        self.hub.publish(KEY, replace(step(0, 1), access=self.access))
        self.hub.publish(KEY, step(1, 2))
        late = self.world.client(0, owner="2")  # was a member when it was decided, before 1
        assert (late.read, len(self.world.fills)) == ([], 1)
        self.hub.publish_ephemeral(KEY, Frame("typing", b"typing "))
        self.hub.continue_with(self.world.fills.pop(), replace(step(0, 2), access=self.access))
        self.hub.publish(KEY, step(2, 3))
        assert late.read == ["farewell"]
        assert late.connection.subscriptions == ()

    def test_who_lost_access_and_has_it_again_is_read_for_and_goes_on(self) -> None:
        self.world.client(owner="1")
        self.hub.publish(KEY, replace(step(0, 1), access=self.access))
        late = self.world.client(0, owner="2")
        now = Access(frozenset({"1", "2"}), self.access.farewell)
        self.hub.continue_with(self.world.fills.pop(), replace(step(0, 1), access=now))
        self.hub.publish(KEY, step(1, 2))
        assert late.read == ["0-1", "1-2"]

    def test_who_was_admitted_after_a_batch_was_read_is_not_judged_by_it(self) -> None:
        self.world.client(owner="1")
        ahead = self.world.client(2, owner="2")  # came in at 2, while the batch up to 1 was being read
        self.hub.publish(KEY, replace(step(0, 1), access=self.access))
        self.hub.publish(KEY, step(1, 2))
        self.hub.publish(KEY, step(2, 3))
        assert ahead.read == ["2-3"]

    def test_without_a_farewell_the_connection_ends_and_may_be_decided_anew(self) -> None:
        goes = self.world.client(owner="2")
        self.hub.publish(KEY, replace(step(0, 1), access=Access(frozenset({"1"}), None)))
        assert (goes.read, goes.connection.closed, goes.ended) == ([], "reauthenticate", 1)

    async def test_a_slow_client_that_cannot_be_told_has_to_come_again(self) -> None:
        slow = self.world.client(owner="2")
        slow.slow = True
        self.hub.publish(KEY, step(0, 1))
        self.hub.publish(KEY, replace(step(1, 2), access=self.access))
        self.hub.publish(KEY, step(2, 3))
        assert slow.connection.closed == "slow"
        await slow.drain()
        assert slow.read == ["0-1"]


class OpeningTests(SimpleTestCase):
    def test_a_stream_may_have_moved_when_its_first_listener_comes(self) -> None:
        opened: list[Any] = []
        world = World()
        world.hub = Hub(world.refreshes.append, world.fills.append, lambda: 0.0, 1_000_000, opened=opened.append)
        world.client(3)
        world.client(3)
        assert (opened, world.refreshes) == ([KEY], [])
        world.client(4)  # where the hub is not, so it has moved
        assert (opened, world.refreshes) == ([KEY], [KEY])


class OfferTests(SimpleTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.reader = self.world.client(3)
        self.world.refreshes.clear()

    def test_a_hint_that_carries_what_happened_spares_the_read(self) -> None:
        self.world.hub.publish_or_refresh(KEY, step(3, 4))
        assert (self.reader.read, self.world.refreshes) == (["3-4"], [])

    def test_one_that_starts_elsewhere_is_a_hint_like_any_other(self) -> None:
        self.world.hub.publish_or_refresh(KEY, step(4, 5))
        assert (self.reader.read, self.world.refreshes) == ([], [KEY])

    def test_hints_in_the_wrong_order_lose_nothing(self) -> None:
        self.world.hub.publish_or_refresh(KEY, step(4, 5))  # starts a read from 3
        self.world.hub.publish_or_refresh(KEY, step(3, 4))  # moves the stream meanwhile
        self.world.hub.publish(KEY, step(3, 5))  # what was read is of no use any more: another read
        assert (self.reader.read, self.world.refreshes) == (["3-4"], [KEY, KEY])
        self.world.hub.publish(KEY, step(4, 5))
        assert self.reader.read == ["3-4", "4-5"]

    def test_one_of_the_past_or_of_another_stream_is_nothing(self) -> None:
        self.world.hub.publish_or_refresh(KEY, step(1, 2))
        self.world.hub.publish_or_refresh("inbox-2", step(3, 4))
        assert (self.reader.read, self.world.refreshes) == ([], [])

    def test_a_move_without_frames_costs_nobody_a_read(self) -> None:
        self.world.hub.publish(KEY, Batch(at(3), at(4), ()))
        self.world.hub.publish(KEY, step(4, 5))
        assert (self.reader.read, self.world.fills) == (["4-5"], [])


class ArrivalTests(SimpleTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.hub = self.world.hub

    def test_the_first_listener_makes_the_hub_look_at_the_stream(self) -> None:
        self.world.client(3)
        assert self.world.refreshes == [KEY]
        self.world.client(3)
        assert self.world.refreshes == [KEY]

    def test_a_newcomer_who_is_a_little_behind_continues_from_memory(self) -> None:
        self.world.client()
        self.world.client()
        for n in range(4):
            self.hub.publish(KEY, step(n, n + 1))
        assert self.world.client(1).read == ["1-2", "2-3", "3-4"]
        assert self.world.fills == []

    def test_a_newcomer_who_is_far_behind_continues_from_the_database(self) -> None:
        self.world.client()
        self.world.client()
        for n in range(RECENT_BATCHES + 2):
            self.hub.publish(KEY, step(n, n + 1))
        late = self.world.client(1)
        assert (late.sends, len(self.world.fills)) == (0, 1)
        self.hub.continue_with(self.world.fills.pop(), step(1, RECENT_BATCHES))
        assert late.read == ["1-8", "8-9", "9-10"]

    def test_a_newcomer_who_knows_more_than_the_hub_makes_it_look_and_waits(self) -> None:
        self.world.client(3)
        ahead = self.world.client(5)
        assert self.world.refreshes == [KEY, KEY]
        self.hub.publish(KEY, step(3, 5))
        self.hub.publish(KEY, step(5, 6))
        assert ahead.read == ["5-6"]

    def test_a_newcomer_of_another_epoch_is_read_for(self) -> None:
        self.world.client(3)
        other = Client(self.world)
        self.hub.attach(other.connection, KEY, at(3, "aaaaaaaa"))
        assert len(self.world.fills) == 1
        self.hub.continue_with(self.world.fills.pop(), snapshot(3))
        assert other.read == ["=3"]

    def test_who_is_where_the_database_is_and_the_hub_is_not_is_read_for_once_until_it_has_looked(self) -> None:
        for place, epoch in ((5, "aaaaaaaa"), (2, "5f0c2a91")):
            with self.subTest(place=place, epoch=epoch):
                self.setUp()
                self.world.client(3)
                other = Client(self.world)
                self.hub.attach(other.connection, KEY, at(place, epoch))
                here = Batch(at(place, epoch), at(place, epoch), ())
                self.world.refreshes.clear()
                self.hub.continue_with(self.world.fills.pop(), here)
                assert (self.world.fills, self.world.refreshes) == ([], [KEY])
                self.hub.publish(KEY, snapshot(place, epoch))
                self.hub.publish(KEY, replace(step(place, 9), start=at(place, epoch), to=at(9, epoch)))
                assert other.read == [f"{place}-9"]

    def test_who_is_behind_what_a_late_read_has_seen_is_read_for_again_when_the_hub_has_looked(self) -> None:
        self.world.client(3)
        late = self.world.client(2)
        self.hub.continue_with(self.world.fills.pop(), Batch(at(2), at(2), ()))
        self.hub.publish(KEY, Batch(at(3), at(3), ()))  # the hub was right
        self.hub.continue_with(self.world.fills.pop(), step(2, 3))
        assert late.read == ["2-3"]

    def test_a_batch_meanwhile_does_not_start_a_second_read(self) -> None:
        self.world.client(9)
        late = self.world.client(1)
        self.hub.publish(KEY, step(9, 10))
        assert len(self.world.fills) == 1
        self.hub.continue_with(self.world.fills.pop(), step(1, 9))
        assert late.read == ["1-9", "9-10"]

    def test_a_read_for_a_connection_that_left_meanwhile_is_dropped(self) -> None:
        self.world.client(9)
        late = self.world.client(1)
        self.hub.remove(late.connection)
        self.hub.continue_with(self.world.fills.pop(), step(1, 9))
        assert late.sends == 0


class HintTests(SimpleTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.hub = self.world.hub
        self.world.client(3)
        self.world.refreshes.clear()

    def test_a_hint_beyond_the_position_makes_the_hub_look(self) -> None:
        self.hub.on_hint(KEY, 4)
        assert self.world.refreshes == [KEY]

    def test_an_old_hint_and_one_for_a_stream_without_listeners_do_nothing(self) -> None:
        for key, to in [(KEY, 2), (KEY, 3), ("inbox-2", 9)]:
            with self.subTest(key=key, to=to):
                self.hub.on_hint(key, to)
                assert self.world.refreshes == []

    def test_a_comparison_that_finds_another_position_makes_the_hub_look(self) -> None:
        for position in (at(4), at(2), at(3, "aaaaaaaa")):
            self.world.refreshes.clear()
            self.hub.reconcile(KEY, position)
            assert self.world.refreshes == [KEY], position

    def test_a_comparison_that_finds_nothing_new_does_nothing(self) -> None:
        self.hub.reconcile(KEY, at(3))
        self.hub.reconcile("inbox-2", at(9))
        assert self.world.refreshes == []

    def test_a_hint_whose_read_failed_is_taken_again(self) -> None:
        self.hub.on_hint(KEY, 4)
        self.hub.on_hint(KEY, 4)  # from the next comparison with the database
        assert self.world.refreshes == [KEY, KEY]


class SlowClientTests(SimpleTestCase):
    async def test_a_slow_client_keeps_nobody_waiting(self) -> None:
        world = World()
        slow, quick = world.client(), world.client()
        slow.slow = True
        world.hub.publish(KEY, step(0, 1))
        assert slow.connection.blocked
        assert quick.read == ["0-1"]
        await slow.drain()
        assert slow.read == ["0-1"]
        assert not slow.connection.blocked

    async def test_a_slow_client_continues_from_memory_when_it_drains(self) -> None:
        world = World()
        slow = world.client()
        slow.slow = True
        for n in range(5):
            world.hub.publish(KEY, step(n, n + 1))
        assert slow.sends == 1
        await slow.drain()
        assert slow.read == ["0-1", "1-2", "2-3", "3-4", "4-5"]
        assert world.fills == []

    async def test_a_very_slow_client_continues_from_the_database_when_it_drains(self) -> None:
        world = World()
        slow = world.client()
        slow.slow = True
        for n in range(100):
            world.hub.publish(KEY, step(n, n + 1))
        await slow.drain()
        assert slow.read == ["0-1"]
        world.hub.continue_with(world.fills.pop(), step(1, 100))
        assert slow.read == ["0-1", "1-100"]

    async def test_a_client_that_is_slow_again_when_its_gap_was_read_gets_it_later(self) -> None:
        world = World()
        world.client(9)
        late = world.client(1)
        late.slow = True
        world.hub.send(late.connection, Frame("typing", b"typing "))
        world.hub.continue_with(world.fills.pop(), step(1, 9))
        await late.drain()
        world.hub.continue_with(world.fills.pop(), step(1, 9))
        assert late.read == ["typing", "1-9"]

    async def test_a_snapshot_that_a_slow_client_missed_is_read_for_it(self) -> None:
        world = World()
        slow = world.client()
        slow.slow = True
        world.hub.publish(KEY, step(0, 1))
        world.hub.publish(KEY, snapshot(4, "aaaaaaaa"))
        await slow.drain()
        world.hub.continue_with(world.fills.pop(), snapshot(4, "aaaaaaaa"))
        assert slow.read == ["0-1", "=4"]

    async def test_what_has_no_history_is_not_repeated_to_a_slow_client(self) -> None:
        world = World()
        slow = world.client()
        slow.slow = True
        world.hub.publish(KEY, step(0, 1))
        world.hub.publish_ephemeral(KEY, Frame("typing", b"typing "))
        world.hub.send(slow.connection, Frame("heartbeat", b"heartbeat "))
        await slow.drain()
        assert slow.read == ["0-1"]

    async def test_a_slow_client_that_is_removed_leaves_no_task(self) -> None:
        world = World()
        slow = world.client()
        slow.slow = True
        world.hub.publish(KEY, step(0, 1))
        before = asyncio.all_tasks()
        world.hub.remove(slow.connection)
        await asyncio.wait(before - {asyncio.current_task()}, timeout=5)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_a_server_may_catch_the_failure_that_it_waited_for_and_go_on(self) -> None:
        def server(failing: asyncio.Future[None], *then: asyncio.Future[None]) -> Send:
            async def send(message: Message) -> None:
                told.append("begun")
                try:
                    await failing
                except ConnectionResetError:
                    for waiting in then:
                        await waiting
                told.append("done")

            return send

        loop = asyncio.get_running_loop()
        for waits in (0, 1, 2):
            with self.subTest(waits=waits):
                world = World()
                failing, *then = [loop.create_future() for _ in range(1 + waits)]
                told: list[str] = []
                drained: list[Connection] = []
                connection = Connection("one", server(failing, *then), world.lines, list)
                connection.push({}, 0.0, drained.append)
                await asyncio.sleep(0)
                failing.set_exception(ConnectionResetError())
                for waiting in then:
                    await asyncio.sleep(0)
                    waiting.set_result(None)
                await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=5)
                assert told == ["begun", "done"]
                assert (drained, connection.blocked) == ([connection], False)


class MemoryTests(SimpleTestCase):
    async def test_a_connection_keeps_no_message(self) -> None:
        world = World()
        clients = [world.client() for _ in range(20)]
        for n in range(50):
            world.hub.publish(KEY, step(n, n + 1))
        assert len(clients[0].read) == 50
        assert world.lines.alive() == 0

    def test_a_connection_that_left_keeps_nothing_of_its_client(self) -> None:
        world = World()
        client = world.client()
        connection, gone = client.connection, weakref.ref(client)
        world.hub.remove(connection)
        del client
        gc.collect()
        assert gone() is None

    async def test_slow_clients_share_the_one_message_that_they_did_not_take(self) -> None:
        world = World()
        clients = [world.client() for _ in range(20)]
        for client in clients:
            client.slow = True
        for n in range(50):
            world.hub.publish(KEY, step(n, n + 1))
        assert world.lines.alive() == 1
        for client in clients:
            await client.drain()
        assert world.lines.alive() == 0

    def test_a_stream_keeps_few_batches_and_few_bytes(self) -> None:
        world = World()
        world.client()
        world.client()
        for n in range(50):
            world.hub.publish(KEY, step(n, n + 1))
        assert len(world.hub.streams[KEY].recent) == RECENT_BATCHES
        for n in range(50, 60):
            world.hub.publish(KEY, step(n, n + 1, size=RECENT_BYTES // 3))
        assert len(world.hub.streams[KEY].recent) == 2

    async def test_a_stream_with_one_client_keeps_what_that_one_has_not_taken_and_nothing_else(self) -> None:
        world = World()
        client = world.client()
        world.hub.publish(KEY, step(0, 1))
        assert world.hub.streams[KEY].recent == ()
        client.slow = True
        for n in range(1, 4):
            world.hub.publish(KEY, step(n, n + 1))
        assert [batch.to.modseq for batch in world.hub.streams[KEY].recent] == [3, 4]
        await client.drain()
        assert client.read == ["0-1", "1-2", "2-3", "3-4"]
        assert world.fills == []
        world.hub.publish(KEY, step(4, 5))
        assert world.hub.streams[KEY].recent == ()

    def test_what_a_batch_keeps_is_there_until_the_stream_moves_on(self) -> None:
        world = World()
        world.client()
        stream = world.hub.streams[KEY]
        world.hub.publish(KEY, replace(step(0, 1), kept="1 unread"))
        assert stream.kept == "1 unread"
        for nothing_new in (replace(step(0, 1), kept="of before"), Batch(at(1), at(1), ())):
            world.hub.publish(KEY, nothing_new)
            assert (stream.position, stream.kept) == (at(1), "1 unread")
        world.hub.publish(KEY, step(1, 2))
        assert (stream.position, stream.kept) == (at(2), None)

    def test_nothing_is_left_of_connections_that_were_removed(self) -> None:
        world = World()
        clients = [world.client(owner=owner) for owner in "112"]
        assert {owner: len(found) for owner, found in world.hub.owners.items()} == {"1": 2, "2": 1}
        for client in clients:
            world.hub.remove(client.connection)
        assert (world.hub.streams, world.hub.connections, world.hub.owners) == ({}, set(), {})


class EndTests(SimpleTestCase):
    def test_a_connection_over_its_budget_is_closed_and_gets_no_more(self) -> None:
        world = World(max_bytes=1_000)
        client, other = world.client(), world.client(1)
        world.hub.publish(KEY, step(0, 1, size=1_000))
        world.hub.publish(KEY, step(1, 2))
        assert (client.connection.closed, client.ended, client.sends) == ("limit", 1, 1)
        assert (other.connection.closed, other.read) == (None, ["1-2"])

    def test_the_first_reason_to_close_is_the_one_that_is_told(self) -> None:
        world = World()
        client = world.client()
        world.hub.close(client.connection, "drain")
        world.hub.close(client.connection, "max-age")
        assert (client.connection.closed, client.ended) == ("drain", 1)

    def test_a_connection_that_was_removed_hears_nothing(self) -> None:
        world = World()
        client, other = world.client(), world.client()
        world.hub.remove(client.connection)
        world.hub.publish(KEY, step(0, 1))
        assert (client.sends, other.read) == (0, ["0-1"])

    def test_a_write_is_activity(self) -> None:
        world = World()
        client = world.client()
        world.time = 12.0
        world.hub.publish(KEY, step(0, 1))
        assert client.connection.active_at == 12.0
