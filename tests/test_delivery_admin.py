"""The admin lists deliveries, explains them, and tries them again or gives them up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.admin import bounds, inbox
from notifications.admin import deliveries as delivery_admin
from notifications.models import Delivery, Notice, Notification
from notifications.services import broadcast, deliver_due, notify, set_preference

from .factories import make_user, make_users
from .sending import Carrier, Post, carrying

pytestmark = pytest.mark.django_db

LIST = reverse("admin:carillon_delivery_changelist")
State, Reason = Delivery.State, Delivery.Reason


@pytest.fixture
def post() -> Iterator[Post]:
    Carrier.post = Post()
    with carrying():
        yield Carrier.post


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_user("admin", is_staff=True, is_superuser=True))
    return client


def recipients(response: Any) -> set[str]:
    return {row.recipient.get_username() for row in response.context["cl"].result_list}


def text(response: Any) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def act(client: Client, action: str, *rows: Delivery, **more: Any) -> str:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return text(client.post(LIST, chosen, follow=True))


def page(name: str, pk: int) -> str:
    return reverse(f"admin:carillon_{name}_change", args=[pk])


class TestList:
    def test_costs_the_same_queries_for_ten_rows_and_for_fifty(self, post: Post, staff: Client) -> None:
        costs = []
        for number in (10, 40):
            for user in make_users(number, f"of {number}: "):
                notify(user, "Hello")
            with CaptureQueriesContext(connection) as queries:
                response = staff.get(LIST)
            costs.append(len(queries))
        assert len(response.context["cl"].result_list) == 50
        assert costs[0] == costs[1] <= 6

    def test_can_be_filtered_by_state_channel_reason_and_error(self, post: Post, staff: Client) -> None:
        users = [make_user(name) for name in ("alice", "bob", "carol")]
        notify(users, "Hello")
        rows = Delivery.objects
        rows.filter(recipient=users[0]).update(state=State.FAILED, error="550 no such user")
        rows.filter(recipient=users[1]).update(state=State.SKIPPED, reason=Reason.SEEN)
        rows.filter(recipient=users[2]).update(channel="email")
        for wanted, found in [
            ({"state__exact": "failed"}, {"alice"}),
            ({"reason__exact": "seen"}, {"bob"}),
            ({"channel": "email"}, {"carol"}),
            ({"error__isempty": "0"}, {"alice"}),
        ]:
            assert recipients(staff.get(LIST, wanted)) == found

    @pytest.mark.parametrize("term", ["ali", "needle", "550 no", "alice@"])
    def test_can_be_searched_by_user_title_error_and_address(self, post: Post, staff: Client, term: str) -> None:
        alice = make_user("alice")
        notify(make_user("bob"), "Hay")
        notify(alice, "A needle")
        Delivery.objects.filter(recipient=alice).update(error="550 no such user", address="alice@example.com")
        assert recipients(staff.get(LIST, {"q": term})) == {"alice"}

    def test_counts_no_further_than_it_lists(self, post: Post, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        notify(make_users(12), "Hello")
        assert "Only the newest" not in text(staff.get(LIST))
        monkeypatch.setattr(bounds, "LISTED_LIMIT", 10)
        monkeypatch.setattr(inbox, "LISTED_LIMIT", 10)
        response = staff.get(LIST)
        assert response.context["cl"].result_count == 10
        assert "Only the newest 10 are listed" in text(response)

    def test_shows_nothing_to_staff_without_the_permission(self) -> None:
        client = Client()
        client.force_login(make_user("helper", is_staff=True))
        assert client.get(LIST).status_code == 403

    def test_a_row_can_be_looked_at_and_not_touched(self, post: Post, staff: Client) -> None:
        alice = make_user("alice")
        notify(alice, "Hello")
        deliver_due()
        row = Delivery.objects.get()
        shown = text(staff.get(page("delivery", row.pk)))
        for words in ("Hello", "alice", "the default of the channel", "1 attempt", "You get this by “carrier”"):
            assert words in shown
        assert staff.post(page("delivery", row.pk), {"state": "waiting"}).status_code == 403
        assert staff.post(reverse("admin:carillon_delivery_delete", args=[row.pk]), {"post": "yes"}).status_code == 403

    def test_a_digest_is_listed_too(self, post: Post, staff: Client) -> None:
        with carrying(DEFAULT="digest"):
            notify(make_user(), "Hello")
            assert "Digest" in text(staff.get(LIST))
            digest = Delivery.objects.get(notice=None)
            assert staff.get(page("delivery", digest.pk)).status_code == 200


class TestTryAgain:
    def test_what_failed_is_sent_as_if_for_the_first_time(self, post: Post, staff: Client) -> None:
        notify(make_user(), "Hello")
        Delivery.objects.update(state=State.FAILED, attempts=8, error="down", due_at=None, ended_at=timezone.now())
        assert "1 delivery is tried again." in act(staff, "try_again", Delivery.objects.get())
        assert LogEntry.objects.get().change_message == "Tried again."
        deliver_due()
        assert post.titles() == ["Hello"]
        assert Delivery.objects.values_list("state", "attempts", "error").get() == ("sent", 1, "")

    def test_what_was_skipped_is_decided_again(self, post: Post, staff: Client) -> None:
        alice = make_user()
        notify(alice, "Hello")
        set_preference(alice, "carrier", "off")
        deliver_due()
        act(staff, "try_again", Delivery.objects.get())
        deliver_due()
        assert Delivery.objects.values_list("state", "reason").get() == ("skipped", "preference")
        set_preference(alice, "carrier", "on")
        act(staff, "try_again", Delivery.objects.get())
        deliver_due()
        assert (post.titles(), Delivery.objects.get().rule) == (["Hello"], "")  # "everything" was why not

    def test_what_waits_is_sent_now(self, post: Post, staff: Client) -> None:
        notify(make_user(), "Hello")
        Delivery.objects.update(due_at=timezone.now() + timedelta(days=1))
        act(staff, "try_again", Delivery.objects.get())
        assert deliver_due() == 1

    @pytest.mark.parametrize("state", [State.SENT, State.SENDING])
    def test_what_was_sent_or_is_being_sent_is_left_alone(self, post: Post, staff: Client, state: str) -> None:
        notify(make_user(), "Hello")
        Delivery.objects.update(state=state, due_at=None)
        for action in ("try_again", "give_up"):
            assert "0 deliveries" in act(staff, action, Delivery.objects.get())
        assert Delivery.objects.get().state == state
        assert not LogEntry.objects.exists()

    def test_what_waits_for_a_digest_is_left_to_it(self, post: Post, staff: Client) -> None:
        with carrying(DEFAULT="digest"):
            notify(make_user(), "Hello")
            told = Delivery.objects.get(notice__isnull=False)
            assert "0 deliveries are tried again." in act(staff, "try_again", told)
            assert "1 delivery is tried again." in act(staff, "try_again", Delivery.objects.get(notice=None))
            deliver_due()
        assert (post.titles(), post.arrived[0].is_digest) == (["Hello"], True)


class TestGiveUp:
    def test_what_waits_ends(self, post: Post, staff: Client) -> None:
        notify(make_user(), "Hello")
        assert "1 delivery was given up." in act(staff, "give_up", Delivery.objects.get())
        assert deliver_due() == 0
        found = Delivery.objects.get()
        assert (found.state, found.error, found.ended_at is not None) == ("failed", "Given up by staff.", True)

    def test_a_digest_takes_along_what_waits_for_it(self, post: Post, staff: Client) -> None:
        with carrying(DEFAULT="digest"):
            notify(make_user(), "Hello")
            act(staff, "give_up", Delivery.objects.get(notice=None))
        assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}


class TestActing:
    @pytest.mark.parametrize("action", ["try_again", "give_up"])
    def test_needs_the_permission_to_change_deliveries(self, post: Post, action: str) -> None:
        helper = make_user("helper", is_staff=True)
        helper.user_permissions.add(Permission.objects.get(codename="view_delivery"))
        client = Client()
        client.force_login(helper)
        notify(make_user(), "Hello")
        before = Delivery.objects.values().get()
        act(client, action, Delivery.objects.get())
        assert Delivery.objects.values().get() == before

    def test_happens_by_post_alone(self, post: Post, staff: Client) -> None:
        notify(make_user(), "Hello")
        before = Delivery.objects.values().get()
        staff.get(LIST, {"action": "give_up", "_selected_action": str(before["id"])})
        assert Delivery.objects.values().get() == before
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(make_user("other", is_staff=True, is_superuser=True))
        assert strict.post(LIST, {"action": "give_up", "_selected_action": [before["id"]]}).status_code == 403

    def test_is_bounded(self, post: Post, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delivery_admin, "CHANGED_LIMIT", 3)
        notify(make_users(4), "Hello")
        shown = act(staff, "give_up", Delivery.objects.order_by("pk")[0], select_across="1")
        assert "At most 3 deliveries can be changed at a time." in shown
        assert set(Delivery.objects.values_list("state", flat=True)) == {"waiting"}


class TestExplanations:
    def test_a_notification_says_by_which_channels_its_recipient_got_it(self, post: Post, staff: Client) -> None:
        alice = make_user("alice")
        notify(alice, "Hello")
        deliver_due()
        shown = text(staff.get(page("notification", Notification.objects.get().pk)))
        assert "carrier on (the default of the channel) sent · alice · 1 attempt · ended " in shown
        assert "Inbox on (the default of the channel) stored" in shown
        assert "You get this by “carrier”, because it is usual here." in shown

    def test_a_notice_says_what_each_channel_made_of_it(self, post: Post, staff: Client) -> None:
        users = make_users(3)
        notice = notify(users, "Hello")
        deliver_due()
        Delivery.objects.filter(recipient=users[0]).update(state=State.SKIPPED, reason=Reason.SEEN)
        response = staff.get(page("notice", notice.pk))
        assert "carrier 0 2 0 0 0 1 the recipient has seen it: 1" in text(response)
        [link] = re.findall(r'href="([^"]+notice=[^"]+)"', response.content.decode())
        assert len(staff.get(unescape(link)).context["cl"].result_list) == 3

    def test_the_results_of_a_broadcast_lead_to_its_deliveries(self, post: Post, staff: Client) -> None:
        make_user()
        made = broadcast("Hello", to="everyone", channels=["carrier"])
        deliver_due()
        shown = staff.get(reverse("admin:carillon_broadcast_results", args=[made.pk])).content.decode()
        assert f'href="{LIST}?notice={made.notice_id}"' in shown

    def test_what_others_wrote_is_never_markup(self, post: Post, staff: Client) -> None:
        alice = make_user("alice")
        notice = notify(alice, "<script>one</script>")
        Delivery.objects.update(error="<script>two</script>", address="<script>three</script>", attempts=1)
        for name, pk in [
            ("delivery", Delivery.objects.get().pk),
            ("notification", Notification.objects.get().pk),
            ("notice", Notice.objects.get(pk=notice.pk).pk),
        ]:
            assert not re.search(rb"<script>(one|two|three)", staff.get(page(name, pk)).content)
        assert not re.search(rb"<script>(one|two|three)", staff.get(LIST).content)


class TestExplanation:
    """What a notification's page says of its deliveries."""

    def shown(self, pk: int, *permissions: str) -> str:
        user = make_user(f"clerk{len(permissions)}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client.get(page("notification", pk)).content.decode()

    def test_has_addresses_and_errors_for_who_may_view_deliveries_alone(self, post: Post) -> None:
        notify(make_user("alice"), "Hello")
        post.fail(RuntimeError("No such number: alice"))
        deliver_due()
        Delivery.objects.update(address="+49 151 2345")
        copy, delivery = Notification.objects.get(), Delivery.objects.get()
        full, outline = (
            self.shown(copy.pk, *names) for names in (("view_notification", "view_delivery"), ("view_notification",))
        )
        for told in ("+49 151 2345", "No such number", page("delivery", delivery.pk)):
            assert (told in full, told in outline) == (True, False)
        assert "waiting" in outline
        assert "1 attempt" in outline
