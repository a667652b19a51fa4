"""Feeds: their names, who may follow them, what is kept of them, and what their readers get."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import msgspec
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.safestring import SafeString

from notifications.feeds import Latest, Log, Nothing, UnknownFeed, feed
from notifications.feeds.names import Pattern, stream_key
from notifications.feeds.publishing import EVENT_BYTES, HELD_BACK, Publication, _coalescer, publish, publish_many
from notifications.feeds.registry import find
from notifications.feeds.retention import EMPTY_FOR, FEEDS_AT_ONCE, ROUND_EVERY, TURN, Retention
from notifications.feeds.stream import FEED, remember, trim
from notifications.live.cursor import UNPUBLISHED, Position, parse
from notifications.live.pruning import PRUNE_CHUNK
from notifications.live.replay import changes_since
from notifications.live.sequencer import sequence
from notifications.models import Feed, FeedEvent
from tests.threads import together

pytestmark = pytest.mark.usefixtures("own_feeds")


def declare(pattern: str, **rules: Any) -> None:
    feed(pattern, **rules)(lambda user, **values: True)


PATTERNS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "a literal": ("prices", {}),
    "a number": ("orders:{pk:int}|orders:42", {"pk": 42}),
    "a number has one text": ("orders:{pk:int}|orders:042", None),
    "no number": ("orders:{pk:int}|orders:x", None),
    "a uuid": (
        "job:{id:uuid}|job:6f1c1c5e-0f5e-4b7e-9b0a-0d6a3a1b2c3d",
        {"id": UUID("6f1c1c5e-0f5e-4b7e-9b0a-0d6a3a1b2c3d")},
    ),
    "a uuid has one text": ("job:{id:uuid}|job:6F1C1C5E-0F5E-4B7E-9B0A-0D6A3A1B2C3D", None),
    "two": ("room:{room:int}:{name}|room:7:été", {"room": 7, "name": "été"}),
    "a text has no colon": ("x:{name}|x:a:b", None),
    "more behind it": ("prices|pricesx", None),
    "a line break behind it": ("prices|prices\n", None),
    "too long": ("x:{name:slug}|x:" + "a" * 300, None),
}


@pytest.mark.parametrize(("text", "values"), PATTERNS.values(), ids=PATTERNS)
def test_a_name_matches_a_pattern_or_does_not(text: str, values: dict[str, Any] | None) -> None:
    pattern, _bar, name = text.partition("|")
    assert Pattern.parse(pattern).match(name or pattern) == values


@pytest.mark.parametrize("text", ["", "a b", "x:{pk:float}", "{a}{a}", "x:{", "x:{1}", "x*"])
def test_a_wrong_pattern_is_explained(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="@feed"):
        declare(text)


def test_a_feed_that_nobody_declared_is_an_error_that_lists_the_legal_ones() -> None:
    declare("orders:{pk:int}")
    with pytest.raises(UnknownFeed, match=r"order:1.*orders:\{pk:int\}"):
        find("order:1")


def test_a_name_that_a_template_marks_as_safe_is_a_plain_name() -> None:
    declare("prices")
    assert type(find(SafeString("prices")).name) is str, "frames encode no other"


def test_who_may_follow_is_decided_by_the_feed_and_nobody_else_may() -> None:
    asked = []

    def may_follow(user: Any, pk: int) -> Any:
        asked.append((user, pk))
        return {1: True, 2: False, 3: None, 4: "yes"}[pk]

    feed("orders:{pk:int}")(may_follow)
    user: Any = type("User", (), {"is_authenticated": True})()
    assert [find(f"orders:{pk}").allows(user) for pk in (1, 2, 3, 4)] == [True, False, False, False]
    assert asked[0] == (user, 1)
    assert not find("orders:1").allows(AnonymousUser())
    assert len(asked) == 4  # who is not signed in is not asked for

    async def later(user: Any) -> bool:
        return bool(user.is_anonymous)

    feed("weather", public=True)(later)
    assert find("weather").allows(AnonymousUser())


class PublishTest(TransactionTestCase):
    def setUp(self) -> None:
        declare("log:{pk:int}", keep=Log(count=3, newest=2))
        declare("prices", keep=Latest(key="symbol", keys=3))
        declare("one", keep=Latest())
        declare("live", keep=Nothing())

    def read(self, name: str, since: Position | None = None) -> list[dict[str, Any]]:
        """Return the frames of a reader at a position."""
        return self.read_on(name, since)[0]

    def read_on(self, name: str, since: Position | None = None) -> tuple[list[dict[str, Any]], Position]:
        pk = stream_key(name)
        sequence(FEED, [pk])
        batch = changes_since(FEED, {pk: since})[pk]
        return [msgspec.json.decode(frame.data) for frame in batch.frames], batch.to

    def data(self, frames: list[dict[str, Any]]) -> list[Any]:
        return [event["data"] for frame in frames for event in frame["events"]]


class KeepingTests(PublishTest):
    def test_a_log_is_told_from_the_readers_position_on(self) -> None:
        publish("log:1", {"n": 1}, event="line")
        first, position = self.read_on("log:1")
        assert [frame["type"] for frame in first] == ["feed.reset"]
        assert first[0]["feed"] == "log:1"
        assert self.data(first) == [{"n": 1}]
        publish_many([("log:1", {"n": 2}), Publication("log:1", {"n": 3}, "end")])
        more, after = self.read_on("log:1", position)
        assert [(event["event"], event["data"]["n"]) for event in more[0]["events"]] == [("message", 2), ("end", 3)]
        assert (more[0]["type"], more[0]["from"], more[0]["to"]) == (
            "feed",
            FEED.cursor(stream_key("log:1"), position),
            FEED.cursor(stream_key("log:1"), after),
        )
        assert parse(more[0]["to"])[FEED.cursor_name(stream_key("log:1"))] == after
        assert self.read("log:1", after) == []

    def test_who_is_too_far_behind_a_log_gets_its_newest_events(self) -> None:
        publish("log:1", {"n": 0})
        _first, position = self.read_on("log:1")
        for n in range(1, 6):
            publish("log:1", {"n": n})
        while trim("log:1"):
            pass
        frames = self.read("log:1", position)
        assert [(frame["type"], frame["reason"]) for frame in frames] == [("feed.reset", "pruned")]
        assert self.data(frames) == [{"n": 4}, {"n": 5}]
        assert FeedEvent.objects.count() == 3

    def test_of_each_key_a_late_reader_gets_the_latest_value(self) -> None:
        for symbol, price in (("A", 1), ("B", 1), ("A", 2)):
            publish("prices", {"symbol": symbol, "price": price})
        frames, position = self.read_on("prices")
        assert self.data(frames) == [{"symbol": "B", "price": 1}, {"symbol": "A", "price": 2}]
        publish_many([("prices", {"symbol": "A", "price": price}) for price in range(3, 1_000)])
        frames, position = self.read_on("prices", position)
        assert self.data(frames)[-1] == {"symbol": "A", "price": 999}
        assert len([row for row in self.data(frames) if row["symbol"] == "A"]) == 1
        while trim("prices"):
            pass
        assert FeedEvent.objects.count() == 2

    def test_keys_beyond_the_limit_go_and_a_reader_that_had_them_starts_afresh(self) -> None:
        publish_many([("prices", {"symbol": symbol}) for symbol in "AB"])
        _frames, position = self.read_on("prices")
        publish_many([("prices", {"symbol": symbol}) for symbol in "CDE"])
        while trim("prices"):
            pass
        frames, position = self.read_on("prices", position)
        assert frames[0]["type"] == "feed.reset"
        assert [row["symbol"] for row in self.data(frames)] == ["C", "D", "E"]
        assert self.read("prices", position) == []  # and goes on from there

    def test_a_feed_without_a_key_is_one_value(self) -> None:
        publish("one", {"a": 1})
        publish("one", {"b": 2})
        assert self.data(self.read("one")) == [{"b": 2}]

    def test_what_keeps_nothing_stores_nothing(self) -> None:
        publish("live", {"x": 1})
        assert not FeedEvent.objects.exists()
        assert not Feed.objects.exists()

    def test_following_makes_no_stream_and_a_reader_is_told_that_it_is_empty(self) -> None:
        pk = remember("log:7")
        batch = changes_since(FEED, {pk: None})[pk]
        (told,) = [msgspec.json.decode(frame.data) for frame in batch.frames]
        assert (told["type"], told["reason"], told["events"], told["more"]) == ("feed.reset", "start", [], False)
        assert batch.frames[0].cursor == told["cursor"] == FEED.cursor(pk, UNPUBLISHED)
        assert batch.to == UNPUBLISHED
        assert changes_since(FEED, {pk: UNPUBLISHED}) == {}
        assert not Feed.objects.exists()

    def test_who_followed_before_anything_was_published_is_told_all_of_it(self) -> None:
        declare("moves", keep=Log(newest=0))
        publish_many([("moves", {"n": n}) for n in range(20)])
        publish("moves", {"n": 20})
        frames, position = self.read_on("moves", UNPUBLISHED)
        assert [frame["type"] for frame in frames] == ["feed.reset", "feed"]
        assert (frames[0]["events"], frames[0]["cursor"]) == ([], frames[1]["from"])
        assert [row["n"] for row in self.data(frames)] == list(range(21))
        assert position.epoch == Feed.objects.get().epoch
        assert self.read("moves", position) == []

    def test_who_followed_before_a_flood_is_told_all_of_it_read_by_read(self) -> None:
        declare("flood", keep=Log(count=10_000, newest=5))
        for start in range(0, 1_200, 100):
            publish_many([("flood", {"n": n}) for n in range(start, start + 100)])
        told: list[dict[str, Any]] = []
        frames, position = self.read_on("flood", UNPUBLISHED)
        while frames:
            told += frames
            frames, position = self.read_on("flood", position)
        assert [frame["type"] for frame in told].count("feed.reset") == 1
        assert [row["n"] for row in self.data(told)] == list(range(1_200))

    def test_who_followed_before_what_is_gone_starts_afresh(self) -> None:
        for n in range(10):
            publish("log:7", {"n": n})
        while trim("log:7"):
            pass
        frames = self.read("log:7", UNPUBLISHED)
        assert [(frame["type"], frame["reason"]) for frame in frames] == [("feed.reset", "pruned")]
        assert self.data(frames) == [{"n": 8}, {"n": 9}]

    def test_a_large_snapshot_is_cut_into_frames_of_which_the_last_has_the_cursor(self) -> None:
        declare("big", keep=Log(count=100, newest=20))
        publish_many([("big", {"n": n, "text": "x" * 5_000}) for n in range(20)])
        pk = stream_key("big")
        batch = changes_since(FEED, {pk: None})[pk]
        assert len(batch.frames) > 2
        told = [msgspec.json.decode(frame.data) for frame in batch.frames]
        expected = [True] * (len(told) - 1) + [False]
        assert [frame.cursor is None for frame in batch.frames] == expected
        assert [frame["more"] for frame in told] == expected, "a client that keeps its own cursor can tell, too"
        assert [row["n"] for row in self.data(told)] == list(range(20))


class PublishingTests(PublishTest):
    def test_it_joins_the_callers_transaction(self) -> None:
        with transaction.atomic():
            publish("log:1", {"n": 1})
            transaction.set_rollback(True)
        assert not FeedEvent.objects.exists()

    def test_wrong_input_is_explained_and_nothing_is_written(self) -> None:
        wrong: list[tuple[Any, ...]] = [
            ("log:1", [1]),
            ("log:1", "text"),
            ("log:1", {"x": "x" * EVENT_BYTES}),
            ("log:1", {"x": object()}),
            ("log:1", {"n": 1}, ""),
            ("log:1", {"n": 1}, "x" * 101),
            ("prices", {"price": 1}),
            ("prices", {"symbol": ["A"]}),
            ("prices", {"symbol": "A" * 201}),
        ]
        for one in wrong:
            with self.subTest(one=str(one)[:40]), self.assertRaises(ValidationError):
                publish_many([("log:1", {"fine": True}), one])
        with self.assertRaises(UnknownFeed):
            publish("nobody", {})
        assert not FeedEvent.objects.exists()

    def test_a_schema_is_held(self) -> None:
        class Tick(msgspec.Struct):
            symbol: str
            price: float

        declare("ticks", schema=Tick)
        publish("ticks", Tick("A", 1.5))
        publish("ticks", {"symbol": "B", "price": 2})
        with self.assertRaisesMessage(ValidationError, "price"):
            publish("ticks", {"symbol": "A", "price": "much"})
        assert self.data(self.read("ticks"))[0] == {"symbol": "A", "price": 1.5}

    def test_many_cost_a_few_statements_for_each_hundred(self) -> None:
        publish_many([(f"log:{pk}", {"n": 0}) for pk in range(5)])

        def cost(count: int) -> int:
            with CaptureQueriesContext(connection) as queries, patch("notifications.feeds.publishing._trim"):
                publish_many([("log:1", {"n": n}) for n in range(count)])
            return len(queries)

        assert cost(400) <= cost(2) + 400 / 100 * 2

    def test_publishers_at_the_same_moment_lose_nothing(self) -> None:
        declare("busy", keep=Log(count=1_000))

        def some() -> None:
            for n in range(10):
                publish("busy", {"n": n})

        together(*[some] * 4)
        pk = stream_key("busy")
        sequence(FEED, [pk])
        assert FeedEvent.objects.filter(modseq=None).count() == 0
        rows = list(FeedEvent.objects.order_by("modseq", "pk").values_list("modseq", flat=True))
        assert len(rows) == 40
        assert Feed.objects.get(pk=pk).head >= max(row or 0 for row in rows)

    def test_a_transaction_that_publishes_holds_up_no_other(self) -> None:
        publish("prices", {"symbol": "A", "price": 0})

        def other() -> None:
            publish("prices", {"symbol": "A", "price": 2})

        with transaction.atomic():
            publish("prices", {"symbol": "A", "price": 1})
            if connection.vendor != "sqlite":  # which has one writer
                together(other)
        assert FeedEvent.objects.filter(modseq=None).count() == 0
        assert self.data(self.read("prices")) == [{"symbol": "A", "price": 1}]


def test_a_policy_that_keeps_nothing_sensible_is_refused() -> None:
    for make in (
        lambda: Log(count=0),
        lambda: Log(newest=501),
        lambda: Log(age=timedelta(0)),
        lambda: Latest(keys=0),
    ):
        with pytest.raises(ValueError, match=r"Log|Latest"):
            make()


class RetentionTests(PublishTest):
    def test_what_policies_let_go_goes_wherever_streams_are_served(self) -> None:
        with patch("notifications.feeds.publishing._trim"):
            publish_many([("log:1", {"n": n}) for n in range(10)])
            publish_many([("prices", {"symbol": "A", "n": n}) for n in range(10)])
        Retention().turn()
        assert FeedEvent.objects.filter(feed__name="log:1").count() == 3
        assert FeedEvent.objects.filter(feed__name="prices").count() == 1

    def test_feeds_are_looked_at_in_rounds_however_often_other_tasks_have_their_turn(self) -> None:
        now = 0.0
        retention = Retention(lambda: now)
        assert retention.turn() == ROUND_EVERY
        with patch("notifications.feeds.publishing._trim"):
            publish_many([("log:1", {"n": n}) for n in range(10)])
        now = 5.0
        assert retention.turn() == ROUND_EVERY - 5
        assert FeedEvent.objects.count() == 10
        now = ROUND_EVERY
        retention.turn()
        assert FeedEvent.objects.count() == 3

    def test_a_round_goes_on_where_it_was(self) -> None:
        Feed.objects.bulk_create(Feed(pk=pk, name=f"log:{pk}") for pk in range(1, FEEDS_AT_ONCE + 2))
        Feed.objects.update(created_at=timezone.now() - EMPTY_FOR - timedelta(days=1))
        now = 0.0
        retention = Retention(lambda: now)
        assert retention.turn() == TURN
        assert Feed.objects.count() == 1
        now = TURN
        assert retention.turn() == ROUND_EVERY
        assert not Feed.objects.exists()

    def test_a_feed_that_has_long_been_empty_goes_and_begins_anew(self) -> None:
        publish("log:1", {"n": 1})
        _frames, position = self.read_on("log:1")
        FeedEvent.objects.all().delete()
        Retention().turn()
        assert Feed.objects.exists()
        Feed.objects.update(created_at=timezone.now() - EMPTY_FOR - timedelta(days=1))
        Retention().turn()
        assert not Feed.objects.exists()
        publish("log:1", {"n": 2})
        frames = self.read("log:1", position)
        assert (frames[0]["type"], frames[0]["reason"]) == ("feed.reset", "epoch")

    def test_a_long_log_is_let_go_in_small_steps(self) -> None:
        with patch("notifications.feeds.publishing._trim"):
            for _ in range(2):
                publish_many([("log:1", {"n": n}) for n in range(PRUNE_CHUNK)])
        assert [trim("log:1"), trim("log:1"), trim("log:1")] == [PRUNE_CHUNK, PRUNE_CHUNK - 3, 0]

    def test_old_events_go_by_age(self) -> None:
        declare("aging", keep=Log(count=100, age=timedelta(hours=1)))
        publish_many([("aging", {"n": n}) for n in range(3)])
        sequence(FEED, [stream_key("aging")])
        FeedEvent.objects.filter(data__contains="0").update(created_at=timezone.now() - timedelta(hours=2))
        Retention().turn()
        assert FeedEvent.objects.count() == 2


def test_of_a_flood_that_nothing_is_kept_of_a_paced_feed_tells_the_newest() -> None:
    told: list[int] = []
    later: list[Any] = []

    def delayed(pace: float, function: Any) -> Any:
        return SimpleNamespace(start=lambda: later.append(function))

    with (
        patch("notifications.feeds.publishing._send", lambda name, some: told.append(len(some[""]))),
        patch("notifications.live.coalesce.threading.Timer", delayed),
    ):
        _coalescer.cache_clear()
        paced = _coalescer(0.1)
        for n in range(300):
            paced.show("ticks", "", (msgspec.Raw(str(n).encode()),))
        later.pop()()
    _coalescer.cache_clear()
    assert told == [1, HELD_BACK]
