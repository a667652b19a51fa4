"""How long deliveries are kept, and what they keep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from notifications.deliveries import Undeliverable
from notifications.deliveries.pruning import end_abandoned
from notifications.models import Delivery
from notifications.services import deliver_due, notify, prune_deliveries

from .factories import make_user, make_users
from .sending import Carrier, Post, carrying

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying():
        yield Carrier.post


def outcomes() -> list[Any]:
    return list(Delivery.objects.order_by("pk").values_list("state", "error"))


def test_what_has_ended_is_deleted_when_it_has_its_age(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.live.pruning.PRUNE_CHUNK", 3)
    notify(make_users(10), "Hello")
    deliver_due()
    old = Delivery.objects.order_by("pk")[:7]
    Delivery.objects.filter(pk__in=[row.pk for row in old]).update(ended_at=timezone.now() - 31 * DAY)
    assert prune_deliveries() == 7
    assert Delivery.objects.count() == 3


def test_what_waits_is_kept(post: Post) -> None:
    notify(make_user(), "Hello")
    Delivery.objects.update(created_at=timezone.now() - 99 * DAY)
    assert prune_deliveries(timezone.now()) == 0
    assert Delivery.objects.exists()


def test_the_age_is_a_setting(post: Post) -> None:
    notify(make_user(), "Hello")
    deliver_due()
    Delivery.objects.update(ended_at=timezone.now() - 2 * DAY)
    assert prune_deliveries() == 0
    with override_settings(NOTIFICATIONS_DELIVERY_RETENTION=DAY):
        assert prune_deliveries() == 1


def test_the_command_does_it_and_can_count_only(post: Post) -> None:
    notify(make_user(), "Hello")
    deliver_due()
    Delivery.objects.update(ended_at=timezone.now() - 31 * DAY)
    for options, said in [({"dry_run": True}, "Deliveries that would be deleted: 1"), ({}, "Deliveries deleted: 1")]:
        out = StringIO()
        call_command("prune_notifications", stdout=out, **options)
        assert said in out.getvalue()
    assert not Delivery.objects.exists()


def test_a_channel_that_nobody_sends_any_more_fails_after_a_day(post: Post) -> None:
    notify(make_users(2), "Hello")
    first = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=first.pk).update(due_at=timezone.now() - 2 * DAY)
    assert end_abandoned() == 0  # it is only late
    with override_settings(NOTIFICATIONS_CHANNELS={}):
        assert end_abandoned() == 1
    message = "Nothing sends the channel 'carrier': give it a BACKEND in NOTIFICATIONS_CHANNELS, then try again."
    assert outcomes() == [("failed", message), ("waiting", "")]


def test_no_row_keeps_anything_of_what_was_said(post: Post) -> None:
    alice = make_user()
    for error in (None, Undeliverable("Refused.")):
        notify(alice, "A secret title", body="A secret body", url="/secret/", data={"a": "secret"})
        if error:
            post.fail(error)
        deliver_due()
    with carrying(DEFAULT="digest"):
        notify(alice, "A secret digest")
    stored = [str(value) for row in Delivery.objects.values() for value in row.values()]
    assert not [value for value in stored if "secret" in value]


def test_addresses_can_be_erased_at_once(post: Post) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    notify([alice, bob], "Hello")
    deliver_due()
    Delivery.objects.filter(recipient=alice).update(address="", error="")  # the recipe of the guide
    assert set(Delivery.objects.values_list("recipient", "address")) == {(alice.pk, ""), (bob.pk, "bob")}
    alice.delete()
    assert Delivery.objects.count() == 1
