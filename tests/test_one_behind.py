"""A reader who lacks one position is read for in one statement, and is told what the long way would tell."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.feeds import Log, feed
from notifications.feeds.names import stream_key
from notifications.feeds.stream import FEED
from notifications.inbox.frames import Changes, one_change
from notifications.inbox.stream import INBOX
from notifications.live import messages, relay
from notifications.live.batch import Batch
from notifications.live.chunks import STREAM_CHUNK
from notifications.live.cursor import Position
from notifications.live.frames import frame
from notifications.live.replay import changes_since
from notifications.live.sequencer import open_streams, sequence
from notifications.live.streams import Hint, StreamType
from notifications.models import Inbox, Notice, Notification
from notifications.services import archive, mark_all_read, mark_read, mark_seen, notify, pin, publish, snooze, withdraw

from .costs import serving
from .factories import make_user, make_users, stamp

pytestmark = pytest.mark.django_db

LANGUAGES = ("de", "en")


def plain(batch: Batch) -> Any:
    """Return all that a batch tells; what it keeps depends on what was kept before."""
    told = {None: batch.frames} | dict(batch.translated or {})
    frames = {language: [(one.name, one.data, one.cursor) for one in found] for language, found in told.items()}
    return batch.start, batch.to, frames, batch.arrived, batch.more


class Followers:
    """The readers of some streams, each of which goes on from batch to batch, as a process's hub does."""

    def __init__(self, stream_type: StreamType, pks: list[Any]) -> None:
        self._type = stream_type
        self._languages = dict.fromkeys(pks, LANGUAGES)
        self._kept: dict[Any, Any] = dict.fromkeys(pks)
        self.positions: dict[Any, Position] = {pk: at for pk, (at, _floor) in open_streams(stream_type, pks).items()}

    def read(self) -> Mapping[Any, Batch]:
        """Read on, and check that it is told as from the positions alone."""
        short = changes_since(self._type, self.positions, self._languages, self._kept)
        long = changes_since(self._type, self.positions, self._languages)
        assert {pk: plain(batch) for pk, batch in short.items()} == {pk: plain(batch) for pk, batch in long.items()}
        self.positions = {pk: batch.to for pk, batch in short.items()}
        self._kept = {pk: batch.kept for pk, batch in short.items()}
        return short


def some(chance: random.Random, user: Any) -> list[int]:
    found = list(Notification.objects.of(user).order_by("pk").values_list("pk", flat=True))
    return chance.sample(found, min(len(found), 2))


def translated(users: list[Any]) -> None:
    """Tell users something that is written in two languages."""
    notice = notify(users, "To all")
    Notice.objects.filter(pk=notice.pk).update(texts={"de": {"title": "An alle"}})


def pruned(user: Any) -> None:
    """Tell a user something that is no longer kept for readers who lack it."""
    notify(user, "Pruned")
    stamp(user)
    Inbox.objects.filter(user=user).update(floor=F("head"))


def happens(chance: random.Random, users: list[Any]) -> None:
    """Do something at random."""
    user = chance.choice(users)
    content: Any = chance.choice([{}, {"body": 'ü, "{}" \\ %d'}, {"data": {"a": [1, None]}}, {"group": "post:7"}])
    actions: list[Callable[[], object]] = [
        lambda: notify(users, "To all", **content),
        lambda: notify(users, "To all", **content),
        lambda: translated(users),
        lambda: notify(user, "To one", **content),
        lambda: [notify(user, "Two at once") for _ in range(2)],
        lambda: mark_read(user, some(chance, user)),
        lambda: mark_seen(user),
        lambda: mark_all_read(user),
        lambda: archive(user, some(chance, user)),
        lambda: pin(user, some(chance, user)[:1]),
        lambda: snooze(user, some(chance, user)[:1], timezone.now() + timedelta(hours=1)),
        lambda: withdraw(chance.choice(Notice.objects.order_by("pk"))),
        lambda: Notification.objects.of(user).filter(pk__in=some(chance, user)).delete(),
        lambda: Inbox.objects.filter(user=user).update(epoch="0123abcd"),
        lambda: pruned(user),
    ]
    chance.choice(actions)()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_followers_are_told_what_the_long_way_tells(seed: int) -> None:
    chance = random.Random(seed)
    users = make_users(4)
    notify(users, "The first")
    stamp(*users)
    followers = Followers(INBOX, [user.pk for user in users])
    for _ in range(25):
        for _time in range(chance.choice([1, 1, 1, 2])):
            happens(chance, users)
            stamp(*users)
        followers.read()


@pytest.mark.usefixtures("own_feeds")
def test_an_event_of_many_feeds_is_told_as_the_long_way_tells_it() -> None:
    feed("log:{name}", keep=Log(), public=True)(lambda user, name: True)
    names = ["log:a", "log:b"]
    pks = [stream_key(name) for name in names]
    for number in range(3):
        for name in names:
            publish(name, {"n": number})
        sequence(FEED, pks)
        if number == 0:
            followers = Followers(FEED, pks)
        else:
            assert all(b'"n":%d' % number in batch.frames[0].data for batch in followers.read().values())


def test_many_who_lack_one_position_are_read_in_a_statement_for_rows_and_one_for_notices() -> None:
    users = make_users(150)
    notify(users, "One")
    stamp(*users)
    followers = Followers(INBOX, [user.pk for user in users])
    notify(users, "Two")
    stamp(*users)
    followers.read()  # which counts
    notify(users, "Three")
    stamp(*users)
    kept = followers._kept
    with CaptureQueriesContext(connection) as queries:
        batches = changes_since(INBOX, followers.positions, followers._languages, kept)
    assert {batch.to.modseq for batch in batches.values()} == {3}
    assert len(queries) == (3 if connection.vendor == "mysql" else 2)  # MariaDB takes a hundred keys at once


def test_many_who_lack_several_positions_are_not_read_one_by_one() -> None:
    users = make_users(120)
    followers = Followers(INBOX, [user.pk for user in users])
    for number in range(5):
        notify(users, f"Number {number}")
        stamp(*users)
    with CaptureQueriesContext(connection) as queries:
        batches = changes_since(INBOX, followers.positions, {}, followers._kept)
    assert {batch.to.modseq for batch in batches.values()} == {5}
    assert len(queries) < 15


def test_who_lacks_a_position_at_which_more_changed_than_is_replayed_gets_a_snapshot() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    followers = Followers(INBOX, [alice.pk, bob.pk])
    notices = Notice.objects.bulk_create([Notice(title=str(number)) for number in range(2 * STREAM_CHUNK)])
    Notification.objects.bulk_create([Notification(recipient=alice, notice=one, modseq=1) for one in notices])
    Inbox.objects.filter(user=alice).update(head=1)
    notify(bob, "One")
    stamp(bob)
    told = followers.read()
    assert (told[alice.pk].start, told[alice.pk].to.modseq) == (None, 1)
    assert (told[bob.pk].start, told[bob.pk].to.modseq) == (Position(told[bob.pk].to.epoch, 0), 1)


@pytest.mark.parametrize("item", [b"{}", b'{"id":1,"title":"\xc3\xbc, %d"}'], ids=["empty", "odd"])
@pytest.mark.parametrize("count", [0, 7, 100])
def test_one_change_is_what_the_encoder_makes_of_it(item: bytes, count: int) -> None:
    start, to = (INBOX.cursor(1, Position("5f0c2a91", modseq)) for modseq in (0, 10**17))
    made = one_change(start, to, item, count, count)
    expected = frame(Changes(start, to, [msgspec.Raw(item)], count, count), to)
    assert (made.name, made.data, made.cursor, made.sse) == (expected.name, expected.data, to, expected.sse)


@pytest.mark.django_db(transaction=True)
def test_a_hint_that_lies_or_comes_again_tells_nobody_anything() -> None:
    with serving(3) as served:
        notify(served.users, "Hello")
        assert served.finish() > 0
        for to in (1, 2, 10**6):
            moved = [("inbox", str(user.pk), to) for user in served.users]
            for _time in range(2):
                served.relay.receive(messages.encode(messages.Hints([*moved, ("inbox", "0", to), ("none", "1", to)])))
                assert served.finish() == 0
        notify(served.users[0], "Hello again")
        assert served.finish() > 0


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_told_to_one_keeps_nothing_from_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(user: Any) -> str:
        raise AttributeError("profile")

    monkeypatch.setattr(get_user_model(), "get_full_name", fails)  # of the site's own model
    with serving(5) as served:
        *others, one = served.users
        stored = [Notice(title="To one", actor=one), Notice(title="To the others")]
        for notice, users in zip(Notice.objects.bulk_create(stored), ([one], others), strict=True):
            Notification.objects.bulk_create([Notification(recipient=user, notice=notice) for user in users])
        stamp(*served.users)
        served.relay.receive(messages.encode(messages.Hints([("inbox", str(user.pk), 1) for user in served.users])))
        assert served.finish() > 0
        told = {key.pk: stream.position.modseq for key, stream in served.relay.hub.streams.items()}
        assert told == {str(user.pk): 1 for user in others} | {str(one.pk): 0}
        assert "of inbox (1 failed)" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_is_not_asked_again_for_each(caplog: pytest.LogCaptureFixture) -> None:
    with serving(5) as served, patch.object(relay, "changes_since", side_effect=OperationalError("away")) as asked:
        relay.hint([Hint(INBOX.key(user.pk), 1) for user in served.users])
        served.finish()
        assert asked.call_count == 1
