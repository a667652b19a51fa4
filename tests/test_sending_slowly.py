"""Workers that meet what is slow, what cannot be decided, and the end of their process: they hold up nobody else."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models.signals import post_init

from notifications.deliveries import Message, TryLater, couriers, sending
from notifications.models import Delivery
from notifications.services import deliver_due, mark_seen, notify

from .factories import make_user, make_users
from .sending import Carrier, Post, carrying
from .servers.process import wait_until
from .test_deliveries import let_pass, states
from .threads import together

pytestmark = pytest.mark.django_db

HOUR = sending.LONGEST_PAUSE / 24


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying():
        yield Carrier.post


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every message take too long."""
    monkeypatch.setattr(sending, "PATIENCE", -1.0)
    monkeypatch.setattr(couriers, "PATIENCE", -1.0)


class TestAfterASlowMessage:
    def test_it_is_decided_anew_whether_the_others_are_sent(self, post: Post, impatient: None) -> None:
        alice, notices = make_user(), [notify(make_user("ben"), "Slow")]
        notices += [notify(alice, "First"), notify(alice, "Second")]

        def obstacle(message: Message) -> None:
            if message.title == "Slow":
                mark_seen(alice)

        post.obstacle = obstacle
        deliver_due()
        assert post.titles() == ["Slow"]
        assert states() == [("sent", ""), ("skipped", "seen"), ("skipped", "seen")]

    def test_the_others_are_due_as_they_were(self, post: Post, impatient: None) -> None:
        notify(make_users(3), "Hello")
        due = Delivery.objects.earliest("due_at").due_at
        assert sending.send_some("carrier") == 1
        assert states("state", "claim", "attempts")[1:] == [("waiting", "", 0)] * 2
        assert set(Delivery.objects.filter(state="waiting").values_list("due_at", flat=True)) == {due}

    @pytest.mark.django_db(transaction=True)
    def test_other_threads_send_what_it_would_have_held_up(self, post: Post, impatient: None) -> None:
        notify(make_users(4), "Hello")
        barrier = threading.Barrier(4, timeout=20)  # passed by four threads that send at the same time, or by none

        def obstacle(message: Message) -> None:
            barrier.wait()

        post.obstacle = obstacle
        workers = couriers.Couriers()
        try:
            workers.call(4)
            wait_until(lambda: len(post.arrived) == 4, "They did not send at the same time.")
        finally:
            workers.close(wait=True)
        assert states() == [("sent", "")] * 4


class TestAWorkerThatIsToldToStop:
    def test_lets_go_of_what_it_has_not_begun_to_send(self, post: Post) -> None:
        notify(make_users(3), "Hello")
        assert sending.send_some("carrier", stop=lambda: bool(post.arrived)) == 1
        assert states("state", "claim") == [("sent", ""), ("waiting", ""), ("waiting", "")]

    @pytest.mark.django_db(transaction=True)
    def test_ends_after_the_message_that_hangs(self, post: Post) -> None:
        notify(make_users(9), "Hello")
        hangs, goes_on = threading.Event(), threading.Event()

        def obstacle(message: Message) -> None:
            if len(post.handed_over) > 2:  # the thread has claimed several by now
                hangs.set()
                assert goes_on.wait(20)

        post.obstacle = obstacle
        workers = couriers.Couriers()
        workers.call(1)
        try:
            assert hangs.wait(20)
            workers.close()
        finally:
            goes_on.set()
        wait_until(lambda: not Delivery.objects.filter(state="sending").exists(), "It did not end.")
        assert len(post.arrived) == 3
        assert Delivery.objects.filter(state="waiting", claim="").count() == 6

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_may_be_one_that_cron_has_started(
        self, post: Post, number: signal.Signals, capsys: pytest.CaptureFixture[str]
    ) -> None:
        notify(make_users(3), "Hello")
        before = signal.getsignal(number)
        post.obstacle = lambda message: signal.raise_signal(number)
        call_command("carillon_deliver", "--once")
        assert capsys.readouterr().out == "1 delivery was due.\n"
        assert states("state", "claim") == [("sent", ""), ("waiting", ""), ("waiting", "")]
        assert signal.getsignal(number) is before

    @pytest.mark.django_db(transaction=True)
    def test_hears_no_signals_in_a_thread_of_its_own(self, post: Post) -> None:
        notify(make_users(3), "Hello")
        together(partial(call_command, "carillon_deliver", "--once", verbosity=0))
        assert len(post.arrived) == 3


class TestWhatCannotBeDecided:
    @pytest.fixture
    def torn(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """Have the site's own class of users fail for one of them."""
        user_model = type(make_user("torn"))

        def time_zone(user: Any) -> str:
            if user.username == "torn":
                raise KeyError("time_zone")
            return ""

        monkeypatch.setattr(user_model, "time_zone", property(time_zone), raising=False)
        return "torn"

    def test_is_a_try_and_holds_up_nobody_else(self, post: Post, torn: str) -> None:
        notify(get_user_model().objects.get(username=torn), "Torn")
        notify(make_user("ben"), "Whole")
        deliver_due()
        assert post.titles() == ["Whole"]
        assert states("state", "attempts", "error") == [("waiting", 1, "KeyError: 'time_zone'"), ("sent", 1, "")]

    def test_is_given_up_after_as_many_tries_as_everything_else(self, post: Post, torn: str) -> None:
        notify(get_user_model().objects.get(username=torn), "Torn")
        for _ in range(sending.ATTEMPTS):
            deliver_due()
            let_pass(HOUR)
        assert states("state", "attempts") == [("failed", sending.ATTEMPTS)]

    def test_is_not_tried_forever_where_it_has_no_address_to_tell(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def address(channel: Carrier, user: Any) -> str:
            raise AttributeError("profile")

        monkeypatch.setattr(Carrier, "address", address)
        notify(make_user(), "Hello")
        for _ in range(sending.ATTEMPTS + 1):
            deliver_due()
            let_pass(HOUR)
        assert states("state", "attempts", "error") == [("failed", sending.ATTEMPTS, "AttributeError: profile")]

    def test_may_be_put_off_by_whoever_is_asked_for_the_address(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def address(channel: Carrier, user: Any) -> str:
            raise TryLater("The directory is busy.", counts=False)

        monkeypatch.setattr(Carrier, "address", address)
        notify(make_user(), "Hello")
        deliver_due()
        assert states("state", "attempts") == [("waiting", 0)]

    def test_does_not_fail_those_in_whose_batch_it_is(self, post: Post) -> None:
        notify(make_users(2), "Hello")
        notify(make_user("torn"), "Torn")

        def read(instance: Any, **kwargs: Any) -> None:
            if instance.username == "torn":
                raise KeyError("torn")

        post_init.connect(read, sender=get_user_model())
        try:
            deliver_due()
        finally:
            post_init.disconnect(read, sender=get_user_model())
        assert post.titles() == ["Hello", "Hello"]
        assert states("state", "attempts") == [("sent", 1), ("sent", 1), ("waiting", 1)]
