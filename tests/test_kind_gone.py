"""A kind is switched off, or leaves the code, while an item of it grows: nothing is lost, and nothing is blank."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from notifications.inbox.reading import page
from notifications.kinds import Kind, kind, people, registry
from notifications.models import Notification
from notifications.models.inbox import UNPLACED
from notifications.services import notify, prune, release_due, set_preference

from .factories import make_user, stamp

pytestmark = pytest.mark.django_db


@pytest.fixture
def commented() -> Iterator[type[Kind]]:
    before = dict(registry)

    @kind("tests.commented", grow=True)
    class Commented(Kind):
        text: str

        def title(self) -> str:
            return f"{people(self.actors, self.count)} ({self.events}): {self.text}"

    yield Commented
    registry.clear()
    registry.update(before)


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


def remove() -> None:
    registry.pop("tests.commented")


def put_back(commented: Any) -> None:
    registry["tests.commented"] = commented.rules


def shown(user: Any, state: Any = "all") -> list[tuple[str, int]]:
    """Return the title of each item, and for how many events it stands."""
    return [(item.title, item.group.events if item.group else 1) for item in page(user, state).items]


class TestRemoved:
    """The code goes, and comes back with the next deploy."""

    def test_an_event_that_waits_when_it_goes_joins_its_item_and_shows_what_was_stored(
        self, alice: Any, commented: Any
    ) -> None:
        ann, ben = make_user("ann"), make_user("ben")
        notify(alice, commented(text="first"), actor=ann)
        stamp(alice)
        notify(alice, commented(text="second"), actor=ben)
        assert Notification.objects.filter(folded_into=UNPLACED).count() == 1
        remove()
        stamp(alice)
        assert shown(alice) == [("ben (1): second", 2)]
        browser = Client()
        browser.force_login(alice)
        assert "(1): second" in browser.get("/notifications/").content.decode()
        put_back(commented)
        [(title, events)] = shown(alice)
        assert (title, events) == ("ben and ann (2): second", 2)

    def test_what_is_due_meanwhile_joins_too(self, alice: Any, commented: Any) -> None:
        notify(alice, commented(text="first"))
        notify(alice, commented(text="later"), send_at=timezone.now() + timedelta(hours=1))
        stamp(alice)
        remove()
        Notification.objects.filter(snoozed_until__isnull=False).update(snoozed_until=timezone.now())
        assert release_due() == 1
        assert [events for _title, events in shown(alice)] == [2]
        put_back(commented)
        assert shown(alice) == [("Somebody (2): later", 2)]

    def test_what_comes_after_it_is_back_joins_what_was_there_before(self, alice: Any, commented: Any) -> None:
        notify(alice, commented(text="first"))
        remove()
        stamp(alice)
        prune()
        put_back(commented)
        notify(alice, commented(text="second"))
        stamp(alice)
        assert shown(alice) == [("Somebody (2): second", 2)]


class TestSwitchedOff:
    """The user goes, so to speak, and comes back."""

    def test_an_event_that_waits_does_not_begin_an_item_in_sight(self, alice: Any, commented: Any) -> None:
        notify(alice, commented(text="first"))
        stamp(alice)
        notify(alice, commented(text="second"))
        set_preference(alice, "bell", "off", kind=commented)
        stamp(alice)
        assert (shown(alice), page(alice).unread) == ([], 0)
        assert len(shown(alice, "archived")) == 2

    def test_all_of_it_is_there_when_it_is_switched_on(self, alice: Any, commented: Any) -> None:
        notify(alice, commented(text="first"))
        stamp(alice)
        notify(alice, commented(text="second"))
        set_preference(alice, "bell", "off", kind=commented)
        stamp(alice)
        set_preference(alice, "bell", "on", kind=commented)
        stamp(alice)
        assert sorted(title for title, _events in shown(alice)) == ["Somebody (1): first", "Somebody (1): second"]
        notify(alice, commented(text="third"))
        stamp(alice)
        assert sum(events for _title, events in shown(alice)) == 3

    def test_it_may_be_switched_off_while_no_code_has_it(self, alice: Any, commented: Any) -> None:
        notify(alice, commented(text="first"))
        stamp(alice)
        notify(alice, commented(text="second"))
        remove()
        set_preference(alice, "bell", "off")
        stamp(alice)
        put_back(commented)
        set_preference(alice, "bell", "on")
        stamp(alice)
        assert sorted(title for title, _events in shown(alice)) == ["Somebody (1): first", "Somebody (1): second"]
