"""Pages, counts and the summary of an inbox."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone

from notifications.inbox.actors import display_name
from notifications.inbox.counts import Counts, counts
from notifications.inbox.reading import PAGE_LIMIT, Page, page, summary
from notifications.inbox.stream import INBOX_PAGE
from notifications.live import frames
from notifications.models import Inbox, Notice, Notification
from notifications.services import archive, mark_read, mark_seen, notify
from tests.factories import make_user, make_users, stamp, tell

pytestmark = pytest.mark.django_db


def titles(found: Page) -> list[str]:
    return [item.title for item in found.items]


@pytest.fixture
def alice() -> Any:
    """Return a user with one notification in each state."""
    alice = make_user("alice")
    _new, seen, read, archived = tell(alice, "New", "Seen", "Read", "Archived")
    Notification.objects.filter(pk=seen).update(seen_at=timezone.now())
    mark_read(alice, [read])
    archive(alice, [archived])
    stamp(alice)
    tell(make_user("bob"), "Not hers")
    return alice


@pytest.mark.parametrize(
    ("state", "expected"),
    [("all", ["Read", "Seen", "New"]), ("unread", ["Seen", "New"]), ("archived", ["Archived"])],
)
def test_a_page_holds_one_state_newest_first(alice: Any, state: Any, expected: list[str]) -> None:
    assert titles(page(alice, state)) == expected


@pytest.mark.parametrize("state", ["all", "unread", "archived"])
def test_the_counts_and_the_cursor_are_of_the_whole_inbox(alice: Any, state: Any) -> None:
    found = page(alice, state)
    assert (found.unread, found.unseen) == (2, 1)
    assert found.cursor == f"inbox={Inbox.objects.get(user=alice).epoch}.5"


def test_an_item_of_a_page_is_the_item_of_a_frame() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    soon = timezone.now() + timedelta(hours=1)
    notice = notify(
        alice,
        "A comment",
        body="Nice.",
        url="/posts/7/",
        level="success",
        kind="comment.created",
        category="comments",
        data={"post": 7},
        actor=bob,
        expires_at=soon,
    )
    stamp(alice)
    mark_read(alice, [Notification.objects.get().pk])
    row = Notification.objects.get()

    def utc(time: Any) -> str:
        return f"{time:%Y-%m-%dT%H:%M:%S.%f}Z"

    assert json.loads(frames.encode(page(alice)))["items"] == [
        {
            "id": row.pk,
            "version": 0,  # the change waits for its position
            "kind": "comment.created",
            "category": "comments",
            "level": "success",
            "icon": "",
            "title": "A comment",
            "body": "Nice.",
            "url": "/posts/7/",
            "data": {"post": 7},
            "actor": {"id": bob.pk if isinstance(bob.pk, int) else str(bob.pk), "name": display_name(bob)},
            "created_at": utc(notice.created_at),
            "seen_at": utc(row.seen_at),
            "read_at": utc(row.read_at),
            "archived_at": None,
            "expires_at": utc(soon),
            "snoozed_until": None,
            "pinned": False,
            "rank": row.rank,
            "group": None,
            "actions": [],
            "outcome": None,
            "toast": True,
            "mutable": False,
        }
    ]


@pytest.mark.parametrize(("full_name", "shown"), [("Bob Baker", "Bob Baker"), ("", None)])
def test_an_actor_is_shown_by_full_name_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, full_name: str, shown: str | None
) -> None:
    monkeypatch.setattr(get_user_model(), "get_full_name", lambda user: full_name, raising=False)
    alice = make_user()
    bob = make_user("bob")
    notify(alice, "A comment", actor=bob)
    [item] = page(alice).items
    assert item.actor
    assert item.actor.name == (shown or display_name(bob))


def test_pages_follow_each_other_without_a_gap_or_a_repeat() -> None:
    alice = make_user()
    tell(alice, *map(str, range(7)))
    first = page(alice, limit=3)
    tell(alice, "Meanwhile")
    second = page(alice, limit=3, before=first.next)
    third = page(alice, limit=3, before=second.next)
    assert [titles(found) for found in (first, second, third)] == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert third.next is None


def test_a_last_page_that_is_full_has_no_next() -> None:
    alice = make_user()
    tell(alice, "0", "1")
    assert page(alice, limit=2).next is None


def test_a_page_has_twenty_items_unless_asked_otherwise_and_a_hundred_at_most() -> None:
    alice = make_user()
    notices = Notice.objects.bulk_create([Notice(title=str(n)) for n in range(PAGE_LIMIT + 1)])
    Notification.objects.bulk_create([Notification(recipient=alice, notice=notice) for notice in notices])
    assert len(page(alice).items) == INBOX_PAGE == 20
    assert len(page(alice, limit=PAGE_LIMIT).items) == PAGE_LIMIT == 100


def test_a_page_may_be_of_one_category() -> None:
    alice = make_user()
    tell(alice, "A comment", category="comments")
    tell(alice, "A sale", category="shop")
    found = page(alice, category="shop")
    assert (titles(found), found.unread) == (["A sale"], 2)
    assert titles(page(alice, category="nothing")) == []


@pytest.mark.parametrize("number", [1, 100])
def test_a_page_costs_three_queries_whatever_its_size(number: int, django_assert_num_queries: Any) -> None:
    alice = make_user()
    for actor in make_users(number):
        notify(alice, "Hello", actor=actor)
    stamp(alice)
    with django_assert_num_queries(3):
        assert len(frames.encode(page(alice, limit=PAGE_LIMIT))) > number * 100


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param({"expires_at": timezone.now() - timedelta(seconds=1)}, id="expired"),
        pytest.param({"recalled_at": timezone.now()}, id="recalled"),
    ],
)
@pytest.mark.parametrize("state", ["all", "unread", "archived"])
def test_what_expired_or_was_recalled_is_hidden_and_not_counted(state: Any, hidden: dict[str, Any]) -> None:
    alice = make_user()
    tell(alice, "Here", "Gone")
    if state == "archived":
        archive(alice, Notification.objects.values_list("pk", flat=True))
    Notice.objects.filter(title="Gone").update(**hidden)
    found = page(alice, state)
    assert titles(found) == ["Here"]
    assert (found.unread, found.unseen) == ((0, 0) if state == "archived" else (1, 1))


def test_what_expires_later_is_shown() -> None:
    alice = make_user()
    tell(alice, "Soon gone", expires_at=timezone.now() + timedelta(minutes=1))
    assert titles(page(alice)) == ["Soon gone"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "read"),
        ("state", ""),
        ("state", "ALL"),
        ("limit", 0),
        ("limit", -1),
        ("limit", PAGE_LIMIT + 1),
        ("before", 0),
        ("before", -1),
        ("before", 2**63),
        ("category", "\x00"),
        ("category", "\ud800"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(field: str, value: Any) -> None:
    options: dict[str, Any] = {field: value}
    with pytest.raises(ValidationError) as refusal:
        page(make_user(), **options)
    assert list(refusal.value.message_dict) == [field]


def test_a_user_without_an_inbox_has_an_empty_one_and_nothing_is_written() -> None:
    alice = make_user()
    assert page(alice) == Page([], None, "", 0, 0)
    assert frames.encode(summary(alice)) == b'{"cursor":"","unread":0,"unseen":0,"until":null}'
    assert not Inbox.objects.exists()


def test_a_summary_costs_three_queries_and_writes_nothing(alice: Any, django_assert_num_queries: Any) -> None:
    notify(alice, "Pending")
    with django_assert_num_queries(3) as queries:
        found = summary(alice)
    assert (found.unread, found.unseen) == (3, 2)
    assert all(query["sql"].lstrip("(").startswith("SELECT") for query in queries.captured_queries)
    assert Notification.objects.filter(modseq=None).count() == 1


def test_seen_clears_the_unseen_count_and_leaves_the_unread_one(alice: Any) -> None:
    mark_seen(alice)
    assert counts([alice.pk]) == {alice.pk: Counts(unread=2, unseen=0)}


def test_many_users_are_counted_with_one_query(django_assert_num_queries: Any) -> None:
    users = make_users(5)
    notify(users[:3], "Hello")
    with django_assert_num_queries(1):
        found = counts(user.pk for user in users)
    assert found == {user.pk: Counts(n < 3, n < 3) for n, user in enumerate(users)}
