"""The heart: positions after commit, and how a reader catches up from a cursor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from notifications.inbox.stream import INBOX
from notifications.live.batch import Batch
from notifications.live.chunks import STREAM_CHUNK
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.live.sequencer import sequence
from notifications.live.streams import RESUME_LIMIT, Hint
from notifications.models import Inbox, Notice, Notification
from notifications.services import archive, mark_read, notify
from tests.factories import make_user, make_users, stamp, tell
from tests.threads import together

pytestmark = pytest.mark.django_db


def at(user: Any, modseq: int) -> Position:
    return Position(Inbox.objects.get(user=user).epoch, modseq)


def read(user: Any, position: Position | None) -> Batch:
    [batch] = changes_since(INBOX, {user.pk: position}).values()
    return batch


def payloads(batch: Batch) -> list[dict[str, Any]]:
    return [json.loads(frame.data) for frame in batch.frames]


def titles(batch: Batch) -> list[str]:
    return [item["title"] for payload in payloads(batch) for item in payload["items"]]


def pending(user: Any, number: int) -> None:
    """Store copies that wait for their position, as a bulk load would."""
    notices = Notice.objects.bulk_create([Notice(title=str(n)) for n in range(number)])
    Notification.objects.bulk_create([Notification(recipient=user, notice=notice) for notice in notices])


class TestChangesSince:
    """One read function: first load, resume, repair and polling."""

    def test_a_new_reader_starts_with_a_snapshot_of_the_first_page(self) -> None:
        alice = make_user()
        one, two = tell(alice, "One", "Two")
        batch = read(alice, None)
        [reset] = payloads(batch)
        assert (batch.start, batch.to) == (None, at(alice, 2))
        assert (reset["type"], reset["reason"], reset["unread"], reset["unseen"]) == ("reset", "start", 2, 2)
        assert reset["cursor"] == batch.frames[0].cursor == INBOX.cursor(alice.pk, at(alice, 2))
        assert [item["id"] for item in reset["items"]] == [two, one]

    def test_a_new_reader_of_a_new_inbox_gets_a_position_too(self) -> None:
        alice = make_user()
        batch = read(alice, None)
        assert (batch.to, titles(batch)) == (at(alice, 0), [])

    def test_a_reader_that_is_up_to_date_gets_nothing_and_stays_where_it_is(self) -> None:
        alice = make_user()
        tell(alice, "One")
        assert read(alice, at(alice, 1)) == Batch(at(alice, 1), at(alice, 1), ())

    def test_changes_come_in_the_order_of_their_positions(self) -> None:
        alice = make_user()
        _zero, one, _two, _three = tell(alice, "Zero", "One", "Two", "Three")
        mark_read(alice, [one])
        stamp(alice)
        pending(alice, 2)  # two rows of one position: the one that was stored first comes first
        stamp(alice)
        batch = read(alice, at(alice, 1))
        assert titles(batch) == ["Two", "Three", "One", "0", "1"]
        [changes] = payloads(batch)
        assert [item["version"] for item in changes["items"]] == [3, 4, 5, 6, 6]
        assert changes["from"] == INBOX.cursor(alice.pk, at(alice, 1))
        assert changes["to"] == batch.frames[0].cursor == INBOX.cursor(alice.pk, at(alice, 6))
        assert (changes["unread"], changes["unseen"]) == (5, 5)

    def test_of_several_changes_of_a_row_only_its_latest_state_comes(self) -> None:
        alice = make_user()
        [one] = tell(alice, "One")
        mark_read(alice, [one])
        stamp(alice)
        archive(alice, [one])
        stamp(alice)
        [changes] = payloads(read(alice, at(alice, 0)))
        [item] = changes["items"]
        assert item["version"] == 3
        assert None not in (item["seen_at"], item["read_at"], item["archived_at"])

    def test_a_recalled_row_comes_as_a_tombstone(self) -> None:
        alice = make_user()
        [one] = tell(alice, "One")
        Notice.objects.update(recalled_at="2026-11-21T12:00:00Z")
        Notification.objects.of(alice).touch()
        stamp(alice)
        [changes] = payloads(read(alice, at(alice, 1)))
        assert changes["items"] == [{"id": one, "version": 2, "removed": True}]

    def test_a_row_that_waits_for_its_position_is_not_told_yet(self) -> None:
        alice = make_user()
        tell(alice, "One", "Two")
        notify(alice, "Pending")
        assert titles(read(alice, at(alice, 1))) == ["Two"]

    def test_a_pass_whose_rows_changed_again_still_moves_the_reader(self) -> None:
        alice = make_user()
        [one] = tell(alice, "One")
        mark_read(alice, [one])
        batch = read(alice, at(alice, 0))
        assert (batch.to, titles(batch)) == (at(alice, 1), [])
        assert payloads(batch)[0]["to"] == INBOX.cursor(alice.pk, at(alice, 1))

    @pytest.mark.parametrize(
        ("reason", "stream", "position"),
        [
            ("epoch", {}, ("00000000", 2)),
            ("ahead", {}, (None, 4)),
            ("pruned", {"floor": 2}, (None, 1)),
        ],
    )
    def test_a_reader_that_cannot_be_continued_is_told_why_and_gets_a_snapshot(
        self, reason: str, stream: dict[str, int], position: tuple[str | None, int]
    ) -> None:
        alice = make_user()
        tell(alice, "One", "Two", "Three")
        Inbox.objects.update(**stream)
        epoch, modseq = position
        batch = read(alice, Position(epoch or at(alice, 0).epoch, modseq))
        [reset] = payloads(batch)
        assert (batch.start, batch.to, reset["reason"]) == (None, at(alice, 3), reason)
        assert titles(batch) == ["Three", "Two", "One"]

    def test_a_reader_at_the_floor_is_continued(self) -> None:
        alice = make_user()
        tell(alice, "One", "Two", "Three")
        Inbox.objects.update(floor=2)
        assert titles(read(alice, at(alice, 2))) == ["Three"]

    def test_as_many_changes_as_the_limit_are_read_and_one_more_is_a_snapshot(self) -> None:
        alice = make_user()
        pending(alice, RESUME_LIMIT)
        stamp(alice)
        assert len(titles(read(alice, at(alice, 0)))) == RESUME_LIMIT
        tell(alice, "One more")
        [reset] = payloads(read(alice, at(alice, 0)))
        assert (reset["type"], reset["reason"], len(reset["items"])) == ("reset", "too-many", 20)
        assert len(titles(read(alice, at(alice, 1)))) == 1

    def test_a_large_read_is_cut_into_frames_that_continue_each_other(self) -> None:
        alice = make_user()
        tell(alice, *map(str, range(20)), body="x" * 4_000)
        cuts = payloads(read(alice, at(alice, 0)))
        assert len(cuts) > 2
        assert [cut["from"] for cut in cuts[1:]] == [cut["to"] for cut in cuts[:-1]]
        assert cuts[-1]["to"] == INBOX.cursor(alice.pk, at(alice, 20))
        for cut in cuts:
            last = int(cut["to"].rpartition(".")[2])
            assert [item["version"] for item in cut["items"]][-1] == last

    def test_a_stream_that_does_not_exist_is_left_out(self) -> None:
        alice = make_user()
        gone = alice.pk
        alice.delete()
        assert changes_since(INBOX, {gone: None}) == {}

    @pytest.mark.parametrize("position", [0, 1])
    def test_many_streams_cost_no_more_queries_than_one(self, position: int) -> None:
        costs = []
        for number in (1, 50):
            users = make_users(number, f"group of {number}: ")
            notify(users, "One")
            stamp(*users)
            notify(users, "Two")
            stamp(*users)
            epochs = dict(Inbox.objects.values_list("pk", "epoch"))
            cursors: Mapping[Any, Position] = {user.pk: Position(epochs[user.pk], position) for user in users}
            with CaptureQueriesContext(connection) as queries:
                batches = changes_since(INBOX, cursors)
            assert all(titles(batch) == ["One", "Two"][position:] for batch in batches.values())
            assert len(batches) == number
            costs.append(len(queries))
        assert costs == [4, 4]  # heads, rows, notices, counts

    def test_one_reader_far_behind_does_not_cost_the_others_their_place(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        pending(alice, RESUME_LIMIT)
        stamp(alice)
        tell(bob, "One", "Two")
        batches = changes_since(INBOX, {alice.pk: at(alice, 0), bob.pk: at(bob, 1)})
        assert len(titles(batches[alice.pk])) == RESUME_LIMIT
        assert titles(batches[bob.pk]) == ["Two"]


class TestSequencer:
    """Positions are given after commit, one per pass and stream."""

    def test_a_pass_gives_all_that_waits_in_a_stream_one_position(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        tell(alice, "Zero")
        pending(alice, 3)
        pending(bob, 2)
        hints = sequence(INBOX, [alice.pk, bob.pk])
        assert sorted(hints) == sorted([Hint(INBOX.key(alice.pk), 2), Hint(INBOX.key(bob.pk), 1)])
        assert list(Notification.objects.of(alice).order_by("pk").values_list("modseq", flat=True)) == [1, 2, 2, 2]
        assert set(Notification.objects.of(bob).values_list("modseq", "arrival")) == {(1, 1)}

    def test_streams_that_were_not_named_are_left_alone(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        notify([alice, bob], "Hello")
        stamp(alice)
        assert Notification.objects.of(bob).get().modseq is None

    def test_a_pass_that_finds_nothing_costs_one_query_and_moves_nothing(self, django_assert_num_queries: Any) -> None:
        alice = make_user()
        tell(alice, "One")
        with django_assert_num_queries(1):
            assert sequence(INBOX, [alice.pk]) == []
        assert Inbox.objects.get(user=alice).head == 1

    def test_no_streams_are_no_mistake(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert sequence(INBOX, []) == []

    def test_the_first_pass_makes_the_inbox(self) -> None:
        alice = make_user()
        pending(alice, 1)
        assert not Inbox.objects.exists()
        stamp(alice)
        assert Inbox.objects.get().user == alice

    def test_more_rows_than_one_statement_takes_are_all_stamped(self) -> None:
        alice = make_user()
        pending(alice, 2 * STREAM_CHUNK + 1)
        [hint] = sequence(INBOX, [alice.pk])
        assert not Notification.objects.filter(modseq=None).exists()
        assert hint.to == Inbox.objects.get().head == 3
        positions = Notification.objects.order_by("pk").values_list("modseq", flat=True)
        assert [list(positions).count(n) for n in (1, 2, 3)] == [STREAM_CHUNK, STREAM_CHUNK, 1]

    def test_many_streams_cost_a_constant_number_of_queries(self) -> None:
        costs = []
        for number in (10, 100):
            users = make_users(number, f"group of {number}: ")
            notify(users, "Hello")
            with CaptureQueriesContext(connection) as queries:
                stamp(*users)
            costs.append(len(queries))
        assert costs[0] == costs[1] <= 15

    @pytest.mark.django_db(transaction=True)
    def test_it_refuses_to_run_inside_a_transaction(self) -> None:
        alice = make_user()
        pending(alice, 1)
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            sequence(INBOX, [alice.pk])

    @pytest.mark.django_db(transaction=True)
    def test_passes_at_once_stamp_each_row_once_and_wait_for_no_one(self) -> None:
        users = make_users(5)
        for user in users:
            pending(user, 60)
        pks = [user.pk for user in users]
        orders = [pks, pks[::-1], pks[2:] + pks[:2], pks[:3]]
        together(*[partial(sequence, INBOX, order) for order in orders])
        for user in users:
            rows = set(Notification.objects.of(user).values_list("modseq", "arrival"))
            assert all(modseq == arrival for modseq, arrival in rows)
            assert max(modseq or 0 for modseq, _ in rows) <= Inbox.objects.get(user=user).head <= len(orders)
        assert not Notification.objects.filter(modseq=None).exists()

    @pytest.mark.django_db(transaction=True)
    def test_senders_at_once_give_every_row_a_position(self) -> None:
        users = make_users(5)
        together(*[lambda: [notify(users, "Hello") for _ in range(5)]] * 4)
        assert not Notification.objects.filter(modseq=None).exists()
        for user in users:
            batch = read(user, at(user, 0))
            assert titles(batch) == ["Hello"] * 20
            assert batch.to == at(user, Inbox.objects.get(user=user).head)
