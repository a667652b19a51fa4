"""The admin lists what was sent: fast, searchable and read-only."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from notifications.admin.notification_states import LABELS, with_states
from notifications.audiences import Audience
from notifications.models import Broadcast, Notice, Notification
from notifications.services import archive, mark_read, notify, publish_broadcast, snooze, withdraw
from tests.factories import make_user, make_users, stamp, tell, written

pytestmark = pytest.mark.django_db

LISTS = {name: reverse(f"admin:carillon_{name}_changelist") for name in ("notice", "notification")}
each_list = pytest.mark.parametrize("name", LISTS)


@pytest.fixture
def staff() -> Client:
    """Return a browser in which a superuser is signed in."""
    client = Client()
    client.force_login(make_user("admin", is_staff=True, is_superuser=True))
    return client


def shown(response: Any) -> set[str]:
    return {str(getattr(row, "notice", row)) for row in response.context["cl"].result_list}


@each_list
def test_a_list_costs_the_same_queries_for_ten_rows_and_for_fifty(staff: Client, name: str) -> None:
    costs = []
    for number in (10, 40):  # ten, then fifty in all
        users = make_users(number, f"group of {number}: ")
        for user in users:
            notify(user, "Hello", actor=user)
        with CaptureQueriesContext(connection) as queries:
            response = staff.get(LISTS[name])
        costs.append(len(queries))
    assert len(response.context["cl"].result_list) == 50
    assert costs[0] == costs[1] <= 6


@pytest.mark.parametrize("text", ["needle", "NEEDLE"])
@each_list
def test_a_title_can_be_searched(staff: Client, name: str, text: str) -> None:
    tell(make_user(), "A needle", "Hay")
    assert shown(staff.get(LISTS[name], {"q": text})) == {"A needle"}


@pytest.mark.parametrize("field", ["body", "kind", "category"])
def test_the_rest_of_a_notice_can_be_searched(staff: Client, field: str) -> None:
    tell(make_user(), "Found", **{field: "needle"})
    tell(make_user("bob"), "Hay")
    assert shown(staff.get(LISTS["notice"], {"q": "needle"})) == {"Found"}


def test_a_recipient_can_be_searched_whatever_the_user_model_calls_the_name(staff: Client) -> None:
    tell(make_user("alice"), "Hers")
    tell(make_user("bob"), "His")
    assert shown(staff.get(LISTS["notification"], {"q": "ali"})) == {"Hers"}


def test_notifications_can_be_filtered_by_state(staff: Client) -> None:
    alice = make_user()
    one, _two = tell(alice, "Read", "Unread")
    mark_read(alice, [one])
    assert shown(staff.get(LISTS["notification"], {"read_at__isempty": "0"})) == {"Read"}
    assert shown(staff.get(LISTS["notification"], {"read_at__isempty": "1"})) == {"Unread"}


class TestStates:
    """The list of notifications says of each what it is to its recipient."""

    @pytest.fixture
    def rows(self) -> Any:
        alice, later = make_user(), timezone.now() + timedelta(hours=1)
        names = ("unread", "read", "archived", "snoozed", "muted", "expired", "recalled")
        pks = dict(zip(names, tell(alice, *names), strict=True))
        mark_read(alice, [pks["read"]])
        archive(alice, [pks["archived"]])
        snooze(alice, [pks["snoozed"]], later)
        Notification.objects.filter(pk=pks["muted"]).update(muted=True, archived_at=timezone.now())
        Notice.objects.filter(title="expired").update(expires_at=timezone.now())
        withdraw(Notice.objects.get(title="recalled"))
        notify(alice, "scheduled", send_at=later)
        notify(alice, "unsent", send_at=later)
        Notification.objects.filter(notice__title="unsent").update(snoozed_until=None)  # as a kind's rule does it
        tell(alice, "joined", "unread too", group="post:7")
        notify(alice, "arriving", group="post:7")
        return Notification.objects.in_bulk()

    STATES = tuple(LABELS)

    @pytest.mark.parametrize("name", STATES)
    def test_each_can_be_filtered_for(self, staff: Client, rows: Any, name: str) -> None:
        expected = {"unread", "unread too"} if name == "unread" else {name}
        assert shown(staff.get(LISTS["notification"], {"state": name})) == expected

    def test_each_is_named_in_the_language_of_the_page(self, staff: Client, rows: Any) -> None:
        for code, scheduled, joined in [
            ("en", "Scheduled", "Part of a growing item"),
            ("de", "Geplant", "Teil eines wachsenden Eintrags"),
            ("ar", "مجدول", "جزء من عنصر متزايد"),
        ]:
            with translation.override(code):
                page = staff.get(LISTS["notification"]).content.decode()
            cells = re.findall(r'class="field-state">(?:<a href="([^"]+)">)?([^<]*)', page)
            assert len(cells) == len(rows)
            words = [text for _address, text in cells]
            assert words.count(scheduled) == words.count(joined) == 1
            [leads] = [address for address, text in cells if text == joined]
            assert "unread too" in staff.get(leads).content.decode()

    def test_a_page_tells_of_the_archive_only_what_lies_there(self, staff: Client, rows: Any) -> None:
        told = {}
        for row in with_states(Notification.objects.all()):
            page = staff.get(reverse("admin:carillon_notification_change", args=[row.pk])).content.decode()
            told[row.state] = ("field-archived_at" in page, "field-snoozed_until" in page)
        assert {state for state, (archived, _snoozed) in told.items() if archived} == {"archived", "muted"}
        assert {state for state, (_archived, snoozed) in told.items() if snoozed} == {"snoozed"}

    def test_nobody_has_what_is_still_to_be_sent(self, staff: Client, rows: Any) -> None:
        for title, figures in (("scheduled", "0; 0 have read it"), ("unread", "1; 0 have read it")):
            notice = Notice.objects.get(title=title)
            page = staff.get(reverse("admin:carillon_notice_change", args=[notice.pk])).content.decode()
            assert figures in page


@pytest.mark.parametrize("model", [Notice, Notification])
def test_a_row_can_be_looked_at_and_not_touched(staff: Client, model: Any) -> None:
    alice = make_user()
    notify(alice, "Hello", body="World", data={"a": 1}, actor=alice)
    stamp(alice)
    row = model.objects.get()
    name = model._meta.model_name
    page = staff.get(reverse(f"admin:carillon_{name}_change", args=[row.pk]))
    assert page.status_code == 200
    assert b"Hello" in page.content
    assert b'name="_save"' not in page.content
    before = model.objects.values().get()
    for url, data in [
        (reverse(f"admin:carillon_{name}_change", args=[row.pk]), {"title": "Changed"}),
        (reverse(f"admin:carillon_{name}_delete", args=[row.pk]), {"post": "yes"}),
        (reverse(f"admin:carillon_{name}_add"), {"title": "Added"}),
    ]:
        assert staff.post(url, data).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    staff.post(LISTS[name], delete)
    assert model.objects.values().get() == before
    assert written() == (1, 1)


@each_list
def test_staff_without_the_permission_see_nothing(name: str) -> None:
    client = Client()
    client.force_login(make_user("helper", is_staff=True))
    assert client.get(LISTS[name]).status_code == 403


def test_a_deleted_user_takes_the_copies_along_and_leaves_the_notice(staff: Client) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    notify(bob, "From alice", actor=alice)
    notify(alice, "To alice")
    stamp(alice, bob)
    url = reverse(f"admin:{get_user_model()._meta.label_lower.replace('.', '_')}_delete", args=[alice.pk])
    assert staff.post(url, {"post": "yes"}).status_code == 302
    assert written() == (2, 1)
    assert Notice.objects.filter(actor=None).count() == 2


def recall(staff: Client, *notices: Notice, **more: str) -> str:
    chosen = {"action": "recall", "_selected_action": [notice.pk for notice in notices], **more}
    response = staff.post(LISTS["notice"], chosen, follow=True)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_notices_are_recalled_once_that_is_confirmed(staff: Client) -> None:
    users = make_users(3)
    wrong, right = notify(users, "Wrong"), notify(users, "Right")
    stamp(*users)
    mark_read(users[0], [Notification.objects.get(recipient=users[0], notice=wrong).pk])
    page = recall(staff, wrong)
    assert "3 people have it, 1 read it." in page
    assert not Notice.objects.filter(recalled_at__isnull=False).exists()
    assert "1 notification was recalled." in recall(staff, wrong, confirmed="yes")
    wrong.refresh_from_db()
    assert wrong.recalled_by == get_user_model()._default_manager.get(is_superuser=True)
    assert LogEntry.objects.get().object_id == str(wrong.pk)
    assert Notification.objects.of(users[1]).visible().get().notice == right
    assert "0 notifications were recalled." in recall(staff, wrong, confirmed="yes")


def test_a_broadcast_is_not_recalled_as_a_notice(staff: Client) -> None:
    broadcast = publish_broadcast(Broadcast(title="To all", audience=Audience.of("everyone").dump()))
    assert broadcast.notice is not None
    assert "A broadcast is recalled on its own page." in recall(staff, broadcast.notice, confirmed="yes")
    assert not Notice.objects.filter(recalled_at__isnull=False).exists()


def test_recalling_needs_the_permission_to_delete_notices(staff: Client) -> None:
    notice = notify(make_user(), "x")
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_notice"))
    staff.force_login(looker)
    recall(staff, notice, confirmed="yes")
    assert not Notice.objects.filter(recalled_at__isnull=False).exists()
    looker.user_permissions.add(Permission.objects.get(codename="delete_notice"))
    recall(staff, notice, confirmed="yes")
    assert Notice.objects.filter(recalled_at__isnull=False).exists()


def test_a_page_shows_its_times_and_who_has_it(staff: Client) -> None:
    alice = make_user()
    notice = notify(alice, "x")
    stamp(alice)
    page = staff.get(reverse("admin:carillon_notice_change", args=[notice.pk])).content.decode()
    assert "1; 0 have read it" in page
    assert date_format(timezone.localtime(notice.created_at), "DATETIME_FORMAT") in page
    copy = Notification.objects.get()
    page = staff.get(reverse("admin:carillon_notification_change", args=[copy.pk])).content.decode()
    assert date_format(timezone.localtime(notice.created_at), "DATETIME_FORMAT") in page
