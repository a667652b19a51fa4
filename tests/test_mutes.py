"""Who has muted an object hears nothing of it, by whichever way: but for what is required, and what mentions them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.inbox.reading import page
from notifications.kinds import Kind, Ref, kind, registry
from notifications.models import Delivery, Notification, Watch
from notifications.services import (
    deliver_due,
    mute,
    notify,
    release_due,
    set_preference,
    unwatch,
    watch,
)
from tests.factories import make_user, make_users, stamp
from tests.sending import Carrier, Post, carrying

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


class Kinds:
    """One kind for each rule, all about a group."""

    def __init__(self) -> None:
        def declare(name: str, **rules: Any) -> Any:
            @kind(f"tests.{name}", about="group", **rules)
            class Said(Kind):
                group: Ref[Group]
                title = name

            return Said

        self.plain = declare("plain")
        self.mention = declare("mention", mention=True)
        self.required = declare("required", required=True)
        self.silent = declare("silent", when_off="silent")


@pytest.fixture
def kinds() -> Iterator[Kinds]:
    before = dict(registry)
    yield Kinds()
    registry.clear()
    registry.update(before)


@pytest.fixture
def order() -> Group:
    return Group.objects.create(name="Order 7")


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


def titles(user: Any, state: Any = "all") -> list[str]:
    stamp(user)
    return [item.title for item in page(user, state).items]


def test_what_is_sent_by_name_about_it_is_held_back(alice: Any, order: Group, kinds: Kinds) -> None:
    bob = make_user("bob")
    other = Group.objects.create(name="Order 8")
    mute(alice, order)
    notify([alice, bob], "Text", about=order)
    notify([alice, bob], kinds.plain(group=order))
    notify([alice, bob], "Of another", about=other)
    notify([alice, bob], "Of nothing")
    assert titles(alice) == ["Of nothing", "Of another"]
    assert titles(bob) == ["Of nothing", "Of another", "plain", "Text"]
    assert Notification.objects.of(alice).count() == 2


def test_what_is_required_and_what_mentions_them_comes_through(alice: Any, order: Group, kinds: Kinds) -> None:
    mute(alice, order)
    for made in (kinds.mention, kinds.required):
        notify(alice, made(group=order))
    assert titles(alice) == ["required", "mention"]
    set_preference(alice, "bell", "off", kind=kinds.mention)
    assert titles(alice) == ["required"]


def test_a_kind_that_is_stored_silently_goes_to_the_archive_and_stays_there(
    alice: Any, order: Group, kinds: Kinds
) -> None:
    mute(alice, order)
    notify(alice, kinds.silent(group=order))
    assert (titles(alice), titles(alice, "archived"), page(alice).unseen) == ([], ["silent"], 0)
    set_preference(alice, "bell", "off", kind=kinds.silent)
    set_preference(alice, "bell", "on", kind=kinds.silent)
    assert titles(alice) == []


def test_it_holds_as_long_as_the_mute_does(alice: Any, order: Group) -> None:
    for silence in (
        lambda: mute(alice, order, until=timezone.now() + HOUR),
        lambda: watch(alice, order, "none", until=timezone.now() + HOUR),
        lambda: (watch(alice, order), mute(alice, order, until=timezone.now() + HOUR)),
    ):
        silence()
        notify(alice, "Held back", about=order)
        assert titles(alice) == []
        unwatch(alice, order)
    watch(alice, order)
    mute(alice, order, until=timezone.now() + HOUR)
    Watch.objects.update(muted_until=timezone.now() - HOUR)
    notify(alice, "After it", about=order)
    Watch.objects.update(level="none", muted_until=None, until=timezone.now() - HOUR)
    notify(alice, "After the end", about=order)
    assert titles(alice) == ["After the end", "After it"]


@pytest.mark.parametrize("level", ["all", "participating", "mentions"])
def test_a_level_concerns_watchers_and_not_what_is_sent_by_name(alice: Any, order: Group, level: Any) -> None:
    watch(alice, order, level)
    notify(alice, "To you", about=order)
    assert titles(alice) == ["To you"]


@pytest.mark.parametrize(("name", "state"), [("plain", None), ("silent", "archived"), ("mention", "all")])
def test_what_was_to_be_sent_later_is_asked_for_when_it_is_due(
    alice: Any, order: Group, kinds: Kinds, name: str, state: str | None
) -> None:
    notify(alice, getattr(kinds, name)(group=order), send_at=timezone.now() + HOUR)
    mute(alice, order)
    Notification.objects.update(snoozed_until=timezone.now())
    release_due()
    assert {where: titles(alice, where) for where in ("all", "archived")} == {
        "all": [name] if state == "all" else [],
        "archived": [name] if state == "archived" else [],
    }
    assert Notification.objects.count() == (state is not None)
    assert not Notification.objects.filter(muted=True).exists()


def test_what_is_there_stays_and_an_item_grows_no_more(alice: Any, order: Group) -> None:
    notify(alice, "One", group="order:7", about=order)
    assert titles(alice) == ["One"]
    mute(alice, order)
    notify(alice, "Two", group="order:7", about=order)
    assert titles(alice) == ["One"]


def test_it_costs_one_query_for_a_thousand_and_none_for_what_is_about_nothing(order: Group) -> None:
    users = make_users(900)
    for user in users[::2]:
        mute(user, order)
    counts = []
    for about in (None, order):
        with CaptureQueriesContext(connection) as queries:
            notify(users, "Text", about=about)
        counts.append(len(queries))
    assert Notification.objects.count() == 900 + 450
    assert counts[1] <= counts[0] + 1


@pytest.mark.parametrize("name", ["plain", "silent", "mention"])
def test_no_other_channel_tells_of_it_either(alice: Any, order: Group, kinds: Kinds, name: str) -> None:
    Carrier.post = Post()
    with carrying():
        mute(alice, order)
        notify(alice, getattr(kinds, name)(group=order))
        deliver_due()
    assert Carrier.post.titles() == (["mention"] if name == "mention" else [])
    assert Delivery.objects.count() == (name == "mention")
