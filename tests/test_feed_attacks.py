"""Feeds under attack: forged cursors, functions that raise, names that were forgotten, and what happens meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.query import QuerySet
from django.test import Client, RequestFactory, SimpleTestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.exceptions import UnknownFeed
from notifications.feeds import Latest, Log, Nothing, feed, following, parts, stream, texts
from notifications.feeds.answers import answer
from notifications.feeds.names import stream_key
from notifications.feeds.publishing import LIVE_ONLY, publish, publish_many
from notifications.feeds.registry import find
from notifications.feeds.retention import EMPTY_FOR, Retention
from notifications.feeds.stream import FEED, remember
from notifications.inbox.progress import progress
from notifications.inbox.reading import page
from notifications.live import relay, sessions
from notifications.live.access import Verdict, judge
from notifications.live.batch import Access, Batch
from notifications.live.connections import EVENT_STREAM, Admission, JoinedEventStream, iterate_answer
from notifications.live.cursor import START, Position
from notifications.live.frames import Frame
from notifications.live.hub import Connection, Hub
from notifications.live.identity import Identity
from notifications.live.recheck import Recheck
from notifications.live.replay import changes_since
from notifications.live.sequencer import sequence
from notifications.live.streams import Key
from notifications.models import Feed, FeedEvent, FeedText
from notifications.services import apublish, arevoke_access, revoke_access
from notifications.signals import access_revoked
from tests.factories import make_user
from tests.threads import returned

LIMIT = 20  # seconds, for what takes one


@pytest.fixture(autouse=True)
def declared(own_feeds: None) -> None:
    feed("log:{name}", keep=Log(count=10_000), public=True)(lambda user, name: True)
    feed("now", keep=Nothing(), public=True)(lambda user: True)


def position(name: str) -> Position:
    _epoch = FEED.streams().get(pk=stream_key(name))
    return Position(_epoch.epoch, _epoch.head)


def told(name: str, since: Position | None) -> tuple[list[Any], Position, bool]:
    """Return the data of one read, where the reader is then, and whether there is more."""
    batch = changes_since(FEED, {stream_key(name): since})[stream_key(name)]
    frames = [msgspec.json.decode(frame.data) for frame in batch.frames]
    assert all(frame["type"] == "feed" for frame in frames)
    return [event["data"] for frame in frames for event in frame["events"]], batch.to, batch.more


class FollowingTests(TransactionTestCase):
    def wanted(self, name: str, since: Position) -> Position:
        (one,), _refused = following.decide(AnonymousUser(), [name], {FEED.cursor_name(stream_key(name)): since})
        return one.position

    def test_a_function_that_raises_means_no_and_leaves_other_feeds_alone(self) -> None:
        feed("broken", public=True)(lambda user: user.profile.plan == "gold")
        wanted, refused = following.decide(AnonymousUser(), ["broken", "log:a"], {})
        assert [one.name for one in wanted] == ["log:a"]
        assert [(one.feed, one.state) for one in refused] == [("broken", "denied")]

    def test_a_database_that_does_not_answer_has_not_said_no(self) -> None:
        def asked(user: Any) -> bool:
            raise failure

        feed("torn", public=True)(asked)
        torn, log = FEED.key(remember("torn")), FEED.key(remember("log:a"))
        for failure in (OperationalError("terminating connection"), InterfaceError("connection already closed")):
            with self.assertRaises(type(failure)):  # the page asks again
                following.decide(AnonymousUser(), ["torn"], {})
            with self.assertLogs("notifications", "ERROR"):
                found = judge([], {torn: {""}, log: {""}}).access
            # Who follows it stays until the next round, and other feeds are judged.
            assert {key: access.owners for key, access in found.items()} == {log: {""}}

    def test_a_position_that_is_none_of_the_feed_begins_afresh(self) -> None:
        publish("log:a", {"n": 1})
        here = position("log:a")
        assert self.wanted("log:a", here) == here
        assert self.wanted("log:a", here._replace(modseq=0)) == here._replace(modseq=0)
        assert self.wanted("log:a", here._replace(modseq=10**17)) == START
        assert self.wanted("log:a", here._replace(epoch="deadbeef")) == START
        assert self.wanted("log:unheard", here) == START
        assert self.wanted("now", here) == START

    def test_readers_of_a_feed_whose_name_is_forgotten_come_again(self) -> None:
        key = Key(FEED.name, str(stream_key("log:nobody")))
        assert stream_key("log:nobody") not in stream._names
        access = judge([], {key: {""}}).access[key]
        assert (access.owners, access.farewell) == (frozenset(), None)

    def test_the_readers_of_many_feeds_are_read_together(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        feed("mine:{pk:int}")(lambda user, pk: user.pk == pk)
        feed("heard:{pk:int}", keep=Nothing(), public=True)(lambda user, pk: not user.is_anonymous or pk == 1)
        owners = {"", str(alice.pk), str(bob.pk), "999999"}
        mine = [FEED.key(remember(f"mine:{user.pk}")) for user in (alice, bob)]
        heard = [Key(LIVE_ONLY, f"heard:{n}") for n in (1, 2)]
        with CaptureQueriesContext(connection) as queries:
            access = judge([], dict.fromkeys([*mine, *heard], owners)).access
        assert len(queries) == 2  # one for each guard
        assert [access[key].owners for key in mine] == [{str(alice.pk)}, {str(bob.pk)}]
        assert [access[key].owners for key in heard] == [owners - {"999999"}, {str(alice.pk), str(bob.pk)}]

    def test_names_that_are_followed_are_not_forgotten(self) -> None:
        followed = remember("log:followed")
        with (
            patch.object(stream, "NAMES_LIMIT", len(stream._names) + 2),
            patch("notifications.live.relay.connected", lambda _type, everywhere: {str(followed)}),
        ):
            for number in range(100):
                remember(f"log:{number}")
            assert len(stream._names) <= stream.NAMES_LIMIT + 1
        assert stream._names[followed] == "log:followed"

    def test_half_a_character_is_refused(self) -> None:
        client = Client()
        client.force_login(make_user("alice"))
        for body in ({"follow": {"log:\ud800": ""}}, {"follow": {"log:a": "\udfff"}}, {"unfollow": ["log:\ud800"]}):
            text = json.dumps({"connection": "c", **body})
            answered = client.post(reverse("notifications:follow-feeds"), text, "application/json")
            assert answered.status_code == 400, body


class ReplayTests(TransactionTestCase):
    def test_who_was_long_away_is_told_all_that_a_log_keeps(self) -> None:
        publish("log:a", {"n": -1})
        at = position("log:a")
        for start in range(0, 1_500, 750):
            publish_many([("log:a", {"n": n}) for n in range(start, start + 750)])
        found: list[int] = []
        more = True
        while more:
            data, at, more = told("log:a", at)
            found += [one["n"] for one in data]
        assert found == list(range(1_500))
        assert at == position("log:a")

    def test_of_latest_values_whoever_was_long_away_gets_the_present_ones(self) -> None:
        feed("values", keep=Latest())(lambda user: True)
        publish("values", {"n": 0})
        at = position("values")
        publish_many([("values", {"n": n}) for n in range(1, 1_000)])
        with patch("notifications.feeds.publishing._trim"):
            publish_many([("values", {"n": n}) for n in range(1_000, 2_000)])
        batch = changes_since(FEED, {stream_key("values"): at})[stream_key("values")]
        (frame,) = [msgspec.json.decode(frame.data) for frame in batch.frames]
        assert [event["data"] for event in frame["events"]] == [{"n": 1_999}]

    def test_a_position_that_brings_nothing_is_told_so_that_the_next_frame_begins_there(self) -> None:
        publish("log:a", {"n": 1})
        at = position("log:a")
        FEED.streams().filter(pk=stream_key("log:a")).update(head=at.modseq + 1)
        batch = changes_since(FEED, {stream_key("log:a"): at})[stream_key("log:a")]
        (frame,) = [msgspec.json.decode(frame.data) for frame in batch.frames]
        assert frame["events"] == []
        assert frame["to"] == FEED.cursor(stream_key("log:a"), batch.to)

    def test_what_is_published_while_an_empty_feed_is_let_go_stays(self) -> None:
        Feed.objects.create(pk=remember("log:old"), name="log:old", created_at=timezone.now() - 2 * EMPTY_FOR)
        FEED.streams().update(head=7)
        delete = QuerySet._raw_delete

        def publishing(rows: Any, using: str) -> int:
            with patch("notifications.live.commit.sequence_now"):
                publish("log:old", {"n": 1})
            return delete(rows, using)

        with patch.object(QuerySet, "_raw_delete", publishing):
            Retention().turn()
        assert FEED.entries().count() == 1
        sequence(FEED, [stream_key("log:old")])
        assert FEED.entries().filter(modseq=None).count() == 0


class PartTests(TransactionTestCase):
    def test_a_page_in_a_transaction_renders_a_part_of_a_feed_that_moves(self) -> None:
        feed("part", keep=Latest(), public=True, context=lambda user: {})(lambda user: True)
        with patch("notifications.live.commit.sequence_now"):
            publish("part", {"n": 1})
        request = RequestFactory().get("/")
        request.user = AnonymousUser()
        with transaction.atomic(), patch.object(parts, "render_to_string", lambda *_args: "html"):
            made = parts.render(parts.resolve("part"), "part.html", request)
        assert made.cursor.endswith(".0")


class RecheckTests(SimpleTestCase):
    async def test_who_takes_a_feed_up_just_after_a_hint_is_judged_too(self) -> None:
        key = Key(FEED.name, "7")
        hub = Hub(lambda _key: None, lambda _subscription: None, time.monotonic, 10**6)
        ended = asyncio.Event()

        async def send(_message: Any) -> None: ...

        async def judged(*_arguments: Any) -> Verdict:
            return Verdict({}, {key: Access(frozenset(), None)})

        recheck = Recheck(hub, lambda *arguments: asyncio.ensure_future(judged(*arguments)), lambda: 3600.0)
        running = asyncio.create_task(recheck.run())
        recheck.soon([], keys=[key])  # nobody follows it yet; somebody was allowed to, a moment ago
        connection = Connection("late", send, EVENT_STREAM, ended.set, Identity("1"))
        hub.add(connection)
        hub.attach(connection, key, START)
        recheck.opened(connection)
        async with asyncio.timeout(LIMIT):
            await ended.wait()
        running.cancel()


class HeldTests(TransactionTestCase):
    async def test_an_id_names_what_the_connection_reads_and_nothing_that_it_has_let_go(self) -> None:
        received: asyncio.Queue[Any] = asyncio.Queue()
        hub = Hub(lambda _key: None, lambda _subscription: None, lambda: 0.0, 1_000_000)
        reader = Connection("plain", received.put, JoinedEventStream(""), lambda: None)
        hub.add(reader)
        for name in ("log:a", "log:b", "log:c"):
            pk = stream_key(name)
            start, to = Position("00000001", 1), Position("00000001", 2)
            following = hub.attach(reader, FEED.key(pk), start)
            hub.publish(FEED.key(pk), Batch(start, to, (Frame("feed", b"{}", FEED.cursor(pk, to)),)))
            message = await received.get()
            assert f"\nid: {FEED.cursor(pk, to)}\n" in message["body"].decode()
            hub.detach(following)

    @override_settings(NOTIFICATIONS_MAX_STREAMS_PER_USER=1)
    async def test_a_poll_without_the_lane_counts_like_any_connection(self) -> None:
        hub = relay.current().hub
        hub.add(Connection("first", asyncio.Queue[Any]().put, EVENT_STREAM, lambda: None, Identity("1")))
        admission = Admission(None, START, (), Identity("1"), wait=10.0)
        (body,) = [part async for part in iterate_answer(admission)]
        (told,) = json.loads(body)["frames"]
        assert (told["type"], told["reason"]) == ("bye", "limit")
        assert len(hub.connections) == 1
        relay._relays.pop(asyncio.get_running_loop()).close()


@override_settings(NOTIFICATIONS_RECHECK=3_600.0)  # no round finds it meanwhile
class RevokeTests(TransactionTestCase):
    def follow(self, user: Any) -> asyncio.Queue[Any]:
        """Have a user follow the feed, and another; return what the connection receives."""
        received: asyncio.Queue[Any] = asyncio.Queue()
        connection = Connection("test", received.put, EVENT_STREAM, lambda: None, sessions.identity(user, None))
        hub = relay.current().hub
        hub.add(connection)
        for name in ("order:1", "now"):
            hub.attach(connection, following.key_of(find(name)), START)
        return received

    async def test_who_may_no_longer_follow_one_feed_goes_on_with_the_rest(self) -> None:
        may, asked = {"alice", "bob"}, []

        def allowed(user: Any, pk: int) -> bool:
            asked.append(user.username)
            return user.username in may

        feed("order:{pk:int}")(allowed)
        alice, bob = [await sync_to_async(make_user)(name) for name in ("alice", "bob")]
        heard: list[dict[str, Any]] = []

        def hear(**about: Any) -> None:
            heard.append(about)

        access_revoked.connect(hear)
        self.addCleanup(access_revoked.disconnect, hear)
        await relay.current().run(int)  # its first round has begun, without anybody
        hers, his = self.follow(alice), self.follow(bob)
        async with asyncio.timeout(LIMIT):
            for received in (hers, his):  # nothing was published yet
                assert b'"feed":"order:1","reason":"start"' in (await received.get())["body"]
        await arevoke_access(alice, feed="order:1")  # who may follow it still
        await apublish("now", {"n": 1})
        async with asyncio.timeout(LIMIT):
            assert b'"n":1' in (await hers.get())["body"]
            may.remove("alice")
            await arevoke_access(alice.pk, feed="order:1", reason="sold")
            assert b'"feed":"order:1","state":"denied"' in (await hers.get())["body"]
            await apublish("now", {"n": 2})
            assert b'"n":2' in (await hers.get())["body"]
        assert his.qsize() == 2
        assert set(asked) == {"alice"}
        assert [(one["user"], one["feed"], one["reason"]) for one in heard] == [
            (alice.pk, "order:1", ""),
            (alice.pk, "order:1", "sold"),
        ]
        relay._relays.pop(asyncio.get_running_loop()).close()

    def test_a_feed_that_nobody_declared_and_a_user_without_a_key_are_refused(self) -> None:
        with self.assertRaises(UnknownFeed):
            revoke_access(1, feed="nowhere")
        with self.assertRaisesMessage(ValueError, "was not saved yet"):
            revoke_access(User(), feed="now")


class OutageTests(TransactionTestCase):
    def test_a_text_has_no_hole_after_a_write_that_failed(self) -> None:
        gone = InterfaceError("connection already closed")  # which is no DatabaseError
        grow, failures = texts.grow, iter([OperationalError("database is locked"), None, gone])

        def failing(handle: Any, piece: str, *rest: Any) -> bool:
            if piece and (failure := next(failures, None)):
                raise failure
            return grow(handle, piece, *rest)

        with patch.object(texts, "grow", failing), answer("log:a") as a:
            for word in ("one ", "two ", "three "):
                with returned(texts, "grow", lambda _handle, piece, *_rest, word=word: piece.endswith(word)) as stored:
                    a.append(word)
                    assert stored.wait(LIMIT)
                assert FeedText.objects.get().text.endswith(word)
        text = FeedText.objects.get()
        assert (text.text, text.state) == ("one two three ", "done")
        assert next(failures, None) is None

    def test_progress_goes_on_after_a_write_that_failed(self) -> None:
        from notifications.inbox import progress as module

        write, failures = module._write, iter([InterfaceError("connection already closed")])

        def failing(pk: int, data: Any, *rest: Any, **more: Any) -> bool:
            if data and (failure := next(failures, None)):
                raise failure
            return write(pk, data, *rest, **more)

        alice = make_user("alice")
        with (
            patch.object(module, "_write", failing),
            returned(module, "_write", lambda _pk, data, *_rest, **_more: bool(data)) as stored,
            progress(alice, "Import") as p,
        ):
            p.update(40)
            assert stored.wait(LIMIT)
            assert page(alice).items[0].data["progress"]["percent"] == 40.0


class CollationTests(TransactionTestCase):
    def test_names_and_keys_that_differ_in_case_alone_are_two(self) -> None:
        feed("values:{name}", keep=Latest(key="key"))(lambda user, name: True)
        publish_many([(f"values:{name}", {"key": key}) for name in ("a", "A") for key in ("e", "E", "é")])
        for name in ("values:a", "values:A"):
            events = FEED.present(remember(name))
            assert [event.key for event in events] == ["e", "E", "é"], (name, connection.vendor)
        assert FeedEvent.objects.filter(modseq=None).count() == 0
        assert find("values:A").pk != find("values:a").pk
