"""The test kit's `travel`: a later time, and what falls due until then."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings
from django.utils import timezone
from django.utils.timezone import now

from notifications.live import frames
from notifications.models import FeedEvent, Notification, Progress
from notifications.services import abroadcast, archive, broadcast, notify, progress, prune, publish, snooze, withdraw
from notifications.testing import captured, run_due, travel
from tests.factories import make_user

HOUR = timedelta(hours=1)
if TYPE_CHECKING:
    Case = SimpleTestCase
else:
    Case = object  # what is derived from it runs on several of Django's test cases
BRIEFLY = timedelta(seconds=10)  # what a test may take


class ClockTests(TestCase):
    """Within a `TestCase`, because going there asks the database what is due."""

    def test_djangos_clock_is_later_also_where_it_was_imported_by_name(self) -> None:
        before = now()
        with travel(hours=1):
            assert HOUR <= now() - before < HOUR + BRIEFLY
            assert HOUR <= timezone.now() - before < HOUR + BRIEFLY
            assert HOUR <= User().date_joined - before < HOUR + BRIEFLY  # a default that was bound to it
            assert HOUR <= frames.now() - before < HOUR + BRIEFLY
        assert now() - before < BRIEFLY

    @override_settings(USE_TZ=False)
    def test_it_moves_without_time_zones_too(self) -> None:
        before = now()
        with travel(days=1):
            assert timedelta(days=1) <= now() - before < timedelta(days=1) + BRIEFLY

    def test_times_stay_times(self) -> None:
        with travel(days=1):
            assert type(now()) is datetime
            assert timezone.localtime(datetime(2030, 1, 1, tzinfo=UTC)).year == 2030

    def test_journeys_add_up_and_end_one_after_the_other(self) -> None:
        before = now()
        with travel(hours=1):
            with travel(minutes=30):
                assert now() - before >= 1.5 * HOUR
            assert HOUR <= now() - before < 1.5 * HOUR

    def test_it_goes_to_a_given_time(self) -> None:
        then = now() + timedelta(days=400)
        with travel(to=then):
            assert timedelta() <= now() - then < BRIEFLY

    def test_nobody_travels_to_the_past(self) -> None:
        for journey in ({"hours": -1}, {"to": now() - HOUR}):
            with pytest.raises(ValueError, match="past"):
                travel(**journey)

    async def test_an_asynchronous_test_travels_too(self) -> None:
        before = now()
        async with travel(hours=1):
            await asyncio.sleep(0)
            assert now() - before >= HOUR
        assert now() - before < BRIEFLY

    def test_a_failing_block_comes_back(self) -> None:
        before = now()
        with pytest.raises(ZeroDivisionError), travel(hours=1):
            _ = 1 / 0
        assert now() - before < BRIEFLY


class WhatFallsDue(Case):
    def setUp(self) -> None:
        self.alice = make_user()

    def test_a_scheduled_broadcast_is_sent_once(self) -> None:
        broadcast("Maintenance", to="everyone", publish_at=now() + timedelta(minutes=30))
        with captured() as sent:
            with travel(minutes=29):
                sent.assert_nothing_notified()
            for _ in range(2):
                with travel(hours=1):
                    run_due()
        sent.assert_notified(self.alice, "Maintenance")

    async def test_it_is_sent_in_an_asynchronous_test(self) -> None:
        await abroadcast("Maintenance", to="everyone", publish_at=now() + timedelta(minutes=30))
        async with captured() as sent, travel(hours=1):
            pass
        sent.assert_notified(self.alice, "Maintenance")

    def test_what_was_to_be_sent_later_counts_when_it_is_sent(self) -> None:
        alice, bob = self.alice, make_user("bob")
        notify([alice, bob], "Before", send_at=timezone.now() + HOUR)
        cancelled = notify(alice, "Cancelled", send_at=timezone.now() + HOUR)
        with captured() as sent:
            notify(alice, "Within", send_at=timezone.now() + HOUR)
            sent.assert_nothing_notified()
            withdraw(cancelled)
            with travel(hours=2):
                sent.assert_notified(alice, "Within")
                sent.assert_notified(bob, "Before")
        self.assertEqual([notice.title for notice in sent.to(alice)], ["Before", "Within"])
        with captured() as later, travel(hours=3):
            later.assert_nothing_notified()

    def test_work_whose_worker_is_gone_has_failed(self) -> None:
        work = progress(self.alice, "Import")
        work._work.begin()  # and then its process is killed
        with travel(minutes=1):
            assert Progress.objects.get().state == Progress.State.FAILED

    def test_what_is_snoozed_comes_back(self) -> None:
        notice = notify(self.alice, "Later")
        mine = Notification.objects.of(self.alice)
        snooze(self.alice, [mine.get(notice=notice).pk], timezone.now() + HOUR)
        with travel(minutes=30):
            assert not mine.unread().exists()
        with travel(hours=2):
            assert mine.unread().get().notice == notice

    def test_what_expires_is_hidden(self) -> None:
        notify(self.alice, "expires", expires_at=now() + HOUR)
        assert Notification.objects.of(self.alice).visible().exists()
        with travel(hours=2):
            assert not Notification.objects.of(self.alice).visible().exists()


class WithoutCommitTests(WhatFallsDue, TestCase):
    pass


class WithCommitTests(WhatFallsDue, TransactionTestCase):
    def test_what_is_old_is_pruned_if_asked(self) -> None:
        notify(self.alice, "archived")
        archive(self.alice, list(Notification.objects.values_list("pk", flat=True)))
        with travel(days=400):
            assert Notification.objects.count() == 1
            assert prune() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("own_feeds")
def test_a_log_lets_go_what_its_policy_says() -> None:
    from notifications.feeds import Log, feed

    feed("log", keep=Log(age=HOUR))(lambda user: True)
    publish("log", {"line": 1})
    with travel(minutes=30):
        assert FeedEvent.objects.count() == 1
    with travel(hours=2):
        assert FeedEvent.objects.count() == 0
