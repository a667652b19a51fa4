"""What people do with an item is about what they have seen of it: an event that came later stays for them to see."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from notifications.inbox.reading import page
from notifications.models import Inbox, Notification
from notifications.services import archive, mark_clicked, mark_read, notify, release_due, snooze

from .factories import make_user, stamp, tell

pytestmark = pytest.mark.django_db

PAGE = "/notifications/"
API = "/notifications/api/inbox/"


def snooze_an_hour(user: Any, ids: list[int], **given: Any) -> int:
    return snooze(user, ids, timezone.now() + timedelta(hours=1), **given)


VERBS: dict[str, Callable[..., int]] = {
    "read": mark_read,
    "click": mark_clicked,
    "archive": archive,
    "snooze": snooze_an_hour,
}


def comment(user: Any, title: str = "Comment") -> None:
    """Let an item grow, and give that its position."""
    notify(user, title, kind="comment", group="post:7", url="/posts/7/")
    stamp(user)


def is_untouched(pk: int) -> bool:
    row = Notification.objects.get(pk=pk)
    return not (row.read_at or row.clicked_at or row.archived_at or row.snoozed_until)


@pytest.fixture
def alice() -> Any:
    user = make_user("alice")
    comment(user, "First")
    return user


@pytest.fixture
def browser(alice: Any) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.mark.parametrize("name", VERBS)
class TestEachVerb:
    def test_it_leaves_an_item_that_has_grown_since(self, alice: Any, name: str) -> None:
        drawn = page(alice)
        comment(alice, "Unseen")
        [item] = page(alice).items
        assert VERBS[name](alice, [item.id], up_to=drawn.cursor) == 0
        assert is_untouched(item.id)
        assert VERBS[name](alice, [item.id], up_to=page(alice).cursor) == 1
        assert not is_untouched(item.id)

    def test_it_takes_the_others_that_were_named_with_it(self, alice: Any, name: str) -> None:
        [plain] = tell(alice, "Plain")
        drawn = page(alice)
        comment(alice, "Unseen")
        ids = [item.id for item in page(alice).items]
        assert VERBS[name](alice, ids, up_to=drawn.cursor) == 1
        assert [pk for pk in ids if not is_untouched(pk)] == [plain]

    def test_without_it_all_that_the_item_says_is_meant(self, alice: Any, name: str) -> None:
        comment(alice, "Unseen")
        [item] = page(alice).items
        assert VERBS[name](alice, [item.id]) == 1

    def test_an_event_that_was_sent_but_is_in_no_item_yet_begins_one(self, alice: Any, name: str) -> None:
        drawn = page(alice)
        notify(alice, "Unseen", kind="comment", group="post:7")  # no reader can have its position yet
        [item] = drawn.items
        VERBS[name](alice, [item.id], up_to=drawn.cursor)
        stamp(alice)
        [shown] = page(alice, "unread").items
        assert shown.title == "Unseen"

    def test_a_change_that_brings_nothing_new_does_not_keep_it(self, alice: Any, name: str) -> None:
        drawn = page(alice)
        [item] = drawn.items
        Notification.objects.of(alice).touch(seen_at=timezone.now())
        stamp(alice)
        assert VERBS[name](alice, [item.id], up_to=drawn.cursor) == 1

    def test_the_empty_cursor_of_a_page_without_an_inbox_means_nothing(self, alice: Any, name: str) -> None:
        [item] = page(alice).items
        assert VERBS[name](alice, [item.id], up_to="") == 0

    def test_another_inboxs_cursor_is_refused(self, alice: Any, name: str) -> None:
        [item] = page(alice).items
        for cursor in ("inbox=00000000.1", "nonsense", "messages=00000000.1"):
            with pytest.raises(ValidationError) as refused:
                VERBS[name](alice, [item.id], up_to=cursor)
            assert list(refused.value.message_dict) == ["up_to"]
        assert is_untouched(item.id)

    def test_the_api_takes_it_for_one_and_for_many(self, alice: Any, browser: Client, name: str) -> None:
        drawn = page(alice)
        comment(alice, "Unseen")
        [item] = page(alice).items
        values = {"until": "hour", "up_to": drawn.cursor}
        answer = browser.post(f"{API}{item.id}/{name}/", json.dumps(values), content_type="application/json")
        assert (answer.json()["item"]["title"], answer.json().get("undo")) == ("Unseen", None)
        many = {"action": name, "ids": [item.id], **values}
        answer = browser.post(f"{API}bulk/", json.dumps(many), content_type="application/json")
        assert answer.json() == {"changed": 0, "unread": 1, "unseen": 1}
        assert is_untouched(item.id)
        bad = browser.post(f"{API}{item.id}/{name}/", {**values, "up_to": "nonsense"})
        assert (bad.status_code, bad.json()["field"]) == (400, "up_to")

    def test_the_page_without_javascript_says_what_it_showed(self, alice: Any, browser: Client, name: str) -> None:
        drawn = page(alice)
        [item] = drawn.items
        shown = browser.get(PAGE).content.decode()
        assert f'name="up_to" value="{drawn.cursor}"' in shown.split(f'name="id" value="{item.id}"')[1]
        comment(alice, "Unseen")
        form = {"action": name, "id": item.id, "until": "hour", "up_to": drawn.cursor}
        assert browser.post(PAGE, form).status_code == 302
        assert is_untouched(item.id)
        assert browser.post(PAGE, {**form, "up_to": page(alice).cursor}).status_code == 302
        assert not is_untouched(item.id)


def test_what_came_back_from_a_snooze_since_is_news_too(alice: Any) -> None:
    [item] = page(alice).items
    snooze_an_hour(alice, [item.id])
    stamp(alice)
    drawn = page(alice, "snoozed")
    Notification.objects.filter(pk=item.id).update(snoozed_until=timezone.now() - timedelta(hours=1))
    release_due()
    assert archive(alice, [item.id], up_to=drawn.cursor) == 0
    assert [shown.id for shown in page(alice).items] == [item.id]


def test_a_page_says_it_of_each_item_for_one_may_be_ahead_of_it(alice: Any, browser: Client) -> None:
    """The page's own cursor is read before its rows."""
    before = page(alice).cursor
    [other] = tell(alice, "Other")
    Inbox.objects.filter(user=alice).update(head=int(before.rpartition(".")[2]))
    form = browser.get(PAGE).content.decode().split(f'name="id" value="{other}"')[1]
    version = Notification.objects.get(pk=other).modseq
    assert f'name="up_to" value="{before.rpartition(".")[0]}.{version}"' in form.split("</form>")[0]


def test_an_item_without_a_position_yet_is_taken_as_it_is(alice: Any, browser: Client) -> None:
    notify(alice, "Plain")
    [row] = Notification.objects.of(alice).filter(modseq=None)
    form = browser.get(PAGE).content.decode().split(f'name="id" value="{row.pk}"')[1]
    assert 'name="up_to"' not in form.split("</form>")[0]


def test_a_second_click_reads_what_is_unread_again_and_the_first_one_counts(alice: Any) -> None:
    [item] = page(alice).items
    mark_clicked(alice, [item.id])
    first = Notification.objects.get(pk=item.id).clicked_at
    Notification.objects.of(alice).touch(read_at=None)
    assert mark_clicked(alice, [item.id]) == 1
    again = Notification.objects.get(pk=item.id)
    assert (again.read_at is None, again.clicked_at) == (False, first)
