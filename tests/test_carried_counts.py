"""Counts that are carried from one batch to the next where new notifications alone came: those of the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import services
from notifications.inbox import stream
from notifications.inbox.counts import COUNTED, counts, counts_at
from notifications.inbox.stream import INBOX
from notifications.live.batch import Batch
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.models import Inbox, Notice, Notification
from notifications.testing import travel
from tests.factories import make_user, stamp, tell

pytestmark = pytest.mark.django_db


class Reader:
    """A reader who goes on from batch to batch, as the hub of a process does."""

    def __init__(self, user: Any) -> None:
        self.user = user
        inbox = Inbox.objects.get(pk=user.pk)
        self.position = Position(inbox.epoch, inbox.head)
        self.kept: Any = None
        self.counted = False

    def read(self, *, stamped: bool = True) -> tuple[int, int]:
        """Read on, and return what the reader is told of unread and unseen ones."""
        if stamped:
            stamp(self.user)
        with CaptureQueriesContext(connection) as queries:
            found = changes_since(INBOX, {self.user.pk: self.position}, {}, {self.user.pk: self.kept})
        batch: Batch = found[self.user.pk]
        self.counted = any("COUNT(" in query["sql"] for query in queries)
        self.position, self.kept = batch.to, batch.kept
        last = json.loads(batch.frames[-1].data)
        return last["unread"], last["unseen"]


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def reader(alice: Any) -> Iterator[Reader]:
    tell(alice, "The first")
    reader = Reader(alice)
    services.notify(alice, "One")
    assert reader.read() == (2, 2)
    assert reader.counted
    yield reader
    numbers = counts([alice.pk])[alice.pk]
    services.notify(alice, "The last")
    assert reader.read() == (min(numbers.unread + 1, COUNTED), min(numbers.unseen + 1, COUNTED))


def test_new_notifications_are_counted_on_without_asking_the_database(alice: Any, reader: Reader) -> None:
    for number in range(3, 6):
        services.notify(alice, "Another")
        assert reader.read() == (number, number)
        assert not reader.counted


def test_several_that_came_at_a_position_each_are_counted_on_together(alice: Any, reader: Reader) -> None:
    for title in ("Two", "Three"):
        services.notify(alice, title)
        stamp(alice)
    assert reader.read() == (4, 4)
    assert not reader.counted


def test_they_are_counted_on_up_to_the_bound_and_no_further(alice: Any, reader: Reader) -> None:
    for _ in range(COUNTED - 3):
        tell(alice, "Many")
    assert reader.read() == (COUNTED - 1, COUNTED - 1)
    for _ in range(3):
        services.notify(alice, "More")
        assert reader.read() == (COUNTED, COUNTED)


def read_one(alice: Any) -> None:
    services.mark_read(alice, [Notification.objects.latest("pk").pk])


def seen_all(alice: Any) -> None:
    services.mark_seen(alice)


def archive_one(alice: Any) -> None:
    services.archive(alice, [Notification.objects.latest("pk").pk])


def two_at_once(alice: Any) -> None:
    services.notify(alice, "Two")
    services.notify(alice, "Three")


def in_a_group(alice: Any) -> None:
    services.notify(alice, "Two", group="post:7")


def withdrawn(alice: Any) -> None:
    services.withdraw(Notification.objects.latest("pk").notice)


def read_before_it_was_told(alice: Any) -> None:
    services.notify(alice, "Two")
    Notification.objects.filter(notice__title="Two").update(read_at=timezone.now())


def changed_behind_our_back(alice: Any) -> None:
    Notification.objects.filter(notice__title="One").update(read_at=timezone.now())
    services.mark_read(alice, [Notification.objects.earliest("pk").pk])


OTHERWISE: dict[str, Callable[[Any], None]] = {
    "one is read": read_one,
    "all are seen": seen_all,
    "one is archived": archive_one,
    "two come at one position": two_at_once,
    "one of a group comes": in_a_group,
    "one is withdrawn": withdrawn,
    "one is read before it is told": read_before_it_was_told,
    "rows were changed without a position": changed_behind_our_back,
}


def test_what_came_between_the_rows_and_the_counts_is_counted_once(alice: Any, reader: Reader) -> None:
    reader.kept = None
    services.notify(alice, "Two")

    def late(*given: Any) -> Any:
        services.notify(alice, "Three")
        stamp(alice)
        return counts_at(*given)

    with patch.object(stream, "counts_at", late):
        assert reader.read() == (4, 4)
    assert reader.read() == (4, 4)
    assert reader.counted


def test_what_was_counted_before_it_had_a_position_is_counted_once(alice: Any, reader: Reader) -> None:
    reader.kept = None
    tell(alice, "Two")
    Notification.objects.create(recipient=alice, notice=Notice.objects.create(title="Committed, and not stamped yet"))
    assert reader.read(stamped=False) == (4, 4)
    assert reader.read() == (4, 4)
    assert reader.counted


def test_what_was_put_to_sleep_by_a_writer_that_died_is_counted_once(alice: Any, reader: Reader) -> None:
    now = timezone.now()
    asleep = Notification.objects.filter(notice__title="One")
    asleep.update(archived_at=now, snoozed_until=now - timedelta(seconds=1), modseq=None)
    assert services.release_due() == 1
    assert reader.read() == (2, 2)


@pytest.mark.parametrize("happens", OTHERWISE.values(), ids=OTHERWISE)
def test_whatever_else_happens_is_counted_in_the_database(
    alice: Any, reader: Reader, happens: Callable[[Any], None]
) -> None:
    happens(alice)
    stamp(alice)
    told = reader.read()
    assert reader.counted
    numbers = counts([alice.pk])[alice.pk]
    assert told == (numbers.unread, numbers.unseen)


def test_where_one_will_expire_they_are_counted_each_time(alice: Any, reader: Reader) -> None:
    services.notify(alice, "For an hour", expires_at=timezone.now() + timedelta(hours=1))
    assert reader.read() == (3, 3)
    assert reader.counted
    services.notify(alice, "For good")
    assert reader.read() == (4, 4)
    assert reader.counted
    with travel(hours=2):
        services.notify(alice, "Later")
        assert reader.read() == (4, 4)
        assert reader.counted
        services.notify(alice, "Later still")
        assert reader.read() == (5, 5)
    reader.kept = None  # for the time goes back
