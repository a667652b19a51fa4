"""What is recalled or deleted leaves every open tab, whoever deletes it and however."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.signals import post_delete
from django.test import Client, TestCase, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.chat.stream import ROOM
from notifications.inbox.counts import Counts, counts
from notifications.inbox.stream import INBOX
from notifications.inbox.verification import ROUND, TURN, Verification
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.live.streams import StreamType
from notifications.models import Inbox, Message, Notice, Notification, Room
from notifications.services import awithdraw, create_room, mark_read, notify, post_message, publish_broadcast, withdraw

from .factories import make_user, make_users, stamp, tell
from .test_broadcast_services import draft

pytestmark = pytest.mark.django_db


def told(stream_type: StreamType, pk: Any, position: Position) -> list[dict[str, Any]]:
    """Return the frames for a reader at a position."""
    batch = changes_since(stream_type, {pk: position})[pk]
    return [json.loads(frame.data) for frame in batch.frames]


def position(user: Any) -> Position:
    return Position(*Inbox.objects.values_list("epoch", "head").get(user=user))


class WithdrawalTests(TransactionTestCase):
    def setUp(self) -> None:
        self.alice, self.bob, self.staff = make_users(3)

    def test_it_vanishes_from_every_inbox_and_is_counted_no_more(self) -> None:
        notice = notify([self.alice, self.bob], "Wrong")
        notify(self.alice, "Right")
        before = position(self.alice)
        assert withdraw(notice, by=self.staff) == 2
        [frame] = told(INBOX, self.alice.pk, before)
        assert [item.get("removed") for item in frame["items"]] == [True]
        assert (frame["type"], frame["unread"], frame["unseen"]) == ("changes", 1, 1)
        assert counts([self.bob.pk])[self.bob.pk] == Counts(0, 0)
        stored = Notice.objects.get(pk=notice.pk)
        assert (stored.recalled_by, stored.recalled_at) == (self.staff, notice.recalled_at)

    def test_again_it_does_nothing(self) -> None:
        notice = notify(self.alice, "Wrong")
        withdraw(notice)
        before = position(self.alice)
        assert withdraw(notice, by=self.bob) == 0
        assert position(self.alice) == before
        assert Notice.objects.get(pk=notice.pk).recalled_by is None

    def test_it_joins_the_callers_transaction(self) -> None:
        notice = notify(self.alice, "Right after all")
        with transaction.atomic():
            withdraw(notice)
            transaction.set_rollback(True)
        assert counts([self.alice.pk])[self.alice.pk] == Counts(1, 1)
        with transaction.atomic():
            assert withdraw(notify(self.alice, "Never seen")) == 1
        assert counts([self.alice.pk])[self.alice.pk] == Counts(1, 1)

    def test_a_thousand_recipients_cost_the_queries_of_one(self) -> None:
        one, many = notify(self.alice, "One"), notify(make_users(1_000, "many"), "Many")
        found = []
        for notice in (one, many):
            with CaptureQueriesContext(connection) as queries, transaction.atomic():
                withdraw(notice)
                transaction.set_rollback(True)
            found.append(len(queries))
        assert found[0] == found[1]

    def test_a_broadcast_is_recalled_instead(self) -> None:
        broadcast = publish_broadcast(draft())
        assert broadcast.notice is not None
        with pytest.raises(ValueError, match="recall_broadcast"):
            withdraw(broadcast.notice)

    def test_who_does_it_is_a_user(self) -> None:
        notice = notify(self.alice, "x")
        with pytest.raises(TypeError, match="`by` must be"):
            withdraw(notice, by="alice")  # type: ignore[arg-type]
        assert Notice.objects.get(pk=notice.pk).recalled_at is None

    async def test_the_async_twin_does_the_same(self) -> None:
        from asgiref.sync import sync_to_async

        notice = await sync_to_async(notify)(self.alice, "x")
        assert await awithdraw(notice) == 1


class DeletionTests(TransactionTestCase):
    """Through the ORM: whoever was shown it begins anew, and the numbers are right."""

    def setUp(self) -> None:
        self.alice, self.bob = make_users(2)
        self.notice = notify([self.alice, self.bob], "Shared")
        tell(self.alice, "Her own")
        self.before = {user: position(user) for user in (self.alice, self.bob)}

    def reset(self, user: Any) -> dict[str, Any] | None:
        frames = told(INBOX, user.pk, self.before[user])
        return frames[0] if frames else None

    def test_a_copy(self) -> None:
        Notification.objects.of(self.alice).get(notice=self.notice).delete()
        frame = self.reset(self.alice)
        assert frame is not None
        assert (frame["type"], frame["reason"], frame["unread"]) == ("reset", "pruned", 1)
        assert [item["title"] for item in frame["items"]] == ["Her own"]
        assert self.reset(self.bob) is None

    def test_some_copies(self) -> None:
        Notification.objects.filter(notice=self.notice).delete()
        assert [(self.reset(user) or {}).get("unread") for user in (self.alice, self.bob)] == [1, 0]

    def test_a_notice(self) -> None:
        self.notice.delete()
        assert [(self.reset(user) or {}).get("unread") for user in (self.alice, self.bob)] == [1, 0]

    def test_some_notices(self) -> None:
        Notice.objects.filter(title="Shared").delete()
        assert [(self.reset(user) or {}).get("unread") for user in (self.alice, self.bob)] == [1, 0]

    def test_nothing_that_is_rolled_back(self) -> None:
        with transaction.atomic():
            self.notice.delete()
            transaction.set_rollback(True)
        assert self.reset(self.alice) is None

    def test_a_reader_after_it_is_continued_as_ever(self) -> None:
        self.notice.delete()
        after = position(self.alice)
        tell(self.alice, "Next")
        [frame] = told(INBOX, self.alice.pk, after)
        assert [item["title"] for item in frame["items"]] == ["Next"]

    def test_a_message(self) -> None:
        room = create_room("Project", by=self.alice)
        for body in ("one", "two"):
            post_message(room, body, by=self.alice)
        room = Room.objects.get(pk=room.pk)
        Message.objects.get(body="one").delete()
        [frame] = told(ROOM, room.pk, Position(room.epoch, room.head))
        assert (frame["type"], [message["body"] for message in frame["messages"]]) == ("reset", ["two"])

    def test_the_user_of_a_site_that_listens_to_deletions_is_told_of_each(self) -> None:
        deleted: list[Any] = []

        def listen(instance: Notification, **_more: Any) -> None:
            deleted.append(instance.recipient_id)

        post_delete.connect(listen, Notification)
        try:
            pk = self.alice.pk
            self.alice.delete()
        finally:
            post_delete.disconnect(listen, Notification)
        assert deleted == [pk, pk]


class VerificationTests(TransactionTestCase):
    """Behind the ORM: what open bells count is compared with the database."""

    def setUp(self) -> None:
        self.now = 0.0
        self.alice = make_user("alice")
        tell(self.alice, "One", "Two")
        self.here = {str(self.alice.pk)}
        self.verification = Verification(lambda: self.here, lambda: self.now)
        self.verification.turn()

    def round(self) -> None:
        for _ in range(int(ROUND / TURN)):
            self.now += TURN
            self.verification.turn()

    def delete(self, title: str) -> None:
        with connection.cursor() as cursor:
            pk = Notification.objects.get(notice__title=title).pk
            cursor.execute("DELETE FROM carillon_notification WHERE id = %s", [pk])

    def test_what_was_deleted_by_raw_sql_leaves_the_open_bell_within_a_round(self) -> None:
        before = position(self.alice)
        self.delete("One")
        assert told(INBOX, self.alice.pk, before) == []
        self.round()
        [frame] = told(INBOX, self.alice.pk, before)
        assert (frame["type"], frame["unread"], len(frame["items"])) == ("reset", 1, 1)

    def test_what_has_expired_is_counted_no_more_and_nobody_begins_anew(self) -> None:
        before = position(self.alice)
        Notice.objects.filter(title="One").update(expires_at=timezone.now())
        self.round()
        [frame] = told(INBOX, self.alice.pk, before)
        assert (frame["type"], frame["unread"], frame["items"]) == ("changes", 1, [])

    def test_what_is_told_anyway_is_not_told_again(self) -> None:
        mark_read(self.alice, [Notification.objects.filter(notice__title="One").get().pk])
        Notification.objects.filter(notice__title="Two").update(read_at=timezone.now(), modseq=None)
        self.round()
        before = position(self.alice)
        self.round()
        assert position(self.alice) == before
        assert Inbox.objects.get(user=self.alice).floor == 0

    def test_it_rests_while_nobody_is_here(self) -> None:
        assert self.verification.turn() == TURN
        self.here = set()
        assert self.verification.turn() is None


class UserDeletionTests(TestCase):
    """The admin's page that deletes a user costs the same whatever the user has."""

    def setUp(self) -> None:
        self.client = Client()
        self.client.force_login(make_user("root", is_staff=True, is_superuser=True))

    def page(self, number: int) -> tuple[int, int]:
        user = make_user(f"has {number}")
        notices = Notice.objects.bulk_create([Notice(title=str(n), actor=user) for n in range(number)])
        Notification.objects.bulk_create([Notification(recipient=user, notice=notice) for notice in notices])
        stamp(user)
        room = create_room("Project", by=user)
        Message.objects.bulk_create([Message(room=room, author=user, body="x") for _ in range(number)])
        with CaptureQueriesContext(connection) as queries:
            response = self.client.get(reverse("admin:auth_user_delete", args=[user.pk]))
        assert response.status_code == 200
        assert "cannot" not in response.content.decode()
        found = len(queries), len(response.content)
        with CaptureQueriesContext(connection) as queries:
            assert self.client.post(response.request["PATH_INFO"], {"post": "yes"}).status_code == 302
        assert not Notification.objects.of(user.pk).exists()
        return found[0] + len(queries), found[1]

    def test_the_page_of_a_user_with_much_is_that_of_one_with_little(self) -> None:
        (little, small), (much, large) = self.page(2), self.page(2_000)
        assert much <= little + 5  # a statement takes so many keys, and no more
        assert large < small + 500
