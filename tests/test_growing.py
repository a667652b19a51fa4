"""Items that grow: while it is unread, the events of a group are one item, which counts and names who caused them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group as AuthGroup
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from notifications.inbox.actors import display_name
from notifications.inbox.counts import Counts, counts
from notifications.inbox.reading import page
from notifications.inbox.stream import INBOX
from notifications.kinds import Kind, kind, people, registry
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.live.sequencer import sequence
from notifications.models import Inbox, Notice, Notification
from notifications.services import (
    archive,
    mark_all_read,
    mark_read,
    mark_seen,
    mark_unread,
    notify,
    prune,
    unarchive,
    withdraw,
)

from .factories import make_user, make_users, reason, stamp
from .test_contention import application
from .threads import together

POST = "post:7"
SOON = timedelta(seconds=1)


def comment(to: Any, by: Any = None, title: str = "Comment", **fields: Any) -> Notice:
    """Store an event of the group; nothing is placed before `stamp`."""
    return notify(to, title, **{"kind": "comment", "group": POST, "actor": by, **fields})


def shown(user: Any, **query: Any) -> list[Any]:
    return list(page(user, **query).items)


def changes(user: Any, after: int) -> list[dict[str, Any]]:
    """Return what a reader at a position is told."""
    [batch] = changes_since(INBOX, {user.pk: Position(Inbox.objects.get(user=user).epoch, after)}).values()
    return [item for frame in batch.frames for item in json.loads(frame.data)["items"]]


def head(user: Any) -> int:
    return Inbox.objects.get(user=user).head


@pytest.mark.django_db
class TestGrowing:
    """One item while it is unread."""

    @pytest.fixture(autouse=True)
    def people(self, db: None) -> None:
        self.alice, self.bob, self.carol, self.dora, self.eve = (
            make_user(name) for name in ("alice", "bob", "carol", "dora", "eve")
        )

    def test_events_join_the_unread_item_which_shows_the_latest_and_rises(self) -> None:
        comment(self.alice, self.bob, "First", body="1")
        stamp(self.alice)
        notify(self.alice, "Something else")
        stamp(self.alice)
        [_other, first] = shown(self.alice)
        assert (first.group.events, first.group.actors, first.group.since) == (1, 1, None)
        assert [actor.id for actor in first.group.latest] == [first.actor.id]
        comment(self.alice, self.carol, "Second", body="2")
        stamp(self.alice)
        [grown, _other] = shown(self.alice)
        assert (grown.id, grown.title, grown.body) == (first.id, "Second", "2")
        assert (grown.group.events, grown.group.actors) == (2, 2)
        assert [actor.id for actor in grown.group.latest] == [grown.actor.id, first.actor.id]
        assert counts([self.alice.pk])[self.alice.pk] == Counts(2, 2)

    def test_actors_are_counted_once_and_the_latest_three_are_named(self) -> None:
        everybody = [self.bob, self.carol, self.bob, self.dora, self.bob, None, self.eve, self.carol]
        for by in everybody:
            comment(self.alice, by)
            stamp(self.alice)
        [item] = shown(self.alice)
        assert (item.group.events, item.group.actors) == (8, 4)
        names = [page_actor.id for page_actor in item.group.latest]
        assert [str(name) for name in names] == [str(user.pk) for user in (self.carol, self.eve, self.bob)]

    def test_events_that_are_placed_together_are_one_item_from_the_beginning(self) -> None:
        for by in (self.bob, self.carol, self.bob):
            comment(self.alice, by, f"By {by.pk}")
        stamp(self.alice)
        [item] = shown(self.alice)
        assert (item.title, item.group.events, item.group.actors) == (f"By {self.bob.pk}", 3, 2)
        assert item.group.since is None, "nobody has been told of it"

    def test_nothing_of_it_is_seen_before_it_has_its_place(self) -> None:
        comment(self.alice, self.bob)
        stamp(self.alice)
        comment(self.alice, self.carol)
        assert [item.group.events for item in shown(self.alice)] == [1]
        assert shown(self.alice, state="archived") == []
        assert counts([self.alice.pk])[self.alice.pk] == Counts(1, 1)

    def test_groups_kinds_and_recipients_keep_to_themselves(self) -> None:
        comment([self.alice, self.bob])
        comment(self.alice, group="post:8")
        comment(self.alice, kind="like")
        comment(self.alice)
        stamp(self.alice, self.bob)
        assert sorted(item.group.events for item in shown(self.alice)) == [1, 1, 2]
        assert [item.group.events for item in shown(self.bob)] == [1]

    @pytest.mark.parametrize("close", [mark_read, archive])
    def test_what_is_read_or_archived_grows_no_more(self, close: Any) -> None:
        comment(self.alice, self.bob, "First")
        stamp(self.alice)
        [first] = shown(self.alice)
        close(self.alice, [first.id])
        comment(self.alice, self.bob, "Second")
        stamp(self.alice)
        second = shown(self.alice)[0]
        assert second.id != first.id
        assert (second.title, second.group.events) == ("Second", 1)
        undo = {mark_read: mark_unread, archive: unarchive}[close]
        undo(self.alice, [first.id])
        stamp(self.alice)
        comment(self.alice, self.carol, "Third")
        stamp(self.alice)
        assert {(item.title, item.group.events) for item in shown(self.alice)} == {("First", 1), ("Third", 2)}

    def test_an_item_that_has_expired_or_was_withdrawn_grows_no_more(self) -> None:
        short = comment(self.alice, title="Short", expires_at=timezone.now() + timedelta(hours=1))
        stamp(self.alice)
        Notice.objects.filter(pk=short.pk).update(expires_at=timezone.now())
        wrong = comment(self.alice, title="Wrong")
        stamp(self.alice)
        withdraw(wrong)
        stamp(self.alice)
        comment(self.alice, title="Right")
        stamp(self.alice)
        assert [(item.title, item.group.events) for item in shown(self.alice)] == [("Right", 1)]

    def test_it_is_unseen_again_and_a_reader_is_told_since_when_it_is_there(self) -> None:
        comment(self.alice, self.bob)
        stamp(self.alice)
        first = head(self.alice)
        mark_seen(self.alice)
        stamp(self.alice)
        for events in (2, 3):
            before = head(self.alice)
            comment(self.alice, self.carol)
            stamp(self.alice)
            [item] = changes(self.alice, before)
            assert (item["seen_at"], item["group"]["events"], item["group"]["since"]) == (None, events, first)

    def test_a_reader_from_long_ago_is_told_the_item_once(self) -> None:
        notify(self.alice, "Something")
        stamp(self.alice)
        for _ in range(4):
            comment(self.alice, self.bob)
            stamp(self.alice)
        assert [item["group"]["events"] for item in changes(self.alice, 1)] == [4]

    def test_what_came_after_a_cursor_stays_unread_also_where_it_joined_an_item(self) -> None:
        comment(self.alice, self.bob)
        stamp(self.alice)
        shown_until = page(self.alice).cursor
        comment(self.alice, self.carol)
        stamp(self.alice)
        assert mark_all_read(self.alice, shown_until) == 0
        assert mark_all_read(self.alice) == 1

    def test_an_event_that_commits_late_counts_but_is_not_shown(self) -> None:
        late = comment(self.alice, self.bob, "Earlier")
        row = Notification.objects.filter(notice=late)
        row.update(modseq=0)  # as if its transaction were still open
        comment(self.alice, self.carol, "Later")
        stamp(self.alice)
        row.update(modseq=None)
        stamp(self.alice)
        [item] = shown(self.alice)
        assert (item.title, item.group.events, item.group.actors) == ("Later", 2, 2)

    def test_an_event_is_sent_once_for_its_dedupe_key(self) -> None:
        first = comment(self.alice, self.bob, dedupe_key="1")
        stamp(self.alice)
        second = comment(self.alice, self.carol, dedupe_key="2")
        stamp(self.alice)
        comment(self.alice, self.dora, dedupe_key="3")
        stamp(self.alice)
        for key, notice in (("1", first), ("2", second)):
            assert comment(self.alice, self.eve, dedupe_key=key) == notice
        stamp(self.alice)
        assert [item.group.events for item in shown(self.alice)] == [3]

    def test_the_events_cannot_be_changed_as_if_they_were_items(self) -> None:
        for by in (self.bob, self.carol):
            comment(self.alice, by)
            stamp(self.alice)
        hidden = Notification.objects.get(folded_into__gt=0)
        for verb in (mark_read, mark_unread, archive, unarchive):
            assert verb(self.alice, [hidden.pk]) == 0
        assert len(shown(self.alice)) == 1
        assert shown(self.alice, state="archived") == []

    def test_who_was_deleted_is_counted_and_not_named(self) -> None:
        for by in (self.bob, self.carol):
            comment(self.alice, by)
            stamp(self.alice)
        gone = self.bob.pk
        self.bob.delete()
        [item] = shown(self.alice)
        assert (item.group.events, item.group.actors) == (2, 2)
        assert str(gone) not in [str(actor.id) for actor in item.group.latest]

    def test_an_actor_may_be_no_user(self) -> None:
        robots = [AuthGroup.objects.create(name=name) for name in ("Backup", "Monitor")]
        for by in (robots[0], self.bob, robots[1], robots[0]):
            comment(self.alice, by)
            stamp(self.alice)
        with CaptureQueriesContext(connection) as queries:
            [item] = shown(self.alice)
        assert [actor.name for actor in item.group.latest] == ["Backup", "Monitor", display_name(self.bob)]
        assert (item.group.events, item.group.actors, len(queries)) == (4, 3, 5)

    @pytest.mark.parametrize("group", ["", "x" * 201, 7, "\x00"])
    def test_a_group_has_a_name(self, group: Any) -> None:
        with pytest.raises(ValidationError) as refused:
            comment(self.alice, group=group)
        assert list(refused.value.error_dict) == ["group"]
        assert Notice.objects.count() == 0

    def test_pruning_takes_the_events_with_their_item(self) -> None:
        for by in (self.bob, self.carol, self.dora):
            comment(self.alice, by)
            stamp(self.alice)
        assert prune_all() == 0
        archive(self.alice, [shown(self.alice)[0].id])
        stamp(self.alice)
        assert prune_all() == 1
        assert (Notification.objects.count(), Notice.objects.count()) == (0, 0)


def prune_all() -> int:
    """Prune what is over, in a transaction of the test."""
    later = timezone.now() + SOON
    Notice.objects.update(created_at=later - timedelta(days=1))
    return prune(later)


@pytest.mark.django_db
class TestShrinking:
    """An event that is withdrawn is counted no more."""

    @pytest.fixture(autouse=True)
    def people(self, db: None) -> None:
        self.alice, self.bob, self.carol = (make_user(name) for name in ("alice", "bob", "carol"))
        self.events = []
        for title, by in (("1", self.bob), ("2", self.carol), ("3", self.bob), ("4", self.carol)):
            self.events.append(comment(self.alice, by, title))
            stamp(self.alice)
        [self.item] = shown(self.alice)

    def left(self) -> tuple[str, int, int, list[str]]:
        [item] = shown(self.alice)
        assert item.id == self.item.id
        return item.title, item.group.events, item.group.actors, [str(actor.id) for actor in item.group.latest]

    def withdraw(self, *numbers: int) -> None:
        for number in numbers:
            assert withdraw(self.events[number - 1]) == 1
        stamp(self.alice)

    def test_an_earlier_one(self) -> None:
        self.withdraw(2)
        assert self.left() == ("4", 3, 2, [str(self.carol.pk), str(self.bob.pk)])

    def test_all_of_an_actor(self) -> None:
        self.withdraw(1, 3)
        assert self.left() == ("4", 2, 1, [str(self.carol.pk)])

    def test_the_one_that_is_shown(self) -> None:
        before = head(self.alice)
        self.withdraw(4)
        assert self.left() == ("3", 3, 2, [str(self.bob.pk), str(self.carol.pk)])
        [told] = changes(self.alice, before)
        assert (told["id"], told["title"], told["group"]["events"]) == (self.item.id, "3", 3)
        self.withdraw(3)
        assert self.left() == ("2", 2, 2, [str(self.carol.pk), str(self.bob.pk)])

    def test_the_only_one_that_is_left_takes_the_item_with_it(self) -> None:
        self.withdraw(4, 3, 2)
        assert self.left() == ("1", 1, 1, [str(self.bob.pk)])
        before = head(self.alice)
        self.withdraw(1)
        assert shown(self.alice) == []
        assert changes(self.alice, before) == [{"id": self.item.id, "version": head(self.alice), "removed": True}]

    def test_one_that_was_withdrawn_before_it_had_its_place(self) -> None:
        before = head(self.alice)
        withdraw(comment(self.alice, self.bob, "Wrong"))
        stamp(self.alice)
        assert self.left()[:2] == ("4", 4)
        assert all(told.get("removed") for told in changes(self.alice, before))

    def test_it_grows_on_while_it_shrinks(self) -> None:
        withdraw(self.events[3])
        comment(self.alice, self.bob, "5")
        stamp(self.alice)
        assert self.left() == ("5", 4, 2, [str(self.bob.pk), str(self.carol.pk)])

    def test_also_when_it_was_read(self) -> None:
        mark_read(self.alice, [self.item.id])
        stamp(self.alice)
        self.withdraw(4)
        assert self.left()[:2] == ("3", 3)

    def test_an_event_whose_item_was_deleted_is_gone(self) -> None:
        Notification.objects.get(pk=self.item.id).delete()
        self.withdraw(1)
        assert shown(self.alice) == []
        assert not Notification.objects.filter(modseq=None).exists()

    def test_nothing_is_left_to_do_after_it(self) -> None:
        self.withdraw(2)
        with CaptureQueriesContext(connection) as queries:
            sequence(INBOX, [self.alice.pk])
        assert len(queries) == 1


@pytest.fixture
def own_kinds() -> Iterator[None]:
    """Let a test declare kinds, and remove them again."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


@pytest.fixture
def commented(own_kinds: None) -> Any:
    """Declare a kind that grows."""

    @kind("post.commented", grow=True)
    class Commented(Kind):
        post: int
        text: str = ""

        def group(self) -> str:
            return f"post:{self.post}"

        def title(self) -> str:
            return f"{people(self.actors, self.count)} said {self.events}: {self.text}"

    return Commented


@pytest.mark.django_db
class TestKinds:
    """A kind says of what it is a part, and tells of those who have made it grow."""

    def test_it_tells_who_and_how_many_also_live(self, commented: Any) -> None:
        alice, *others = make_users(7)
        for number, by in enumerate(others):
            notify(alice, commented(post=7, text=str(number)), actor=by)
            stamp(alice)
        notify(alice, commented(post=8), actor=others[0])
        stamp(alice)
        [eight, seven] = shown(alice)
        names = [actor.name for actor in seven.group.latest]
        assert seven.title == f"{names[0]}, {names[1]} and 4 others said 6: 5"
        assert eight.title == f"{eight.actor.name} said 1:"
        assert [told["title"] for told in changes(alice, 0)] == [seven.title, eight.title]

    def test_each_recipient_is_told_of_their_own_item(self, commented: Any) -> None:
        alice, bob, carol = make_users(3)
        notify(alice, commented(post=7), actor=carol)
        stamp(alice)
        notify([alice, bob], commented(post=7, text="both"), actor=carol)
        stamp(alice, bob)
        assert [shown(user)[0].title.rpartition(" said ")[2] for user in (alice, bob)] == ["2: both", "1: both"]

    def test_what_is_stored_for_when_no_code_has_it_names_the_actor(self, commented: Any) -> None:
        alice, bob = make_users(2)
        notice = notify(alice, commented(post=7), actor=bob)
        assert notice.title == f"{display_name(bob)} said 1:"

    def test_a_group_that_is_given_counts_and_one_without_is_the_kind_as_a_whole(self, own_kinds: None) -> None:
        @kind("tests.whole", grow=True)
        class Whole(Kind):
            count: int = 7  # type: ignore[misc]  # a fact of that name stays a fact

            def title(self) -> str:
                return f"Whole {self.count} of {self.events}"

        [alice] = make_users(1)
        for group in (None, None, "other"):
            notify(alice, Whole(), group=group)
            stamp(alice)
        assert sorted(item.title for item in shown(alice)) == ["Whole 7 of 1", "Whole 7 of 2"]

    def test_a_fact_of_such_a_name_is_as_required_as_any_other(self, own_kinds: None) -> None:
        @kind("tests.counted")
        class Counted(Kind):
            count: int  # type: ignore[misc]
            title = "Counted"

        with pytest.raises(TypeError, match="count"):
            Counted()  # type: ignore[call-arg]
        assert Counted(count=3).count == 3

    def test_a_group_that_makes_no_sense_is_refused(self, own_kinds: None) -> None:
        @kind("tests.wrong", grow=True)
        class Wrong(Kind):
            title = "Wrong"
            group = "x" * 300

        with pytest.raises(ValidationError) as refused:
            notify(make_user(), Wrong())
        assert list(refused.value.error_dict) == ["group"]
        assert Notice.objects.count() == 0

    @pytest.mark.parametrize(
        ("names", "count", "sentence"),
        [
            ([], 0, "Somebody"),
            ([], 1, "1 person"),
            ([], 3, "3 people"),
            (["Ann"], 1, "Ann"),
            (["Ann", "Ben"], 2, "Ann and Ben"),
            (["Ann", "Ben", "Cy"], 3, "Ann, Ben and Cy"),
            (["Ann", "Ben", "Cy"], 4, "Ann, Ben and 2 others"),
            (["Ann", "Ben", "Cy"], 50, "Ann, Ben and 48 others"),
            (["Ann"], 2, "Ann and 1 other"),
        ],
    )
    def test_people_are_named(self, names: list[str], count: int, sentence: str) -> None:
        assert people(names, count) == sentence

    def test_a_name_that_begins_a_sentence_does_not_turn_it_around(self) -> None:
        assert people(["درة", "Ben"], 2) == "\u200e\u2068درة\u2069 and Ben"
        assert people(["Ann", "درة"], 2) == "Ann and \u2068درة\u2069"

    def test_people_are_named_in_the_readers_language(self) -> None:
        with override("de"):
            assert people(["Ann", "Ben", "Cy"], 50) == "Ann, Ben und 48 weitere"
        with override("ar"):
            assert people(["Ann", "Ben", "Cy"], 50) == "\u200f\u2068Ann\u2069، \u2068Ben\u2069 و48 آخر"


@pytest.mark.django_db
class TestPrice:
    """Queries do not grow with recipients, and who sends without a group pays nothing."""

    def price(self, users: list[Any], **fields: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            notify(users, "Title", **fields)
            sequence(INBOX, [user.pk for user in users])
        return len(queries)

    def test_a_send_without_a_group_asks_nothing_of_groups(self) -> None:
        [alice] = make_users(1)
        notify(alice, "First")
        stamp(alice)
        with CaptureQueriesContext(connection) as queries:
            notify(alice, "Second")
            stamp(alice)
        statements = [query["sql"] for query in queries if query["sql"].startswith(("SELECT", "UPDATE", "DELETE"))]
        assert not [sql for sql in statements if "folded_into" in sql and "JOIN" in sql]
        plain = len(queries)
        with CaptureQueriesContext(connection) as queries:
            notify(alice, "Third", group="g")
            stamp(alice)
        assert len(queries) == plain + 3  # what is pending, which item is open, and that it begins

    def test_a_group_costs_a_constant_number_for_each_thousand(self) -> None:
        users = make_users(4_000)
        notify(users, "First", group="g")
        sequence(INBOX, [user.pk for user in users])
        [bob] = make_users(1, "bob")
        thousand = self.price(users[:1_000], group="g", actor=bob)
        assert thousand < 150  # on SQLite, which takes some dozen rows by one statement
        assert self.price(users[1_000:], group="g", actor=bob) <= 3 * thousand
        assert Notification.objects.filter(growth__events=2).count() == 4_000

    def test_a_page_of_grown_items_costs_one_query_more(self) -> None:
        alice, *others = make_users(8)
        for number in range(6):
            for by in others:
                notify(alice, "Title", group=f"g{number}", actor=by)
        stamp(alice)
        with CaptureQueriesContext(connection) as queries:
            assert len(page(alice).items) == 6
        assert len(queries) == 4


class AtOnceTests(TransactionTestCase):
    """Writers, readers and crashes at the same time."""

    def test_fifty_writers_make_one_item_of_fifty_actors_and_none_of_them_fails(self) -> None:
        alice, *others = make_users(51)

        def write(by: Any) -> int:
            with transaction.atomic():
                comment(alice, by)
                get_user_model().objects.filter(pk=by.pk).update(is_active=True)  # the application's own work
            return 1

        for start in range(0, 50, 10):
            assert together(*[lambda by=by: write(by) for by in others[start : start + 10]]) == [1] * 10
        stamp(alice)
        [item] = shown(alice)
        assert (item.group.events, item.group.actors, len(item.group.latest)) == (50, 50, 3)
        assert counts([alice.pk])[alice.pk] == Counts(1, 1)
        assert not Notification.objects.filter(modseq=None).exists()

    def test_a_crash_between_commit_and_stamp_is_healed_by_the_next_pass(self) -> None:
        alice, bob = make_users(2)
        comment(alice, bob)
        with pytest.MonkeyPatch.context() as crash:
            crash.setattr("notifications.live.commit.sequence_now", lambda *_args: None)
            comment(alice, bob)
        assert [item.group.events for item in shown(alice)] == [1]
        sequence(INBOX, [alice.pk])
        assert [item.group.events for item in shown(alice)] == [2]

    def test_a_transaction_that_is_rolled_back_leaves_nothing(self) -> None:
        alice, bob = make_users(2)
        comment(alice, bob, "Kept")
        with transaction.atomic():
            comment(alice, bob, "Gone")
            transaction.set_rollback(True)
        assert [(item.title, item.group.events) for item in shown(alice)] == [("Kept", 1)]

    def test_an_event_waits_for_nobody_who_holds_the_item_and_joins_or_begins_one_after_it(self) -> None:
        if not connection.features.has_select_for_update:
            return  # SQLite lets one transaction write at a time
        for close, expected in ((False, [2]), (True, [1, 2])):
            with self.subTest(close=close):
                alice, bob = make_users(2, f"user{close}")
                comment(alice, bob)
                [first] = shown(alice)

                def hold(user: Any = alice, pk: int = first.id, close: bool = close) -> None:
                    if close:
                        mark_read(user, [pk])
                    else:
                        Notification.objects.select_for_update().get(pk=pk)

                with application(hold) as end:
                    comment(alice, bob)
                    assert [item.group.events for item in shown(alice)] == [1]
                    end()
                if close:
                    comment(alice, bob)
                sequence(INBOX, [alice.pk])
                assert sorted(item.group.events for item in shown(alice)) == expected

    def test_deleting_an_event_for_good_tells_readers_to_begin_anew(self) -> None:
        alice, bob = make_users(2)
        first = comment(alice, bob)
        comment(alice, bob)
        before = head(alice)
        first.delete()
        assert reason(alice, before) == "pruned"
        assert [item.group.events for item in shown(alice)] == [2]

    def test_growing_itself_resets_no_reader(self) -> None:
        alice, bob = make_users(2)
        comment(alice, bob)
        before = head(alice)
        comment(alice, bob)
        assert reason(alice, before) == ""
