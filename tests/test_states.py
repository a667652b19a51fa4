"""What a recipient does with notifications: read, see, archive, and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import TestCase

from notifications import services
from notifications.inbox.reading import summary
from notifications.models import Inbox, Notification
from notifications.services import archive, mark_all_read, mark_read, mark_seen, mark_unread, unarchive
from tests.factories import make_user, stamp, tell

pytestmark = pytest.mark.django_db

Verb = Callable[[Any, Iterable[int]], int]

# Each verb with the one that prepares a row for it, so that there is something to change.
VERBS: list[tuple[Verb, Verb | None]] = [
    (mark_read, None),
    (mark_unread, mark_read),
    (archive, None),
    (unarchive, archive),
]
each_verb = pytest.mark.parametrize(("verb", "before"), VERBS, ids=lambda verb: getattr(verb, "__name__", "-"))


def row(pk: int) -> Notification:
    return Notification.objects.get(pk=pk)


def states(pk: int) -> tuple[bool, bool, bool]:
    """Return whether a row is seen, read and archived."""
    found = row(pk)
    return found.seen_at is not None, found.read_at is not None, found.archived_at is not None


def test_read_implies_seen() -> None:
    alice = make_user()
    [pk] = tell(alice, "One")
    assert mark_read(alice, [pk]) == 1
    assert states(pk) == (True, True, False)


def test_reading_what_was_seen_keeps_the_time_of_seeing() -> None:
    alice = make_user()
    [pk] = tell(alice, "One")
    mark_seen(alice)
    seen_at = row(pk).seen_at
    mark_read(alice, [pk])
    assert row(pk).seen_at == seen_at


def test_unread_leaves_seen() -> None:
    alice = make_user()
    [pk] = tell(alice, "One")
    mark_read(alice, [pk])
    assert mark_unread(alice, [pk]) == 1
    assert states(pk) == (True, False, False)


def test_archive_and_back_leave_read_and_seen_alone() -> None:
    alice = make_user()
    [pk] = tell(alice, "One")
    assert archive(alice, [pk]) == 1
    assert states(pk) == (False, False, True)
    assert unarchive(alice, [pk]) == 1
    assert states(pk) == (False, False, False)


def test_seeing_does_not_read() -> None:
    alice = make_user()
    [pk] = tell(alice, "One")
    assert mark_seen(alice) == 1
    assert states(pk) == (True, False, False)


@each_verb
def test_only_the_named_rows_change(verb: Verb, before: Verb | None) -> None:
    alice = make_user()
    one, two = tell(alice, "One", "Two")
    if before:
        before(alice, [one, two])
    unchanged = states(two)
    assert verb(alice, [one]) == 1
    assert states(two) == unchanged != states(one)


@each_verb
def test_a_change_waits_for_its_position_and_gets_a_higher_one(verb: Verb, before: Verb | None) -> None:
    alice = make_user()
    one, two = tell(alice, "One", "Two")
    if before:
        before(alice, [one])
        stamp(alice)
    verb(alice, [one])
    assert row(one).modseq is None
    assert row(two).modseq == 2
    stamp(alice)
    assert row(one).modseq == Inbox.objects.get(user=alice).head > 2


@each_verb
def test_rows_of_others_are_left_alone(verb: Verb, before: Verb | None) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    [pk] = tell(bob, "One")
    if before:
        before(bob, [pk])
        stamp(bob)
    unchanged = Notification.objects.values().get(pk=pk)
    assert verb(alice, [pk]) == 0
    assert Notification.objects.values().get(pk=pk) == unchanged


@each_verb
def test_a_change_that_changes_nothing_stamps_nothing(verb: Verb, before: Verb | None) -> None:
    alice = make_user()
    [pk] = tell(alice, "One")
    if before:
        before(alice, [pk])
    verb(alice, [pk])
    stamp(alice)
    unchanged = Notification.objects.values().get(pk=pk)
    assert verb(alice, [pk]) == 0
    assert Notification.objects.values().get(pk=pk) == unchanged


@each_verb
def test_a_change_is_announced_after_the_commit_and_nothing_else_is(
    verb: Verb, before: Verb | None, django_capture_on_commit_callbacks: Any
) -> None:
    alice = make_user()
    [pk] = tell(alice, "One")
    if before:
        before(alice, [pk])
    with django_capture_on_commit_callbacks() as callbacks:
        verb(alice, [pk])
    assert len(callbacks) == 1
    with django_capture_on_commit_callbacks(execute=True):
        verb(alice, [pk])
    moved = cursor(alice)
    with django_capture_on_commit_callbacks(execute=True):
        verb(alice, [pk])
    assert cursor(alice) == moved


@each_verb
@pytest.mark.parametrize(
    "ids",
    [range(1, 1_002), ["1"], [None], [1.0], [0], [-1], [2**63]],
    ids=["1,001", "text", "None", "float", "zero", "negative", "too large"],
)
def test_what_is_no_list_of_ids_is_refused(verb: Verb, before: Verb | None, ids: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        verb(make_user(), ids)
    assert list(refusal.value.message_dict) == ["ids"]


@each_verb
def test_a_thousand_ids_are_taken_and_unknown_ones_are_no_mistake(verb: Verb, before: Verb | None) -> None:
    assert verb(make_user(), iter(range(1, 1_001))) == 0


def cursor(user: Any) -> str:
    return summary(user).cursor


each_bulk_verb = pytest.mark.parametrize(("verb", "field"), [(mark_seen, "seen_at"), (mark_all_read, "read_at")])
Bulk = Callable[..., int]


def having(field: str) -> set[str]:
    rows = Notification.objects.filter(**{f"{field}__isnull": False})
    return set(rows.values_list("notice__title", flat=True))


@each_bulk_verb
def test_without_a_cursor_everything_of_the_user_is_meant(verb: Bulk, field: str) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    tell(alice, "One", "Two")
    tell(bob, "Three")
    services.notify(alice, "Pending")
    assert verb(alice) == 3
    assert having(field) == {"One", "Two", "Pending"}


@each_bulk_verb
def test_what_arrives_meanwhile_stays(verb: Bulk, field: str) -> None:
    alice = make_user()
    tell(alice, "One", "Two")
    up_to = cursor(alice)
    tell(alice, "Meanwhile")
    services.notify(alice, "Pending")
    assert verb(alice, up_to) == 2
    assert having(field) == {"One", "Two"}


@each_bulk_verb
def test_what_had_arrived_is_meant_though_it_changed_meanwhile(verb: Bulk, field: str) -> None:
    alice = make_user()
    one, _two = tell(alice, "One", "Two")
    up_to = cursor(alice)
    archive(alice, [one])
    stamp(alice)
    unarchive(alice, [one])
    stamp(alice)
    assert row(one).modseq == 4
    assert verb(alice, up_to) == 2


def test_reading_moves_the_position_but_not_the_arrival() -> None:
    alice = make_user()
    one, _two = tell(alice, "One", "Two")
    mark_read(alice, [one])
    stamp(alice)
    assert (row(one).modseq, row(one).arrival) == (3, 1)


@each_bulk_verb
def test_archived_rows_are_left_alone(verb: Bulk, field: str) -> None:
    alice = make_user()
    one, _two = tell(alice, "One", "Two")
    archive(alice, [one])
    assert verb(alice) == 1
    assert having(field) == {"Two"}


@each_bulk_verb
def test_a_second_time_changes_nothing(verb: Bulk, field: str, django_capture_on_commit_callbacks: Any) -> None:
    alice = make_user()
    tell(alice, "One", "Two")
    with django_capture_on_commit_callbacks(execute=True):
        verb(alice)
    moved = cursor(alice)
    with django_capture_on_commit_callbacks(execute=True):
        assert verb(alice) == 0
    assert cursor(alice) == moved


@each_bulk_verb
def test_nothing_had_arrived_at_the_empty_cursor_of_an_inbox_that_was_not_there(verb: Bulk, field: str) -> None:
    alice = make_user()
    up_to = cursor(alice)
    assert up_to == ""
    tell(alice, "Meanwhile")
    assert verb(alice, up_to) == 0
    assert having(field) == set()


@each_bulk_verb
@pytest.mark.parametrize("up_to", ["inbox", "room-7=5f0c2a91.3", "inbox=00000000.3", "\x00", "x" * 300])
def test_what_is_no_cursor_of_this_inbox_is_refused(verb: Bulk, field: str, up_to: str) -> None:
    alice = make_user()
    tell(alice, "One")
    with pytest.raises(ValidationError) as refusal:
        verb(alice, up_to)
    assert list(refusal.value.message_dict) == ["up_to"]
    assert having(field) == set()


@each_bulk_verb
def test_the_cursor_of_another_user_is_refused(verb: Bulk, field: str) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    tell(alice, "One")
    tell(bob, "Two")
    with pytest.raises(ValidationError):
        verb(alice, cursor(bob))


class AsyncTests(TestCase):
    def setUp(self) -> None:
        self.alice = make_user()
        self.one, self.two = tell(self.alice, "One", "Two")

    async def test_each_async_twin_does_what_its_verb_does(self) -> None:
        twins: list[tuple[Callable[..., Awaitable[int]], tuple[bool, bool, bool]]] = [
            (services.amark_read, (True, True, False)),
            (services.amark_unread, (True, False, False)),
            (services.aarchive, (True, False, True)),
            (services.aunarchive, (True, False, False)),
        ]
        for twin, expected in twins:
            with self.subTest(twin=twin.__name__):
                assert await twin(self.alice, [self.one]) == 1
                found = await Notification.objects.aget(pk=self.one)
                assert expected == (bool(found.seen_at), bool(found.read_at), bool(found.archived_at))

    async def test_the_bulk_verbs_have_async_twins_too(self) -> None:
        assert await services.amark_seen(self.alice) == 2
        assert await services.amark_all_read(self.alice) == 2
