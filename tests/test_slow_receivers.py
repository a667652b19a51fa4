"""Receivers that take long: one recipient's, however many, do not keep those of others waiting."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from notifications.deliveries import slow_receivers
from notifications.deliveries.slow_receivers import (
    DEVICES,
    FORGOTTEN,
    LONGEST_REST,
    SLOW_RECIPIENTS,
    TRY_TIME,
    SlowReceivers,
)
from notifications.exceptions import TryLater
from notifications.models import Delivery
from notifications.services import add_endpoint, deliver_due, notify

from .factories import make_user
from .receiving import Receiver, receiving
from .test_webhooks import configured


class Clock:
    """A clock that a test moves."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slow(clock: Clock) -> SlowReceivers:
    return SlowReceivers(clock)


class TestRests:
    def test_who_is_quick_never_rests(self, slow: SlowReceivers) -> None:
        slow.note(1, "a", 4.9)
        assert slow.rest(1, "a") == 0

    def test_who_is_slow_rests_four_times_as_long(self, clock: Clock, slow: SlowReceivers) -> None:
        slow.note(1, "a", 15)
        assert slow.rest(1, "a") == 60
        clock.now += 59
        assert slow.rest(1, "a") == 1

    def test_but_not_for_ever(self, slow: SlowReceivers) -> None:
        slow.note(1, "a", 1_000)
        assert slow.rest(1, "a") == LONGEST_REST

    def test_others_do_not(self, slow: SlowReceivers) -> None:
        slow.note(1, "a", 15)
        assert (slow.rest(1, "b"), slow.rest(2, "a")) == (0, 0)

    def test_those_of_who_has_several_slow_ones_do(self, clock: Clock, slow: SlowReceivers) -> None:
        slow.note(1, "a", 10)
        clock.now += 5
        slow.note(1, "b", 10)
        assert (slow.rest(1, "a"), slow.rest(1, "b"), slow.rest(1, "c"), slow.rest(2, "c")) == (40, 40, 40, 0)

    def test_then_one_is_tried_at_a_time(self, clock: Clock, slow: SlowReceivers) -> None:
        for device in "ab":
            slow.note(1, device, 10)
        clock.now += 40
        assert [slow.rest(1, device) for device in "cab"] == [0, TRY_TIME, TRY_TIME]
        slow.note(1, "c", 0.1)
        assert slow.rest(1, "a") == 0

    def test_who_is_quick_again_is_as_everybody_else(self, clock: Clock, slow: SlowReceivers) -> None:
        for device in "ab":
            slow.note(1, device, 10)
        for device in "ab":
            slow.note(1, device, 1)
        assert [slow.rest(1, device) for device in "abc"] == [0, 0, 0]
        assert slow._slow == {}

    def test_what_was_slow_long_ago_is_forgotten(self, clock: Clock, slow: SlowReceivers) -> None:
        for device in "ab":
            slow.note(1, device, 10)
        clock.now += 40 + FORGOTTEN
        assert [slow.rest(1, device) for device in "ab"] == [0, 0]

    def test_a_number_of_one_recipient_s_is_remembered(self, clock: Clock, slow: SlowReceivers) -> None:
        for device in range(DEVICES + 5):
            clock.now += 1
            slow.note(1, f"{device}", 10)
        assert len(slow._slow[1]) == DEVICES

    def test_a_turn_is_timed_whatever_comes_of_it(self, clock: Clock, slow: SlowReceivers) -> None:
        with suppress(ConnectionError), slow.turn(1, "a"):
            clock.now += 10
            raise ConnectionError
        with pytest.raises(TryLater) as caught, slow.turn(1, "a"):
            raise AssertionError("It is not tried.")
        assert caught.value.after == timedelta(seconds=40)
        assert caught.value.counts

    def test_the_latest_are_remembered(self, slow: SlowReceivers) -> None:
        for recipient in range(SLOW_RECIPIENTS + 5):
            slow.note(recipient, "a", 10)
        assert len(slow._slow) == SLOW_RECIPIENTS
        assert (slow.rest(4, "a"), slow.rest(5, "a")) == (0, 40)


def numbers(receiver: Receiver) -> list[str]:
    return [received.path for received in receiver.received]


@pytest.mark.django_db
@pytest.mark.parametrize("behaviour", ["hang", "trickle"])
def test_ten_that_hang_hold_up_nobody_else(behaviour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_receivers, "SLOW_ANSWER", 0.2)
    with receiving("https") as hanging, receiving("https") as quick:
        hanging.behaviour = getattr(hanging, behaviour)
        with configured(hanging, ports=[hanging.port, quick.port], timeout=0.4):
            eve, ann = make_user("eve"), make_user("ann")
            for number in range(9):
                add_endpoint(eve, f"{hanging.url}?{number}")
            for user in (eve, ann):
                add_endpoint(user, quick.url + f"?{user.get_username()}")
            for number in range(3):
                notify(eve, f"Hello {number}")
            notify(ann, "Hello")
            deliver_due()
            hanging.over.set()
    assert numbers(hanging) == ["/hook?0", "/hook?1"]
    assert numbers(quick) == ["/hook?ann"]
    waiting = Delivery.objects.filter(recipient=eve)
    assert list(waiting.order_by().values_list("state", "attempts").distinct()) == [("waiting", 1)]
    said = set(waiting.values_list("error", flat=True))
    assert "TryLater: Its receiver took too long a moment ago." in said


@pytest.mark.django_db
def test_one_that_hangs_does_not_hold_up_the_other_ones_of_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_receivers, "SLOW_ANSWER", 0.2)
    with receiving("https") as hanging, receiving("https") as quick:
        hanging.behaviour = hanging.hang
        with configured(hanging, ports=[hanging.port, quick.port], timeout=0.4):
            ann: Any = make_user("ann")
            add_endpoint(ann, hanging.url)
            add_endpoint(ann, quick.url)
            for number in range(3):
                notify(ann, f"Hello {number}")
            deliver_due()
            hanging.over.set()
    assert (len(hanging.received), len(quick.received)) == (1, 3)
