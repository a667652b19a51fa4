"""Explanations: by which channels a user got a notification, by which not, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone, translation

from notifications.deliveries import DeliveryChannel, Message, TryLater
from notifications.deliveries.broadcasts import walk_some
from notifications.kinds import After, Kind, kind, registry
from notifications.models import Delivery, Notice, Notification
from notifications.services import (
    aexplain,
    broadcast,
    deliver_due,
    explain,
    mark_read,
    mute,
    notify,
    set_preference,
    set_schedule,
)

from .factories import make_user, make_users, stamp
from .sending import PATH, Carrier, Post, carrying

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


class Phones(DeliveryChannel):
    """A channel whose users have no device."""

    has_devices = True
    no_address = "no-device"

    def devices(self, pks: Any, using: str) -> dict[Any, list[str]]:
        return {}

    def send(self, message: Message) -> None:
        raise NotImplementedError


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying():
        yield Carrier.post


@pytest.fixture
def order() -> Iterator[type[Kind]]:
    @kind("shop.order", category="orders", label="Orders", channels={"carrier": After(minutes=15)})
    class Order(Kind):
        title: str = "Shipped"

    with override_settings(NOTIFICATIONS_CATEGORIES={"orders": "Shopping"}):
        yield Order
    del registry["shop.order"]


def about(user: Any, notice: Notice, channel: str = "carrier") -> Any:
    [found] = [one for one in explain(user, notice).channels if one.name == channel]
    return found


class TestStored:
    """What is stored is told as it was."""

    def test_what_was_sent_says_where_to_when_and_why(self, post: Post) -> None:
        alice = make_user()
        notice = notify(alice, "Hello")
        deliver_due()
        found = about(alice, notice)
        assert (found.value, found.rule, found.stored, found.outcome) == ("on", "channel", True, "sent")
        [row] = found.deliveries
        assert (row.address, row.attempts, row.error) == ("alice", 1, "")
        assert row.ended_at is not None
        assert found.text.startswith("You get this by “carrier”, because it is usual here. It was sent on ")
        assert "carrier: on (the default of the channel). sent · alice · 1 attempt · ended " in found.staff_text
        with pytest.raises(FrozenInstanceError):
            row.address = ""

    def test_what_waits_says_until_when_and_for_what(self, post: Post, order: type[Kind]) -> None:
        alice = make_user()
        notice = notify(alice, order())
        found = about(alice, notice)
        assert (found.rule, found.outcome, found.wait) == ("code", "waiting", After(minutes=15))
        assert found.until == Delivery.objects.get().due_at
        assert "because it is usual for “Orders”. It is sent on " in found.text
        assert "unless you have seen it by then" in found.text

    def test_what_was_not_sent_says_why(self, post: Post, order: type[Kind]) -> None:
        alice = make_user()
        notice = notify(alice, order())
        stamp(alice)
        mark_read(alice, Notification.objects.filter(notice=notice).values_list("pk", flat=True))
        Delivery.objects.update(due_at=timezone.now())
        deliver_due()
        found = about(alice, notice)
        assert (found.outcome, found.reason) == ("skipped", "seen")
        assert found.text.startswith("This was to reach you by “carrier”")
        assert found.text.endswith("It was not sent, because you had seen it already.")

    def test_what_fails_says_how_often_and_with_which_error(self, post: Post) -> None:
        alice = make_user()
        notice = notify(alice, "Hello")
        post.fail(TryLater("The gateway is busy."))
        deliver_due()
        found = about(alice, notice)
        assert (found.outcome, found.deliveries[0].attempts) == ("waiting", 1)
        assert "it is tried again on" in found.text
        assert "TryLater: The gateway is busy." in found.staff_text
        assert "busy" not in found.text

    def test_the_rule_is_that_of_the_moment_at_which_it_was_stored(self, post: Post, order: type[Kind]) -> None:
        alice = make_user()
        set_preference(alice, "carrier", "on", category="orders")
        set_preference(alice, "carrier", "on", kind=order)
        notice = notify(alice, order())
        Delivery.objects.update(rule="kind")
        set_preference(alice, "carrier", "off")
        found = about(alice, notice)
        assert (found.value, found.rule) == ("on", "kind")
        assert "because you chose it for “Orders”" in found.text

    def test_a_digest_says_when_it_comes(self, post: Post) -> None:
        with carrying(DEFAULT="digest"):
            alice = make_user()
            notice = notify(alice, "Hello")
            found = about(alice, notice)
        assert (found.value, found.outcome) == ("digest", "waiting")
        assert found.until == Delivery.objects.get(notice=notice).window
        assert found.text.startswith("You get this in the digest by “carrier”")

    def test_the_bell_and_the_toast_are_explained_too(self, post: Post) -> None:
        alice = make_user()
        notice = notify(alice, "Hello")
        names = [one.name for one in explain(alice, notice).channels]
        assert names == ["bell", "toast", "carrier"]
        assert about(alice, notice, "bell").outcome == "sent"
        set_preference(alice, "bell", "off")
        silent = notify(alice, "Silent")
        for name in ("bell", "toast"):
            found = about(alice, silent, name)
            assert (found.outcome, found.reason, found.rule) == ("skipped", "preference", "everything")
        assert "because you switched it off for all notifications" in about(alice, silent, "bell").text

    def test_a_rule_that_nobody_knows_any_more_is_not_invented(self, post: Post) -> None:
        alice = make_user()
        set_preference(alice, "toast", "off")
        notice = notify(alice, "Hello")
        set_preference(alice, "toast", "on")
        found = about(alice, notice, "toast")
        assert (found.outcome, found.rule) == ("skipped", "")
        assert found.text == "You do not get this by “Pop-up”, because you did not want it at the time."


class TestConsidered:
    """Where nothing is stored, what holds now is told."""

    def test_what_was_switched_off(self, post: Post, order: type[Kind]) -> None:
        alice = make_user()
        set_preference(alice, "carrier", "off", category="orders")
        notice = notify(alice, order())
        found = about(alice, notice)
        assert (found.value, found.rule, found.stored, found.outcome) == ("off", "category", False, "skipped")
        assert found.text == (
            "You do not get this by “carrier”, because you switched it off for everything in “Shopping”."
        )
        assert found.staff_text == (
            "carrier: off (the user’s choice for the category). "
            "not sent · the recipient does not want it · as it holds now; nothing is stored."
        )

    def test_who_has_no_device(self) -> None:
        with override_settings(NOTIFICATIONS_CHANNELS={"phone": {"BACKEND": f"{__name__}.Phones", "DEFAULT": "on"}}):
            alice = make_user()
            notice = notify(alice, "Hello")
            found = about(alice, notice, "phone")
            assert (found.outcome, found.reason, found.stored) == ("skipped", "no-device", False)
            assert "you have registered no device" in found.text

    def test_what_is_to_be_sent_later(self, post: Post) -> None:
        alice = make_user()
        at = timezone.now() + HOUR
        notice = notify(alice, "Hello", send_at=at)
        for name in ("bell", "carrier"):
            found = about(alice, notice, name)
            assert (found.outcome, found.until) == ("waiting", at)

    def test_a_row_that_has_reached_its_age(self, post: Post) -> None:
        alice = make_user()
        notice = notify(alice, "Hello")
        Delivery.objects.all().delete()
        found = about(alice, notice)
        assert (found.outcome, found.reason) == ("skipped", "")
        assert "Nothing is known about it any more." in found.text

    def test_who_is_no_recipient(self, post: Post) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        found = explain(bob, notify(alice, "Hello"))
        assert (found.is_recipient, found.channels) == (False, ())
        assert found.text == "This was not sent to you."
        with pytest.raises(Notice.DoesNotExist):
            explain(bob, 0)

    def test_a_channel_that_nobody_sends_any_more_is_told_from_its_row(self, post: Post) -> None:
        alice = make_user()
        notice = notify(alice, "Hello")
        deliver_due()
        with override_settings(NOTIFICATIONS_CHANNELS={}):
            assert about(alice, notice).outcome == "sent"


class TestBroadcasts:
    def test_say_that_their_sender_chose_the_channel(self, post: Post) -> None:
        alice = make_user()
        with carrying(DEFAULT="off"):
            sent: Any = broadcast("Hello", to="everyone", channels=["carrier"]).notice
            assert about(alice, sent, "bell").outcome == "waiting"
            assert (about(alice, sent).outcome, about(alice, sent).rule) == ("waiting", "broadcast")
            walk_some()
            deliver_due()
            found = about(alice, sent)
        assert (found.outcome, found.rule, found.stored) == ("sent", "broadcast", True)
        assert "because its sender chose it for everybody" in found.text

    def test_say_that_their_sender_did_not_choose_it(self, post: Post) -> None:
        alice = make_user()
        sent: Any = broadcast("Hello", to="everyone").notice
        found = about(alice, sent)
        assert (found.value, found.rule) == ("off", "broadcast")
        assert "because its sender did not choose that" in found.text

    def test_reach_nobody_beyond_their_audience(self, post: Post) -> None:
        alice = make_user()
        sent: Any = broadcast("Hello", to="staff").notice
        assert not explain(alice, sent).is_recipient


def test_it_is_said_in_the_language_that_is_active(post: Post) -> None:
    alice = make_user()
    found = about(alice, notify(alice, "Hello"))
    with translation.override("de"):
        assert found.text.startswith("Sie erhalten dies über „carrier“, weil")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "You get this by “carrier”, because you chose it for everything in “Shopping”."),
        ("de", "Sie erhalten dies über „carrier“, weil Sie es für alles in „Shopping“ gewählt haben."),
    ],
)
def test_a_message_says_why_its_recipient_gets_it(post: Post, order: type[Kind], language: str, said: str) -> None:
    with carrying(DEFAULT="off"):
        alice = make_user()
        set_schedule(alice, language=language)
        set_preference(alice, "carrier", "on", category="orders")
        notify(alice, "Shipped", category="orders")
        deliver_due()
    assert [message.because for message in post.arrived] == [said]


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("hour", [9, 21])
def test_a_sentence_that_ends_with_a_time_has_one_full_stop(post: Post, language: str, hour: int) -> None:
    alice, at = make_user(), timezone.now().replace(hour=hour, minute=30)
    notice = notify(alice, "Hello")
    deliver_due()
    Delivery.objects.update(ended_at=at)
    with translation.override(language), timezone.override("UTC"):
        told = about(alice, notice)
        for text in (told.text, told.staff_text):
            assert text.endswith(".")
            assert not text.endswith("..")


def test_it_costs_the_same_for_any_number_of_channels(post: Post) -> None:
    alice = make_user()
    costs = []
    for number in (1, 5):
        names = {f"c{one}": {"BACKEND": PATH, "DEFAULT": "on"} for one in range(number)}
        with override_settings(NOTIFICATIONS_CHANNELS=names):
            notice = notify([alice, *make_users(3, f"of {number}: ")], "Hello")
            with CaptureQueriesContext(connection) as queries:
                explain(alice, notice)
            costs.append(len(queries))
    assert costs[0] == costs[1] <= 6


@pytest.mark.django_db(transaction=True)
def test_the_twin_does_the_same(post: Post) -> None:
    alice = make_user()
    notice = notify(alice, "Hello")
    assert async_to_sync(aexplain)(alice, notice.pk) == explain(alice, notice)


def test_what_is_about_something_muted_says_so(post: Post) -> None:
    alice, thing = make_user("alice"), make_user("thing")
    notice = notify(alice, "Hello", about=thing)
    mute(alice, thing)
    deliver_due()
    found = about(alice, notice)
    assert (found.outcome, found.reason, found.rule) == ("skipped", "preference", "muted")
    assert "because you have muted what it is about" in found.text
