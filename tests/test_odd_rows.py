"""What something else has written into a row, or written before keys had their type, costs that row's words alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from notifications.inbox.reading import page
from notifications.inbox.stream import INBOX
from notifications.kinds import Kind, kind, registry
from notifications.live.cursor import START
from notifications.live.replay import changes_since
from notifications.models import Notice, Notification
from notifications.services import notify, perform_action

from .factories import make_user, stamp

pytestmark = pytest.mark.django_db

ODD = [[], [1], {}, {"action": [], "at": 1}, {"action": "approve", "at": "never"}, "text", 7, {"latest": [7]}]


@pytest.fixture
def asked() -> Iterator[type[Kind]]:
    before = dict(registry)

    @kind("tests.asked")
    class Asked(Kind):
        title = "Asked"

    Asked.action("approve", label="Approve")(print)
    yield Asked
    registry.clear()
    registry.update(before)


def rest(user: Any, title: str) -> Any:
    """Return what a page shows of a row, once all who read have got it and what lies beside it."""
    browser = Client()
    browser.force_login(user)
    assert browser.get("/notifications/").status_code == 200
    [batch] = changes_since(INBOX, {user.pk: START}).values()
    sent = [item["title"] for frame in batch.frames for item in json.loads(frame.data).get("items", [])]
    items = page(user).items
    assert sorted(sent) == sorted(item.title for item in items) == sorted([title, "Beside it"])
    return next(item for item in items if item.title == title)


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_outcome_offers_nothing_and_says_nothing(asked: Any, odd: Any) -> None:
    alice = make_user("alice")
    notice = notify(alice, asked())
    notify(alice, "Beside it")
    stamp(alice)
    Notice.objects.filter(pk=notice.pk).update(outcome=odd)
    item = rest(alice, "Asked")
    assert (item.actions, item.outcome) == ([], None)
    assert not perform_action(alice, item.id, "approve")


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_actor_is_nobody(odd: Any) -> None:
    alice = make_user("alice")
    notice = notify(alice, "Said", group="room")
    notify(alice, "Beside it")
    stamp(alice)
    notify(alice, "Said", group="room")
    stamp(alice)
    Notice.objects.filter(title="Said").update(other_actor=odd)
    assert rest(alice, "Said").actor is None
    assert notice.other_actor is None


@pytest.mark.parametrize("odd", [*ODD, {"events": 2, "actors": 2, "latest": ["a key of old", "no.such:7"]}], ids=str)
def test_how_an_item_has_grown_is_forgotten_and_it_grows_on(odd: Any) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    for _ in range(2):
        notify(alice, "Said", group="room", actor=bob)
        stamp(alice)
    notify(alice, "Beside it")
    stamp(alice)
    Notification.objects.filter(notice__title="Said", folded_into=None).update(growth=odd)
    before = rest(alice, "Said").group.events
    notify(alice, "Said", group="room", actor=bob)
    stamp(alice)
    assert rest(alice, "Said").group.events == before + 1


@pytest.mark.parametrize("odd", [*ODD, {"en": 7}, {"en": {"body": "No title"}}], ids=str)
def test_what_was_written_for_a_language_gives_way_to_what_is_for_all(odd: Any) -> None:
    alice = make_user("alice")
    notice = notify(alice, "Said")
    notify(alice, "Beside it")
    stamp(alice)
    Notice.objects.filter(pk=notice.pk).update(texts=odd)
    assert rest(alice, "Said").title == "Said"
