"""Undo brings back what was there before: unread, pinned and, what had been put off, asleep until the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from notifications.inbox.reading import page
from notifications.models import Notification
from notifications.services import (
    archive,
    archive_all,
    mark_read,
    pin,
    release_due,
    snooze,
    unarchive,
    undo,
    unsnooze,
)

from .factories import make_user, tell

pytestmark = pytest.mark.django_db

API = "/notifications/api/inbox/"


def later(hours: int) -> Any:
    return timezone.now() + timedelta(hours=hours)


def state(*pks: int) -> list[tuple[Any, ...]]:
    """Return what their recipient has made of items; when one was put away is of no interest while it sleeps."""
    rows = Notification.objects.in_bulk(pks)
    return [(row.read_at, row.rank, row.snoozed_until, row.archived_at is None) for row in (rows[pk] for pk in pks)]


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def various(alice: Any) -> list[int]:
    """Store a plain item, one that is read, one that is pinned, and two that sleep until different times."""
    pks = tell(alice, "Plain", "Read", "Pinned", "Asleep", "Asleep longer")
    mark_read(alice, [pks[1]])
    pin(alice, [pks[2], pks[4]])
    snooze(alice, [pks[3]], later(1))
    snooze(alice, [pks[4]], later(2))
    return pks


VERBS: dict[str, Callable[[Any, list[int]], Any]] = {
    "archive": archive,
    "snooze": lambda user, ids: snooze(user, ids, later(5)),
    "read": mark_read,
}


@pytest.mark.parametrize("name", VERBS)
class TestEachVerb:
    def test_of_many_each_is_as_it_was(self, alice: Any, various: list[int], name: str) -> None:
        before = state(*various)
        done = VERBS[name](alice, various)
        assert state(*various) != before
        assert undo(alice, done.undo) == done
        assert state(*various) == before
        assert undo(alice, done.undo) == 0

    def test_of_one_too(self, alice: Any, various: list[int], name: str) -> None:
        for pk in various:
            before = state(pk)
            done = VERBS[name](alice, [pk])
            assert bool(done) is (state(pk) != before)
            if done:
                undo(alice, done.undo)
            assert state(pk) == before

    def test_the_api_answers_with_what_reverts_it(self, alice: Any, various: list[int], name: str) -> None:
        browser = Client()
        browser.force_login(alice)
        before = state(*various)
        values = {"action": name, "ids": various[2:], "until": "tomorrow"}
        many = browser.post(f"{API}bulk/", json.dumps(values), content_type="application/json").json()
        one = browser.post(f"{API}{various[0]}/{name}/", {"until": "tomorrow"}).json()
        for answer in (one, many):
            assert browser.post(f"{API}undo/", {"undo": answer["undo"]}).json()["changed"]
        assert state(*various) == before


class TestTwice:
    """What held earlier is no matter: only what the call has ended comes back."""

    def test_an_item_that_slept_once_comes_back_to_the_inbox_it_was_archived_from(self, alice: Any) -> None:
        pks = tell(alice, "One")
        for put_away in (archive_all, partial(archive, ids=pks)):
            snooze(alice, pks, later(1))
            archive(alice, pks)
            unarchive(alice, pks)
            done: Any = put_away(alice)
            undo(alice, done.undo)
            assert [item.id for item in page(alice).items] == pks

    def test_what_was_changed_since_stays(self, alice: Any) -> None:
        [one, two] = pks = tell(alice, "One", "Two")
        snooze(alice, pks, later(1))
        done = archive(alice, pks)
        unarchive(alice, [one])
        snooze(alice, [one], later(3))
        before = state(one)
        assert undo(alice, done.undo) == 1
        assert state(one) == before
        again = snooze(alice, [two], later(4))
        unsnooze(alice, [two])
        assert undo(alice, again.undo) == 0

    def test_what_would_have_come_back_meanwhile_does_so_at_once(self, alice: Any) -> None:
        [one] = tell(alice, "One")
        snooze(alice, [one], later(1))
        done = archive(alice, [one])
        Notification.objects.filter(pk=one).update(previous_snooze=later(-1))
        assert undo(alice, done.undo) == 1
        assert release_due() == 1
        assert [item.read_at for item in page(alice).items] == [None]

    def test_nobody_wakes_what_sleeps_for_good_meanwhile(self, alice: Any) -> None:
        [one] = tell(alice, "One")
        snooze(alice, [one], later(1))
        archive(alice, [one])
        Notification.objects.filter(pk=one).update(previous_snooze=later(-1))
        assert release_due() == 0
