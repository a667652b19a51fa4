"""The inbox under attack: nothing is told early, nothing of others changes, and odd input is refused with a reason."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.inbox.counts import Counts, counts
from notifications.inbox.reading import page
from notifications.kinds import Kind
from notifications.models import Notification
from notifications.services import notify, release_due, set_preference
from tests.factories import make_user, stamp
from tests.preference_kinds import Comment, Like

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def lists(user: Any) -> dict[str, list[str]]:
    """Return the titles of each list that has any."""
    states: tuple[Any, ...] = ("all", "archived", "snoozed")
    stamp(user)
    found = {state: [item.title for item in page(user, state).items] for state in states}
    return {state: titles for state, titles in found.items() if titles}


def wait_for(user: Any, made: Kind, **more: Any) -> None:
    """Send a notification in an hour."""
    notify(user, made, send_at=timezone.now() + HOUR, **more)


def let_pass() -> None:
    """Let the time come of all that waits."""
    Notification.objects.filter(snoozed_until__isnull=False).update(snoozed_until=timezone.now() - HOUR)
    release_due()


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestWhatWaits:
    """What is sent later is told to nobody before, also where its recipient has switched it off."""

    def test_what_is_silent_is_nowhere_before_its_time_and_in_the_archive_then(self) -> None:
        alice = make_user("alice")
        set_preference(alice, "bell", "off", kind=Like)
        wait_for(alice, Like())
        wait_for(alice, Like(), group="post:7")
        assert lists(alice) == {}
        let_pass()
        assert lists(alice) == {"archived": ["Like", "Like"]}
        assert counts([alice.pk])[alice.pk] == Counts(0, 0)
        set_preference(alice, "bell", "on", kind=Like)
        assert lists(alice) == {"all": ["Like", "Like"]}

    @pytest.mark.parametrize("group", [None, "post:7"])
    def test_it_goes_where_the_latest_choice_says(self, group: str | None) -> None:
        alice = make_user("alice")
        set_preference(alice, "bell", "off", kind=Like)
        wait_for(alice, Like(), group=group)
        wait_for(alice, Comment(text="Hello"), group=group)
        set_preference(alice, "bell", "on", kind=Like)
        set_preference(alice, "bell", "off", kind=Comment)
        assert lists(alice) == {}
        let_pass()
        assert lists(alice) == {"all": ["Like"]}
        assert Notification.objects.count() == 1

    def test_nobody_learns_what_it_is_by_muting_it(self) -> None:
        alice = make_user("alice")
        wait_for(alice, Comment(text="Hello"))
        answered = signed_in(alice).post(reverse("notifications:mute", args=[Notification.objects.get().pk]))
        assert answered.status_code == 404


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
@pytest.mark.parametrize("name", ["kind", "category", "channel"])
def test_a_choice_for_what_no_database_can_carry_is_refused(name: str, text: str) -> None:
    body = json.dumps({"value": None, name: text})
    address = reverse("notifications:preferences-api")
    answered = signed_in(make_user("alice")).post(address, body, content_type="application/json")
    assert (answered.status_code, answered.json()["field"]) == (400, name)
