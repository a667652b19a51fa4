"""Deliveries that go wrong by themselves: they end, say why, and hold up no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import F
from django.test import override_settings

from notifications.deliveries import (
    DeliveryChannel,
    Message,
    TryLater,
    Undeliverable,
    deciding,
    outgoing,
    timetables,
    webhook,
)
from notifications.deliveries.bounces import store_bounce
from notifications.models import Bounce, Delivery, Notice
from notifications.services import add_endpoint, deliver_due, mark_bounced, notify

from .factories import make_user
from .receiving import receiving
from .sending import Carrier, Post, carrying
from .test_webhooks import configured

pytestmark = pytest.mark.django_db

HALVES = ["null character", "half a surrogate pair"]  # what tests are called, for no terminal shows the texts


class Numbers(DeliveryChannel):
    """A channel whose addresses are no text, or cannot be found."""

    found: Any = 4_915_112_345
    sent: list[Any]

    def address(self, user: Any) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def send(self, message: Message) -> None:
        self.sent.append(message.address)


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying():
        yield Carrier.post


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Numbers]]:
    monkeypatch.setattr(Numbers, "sent", [], raising=False)
    monkeypatch.setattr(Numbers, "found", 4_915_112_345)  # and back to it, whatever a test sets
    with override_settings(NOTIFICATIONS_CHANNELS={"sms": {"BACKEND": f"{__name__}.Numbers", "DEFAULT": "on"}}):
        yield Numbers


def let_pass(time: timedelta) -> None:
    Delivery.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - time)


def rows(*names: str) -> list[Any]:
    return list(Delivery.objects.order_by("pk").values_list(*names))


def deliver_for_an_hour() -> None:
    for _ in range(10):
        deliver_due()
        let_pass(timedelta(hours=1))


@pytest.mark.parametrize("error", [Undeliverable, TryLater, RuntimeError])
@pytest.mark.parametrize("text", ["no\x00mailbox", "no\ud800mailbox"], ids=HALVES)
def test_what_no_database_stores_is_left_out_of_an_error(
    post: Post, error: type[Exception], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(
        "CRITICAL", logger="notifications"
    )  # half a pair in a log is nothing that workers of tests can send
    for name in ("alice", "bob"):
        notify(make_user(name), "Hello")
    post.fail(error(text))
    deliver_for_an_hour()
    assert rows("state", "error") == [("failed", f"{error.__name__}: no\ufffdmailbox")] * 2


@pytest.mark.parametrize("detail", ["550 no\x00such", "550 no\ud800such"], ids=HALVES)
def test_what_no_database_stores_is_left_out_of_a_bounce(detail: str) -> None:
    alice = make_user("alice", email="alice@example.org")
    assert mark_bounced("alice@example.org", detail=detail) == 1
    assert Bounce.objects.get().detail == "550 no\ufffdsuch"
    store_bounce(alice.pk, "email", "alice@example.org", detail * 100)
    assert mark_bounced("alice\x00@example.org") == 0


def test_one_whose_recipient_cannot_be_read_holds_up_no_other(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alice", "bob", "carol"):
        notify(make_user(name), f"For {name}")

    def language(user: Any) -> str:
        if user.get_username() == "alice":
            raise RuntimeError("Alice has no profile.")
        return ""

    monkeypatch.setattr(get_user_model(), "language", property(language), raising=False)
    deliver_due()
    assert post.titles() == ["For bob", "For carol"]
    deliver_for_an_hour()
    assert rows("state", "attempts")[0] == ("failed", 8)
    assert rows("error")[0] == ("RuntimeError: Alice has no profile.",)


def test_one_of_which_not_even_the_facts_can_be_read_holds_up_no_other(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("alice", "bob", "carol"):
        notify(make_user(name), f"For {name}")
    alice = get_user_model().objects.get(username="alice")

    def schedules(pks: Any, alias: str) -> Any:
        if alice.pk in pks:
            raise RuntimeError("There is no such thing.")
        return timetables.schedules(pks, alias)

    monkeypatch.setattr(deciding, "schedules", schedules)
    deliver_for_an_hour()
    assert post.titles() == ["For bob", "For carol"]
    assert rows("state", "attempts")[0] == ("failed", 8)


def test_an_address_that_cannot_be_found_is_looked_for_eight_times(numbers: type[Numbers]) -> None:
    notify(make_user("alice"), "Hello")
    numbers.found = LookupError("User has no profile.")
    deliver_for_an_hour()
    assert rows("state", "attempts", "error") == [("failed", 8, "LookupError: User has no profile.")]


def test_an_address_that_is_asked_for_later_is_no_try(numbers: type[Numbers]) -> None:
    notify(make_user("alice"), "Hello")
    numbers.found = TryLater("The directory is busy.", counts=False)
    deliver_for_an_hour()
    assert rows("state", "attempts") == [("waiting", 0)]


def test_an_address_need_not_be_text_to_be_noted(numbers: type[Numbers]) -> None:
    notify(make_user("alice"), "Hello")
    deliver_for_an_hour()
    assert (rows("state", "address"), numbers.sent) == ([("sent", "4915112345")], ["4915112345"])


def test_what_is_deleted_after_it_was_claimed_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving("https") as receiver, configured(receiver):
        add_endpoint(None, receiver.url)
        first, second, third = (notify(make_user(name), name) for name in ("alice", "bob", "carol"))

        def deleting(*args: Any, **kwargs: Any) -> Any:
            Notice.objects.filter(pk=second.pk).delete()
            return outgoing.post(*args, **kwargs)

        monkeypatch.setattr(webhook, "post", deleting)
        deliver_due()
        assert rows("notice", "state") == [(first.pk, "sent"), (third.pk, "sent")]
