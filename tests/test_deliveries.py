"""Deliveries: what is stored is sent once, or says why it was not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django
import pytest
from asgiref.sync import async_to_sync
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.deliveries import Message, TryLater, Undeliverable
from notifications.deliveries.sending import ATTEMPTS, send_some
from notifications.inbox.reading import page
from notifications.kinds import After, Kind, kind, registry
from notifications.models import Delivery, Notice, Notification
from notifications.services import (
    adeliver_due,
    archive,
    deliver_due,
    mark_read,
    mark_seen,
    mute,
    notify,
    release_due,
    set_preference,
    withdraw,
)

from .factories import make_user, make_users, stamp
from .sending import Carrier, Post, carrying

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying():
        yield Carrier.post


@pytest.fixture
def later() -> Iterator[type[Kind]]:
    @kind("test.later", channels={"carrier": After(minutes=15)})
    class Later(Kind):
        title: str = "Later"

    yield Later
    del registry["test.later"]


def let_pass(time: timedelta) -> None:
    """Let some time pass for what waits."""
    Delivery.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - time)


def states(*names: str) -> list[Any]:
    return list(Delivery.objects.order_by("pk").values_list(*(names or ("state", "reason"))))


class TestStoring:
    def test_what_is_rolled_back_is_sent_to_nobody(self, post: Post) -> None:
        with transaction.atomic():
            notify(make_user(), "Hello")
            transaction.set_rollback(True)
        assert deliver_due() == 0

    def test_a_thousand_recipients_cost_one_statement_more_for_all_channels(self, post: Post) -> None:
        users = make_users(1_000)
        with carrying(DEFAULT="off"), CaptureQueriesContext(connection) as without:
            notify(users, "Hello")
        with CaptureQueriesContext(connection) as one:
            notify(users, "Hello")
        settings = {"BACKEND": "tests.sending.Carrier", "DEFAULT": "on"}
        channels = dict.fromkeys(("carrier", "sms", "email"), settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.conf.settings.NOTIFICATIONS_CHANNELS", channels)
            with CaptureQueriesContext(connection) as three:
                notify(users, "Hello")
        batches = {len([q for q in found if "carillon_delivery" in q["sql"]]) for found in (one, three)}
        assert len(without) < len(one) <= len(without) + max(batches)
        assert Delivery.objects.count() == 4_000

    def test_who_has_switched_a_channel_off_has_no_row(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        set_preference(alice, "carrier", "off")
        notify([alice, bob], "Hello")
        assert states("recipient") == [(bob.pk,)]

    def test_who_wants_nothing_but_another_channel_has_a_copy_in_the_archive(self, post: Post) -> None:
        alice = make_user()
        set_preference(alice, "bell", "off")
        notify(alice, "Hello")
        [copy] = Notification.objects.of(alice)
        assert (copy.muted, copy.archived_at is not None, copy.toast) == (True, True, False)
        deliver_due()
        assert post.titles() == ["Hello"]

    def test_a_second_send_of_a_dedupe_key_sends_nothing(self, post: Post) -> None:
        alice = make_user()
        for _ in range(2):
            notify(alice, "Hello", dedupe_key="once")
        deliver_due()
        assert post.titles() == ["Hello"]

    def test_what_is_to_be_sent_later_is_sent_when_it_is_due(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "Hello", send_at=timezone.now() + HOUR)
        assert (deliver_due(), states()) == (0, [])
        Notification.objects.update(snoozed_until=timezone.now() - HOUR)
        release_due()
        deliver_due()
        assert post.titles() == ["Hello"]

    def test_a_site_without_channels_pays_nothing(self) -> None:
        with CaptureQueriesContext(connection) as found:
            notify(make_user(), "Hello")
        assert not [query for query in found if "carillon_delivery" in query["sql"]]


class TestSending:
    def test_a_message_says_everything_in_the_language_of_its_recipient(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "Hello", body="World", url="/orders/7/", level="warning", category="orders")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.conf.settings.NOTIFICATIONS_BASE_URL", "https://example.com", raising=False)
            assert deliver_due() == 1
        [message] = post.arrived
        assert (message.title, message.body) == ("Hello", "World")
        assert message.url == f"https://example.com/notifications/open/{message.parts[0].notice}/?by=carrier"
        assert (message.address, message.user, message.attempt, message.is_digest) == ("alice", alice, 1, False)
        [(state, reason, address, attempts)] = states("state", "reason", "address", "attempts")
        assert (state, reason, address, attempts) == ("sent", "", "alice", 1)
        assert deliver_due() == 0

    def test_what_fails_is_tried_again_eight_times_in_about_half_an_hour(self, post: Post) -> None:
        notify(make_user(), "Hello")
        post.fail(RuntimeError("The gateway is down."))
        waited = timedelta(0)
        while deliver_due():
            delivery = Delivery.objects.get()
            if delivery.due_at is not None:
                pause = delivery.due_at - timezone.now()
                waited += pause
                assert deliver_due() == 0
                let_pass(pause + timedelta(seconds=1))
        assert timedelta(minutes=20) < waited < timedelta(minutes=40)
        assert states("state", "attempts", "error") == [("failed", ATTEMPTS, "RuntimeError: The gateway is down.")]
        assert len({message.id for message in post.handed_over}) == 1

    def test_the_other_side_says_how_long_to_wait(self, post: Post) -> None:
        notify(make_user(), "Hello")
        post.fail(TryLater("429", after=HOUR))
        deliver_due()
        let_pass(HOUR - timedelta(minutes=1))
        assert deliver_due() == 0
        let_pass(timedelta(minutes=2))
        assert deliver_due() == 1

    def test_what_will_never_be_taken_is_not_tried_again(self, post: Post) -> None:
        for error in (Undeliverable("Too long."), Undeliverable("Unknown.", reason="bounced")):
            post.fail(error)
            notify(make_user(str(error)), "Hello")
            deliver_due()
        assert states() == [("failed", ""), ("skipped", "bounced")]

    def test_who_has_no_address_is_not_tried_at_all(self, post: Post) -> None:
        notify(make_user("nobody"), "Hello")
        deliver_due()
        assert states("state", "reason", "attempts") == [("skipped", "no-address", 0)]

    def test_a_killed_worker_is_replaced_when_its_lease_is_over(self, post: Post) -> None:
        notify(make_user(), "Hello")
        post.fail(KeyboardInterrupt())  # as a kill, it leaves everything as it is
        with pytest.raises(KeyboardInterrupt):
            deliver_due()
        post.clear()
        assert deliver_due() == 0
        let_pass(timedelta(minutes=3))
        deliver_due()
        assert len({message.id for message in post.handed_over}) == 1
        assert (post.titles(), states("state", "attempts")) == (["Hello"], [("sent", 2)])

    def test_who_has_lost_the_claim_notes_nothing(self, post: Post) -> None:
        notify(make_user(), "Hello")

        def take(message: Message) -> None:
            Delivery.objects.update(claim="another")

        post.obstacle = take
        deliver_due()
        assert states("state", "claim") == [("sending", "another")]

    def test_a_message_that_kills_its_workers_is_given_up(self, post: Post) -> None:
        notify(make_user(), "Hello")
        Delivery.objects.update(attempts=ATTEMPTS)
        deliver_due()
        assert post.handed_over == []
        assert states() == [("failed", "")]

    @pytest.mark.django_db(transaction=True)
    def test_the_twin_does_the_same(self, post: Post) -> None:
        notify(make_user(), "Hello")
        assert async_to_sync(adeliver_due)() == 1


class TestDeciding:
    """What holds when it is sent decides."""

    def test_what_was_seen_meanwhile(self, post: Post, later: type[Kind]) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        notify([alice, bob], later())
        stamp(alice, bob)
        assert deliver_due() == 0
        mark_seen(alice, page(alice).cursor)
        let_pass(HOUR)
        deliver_due()
        assert sorted(states("state", "reason", "address")) == [("sent", "", "bob"), ("skipped", "seen", "")]

    @pytest.mark.parametrize("verb", [mark_read, archive])
    def test_what_was_read_or_archived_meanwhile(self, post: Post, later: type[Kind], verb: Any) -> None:
        alice = make_user()
        notify(alice, later())
        stamp(alice)
        verb(alice, Notification.objects.values_list("pk", flat=True))
        let_pass(HOUR)
        deliver_due()
        assert states() == [("skipped", "seen")]

    def test_a_kind_may_be_sent_whatever_was_seen(self, post: Post) -> None:
        @kind("test.receipt", channels={"carrier": After(minutes=1, unless="never")})
        class Receipt(Kind):
            title: str = "Receipt"

        try:
            alice = make_user()
            notify(alice, Receipt())
            stamp(alice)
            mark_read(alice, Notification.objects.values_list("pk", flat=True))
            let_pass(HOUR)
            deliver_due()
        finally:
            del registry["test.receipt"]
        assert post.titles() == ["Receipt"]

    def test_what_was_withdrawn(self, post: Post) -> None:
        withdraw(notify(make_user(), "Hello"))
        deliver_due()
        assert states() == [("skipped", "withdrawn")]

    def test_what_has_expired(self, post: Post) -> None:
        notify(make_user(), "Hello", expires_at=timezone.now() + HOUR)
        Notice.objects.update(expires_at=timezone.now() - HOUR)
        deliver_due()
        assert states() == [("skipped", "expired")]

    def test_what_was_switched_off(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "Hello")
        set_preference(alice, "carrier", "off")
        deliver_due()
        assert states("state", "reason", "rule") == [("skipped", "preference", "everything")]

    def test_what_is_about_something_that_was_muted(self, post: Post) -> None:
        alice, about = make_user(), make_user("subject")
        notify(alice, "Hello", about=about)
        mute(alice, about)
        deliver_due()
        assert states() == [("skipped", "preference")]

    def test_whose_recipient_is_not_active_any_more(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "Hello")
        type(alice)._default_manager.filter(pk=alice.pk).update(is_active=False)
        deliver_due()
        assert states() == [("skipped", "gone")]

    def test_whose_copy_was_deleted(self, post: Post) -> None:
        notify(make_user(), "Hello")
        Notification.objects.all().delete()
        deliver_due()
        assert states() == [("skipped", "gone")]

    def test_an_event_of_which_a_later_one_tells(self, post: Post) -> None:
        alice = make_user()
        for number in range(3):
            notify(alice, f"Comment {number}", group="post:7")
        stamp(alice)
        deliver_due()
        assert post.titles() == ["Comment 2"]
        assert states() == [("skipped", "superseded")] * 2 + [("sent", "")]

    def test_an_event_that_has_no_place_yet_waits_a_moment(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "Comment", group="post:7")  # its place comes after a commit
        deliver_due()
        assert states("state", "attempts") == [("waiting", 0)]

    def test_a_deleted_user_takes_everything_along(self, post: Post) -> None:
        alice = make_user()
        notify(alice, "Hello")
        deliver_due()
        alice.delete()
        assert states() == []


class TestDigests:
    @pytest.fixture(autouse=True)
    def digest(self, post: Post) -> Iterator[None]:
        with carrying(DEFAULT="digest"):
            yield

    def test_tells_together_what_waits(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        for title in ("One", "Two"):
            notify([alice, bob], title)
        assert deliver_due() == 0
        let_pass(timedelta(days=1))
        deliver_due()
        assert [(message.address, message.is_digest) for message in post.arrived] == [("alice", True), ("bob", True)]
        assert post.titles() == ["Two", "One"] * 2
        assert {state for (state,) in states("state")} == {"sent"}
        assert deliver_due() == 0

    def test_leaves_out_what_was_read_and_is_not_sent_when_nothing_is_left(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        for title in ("One", "Two"):
            notify([alice, bob], title)
        stamp(alice, bob)
        mark_read(alice, Notification.objects.of(alice).values_list("pk", flat=True))
        mark_read(bob, Notification.objects.of(bob).filter(notice__title="One").values_list("pk", flat=True))
        let_pass(timedelta(days=1))
        deliver_due()
        assert [message.address for message in post.arrived] == ["bob"]
        assert post.titles() == ["Two"]
        assert states().count(("skipped", "seen")) == 4

    def test_goes_out_again_under_the_same_id_if_its_worker_was_killed(self, post: Post) -> None:
        notify(make_user(), "One")
        let_pass(timedelta(days=1))
        post.fail(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            deliver_due()
        post.clear()
        let_pass(timedelta(minutes=3))
        deliver_due()
        assert len({message.id for message in post.handed_over}) == 1
        assert post.titles() == ["One"]


class TestTasks:
    """Workers of Django's tasks send too, where a site says so."""

    @pytest.fixture(autouse=True)
    def backend(self, settings: Any) -> None:
        if django.VERSION < (6, 0):
            pytest.skip("Django has tasks since 6.0")
        settings.TASKS = {
            "mail": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"},
            "later": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"},
        }
        settings.NOTIFICATIONS_DELIVERY_TASKS = "mail"

    def test_are_woken_after_the_commit(self, post: Post, django_capture_on_commit_callbacks: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            notify(make_user(), "Hello")
            assert post.titles() == []
        assert post.titles() == ["Hello"]

    def test_are_not_woken_before_time(
        self, post: Post, later: type[Kind], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            notify(make_user(), later())
        assert states() == [("waiting", "")]

    def test_are_told_when_to_come_if_they_can_wait(
        self, post: Post, later: type[Kind], settings: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        from django.tasks import task_backends  # type: ignore[import-not-found, unused-ignore]

        settings.NOTIFICATIONS_DELIVERY_TASKS = "later"
        with django_capture_on_commit_callbacks(execute=True):
            notify(make_user(), later())
        backend: Any = task_backends["later"]
        [result] = backend.results
        assert result.task.run_after == Delivery.objects.get().due_at

    def test_a_backend_that_there_is_not_is_named(self, settings: Any) -> None:
        settings.NOTIFICATIONS_DELIVERY_TASKS = "post"
        assert "carillon.E061" in [message.id for message in run_checks(tags=["notifications"])]


def test_tasks_need_django_6(settings: Any) -> None:
    settings.NOTIFICATIONS_DELIVERY_TASKS = "default"
    found = [message.id for message in run_checks(tags=["notifications"])]
    assert ("carillon.E061" in found) == (django.VERSION < (6, 0))


class TestCommand:
    def test_sends_what_is_due_once(self, post: Post, capsys: pytest.CaptureFixture[str]) -> None:
        notify(make_user(), "Hello")
        call_command("carillon_deliver", "--once")
        assert (post.titles(), capsys.readouterr().out) == (["Hello"], "1 delivery was due.\n")

    def test_says_that_there_is_no_channel(self) -> None:
        with pytest.raises(CommandError, match="NOTIFICATIONS_CHANNELS"):
            call_command("carillon_deliver", "--once")


def test_a_wait_has_limits() -> None:
    for wrong in ({"minutes": -1}, {"days": 31}, {"unless": "paid"}):
        with pytest.raises(ImproperlyConfigured):
            After(**wrong)


@pytest.mark.django_db(transaction=True)
def test_claims_of_two_workers_never_overlap(post: Post) -> None:
    from .threads import together

    notify(make_users(50), "Hello")

    def work() -> int:
        number = 0
        while some := send_some("carrier"):
            number += some
        return number

    together(work, work, work)
    assert len(post.arrived) == len({message.id for message in post.arrived}) == 50
