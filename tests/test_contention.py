"""Several at once on the same rows: everybody gets what the documentation says, and nobody waits for an application."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import timedelta
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import F, signals
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import receivers
from notifications.inbox import handing_out, outbox, reading
from notifications.inbox.outbox import collect
from notifications.inbox.stream import INBOX
from notifications.live.cursor import Position
from notifications.live.replay import catch_up, changes_since
from notifications.live.sequencer import sequence
from notifications.models import Inbox, Membership, Message, Notice, Notification, Room
from notifications.models.chat import Role
from notifications.services import (
    add_member,
    create_room,
    delete_message,
    edit_broadcast,
    edit_message,
    hide_message,
    notify,
    open_direct_room,
    post_message,
    prune,
    publish_broadcast,
    recall_broadcast,
    remove_member,
    set_role,
    unhide_message,
)
from tests.factories import reason

from .factories import make_user, make_users, tell
from .test_broadcast_services import draft
from .threads import together

LONG_AGO = timezone.now() - timedelta(days=100)
PROMPT = 5.0  # seconds; who waits for an application's transaction here waits until the test ends


class Elsewhere:
    """A thread with a connection of its own, which keeps a transaction open."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._end = Event()
        self._ready = Event()
        self._done: Future[None] | None = None

    def begin(self, work: Callable[[], object]) -> None:
        """Do `work` in a transaction that stays open."""
        self._done = self._pool.submit(self._run, work)
        assert self._ready.wait(PROMPT)

    def end(self) -> None:
        """Commit."""
        self._end.set()
        if self._done is not None:
            self._done.result(PROMPT)
        self._pool.shutdown()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                work()
                self._ready.set()
                assert self._end.wait(60)
        finally:
            self._ready.set()
            connections.close_all()


@contextmanager
def application(work: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Keep an application's transaction open, where the database has locks on rows; give what ends it.

    SQLite lets one transaction write at a time, so there is nobody to wait for; the work is done before.
    """
    with ExitStack() as stack:
        if not connection.features.has_select_for_update:
            yield lambda: None
            return
        elsewhere = Elsewhere()
        stack.callback(elsewhere.end)
        elsewhere.begin(work)
        yield elsewhere.end


def promptly(work: Callable[[], Any]) -> Any:
    """Do `work`, and fail if it has waited."""
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:

        def run() -> Any:
            try:
                return work()
            finally:
                connections.close_all()

        result = pool.submit(run).result(PROMPT)
    assert time.monotonic() - began < PROMPT
    return result


def items(user: Any, after: int) -> dict[int, str]:
    """Return what a reader at a position is told: titles by item, and what is gone."""
    sequence(INBOX, [user.pk])
    [batch] = changes_since(INBOX, {user.pk: Position(Inbox.objects.get(user=user).epoch, after)}).values()
    found = {}
    for frame in batch.frames:
        for item in json.loads(frame.data)["items"]:
            found[item["id"]] = "gone" if item.get("removed") else item["title"]
    return found


def first_titles(user: Any) -> list[str]:
    """Return what a new reader is shown."""
    frames = catch_up(INBOX, user.pk, None).frames
    return [item["title"] for frame in frames for item in json.loads(frame.data)["items"]]


def notice_recipients(notice: Notice) -> Any:
    return Notification.objects.filter(notice=notice).values_list("recipient_id", flat=True)


def head(user: Any) -> int:
    return Inbox.objects.get(user=user).head


class RoomTests(TransactionTestCase):
    def setUp(self) -> None:
        self.alice, self.bob = make_users(2)
        self.room = create_room("Project", by=self.alice)

    def events(self, kind: str) -> int:
        return Message.objects.filter(room=self.room, kind=kind).count()

    def test_a_user_who_is_let_in_by_several_at_once_comes_in_once(self) -> None:
        for _round in range(5):
            places = together(*[lambda: add_member(self.room, self.bob, by=self.alice)] * 6)
            assert len({place.pk for place in places}) == 1
            remove_member(self.room, self.bob)
        assert self.events("joined") == 5

    def test_the_same_holds_inside_transactions_and_with_other_work_in_them(self) -> None:
        def work() -> int:
            with transaction.atomic():
                Notice.objects.create(title="of the caller")
                return add_member(self.room, self.bob).pk

        assert len(set(together(*[work] * 6))) == 1
        assert Notice.objects.filter(title="of the caller").count() == 6
        assert self.events("joined") == 1

    def test_two_who_open_their_direct_room_at_once_have_one(self) -> None:
        def work(one: Any, other: Any) -> int:
            with transaction.atomic():
                return open_direct_room(one, other).pk

        pairs = [(self.alice, self.bob), (self.bob, self.alice)] * 3
        [pk] = set(together(*[lambda pair=pair: work(*pair) for pair in pairs]))
        assert Membership.objects.filter(room=pk).count() == 2
        assert Room.objects.get(pk=pk).size == 2

    def test_a_role_that_several_give_at_once_is_told_once(self) -> None:
        add_member(self.room, self.bob)
        together(*[lambda: set_role(self.room, self.bob, Role.MODERATOR)] * 5)
        assert self.events("role") == 1

    def test_a_user_who_does_not_exist_any_more_is_refused_as_ever(self) -> None:
        gone = make_user("gone")
        type(gone).objects.filter(pk=gone.pk).delete()
        with pytest.raises(IntegrityError):
            add_member(self.room, gone)

    def test_who_changes_a_message_locks_in_the_order_in_which_a_user_is_deleted(self) -> None:
        def order(work: Callable[[], object]) -> list[str]:
            with CaptureQueriesContext(connection) as queries:
                work()
            updates = [query["sql"][:30] for query in queries if query["sql"].startswith("UPDATE")]
            tables = [table for sql in updates for table in ("notice", "message") if f"carillon_{table}" in sql]
            return list(dict.fromkeys(tables))

        add_member(self.room, self.bob)
        first, second = [post_message(self.room, "Hello", by=self.alice) for _ in range(2)]
        assert first.number
        assert second.number
        changes: list[Callable[[], object]] = [
            lambda: edit_message(self.room, first.number or 0, "Hi", by=self.alice),
            lambda: hide_message(first, by=self.alice),
            lambda: unhide_message(first),
            lambda: delete_message(self.room, first.number or 0, by=self.alice),
            self.alice.delete,
        ]
        assert [order(change) for change in changes] == [["notice", "message"]] * 5

    def test_a_message_is_posted_although_a_member_is_deleted_meanwhile(self) -> None:
        if connection.vendor != "postgresql":
            return  # one writer at a time is SQLite's own rule, and InnoDB locks the user whom the alert refers to
        add_member(self.room, self.bob)
        alerted = Event()

        def watch(execute: Any, sql: str, *rest: Any) -> Any:
            done = execute(sql, *rest)
            if sql.startswith("INSERT") and "carillon_notification" in sql[:35]:
                alerted.set()  # the commit asks whether the recipient is there, and waits
            return done

        def post() -> Message:
            try:
                with connection.execute_wrapper(watch):
                    return post_message(self.room, "Welcome", by=self.alice)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool, application(lambda: self.bob.delete()) as end:
            posting = pool.submit(post)
            assert alerted.wait(PROMPT)
            end()
            assert posting.result(PROMPT).number
        assert Message.objects.filter(room=self.room, kind=Message.Kind.TEXT).count() == 1


class CollectorTests(TransactionTestCase):
    """A broadcast's latest state reaches every reader, whoever collects it when."""

    def setUp(self) -> None:
        self.alice = make_user("alice")
        tell(self.alice, "Before")

    @contextmanager
    def late(self) -> Iterator[Callable[[], None]]:
        """Let a collector be slow to remember how far it has come."""
        remember, waiting = outbox._remember, []
        patch = pytest.MonkeyPatch()
        patch.setattr(outbox, "_remember", lambda *args: waiting.append(args))
        try:
            yield lambda: remember(*waiting.pop())
        finally:
            patch.undo()

    def test_an_edit_before_a_slow_collector_has_remembered_is_told(self) -> None:
        broadcast = publish_broadcast(draft("Old"))
        with self.late() as remember:
            collect(INBOX, [self.alice.pk])
        [(pk, title)] = items(self.alice, 1).items()
        assert title == "Old"
        told = head(self.alice)
        edit_broadcast(broadcast, title="New")
        collect(INBOX, [self.alice.pk])
        remember()
        assert items(self.alice, told) == {pk: "New"}
        assert Inbox.objects.get(user=self.alice).collected == 2

    def test_a_recall_before_a_slow_collector_has_remembered_is_told(self) -> None:
        broadcast = publish_broadcast(draft("Old"))
        with self.late() as remember:
            collect(INBOX, [self.alice.pk])
        [pk] = items(self.alice, 1)
        told = head(self.alice)
        recall_broadcast(broadcast)
        collect(INBOX, [self.alice.pk])
        remember()
        assert items(self.alice, told) == {pk: "gone"}

    def held(self, *users: Any) -> set[Any]:
        """Return whose inboxes a collector holds while it stores copies with their positions."""
        with transaction.atomic():
            return set(handing_out._hold(INBOX, sorted(user.pk for user in users)))

    def test_a_collector_holds_all_inboxes_or_none(self) -> None:
        bob = make_user("bob")
        tell(self.alice, "One")
        tell(bob, "One")
        assert self.held(self.alice, bob) == {self.alice.pk, bob.pk}
        with application(lambda: Inbox.objects.select_for_update().get(user=bob)):
            found = promptly(lambda: self.held(self.alice, bob))
        assert found == (set() if connection.features.has_select_for_update else {self.alice.pk, bob.pk})

    def test_a_collector_holds_no_inbox_while_it_would_wait_for_who_has_locked_a_user(self) -> None:
        if connection.vendor != "postgresql":
            self.skipTest("PostgreSQL alone looks at foreign keys at the commit.")
        tell(self.alice, "One")
        with application(lambda: get_user_model().objects.select_for_update().get(pk=self.alice.pk)):
            assert promptly(lambda: self.held(self.alice)) == set()
        assert self.held(self.alice) == {self.alice.pk}

    def test_many_collectors_and_an_editor_at_once_end_with_the_last_version(self) -> None:
        for number in range(6):
            broadcast = publish_broadcast(draft(f"First {number}"))
            before = head(self.alice)

            def edit(broadcast: Any = broadcast, number: int = number) -> bool:
                edit_broadcast(broadcast, title=f"Last {number}")
                return True

            def collect_once() -> bool:
                collect(INBOX, [self.alice.pk])
                sequence(INBOX, [self.alice.pk])
                return True

            together(collect_once, edit, collect_once, collect_once)
            collect_once()
            assert set(items(self.alice, before).values()) == {f"Last {number}"}

    def test_a_copy_that_an_application_holds_stays_owed_and_nobody_waits(self) -> None:
        bob = make_user("bob")
        broadcast = publish_broadcast(draft("Old"))
        for user in (self.alice, bob):
            reading.page(user)
        told = {user: head(user) for user in (self.alice, bob)}
        edit_broadcast(broadcast, title="New")

        def hold() -> None:
            list(Notification.objects.of(self.alice).select_for_update())

        with application(hold):
            promptly(lambda: collect(INBOX, [self.alice.pk, bob.pk]))
            assert set(items(bob, told[bob]).values()) == {"New"}
        collect(INBOX, [self.alice.pk, bob.pk])
        assert set(items(self.alice, told[self.alice]).values()) == {"New"}
        assert not collect(INBOX, [self.alice.pk, bob.pk])

    def test_a_page_in_a_transaction_that_stays_open_holds_no_inbox(self) -> None:
        publish_broadcast(draft("Old"))
        newcomer = make_user("newcomer")
        with application(lambda: reading.page(newcomer)):
            promptly(lambda: notify(newcomer, "Hello"))
            promptly(lambda: sequence(INBOX, [newcomer.pk]))
            assert Inbox.objects.filter(user=newcomer).exists()

    def test_a_lock_in_the_way_of_a_reader_for_whom_a_broadcast_waits_is_no_failure(self) -> None:
        publish_broadcast(draft("To all"))
        elsewhere = Elsewhere()

        def lock() -> None:
            elsewhere.begin(lambda: Inbox.objects.update(head=F("head")))

        def lock_and_sequence(*arguments: Any) -> Any:
            lock()  # of all who write to SQLite one may: it comes between the copy and its position
            return sequence(*arguments)

        with ExitStack() as stack:
            stack.enter_context(self.assertNoLogs("django", "ERROR"))
            stack.callback(elsewhere.end)
            if connection.features.has_select_for_update:
                lock()
            else:
                stack.enter_context(patch.object(outbox, "sequence", lock_and_sequence))
            catch_up(INBOX, self.alice.pk, None)
        assert first_titles(self.alice) == ["To all", "Before"]


class SequencerTests(TransactionTestCase):
    def test_a_user_who_is_being_deleted_holds_up_no_other(self) -> None:
        if not connection.features.has_select_for_update:
            return  # one writer at a time is SQLite's own rule
        first, doomed, last = users = make_users(3)
        pks = [user.pk for user in users]
        for user in users:
            tell(user, "x")
        Notification.objects.update(modseq=None)
        alone = Event()
        advances: list[str] = []

        def watch(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("UPDATE") and "carillon_inbox" in sql[:25]:
                advances.append(sql)
                if len(advances) == 2:  # the one that is held, after all others
                    alone.set()
            return execute(sql, *rest)

        def stamp_all() -> None:
            try:
                with connection.execute_wrapper(watch):
                    sequence(INBOX, pks)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool, application(lambda: doomed.delete()) as end:
            stamping = pool.submit(stamp_all)
            assert alone.wait(PROMPT)
            assert Notification.objects.filter(recipient__in=[first, last], modseq=None).count() == 0
            promptly(lambda: [notify(first, "Next"), sequence(INBOX, [first.pk])])
            end()
            stamping.result(PROMPT)

    @contextmanager
    def waiting(self, send: Callable[[], Notice], hold: Callable[[], object], statement: str) -> Iterator[list[Notice]]:
        """Let `send` wait in a statement for an application that does `hold`; give what it has sent in the end."""
        waits, sent = Event(), []

        def watch(execute: Any, sql: str, *rest: Any) -> Any:
            if statement in sql[:40]:
                waits.set()
            return execute(sql, *rest)

        def run() -> None:
            try:
                with connection.execute_wrapper(watch):
                    sent.append(send())
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool, application(hold) as end:
            sending = pool.submit(run)
            assert waits.wait(PROMPT)
            yield sent
            end()
            sending.result(PROMPT)

    def late_after_soon(
        self, user: Any, send: Callable[[], Notice], hold: Callable[[], object], statement: str
    ) -> None:
        """Assert that a notice for a user who is free is not held up by one that waits, which comes after it."""
        with self.waiting(send, hold, statement) as sent:
            soon = promptly(lambda: notify(user, "Soon"))
            assert not sent
            assert Notification.objects.filter(notice=soon).exclude(modseq=None).exists()
        soon_at, late_at = (Notification.objects.get(notice=one, recipient=user).modseq or 0 for one in (soon, *sent))
        assert 0 < soon_at < late_at
        assert not Notification.objects.filter(modseq=None).exists()

    def test_who_waits_for_a_recipient_or_an_actor_holds_no_stream(self) -> None:
        if connection.vendor != "postgresql":
            return  # elsewhere what an application holds is waited for before the copies are there
        alice, bob = make_users(2)
        for user in (alice, bob):
            tell(user, "x")

        def hold() -> None:
            get_user_model().objects.select_for_update().get(pk=alice.pk)

        for send in (lambda: notify([alice, bob], "Late"), lambda: notify(bob, "Late", actor=alice)):
            self.late_after_soon(bob, send, hold, 'SELECT "auth_user"')

    def test_who_waits_for_a_recipient_holds_none_that_comes_after_in_the_order_of_keys(self) -> None:
        if connection.vendor != "postgresql":
            return  # elsewhere nobody locks a recipient
        users = make_users(3)
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"

        def lock(user: Any) -> None:
            get_user_model().objects.select_for_update(nowait=True).get(pk=user.pk)

        def send() -> None:
            try:
                notify(users, "Late")
            finally:
                connections.close_all()

        def is_waited_for() -> bool:
            with connection.cursor() as cursor:
                cursor.execute(waits)
                return bool(cursor.fetchone()[0])

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                lock(users[1])
                sending = pool.submit(send)
                while not is_waited_for():
                    assert not sending.done()
                lock(users[2])
            sending.result(PROMPT)

    def test_who_waits_for_a_send_with_the_same_dedupe_key_holds_no_stream(self) -> None:
        if connection.vendor != "postgresql":
            return  # elsewhere positions are given after the commit, or one writes at a time
        alice, bob = make_users(2)
        for user in (alice, bob):
            tell(user, "x")
        first: list[Notice] = []

        def hold() -> None:
            first.append(notify(alice, "First", dedupe_key="once"))

        def send() -> Notice:
            return notify([alice, bob], "Late", dedupe_key="once")

        self.late_after_soon(bob, send, hold, 'INTO "carillon_notification"')
        assert Notification.objects.get(recipient=alice, dedupe_key="once").notice == first[0]

    def test_a_stream_that_somebody_holds_holds_up_no_other_recipient(self) -> None:
        if not connection.features.has_select_for_update:
            return  # one writer at a time is SQLite's own rule
        alice, bob = users = make_users(2)
        for user in users:
            tell(user, "x")
        alone = Event()
        advances: list[str] = []

        def watch(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("UPDATE") and "carillon_inbox" in sql[:25]:
                advances.append(sql)
                if len(advances) == 2:  # the one that is held, after the other
                    alone.set()
            return execute(sql, *rest)

        def send() -> Notice:
            try:
                with connection.execute_wrapper(watch):
                    return notify(users, "Hello")
            finally:
                connections.close_all()

        def hold() -> None:
            Inbox.objects.select_for_update().get(user=alice)

        with ThreadPoolExecutor(1) as pool, application(hold) as end:
            sending = pool.submit(send)
            assert alone.wait(PROMPT)
            assert Notification.objects.of(bob).filter(modseq=None).count() == 0
            assert Notification.objects.of(alice).filter(modseq=None).count() == 1
            end()
            sending.result(PROMPT)
        assert Notification.objects.filter(modseq=None).count() == 0


class UserDeletionTests(TransactionTestCase):
    """A user is deleted, whatever is stored for them in the same moment."""

    def setUp(self) -> None:
        self.alice, self.bob = make_users(2)
        self.group = Group.objects.create(name="Readers")
        self.group.user_set.add(self.alice, self.bob)
        tell(self.alice, "Before")

    def test_while_a_group_is_notified(self) -> None:
        features = connection.features
        comes_between = features.has_select_for_update and features.can_defer_constraint_checks
        sending: list[Future[Notice]] = []
        committed = Event()

        def send() -> Notice:
            try:
                with transaction.atomic() if comes_between else nullcontext():
                    transaction.on_commit(committed.set)
                    return notify(self.group, "Meanwhile")
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:

            def watch(execute: Any, sql: str, *rest: Any) -> Any:
                done = execute(sql, *rest)
                if sql.startswith("DELETE") and "carillon_notification" in sql[:35] and not sending:
                    sending.append(pool.submit(send))
                    if comes_between:  # in other databases it waits for the deletion
                        assert committed.wait(PROMPT)
                return done

            with connection.execute_wrapper(watch):
                self.alice.delete()
            notice = sending[0].result(PROMPT)
        assert list(notice_recipients(notice)) == [self.bob.pk]
        assert not get_user_model().objects.filter(username=self.alice.username).exists()

    def test_while_anything_that_refers_to_them_is_stored(self) -> None:
        if not connection.features.can_defer_constraint_checks:
            return  # who refers to a user waits there until they are deleted: the test above
        alice = self.alice.pk
        stored: list[Notice] = []

        def store(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("DELETE") and get_user_model()._meta.db_table in sql[:30] and not stored:
                stored.append(Notice.objects.create(title="By alice", actor_id=alice, recalled_by_id=alice))
                Notification.objects.create(recipient_id=alice, notice=stored[0])
                Notification.objects.create(recipient=self.bob, notice=stored[0])
                Inbox.objects.create(user_id=alice)
                Membership.objects.create(room=Room.objects.create(name="Of alice"), user_id=alice)
            return execute(sql, *rest)

        with connection.execute_wrapper(store):
            self.alice.delete()
        stored[0].refresh_from_db()
        assert (stored[0].actor, stored[0].recalled_by) == (None, None)
        assert list(notice_recipients(stored[0])) == [self.bob.pk]
        assert not Inbox.objects.filter(pk=alice).exists()
        assert not Membership.objects.exists()

    def test_it_costs_one_more_query(self) -> None:
        def asked(user: Any) -> int:
            with CaptureQueriesContext(connection) as queries:
                user.delete()
            return len(queries)

        with_receivers = asked(self.alice)
        signals.pre_delete.disconnect(dispatch_uid="carillon.lock_deleted", sender=get_user_model())
        signals.post_delete.disconnect(dispatch_uid="carillon.delete_late_references", sender=get_user_model())
        self.addCleanup(receivers.connect)
        assert with_receivers - asked(self.bob) == 1


class PruningTests(TransactionTestCase):
    def old(self, user: Any, *titles: str) -> list[int]:
        pks = tell(user, *titles)
        Notification.objects.filter(pk__in=pks).update(archived_at=LONG_AGO)
        Notice.objects.update(created_at=LONG_AGO)
        return pks

    def left(self) -> set[str]:
        return set(Notification.objects.values_list("notice__title", flat=True))

    def test_it_waits_for_no_application_and_nobody_waits_for_it(self) -> None:
        alice, bob = make_users(2)
        [held] = self.old(alice, "Held")
        self.old(bob, "Old")

        def hold() -> None:
            Notification.objects.select_for_update().get(pk=held)

        with application(hold) as end:
            deleted = promptly(prune)
            assert deleted == (1 if connection.features.has_select_for_update else 2)
            promptly(lambda: notify([alice, bob], "Meanwhile"))
            end()
        assert deleted + prune() == 2
        assert self.left() == {"Meanwhile"}

    def test_it_keeps_what_was_unarchived_while_it_looked(self) -> None:
        alice = make_user()
        [pk] = self.old(alice, "Back")
        changed: list[int] = []

        def change(execute: Any, sql: str, *rest: Any) -> Any:
            result = execute(sql, *rest)
            if "archived_at" in sql and sql.startswith("SELECT") and not changed:
                changed.extend(together(lambda: Notification.objects.filter(pk=pk).update(archived_at=None)))
            return result

        with connection.execute_wrapper(change):
            assert prune() == 0
        assert changed == [1]
        assert self.left() == {"Back"}

    def test_it_leaves_an_inbox_that_is_busy_for_the_next_time(self) -> None:
        alice, bob = make_users(2)
        self.old(alice, "Busy")
        self.old(bob, "Old")
        with application(lambda: Inbox.objects.select_for_update().get(user=alice)):
            deleted = promptly(prune)
        assert deleted + prune() == 2

    def test_a_copy_that_was_recalled_unheard_is_not_taken_away_in_silence(self) -> None:
        alice = make_user()
        broadcast = publish_broadcast(draft("Wrong"))
        reading.page(alice)
        shown = head(alice)
        recall_broadcast(broadcast)
        assert prune(timezone.now() + timedelta(seconds=1)) == 1
        assert reason(alice, shown) == "pruned"

    def test_a_reader_whose_gap_is_pruned_while_it_reads_begins_anew(self) -> None:
        alice = make_user()
        self.old(alice, "One", "Two")
        tell(alice, "Three")
        pruned: list[int] = []

        def meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
            result = execute(sql, *rest)
            if "carillon_inbox" in sql and "floor" in sql and not pruned:
                pruned.append(0)
                pruned.extend(together(prune))
            return result

        with connection.execute_wrapper(meanwhile):
            assert reason(alice, 0) == "pruned"
        assert pruned == [0, 2]

    def test_it_meets_senders_and_readers_without_a_deadlock(self) -> None:
        users = make_users(6)
        for _round in range(3):
            for user in users:
                self.old(user, "One", "Two")

            def send() -> int:
                for _ in range(5):
                    notify(users, "New")
                return 0

            def read() -> int:
                for user in users:
                    reading.page(user)
                return 0

            together(send, prune, read, prune, send)
            prune()
        assert self.left() == {"New"}
