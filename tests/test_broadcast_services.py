"""Broadcasts: what the verbs store, who gets a copy, and how often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.signals import pre_save
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.audiences import Audience, Size, has_field
from notifications.broadcasts.results import reach
from notifications.broadcasts.schedule import publish_in_time
from notifications.inbox import outbox, reading
from notifications.inbox.stream import INBOX
from notifications.live.periodic import AGAIN
from notifications.models import Broadcast, Notice, Notification, Outbox
from notifications.services import (
    BroadcastConflict,
    aedit_broadcast,
    apublish_broadcast,
    archive,
    arecall_broadcast,
    edit_broadcast,
    prune,
    publish_broadcast,
    publish_due,
    recall_broadcast,
)
from notifications.testing import travel

from .factories import make_user, make_users

LATER = timedelta(hours=1)


def draft(title: str = "Maintenance tonight", audience: Audience | None = None, **fields: Any) -> Broadcast:
    definition = (audience or Audience.of("everyone")).dump()
    return Broadcast.objects.create(title=title, audience=definition, **fields)


def titles(user: Any) -> list[str]:
    return [item.title for item in reading.page(user).items]


class PublishedTests(TransactionTestCase):
    def setUp(self) -> None:
        self.alice = make_user("alice")
        self.bob = make_user("bob", is_staff=True)

    def test_everyone_gets_a_copy_when_they_next_list(self) -> None:
        broadcast = publish_broadcast(draft())
        assert Notification.objects.count() == 0
        assert titles(self.alice) == ["Maintenance tonight"]
        assert titles(self.bob) == ["Maintenance tonight"]
        broadcast.refresh_from_db()
        assert broadcast.state == "sent"
        assert broadcast.arrival == broadcast.modseq == Outbox.objects.get().head

    def test_counts_include_what_was_not_collected_yet(self) -> None:
        publish_broadcast(draft())
        assert reading.summary(self.alice).unread == 1

    def test_only_the_audience_gets_a_copy(self) -> None:
        publish_broadcast(draft(audience=Audience.of("staff")))
        assert titles(self.alice) == []
        assert titles(self.bob) == ["Maintenance tonight"]

    def test_nobody_gets_it_twice_even_after_the_copy_was_pruned(self) -> None:
        publish_broadcast(draft())
        row = Notification.objects.of(self.alice)
        assert titles(self.alice) == ["Maintenance tonight"]
        archive(self.alice, list(row.values_list("pk", flat=True)))
        assert prune(timezone.now()) == 1
        assert titles(self.alice) == []
        assert not row.exists()

    def test_a_notice_that_nobody_collected_yet_survives_pruning(self) -> None:
        publish_broadcast(draft())
        prune(timezone.now() + LATER)
        assert titles(self.alice) == ["Maintenance tonight"]

    def test_who_joins_later_does_not_get_it(self) -> None:
        publish_broadcast(draft())
        carol = make_user("carol")
        # A user model that does not say when somebody joined makes everybody a user of old.
        assert titles(carol) == ([] if has_field("date_joined") else ["Maintenance tonight"])
        publish_broadcast(draft("Welcome"))
        assert titles(carol)[0] == "Welcome"

    def test_an_expired_one_is_not_copied(self) -> None:
        broadcast = publish_broadcast(draft(expires_at=timezone.now() + LATER))
        Broadcast.objects.filter(pk=broadcast.pk).update(expires_at=timezone.now())
        assert titles(self.alice) == []
        assert not Notification.objects.exists()

    def test_a_recalled_one_vanishes_and_is_not_copied_any_more(self) -> None:
        broadcast = publish_broadcast(draft())
        assert titles(self.alice) == ["Maintenance tonight"]
        before = Notification.objects.get()
        recall_broadcast(broadcast)
        assert titles(self.alice) == []
        assert titles(self.bob) == []
        after = Notification.objects.get()
        assert (after.modseq or 0) > (before.modseq or 0)  # open tabs and old cursors hear of it

    def test_another_audience_is_counted_anew(self) -> None:
        broadcast = publish_broadcast(draft(publish_at=timezone.now() + LATER))
        before = reach(broadcast)
        edit_broadcast(broadcast, title="Maintenance on Sunday")
        assert reach(broadcast) == before == Size(2, exact=True)
        edit_broadcast(broadcast, audience=Audience.of("staff").dump())
        assert reach(broadcast) == Size(1, exact=True)

    def test_an_edit_reaches_those_who_have_it_and_those_who_do_not(self) -> None:
        broadcast = publish_broadcast(draft())
        titles(self.alice)
        edit_broadcast(broadcast, title="Maintenance moved to Sunday")
        assert titles(self.alice) == ["Maintenance moved to Sunday"]
        assert titles(self.bob) == ["Maintenance moved to Sunday"]
        assert Notification.objects.count() == 2
        copies = [Notification.objects.of(user).get() for user in (self.alice, self.bob)]
        assert [copy.arrival == copy.modseq for copy in copies] == [False, True]

    def test_an_edit_that_waits_for_its_position_hides_the_broadcast_from_nobody(self) -> None:
        broadcast = publish_broadcast(draft())
        Broadcast.objects.filter(pk=broadcast.pk).update(modseq=None)
        assert titles(self.alice) == ["Maintenance tonight"]

    def test_inactive_users_get_none(self) -> None:
        type(self.alice).objects.filter(pk=self.alice.pk).update(is_active=False)
        publish_broadcast(draft())
        assert titles(self.alice) == []

    def test_copies_are_delivered_at_a_known_time(self) -> None:
        publish_broadcast(draft())
        titles(self.alice)
        assert Notification.objects.get().delivered_at is not None


class CostTests(TransactionTestCase):
    def setUp(self) -> None:
        self.alice = make_user("alice")
        INBOX.collect_pending([self.alice.pk])

    def queries(self, work: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as captured:
            work()
        frame = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
        return len([query for query in captured if not query["sql"].startswith(frame)])

    def test_publishing_costs_the_same_for_a_crowd(self) -> None:
        publish_broadcast(draft("first, which makes the outbox"))
        few = self.queries(lambda: publish_broadcast(draft()))
        make_users(5_000)
        assert self.queries(lambda: publish_broadcast(draft())) == few
        assert few <= 16

    def test_collecting_costs_the_same_for_many_broadcasts(self) -> None:
        publish_broadcast(draft("zero"))
        reading.summary(self.alice)
        publish_broadcast(draft("one"))
        one = self.queries(lambda: outbox.collect(INBOX, [self.alice.pk]))
        for number in range(30):
            publish_broadcast(draft(f"number {number}", Audience.of("staff") if number % 3 else None))
        assert self.queries(lambda: outbox.collect(INBOX, [self.alice.pk])) == one
        assert Notification.objects.count() == 12

    def test_collecting_costs_one_query_where_there_is_nothing(self) -> None:
        publish_broadcast(draft())
        reading.summary(self.alice)
        assert self.queries(lambda: outbox.collect(INBOX, [self.alice.pk])) == 1
        # The position, the counts, and when the first of what is counted expires.
        assert self.queries(lambda: reading.summary(self.alice)) == 3
        assert self.queries(lambda: reading.page(self.alice)) == 3


class TransitionTests(TransactionTestCase):
    def test_a_second_click_changes_nothing(self) -> None:
        broadcast = draft()
        same = Broadcast.objects.get(pk=broadcast.pk)
        publish_broadcast(broadcast)
        with pytest.raises(BroadcastConflict) as caught:
            publish_broadcast(same)
        assert caught.value.state == "sent"
        assert Broadcast.objects.get().notice_id == broadcast.notice_id

    def test_what_somebody_else_changed_meanwhile_is_not_sent(self) -> None:
        broadcast = draft()
        edit_broadcast(Broadcast.objects.get(pk=broadcast.pk), title="Changed")
        with pytest.raises(BroadcastConflict):
            publish_broadcast(broadcast)
        assert Broadcast.objects.get().state == "draft"

    def test_two_edits_at_once_do_not_overwrite_each_other(self) -> None:
        first, second = draft(), Broadcast.objects.get()
        edit_broadcast(first, title="First")
        with pytest.raises(BroadcastConflict):
            edit_broadcast(second, title="Second")
        assert Broadcast.objects.get().title == "First"

    def test_a_recalled_broadcast_stays_recalled(self) -> None:
        broadcast = publish_broadcast(draft())
        broadcast.refresh_from_db()
        recall_broadcast(broadcast)
        for verb in (publish_broadcast, recall_broadcast, lambda found: edit_broadcast(found, title="x")):
            with pytest.raises(BroadcastConflict):
                verb(Broadcast.objects.get())

    def test_after_sending_the_audience_is_fixed(self) -> None:
        broadcast = publish_broadcast(draft())
        with pytest.raises(ValidationError, match="can still change"):
            edit_broadcast(broadcast, audience=Audience.of("staff").dump())

    def test_an_expired_broadcast_cannot_be_revived(self) -> None:
        broadcast = publish_broadcast(draft(expires_at=timezone.now() + LATER))
        broadcast.expires_at = timezone.now() - LATER
        with pytest.raises(ValidationError, match="Create a new one"):
            edit_broadcast(broadcast, expires_at=timezone.now() + LATER)

    def test_the_rollback_of_the_caller_sends_nothing(self) -> None:
        broadcast = draft()
        with transaction.atomic():
            publish_broadcast(broadcast)
            transaction.set_rollback(True)
        assert Broadcast.objects.get().state == "draft"


class ScheduleTests(TransactionTestCase):
    def test_a_broadcast_for_later_waits(self) -> None:
        broadcast = publish_broadcast(draft(publish_at=timezone.now() + LATER))
        assert broadcast.state == "scheduled"
        assert publish_due() == 0
        with travel(hours=2):
            assert publish_due() == 0  # it has been sent
        assert Broadcast.objects.get().state == "sent"

    def test_recalling_a_scheduled_one_makes_it_a_draft(self) -> None:
        broadcast = publish_broadcast(draft(publish_at=timezone.now() + LATER))
        assert recall_broadcast(broadcast).state == "draft"
        assert publish_due() == 0

    def test_one_that_cannot_be_sent_any_more_says_why(self) -> None:
        publish_broadcast(draft(publish_at=timezone.now() + LATER))
        Broadcast.objects.update(publish_at=timezone.now(), audience=Audience.of("vanished").dump())
        assert publish_due() == 0
        broadcast = Broadcast.objects.get()
        assert broadcast.state == "draft"
        assert "“vanished”" in broadcast.problem

    def test_one_that_fails_holds_up_no_other_and_stays_scheduled(self) -> None:
        def refuse(instance: Notice, **_kwargs: Any) -> None:
            if instance.title == "Broken":
                raise OSError("the site's own receiver failed")

        for title in ("Broken", "Whole"):
            publish_broadcast(draft(title, publish_at=timezone.now() + LATER))
        Broadcast.objects.update(publish_at=timezone.now())
        pre_save.connect(refuse, Notice)
        self.addCleanup(pre_save.disconnect, refuse, Notice)
        publish_broadcast(draft("Later", publish_at=timezone.now() + LATER))
        with pytest.raises(ExceptionGroup, match="retried at the next run") as caught:
            publish_due()
        assert [(type(error), "“Broken”" in error.__notes__[0]) for error in caught.value.exceptions] == [
            (OSError, True)
        ]
        states = dict(Broadcast.objects.values_list("title", "state"))
        assert states == {"Broken": "scheduled", "Whole": "sent", "Later": "scheduled"}
        with self.assertLogs("notifications", "ERROR"):
            assert publish_in_time() == AGAIN
            Broadcast.objects.filter(title="Later").update(publish_at=timezone.now() + timedelta(seconds=AGAIN / 2))
            wait = publish_in_time()
        assert (wait or 0) < AGAIN  # the other is sent at its time
        pre_save.disconnect(refuse, Notice)
        assert publish_due() == 1

    def test_what_a_killed_process_left_half_sent_is_completed(self) -> None:
        alice = make_user("alice")
        broadcast = publish_broadcast(draft())
        Broadcast.objects.filter(pk=broadcast.pk).update(state="sending", modseq=None, arrival=None)
        assert titles(alice) == []
        publish_due()
        assert titles(alice) == ["Maintenance tonight"]
        assert Broadcast.objects.get().state == "sent"


WRONG = {
    "past time": ({"publish_at": timezone.now() - LATER}, "publish_at", "in the past"),
    "already expired": ({"expires_at": timezone.now() - LATER}, "expires_at", "nobody would see"),
    "expires before it is sent": (
        {"publish_at": timezone.now() + 2 * LATER, "expires_at": timezone.now() + LATER},
        "expires_at",
        "before it is sent",
    ),
    "a link that runs a script": ({"url": "javascript:alert(1)"}, "url", "http://"),
    "nobody": ({"audience": Audience.of().dump()}, "audience", "at least one"),
    "an unknown audience": ({"audience": Audience.of("vanished").dump()}, "audience", "vanished"),
    "a group that is gone": ({"audience": Audience.of(groups=[7]).dump()}, "audience", "ID 7"),
    "another shape": ({"audience": {"everybody": True}}, "audience", "must have the form"),
    "no title": ({"title": ""}, "title", "blank"),
    "an unknown level": ({"level": "loud"}, "level", "loud"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("fields", "field", "words"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_explained_by_field(fields: dict[str, Any], field: str, words: str) -> None:
    broadcast = Broadcast(**{"title": "Hello", "audience": Audience.of("everyone").dump(), **fields})
    with pytest.raises(ValidationError) as caught:
        publish_broadcast(broadcast)
    assert words in " ".join(caught.value.message_dict[field])
    assert not Broadcast.objects.exists()


class AsyncTests(TransactionTestCase):
    async def test_the_twins_do_the_same(self) -> None:
        broadcast = Broadcast(title="Hello", audience=Audience.of("everyone").dump())
        await apublish_broadcast(broadcast)
        await broadcast.arefresh_from_db()
        await aedit_broadcast(broadcast, title="Hello, all")
        assert (await arecall_broadcast(broadcast)).state == "recalled"
