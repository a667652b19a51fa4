"""Staff send broadcasts: compose, count, test, review, send, watch, edit and recall; and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from typing import Any
from unittest import mock

from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.admin import BroadcastAdmin
from notifications.audiences import Audience
from notifications.inbox import reading
from notifications.models import Broadcast, Notification
from notifications.services import (
    edit_broadcast,
    mark_clicked,
    mark_read,
    publish_broadcast,
    publish_due,
    recall_broadcast,
)

LATER = timedelta(hours=1)


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:carillon_broadcast_{name}", args=args)


@contextmanager
def without_autocompletion() -> Iterator[None]:
    """Let the site's admin of users have nothing to search by, as some sites' have."""
    users = site.get_model_admin(User)
    with mock.patch.object(users, "search_fields", ()):
        yield


class StaffTests(TransactionTestCase):
    """One superuser, one user, one group."""

    def setUp(self) -> None:
        self.admin = User.objects.create_superuser("admin", password="admin")
        self.bob = User.objects.create_user("bob")
        self.group = Group.objects.create(name="Editors")
        self.client.force_login(self.admin)

    def form(self, **changes: Any) -> dict[str, Any]:
        """Return what the form sends for a broadcast to everyone."""
        typed = {
            "title": "Maintenance tonight",
            "body": "From ten to eleven.",
            "url": "/status/",
            "level": "warning",
            "category": "system",
            "include_names": ["everyone"],
            "timezone": "Europe/Berlin",
            "publish_at": "",
            "expires_at": "",
        }
        return {name: value for name, value in {**typed, **changes}.items() if value is not None}

    def add(self, button: str = "_continue", **changes: Any) -> Any:
        return self.client.post(address("add"), {**self.form(**changes), button: ""})

    def change(self, broadcast: Broadcast, button: str = "_continue", **changes: Any) -> Any:
        sent = {**self.form(loaded_revision=broadcast.revision), **changes, button: ""}
        return self.client.post(address("change", broadcast.pk), sent)

    def draft(self, **fields: Any) -> Broadcast:
        audience = Audience.of("everyone").dump()
        return Broadcast.objects.create(**{"title": "Maintenance", "audience": audience, **fields})

    def sent(self, **fields: Any) -> Broadcast:
        publish_broadcast(self.draft(**fields))
        return Broadcast.objects.get()

    def send(self, broadcast: Broadcast, **changes: Any) -> Any:
        typed = {"revision": broadcast.revision, "confirmed": "2", **changes}
        return self.client.post(address("review", broadcast.pk), typed)

    def log(self) -> list[str]:
        return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]

    def text(self, response: Any) -> str:
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode())))


class ComposingTests(StaffTests):
    def test_a_draft_is_kept_and_reaches_nobody(self) -> None:
        response = self.add()
        broadcast = Broadcast.objects.get()
        self.assertRedirects(response, address("change", broadcast.pk))
        assert (broadcast.title, broadcast.level, broadcast.url, broadcast.author) == (
            "Maintenance tonight",
            "warning",
            "/status/",
            self.admin,
        )
        assert broadcast.audience_of() == Audience.of("everyone")
        assert reading.page(self.bob).items == []

    def test_audiences_groups_and_users_combine(self) -> None:
        self.add(
            include_names=["staff"],
            include_groups=[self.group.pk],
            include_users=[self.bob.pk, self.admin.pk],
            exclude_names=["staff"],
            exclude_users=[self.bob.pk],
        )
        chosen = Audience.of("staff", groups=[self.group], users=[self.bob, self.admin])
        assert Broadcast.objects.get().audience_of() == Audience(
            chosen.include, Audience.of("staff", users=[self.bob]).include
        )

    def test_times_are_read_in_the_time_zone_of_whoever_typed_them(self) -> None:
        tomorrow = timezone.now() + timedelta(days=1)
        self.add(publish_at=f"{tomorrow:%Y-%m-%d}T18:00", timezone="Asia/Tokyo")
        publish_at = Broadcast.objects.get().publish_at
        assert publish_at is not None
        assert (publish_at.hour, publish_at.minute) == (9, 0)  # in UTC

    def test_one_time_zone_is_named_wherever_a_time_is(self) -> None:
        at = f"{timezone.now() + timedelta(days=1):%Y-%m-%d}T18:00"
        refused = self.add(title="", publish_at=at).content.decode()
        assert refused.count("Times are in Europe/Berlin.") == 2
        assert f'value="{at}"' in refused
        assert "Times are in UTC." in self.client.get(address("add")).content.decode()  # until the script knows better
        broadcast = self.draft(publish_at=timezone.now() + LATER, expires_at=timezone.now() + LATER * 2)
        publish_broadcast(broadcast)
        for page in ("review", "results", "change"):
            html = self.client.get(address(page, broadcast.pk), follow=True).content.decode()
            assert re.search(r"<time [^>]+>[^<]+ \(UTC\)</time>", html), page
        listed = self.client.get(reverse("admin:carillon_broadcast_changelist")).content.decode()
        assert re.search(r'<time class="carillon-time" datetime="[^"]+">[^<]+ \(UTC\)</time>', listed)
        assert "notifications/admin/times.js" in listed

    def test_a_wrong_user_name_is_refused_once(self) -> None:
        for part in ("include", "exclude"):
            for names in (["everyone"], None):
                form = self.add(include_names=names, **{f"{part}_users": "nobody"}).context["adminform"].form
                assert list(form.errors) == [f"{part}_users"]

    def test_an_unknown_time_zone_means_the_sites_own(self) -> None:
        tomorrow = timezone.now() + timedelta(days=1)
        self.add(publish_at=f"{tomorrow:%Y-%m-%d}T18:00", timezone="../../etc/passwd")
        publish_at = Broadcast.objects.get().publish_at
        assert publish_at is not None
        assert publish_at.hour == 18

    def test_send_to_me_reaches_the_author_alone(self) -> None:
        self.add("_test")
        assert [item.title for item in reading.page(self.admin).items] == ["Maintenance tonight"]
        assert reading.page(self.bob).items == []
        assert Broadcast.objects.get().state == "draft"
        assert self.log()[-1] == "Sent to self as a test."

    def test_users_chosen_in_the_list_are_in_the_form(self) -> None:
        chosen = {"action": "notify_selected", "_selected_action": [self.bob.pk, self.admin.pk]}
        response = self.client.post(reverse("admin:auth_user_changelist"), chosen, follow=True)
        page = response.content.decode()
        for user in (self.bob, self.admin):
            assert f'<option value="{user.pk}" selected>{user}</option>' in page
        with without_autocompletion():
            response = self.client.post(reverse("admin:auth_user_changelist"), chosen, follow=True)
        assert "admin\nbob</textarea>" in response.content.decode()

    def test_users_are_completed_for_those_who_may_view_them(self) -> None:
        page = self.client.get(address("add")).content.decode()
        [url] = set(re.findall(r'data-ajax--url="([^"]+)"', page))
        asked = {"app_label": "carillon", "model_name": "broadcast", "field_name": "author", "term": "bo"}
        assert self.client.get(url, asked).json()["results"] == [{"id": str(self.bob.pk), "text": "bob"}]
        looker = User.objects.create_user("looker", is_staff=True)
        self.client.force_login(looker)
        assert self.client.get(url, asked).status_code == 403

    def test_a_duplicate_begins_with_the_content_and_the_audience(self) -> None:
        audience = Audience.of("staff", groups=[self.group], users=[self.bob])
        audience = Audience(audience.include, Audience.of("everyone", users=[self.admin]).include)
        original = self.draft(audience=audience.dump(), title="Last year's", body="Text", level="success")
        page = self.client.get(address("add"), {"copy": original.pk}).content.decode()
        assert 'value="Last year&#x27;s"' in page
        for part, users in (("include", self.bob), ("exclude", self.admin)):
            assert re.search(rf'name="{part}_users".*?<option value="{users.pk}" selected>', page, re.DOTALL)
        assert re.search(r'value="staff"[^>]* checked', page)
        assert "<details" in page
        assert " open>" in page
        assert Broadcast.objects.count() == 1
        for wrong in ("0", "x", str(2**70), ""):
            assert self.client.get(address("add"), {"copy": wrong}).status_code == 200

    def test_a_duplicate_is_offered_where_a_broadcast_is_looked_at(self) -> None:
        draft, sent = self.draft(), self.sent_again()
        for page, broadcast in ((address("change", draft.pk), draft), (address("results", sent.pk), sent)):
            assert f"{address('add')}?copy={broadcast.pk}" in self.client.get(page).content.decode()

    def test_the_list_shows_reach_and_what_became_of_each_with_the_same_queries(self) -> None:
        def page() -> tuple[int, str]:
            with CaptureQueriesContext(connection) as queries:
                response = self.client.get(reverse("admin:carillon_broadcast_changelist"))
            return len(queries), self.text(response)

        broadcast = publish_broadcast(self.draft(title="First"))
        Broadcast.objects.update(reach=1_234, reach_exact=True)
        for user in (self.bob, self.admin):
            reading.page(user)
        mark_read(self.bob, [Notification.objects.get(recipient=self.bob).pk])
        before, text = page()
        assert broadcast.notice is not None
        for figure in ("1,234 people", "1 (50 %)"):
            assert figure in text
        for number in range(5):
            publish_broadcast(self.draft(title=f"Another {number}", audience=Audience.of(groups=[self.group]).dump()))
        assert page()[0] <= before + 1  # the groups that audiences name

    def test_an_address_written_by_hand_chooses_nobody(self) -> None:
        for users in ("x,y", "99999999999999999999", "-1,,"):
            assert self.client.get(address("add"), {"users": users}).status_code == 200

    def test_the_page_carries_no_script_and_no_style_of_its_own(self) -> None:
        broadcast = self.draft()
        published = self.sent_again()
        for page in (
            address("add"),
            address("change", broadcast.pk),
            address("review", broadcast.pk),
            address("results", published.pk),
            address("recall", published.pk),
        ):
            with self.subTest(page):
                html = self.client.get(page).content.decode()
                assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html)
                assert not re.search(r"<style|\sstyle=|\son\w+=", html)

    def sent_again(self) -> Broadcast:
        return publish_broadcast(self.draft(title="Another"))


class WrongInputTests(StaffTests):
    """Each refusal names what is wrong, and everything that was typed is still in the form."""

    def refused(self, words: str, **changes: Any) -> None:
        response = self.add(**changes)
        assert response.status_code == 200
        assert words in self.text(response), self.text(response)
        html = unescape(response.content.decode())
        for value in self.form(**changes).values():
            for piece in value if isinstance(value, list) else [value]:
                assert str(piece) in html
        assert not Broadcast.objects.exists()

    def test_a_past_time(self) -> None:
        self.refused("This time is in the past. Choose a later one", publish_at="2020-01-01T10:00")

    def test_a_time_that_is_none(self) -> None:
        self.refused("Enter a valid date/time", publish_at="soon")

    def test_an_expiry_before_the_time(self) -> None:
        self.refused("would expire before it is sent", publish_at="2990-01-02T10:00", expires_at="2990-01-01T10:00")

    def test_a_time_that_not_every_time_zone_can_tell(self) -> None:
        for name in ("publish_at", "expires_at"):
            for zone in ("America/Los_Angeles", "Asia/Tokyo"):
                with self.subTest(name=name, zone=zone):
                    words = "Choose an earlier time, no later than the year 9998."
                    self.refused(words, **{name: "9999-12-31T23:59"}, timezone=zone)

    def test_a_group_with_a_number_beyond_those_of_databases(self) -> None:
        for number in (2**63, -(10**30)):
            with self.subTest(number=number):
                words = f"{number} is not one of the available choices."
                assert words in self.text(self.add(include_groups=[self.group.pk, number]))
                assert words in self.text(self.add(exclude_groups=[number]))
                assert not Broadcast.objects.exists()

    def test_no_audience(self) -> None:
        self.refused("Choose at least one audience, group or user", include_names=None)

    def test_a_user_who_does_not_exist(self) -> None:
        for key in ("0", "bob", str(2**70)):
            with self.subTest(key=key):
                response = self.add(include_users=[self.bob.pk, key])
                assert response.status_code == 200
                assert key in self.text(response)
                assert not Broadcast.objects.exists()

    def test_a_name_that_is_nobodys_where_users_are_named(self) -> None:
        with without_autocompletion():
            self.refused("No user named “bobb”, “ann”.", include_users="bobb, bob\nann")

    def test_an_audience_that_does_not_exist(self) -> None:
        response = self.add(include_names=["vanished"])
        assert "vanished is not one of the available choices" in self.text(response)

    def test_a_link_that_runs_a_script(self) -> None:
        self.refused("starts with http:// or https://", url="javascript:alert(1)")

    def test_no_title(self) -> None:
        self.refused("This field is required", title="")

    def test_a_long_title(self) -> None:
        self.refused("at most 200 characters", title="x" * 201)

    def test_an_audience_that_a_deploy_removed(self) -> None:
        broadcast = self.draft(audience=Audience.of("vanished", "staff").dump())
        html = self.text(self.client.get(address("change", broadcast.pk)))
        assert "“vanished” (no longer exists)" in html
        response = self.change(broadcast, include_names=["vanished", "staff"])
        assert "The audience “vanished” does not exist" in self.text(response)
        response = self.client.get(address("review", broadcast.pk), follow=True)
        assert "The audience “vanished” does not exist" in self.text(response)
        self.change(broadcast, include_names=["staff"])
        broadcast.refresh_from_db()
        assert broadcast.audience_of() == Audience.of("staff")

    def test_a_schedule_that_failed_says_why(self) -> None:
        broadcast = self.draft(problem="The audience “vanished” does not exist.")
        response = self.client.get(address("change", broadcast.pk))
        assert "Could not be sent as scheduled: The audience “vanished” does not exist" in self.text(response)

    def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unasked(self) -> None:
        broadcast = self.draft()
        loaded = Broadcast.objects.get()
        edit_broadcast(broadcast, title="Theirs")
        response = self.change(loaded, title="Mine")
        assert "Someone else has changed this broadcast: its title is now “Theirs”" in self.text(response)
        assert 'value="Mine"' in response.content.decode()
        assert Broadcast.objects.get().title == "Theirs"
        version = re.search(r'name="loaded_revision" value="(\d+)"', response.content.decode())
        assert version is not None
        self.change(loaded, title="Mine", loaded_revision=version[1])
        assert Broadcast.objects.get().title == "Mine"


class CountingTests(StaffTests):
    def count(self, **typed: Any) -> dict[str, Any]:
        response = self.client.post(address("count"), typed)
        assert response.status_code == 200
        found: dict[str, Any] = response.json()
        return found

    def test_it_tells_how_many_people_are_meant(self) -> None:
        assert self.count(include_names=["everyone"]) == {"text": "Reaches 2 people.", "number": 2, "exact": True}
        assert self.count(include_names=["everyone"], exclude_users=[self.bob.pk])["number"] == 1

    def test_it_marks_an_estimate(self) -> None:
        User.objects.bulk_create(User(username=f"user{n}") for n in range(12_000))
        found = self.count(include_names=["everyone"])
        assert not found["exact"]
        assert found["text"].startswith("Reaches about 12,000 people. Estimated")

    def test_it_explains_what_it_cannot_count(self) -> None:
        assert self.count(include_users=[0])["text"].startswith("Select a valid choice. 0 is not one of")
        with without_autocompletion():
            assert self.count(include_users="nobody") == {"text": "No user named “nobody”.", "number": None}
            assert self.count(include_users="bob")["number"] == 1
        assert self.count()["text"] == "Choose at least one audience, group or user."
        assert "99999999999999999999 is not one of" in self.count(include_groups=["99999999999999999999"])["text"]
        assert self.count(include_groups=[self.group.pk])["text"] == "Currently reaches nobody."


class SendingTests(StaffTests):
    def test_review_says_what_goes_to_whom(self) -> None:
        broadcast = self.draft(url="/status/")
        self.assertRedirects(self.change(broadcast, "_review"), address("review", broadcast.pk))
        text = self.text(self.client.get(address("review", broadcast.pk)))
        for words in ("2 people", "Everyone", "immediately", "/status/", "Send to 2 people"):
            assert words in text

    def test_sending_reaches_everyone_and_shows_the_results(self) -> None:
        broadcast = self.draft()
        self.assertRedirects(self.send(broadcast), address("results", broadcast.pk))
        assert [item.title for item in reading.page(self.bob).items] == ["Maintenance"]
        assert self.log() == ["Sent to 2 people."]
        broadcast.refresh_from_db()
        assert (broadcast.reach, broadcast.reach_exact) == (2, True)

    def test_a_double_click_sends_once_and_ends_at_the_results(self) -> None:
        broadcast = self.draft()
        for _click in range(2):
            self.assertRedirects(self.send(broadcast), address("results", broadcast.pk))
        assert Broadcast.objects.filter(state="sent").count() == 1
        assert self.log() == ["Sent to 2 people."]

    def test_what_changed_after_the_review_is_not_sent(self) -> None:
        broadcast = self.draft()
        edit_broadcast(Broadcast.objects.get(), title="Changed")
        response = self.send(broadcast)
        assert "Someone changed this broadcast while you were reviewing it" in self.text(response)
        assert Broadcast.objects.get().state == "draft"

    def test_above_a_limit_the_number_has_to_be_typed(self) -> None:
        User.objects.bulk_create(User(username=f"user{n}") for n in range(BroadcastAdmin.type_number_above))
        broadcast = self.draft()
        assert "Type 1002 to confirm" in self.text(self.client.get(address("review", broadcast.pk)))
        for typed in ("", "2", "1003"):
            response = self.send(broadcast, confirmed="1002", number=typed)
            assert "Type the number of people" in self.text(response)
        assert Broadcast.objects.get().state == "draft"
        self.send(broadcast, confirmed="1002", number="1,002")
        assert Broadcast.objects.get().state == "sent"

    def test_the_number_is_written_and_typed_as_in_the_language_of_the_reader(self) -> None:
        User.objects.bulk_create(User(username=f"user{n}") for n in range(BroadcastAdmin.type_number_above))
        for language, shown, typed in [
            ("de", "An 1.002 Personen senden", "1.002"),
            ("ar", "الإرسال إلى 1002 شخص", "١٬٠٠٢"),
        ]:
            broadcast = self.draft()
            with self.settings(LANGUAGE_CODE=language, USE_THOUSAND_SEPARATOR=True):
                page = self.client.get(address("review", broadcast.pk))
                hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', page.content.decode()))
                self.client.post(address("review", broadcast.pk), {**hidden, "number": typed})
            assert shown in self.text(page)
            broadcast.refresh_from_db()
            assert broadcast.state == "sent"

    def test_an_audience_without_people_is_not_sent_to(self) -> None:
        broadcast = self.draft(audience=Audience.of(groups=[self.group]).dump())
        assert "audience is currently empty" in self.text(self.send(broadcast))
        assert Broadcast.objects.get().state == "draft"

    def test_a_broadcast_for_later_is_scheduled_and_can_be_called_off(self) -> None:
        broadcast = self.draft(publish_at=timezone.now() + LATER)
        self.send(broadcast)
        assert Broadcast.objects.get().state == "scheduled"
        assert "Not sent yet" in self.text(self.client.get(address("results", broadcast.pk)))
        self.client.post(address("recall", broadcast.pk))
        assert Broadcast.objects.get().state == "draft"
        assert self.log() == ["Scheduled for 2 people.", "Schedule cancelled."]

    def test_the_history_tells_that_the_schedule_has_sent_it(self) -> None:
        self.add(publish_at="")
        broadcast = Broadcast.objects.get()
        self.change(broadcast, publish_at=f"{timezone.localtime() + LATER * 24:%Y-%m-%dT%H:%M}")
        broadcast.refresh_from_db()
        self.send(broadcast)
        Broadcast.objects.update(publish_at=timezone.now())
        assert publish_due() == 1
        assert self.log()[-2:] == ["Scheduled for 2 people.", "Sent as scheduled."]
        assert LogEntry.objects.latest("pk").user == self.admin

    def test_the_history_tells_that_the_schedule_could_not_send_it(self) -> None:
        self.send(self.draft(publish_at=timezone.now() + LATER, author=self.admin))
        Broadcast.objects.update(publish_at=timezone.now(), audience=Audience.of("vanished").dump())
        assert publish_due() == 0
        assert self.log()[-1].startswith("Could not be sent as scheduled: The audience “vanished” does not exist")

    def test_nobody_is_said_to_have_sent_what_a_program_scheduled(self) -> None:
        publish_broadcast(self.draft(publish_at=timezone.now() + LATER))
        Broadcast.objects.update(publish_at=timezone.now())
        assert publish_due() == 1
        assert self.log() == []

    def test_a_site_without_the_admin_keeps_a_schedule_without_a_history(self) -> None:
        publish_broadcast(self.draft(publish_at=timezone.now() + LATER, author=self.admin))
        Broadcast.objects.update(publish_at=timezone.now())
        with self.modify_settings(INSTALLED_APPS={"remove": "django.contrib.admin"}):
            assert publish_due() == 1
        assert self.log() == []

    def test_a_time_that_passed_meanwhile_leads_back_to_the_form(self) -> None:
        broadcast = self.draft(publish_at=timezone.now() - LATER)
        response = self.client.get(address("review", broadcast.pk), follow=True)
        assert "This time is in the past" in self.text(response)


class AfterwardsTests(StaffTests):
    def test_the_results_count_what_became_of_it(self) -> None:
        broadcast = self.sent(url="/status/")
        for user in (self.admin, self.bob):
            reading.page(user)
        mark_clicked(self.bob, Notification.objects.of(self.bob).values_list("pk", flat=True))
        found = self.client.get(address("now", broadcast.pk)).json()
        assert {name: found["text"][name] for name in ("delivered", "seen", "read", "clicked")} == {
            "delivered": "2",
            "seen": "1",
            "read": "1",
            "clicked": "1",
        }
        assert found["text"]["delivered-share"] == "100 % of 2"
        assert found["bars"] == {"delivered": 100.0, "seen": 50.0, "read": 50.0, "clicked": 50.0}
        assert found["draw"]["curve-delivered"].endswith("L720.0 0.0")
        page = self.text(self.client.get(address("results", broadcast.pk)))
        assert "Delivered to 2 of 2 people; 1 saw it, 1 read it, 1 clicked it." in page

    def test_an_edit_after_sending_changes_what_people_see(self) -> None:
        broadcast = self.sent()
        reading.page(self.bob)
        response = self.change(broadcast, title="Maintenance at ten")
        self.assertRedirects(response, address("results", broadcast.pk))
        assert [item.title for item in reading.page(self.bob).items] == ["Maintenance at ten"]
        assert Broadcast.objects.get().audience_of() == Audience.of("everyone")

    def test_recall_asks_and_takes_it_back(self) -> None:
        broadcast = self.sent()
        reading.page(self.bob)
        assert "1 person has received it" in self.text(self.client.get(address("recall", broadcast.pk)))
        self.client.post(address("recall", broadcast.pk))
        assert reading.page(self.bob).items == []
        assert self.log() == ["Recalled."]
        response = self.client.post(address("recall", broadcast.pk), follow=True)
        assert "nothing to recall" in self.text(response)

    def test_what_was_recalled_can_be_looked_at_and_not_changed(self) -> None:
        broadcast = self.sent()
        recall_broadcast(broadcast)
        response = self.client.get(address("change", broadcast.pk))
        assert response.status_code == 200
        assert "<textarea" not in response.content.decode()
        assert self.change(broadcast, title="Again").status_code == 403

    def test_what_was_sent_cannot_be_deleted(self) -> None:
        broadcast = self.sent()
        assert self.client.post(address("delete", broadcast.pk), {"post": "yes"}).status_code == 403
        draft = self.draft()
        self.client.post(address("delete", draft.pk), {"post": "yes"})
        assert list(Broadcast.objects.all()) == [broadcast]

    def test_the_list_shows_state_and_audience(self) -> None:
        self.sent()
        response = self.client.get(address("changelist"))
        assert "Sent, " in self.text(response)
        assert "Everyone" in self.text(response)

    def test_the_list_leads_to_the_form_of_a_draft_and_to_the_results_of_the_others(self) -> None:
        sent, draft = self.sent(), self.draft()
        html = self.client.get(address("changelist")).content.decode()
        assert f'href="{address("results", sent.pk)}"' in html
        assert f'href="{address("change", draft.pk)}"' in html

    def test_one_that_does_not_exist_is_not_found(self) -> None:
        for name in ("review", "results", "recall", "live", "now"):
            assert self.client.get(address(name, 99)).status_code == 404

    def test_without_asgi_the_stream_names_the_way_to_ask(self) -> None:
        assert self.client.get(address("live", self.sent().pk)).status_code == 501


class PermissionTests(StaffTests):
    def sign_in(self, *names: str) -> User:
        editor = User.objects.create_user("editor", is_staff=True)
        editor.user_permissions.set(Permission.objects.filter(codename__in=[f"{name}_broadcast" for name in names]))
        self.client.force_login(editor)
        return editor

    def test_who_may_only_compose_cannot_send(self) -> None:
        self.sign_in("view", "add", "change")
        broadcast = self.draft()
        assert "Review and send" not in self.text(self.client.get(address("change", broadcast.pk)))
        for response in (self.client.get(address("review", broadcast.pk)), self.send(broadcast)):
            assert response.status_code == 403
        assert Broadcast.objects.get().state == "draft"

    def test_who_may_not_send_cannot_change_what_is_on_its_way(self) -> None:
        self.sign_in("view", "add", "change")
        assert self.change(self.sent(), title="Changed").status_code == 403

    def test_who_may_send_need_not_be_allowed_to_recall(self) -> None:
        self.sign_in("view", "change", "send")
        broadcast = self.sent()
        assert "Recall" not in self.text(self.client.get(address("results", broadcast.pk)))
        assert self.client.post(address("recall", broadcast.pk)).status_code == 403
        assert Broadcast.objects.get().state == "sent"

    def test_others_see_nothing(self) -> None:
        self.sign_in()
        broadcast = self.sent()
        for name in ("change", "review", "results", "live", "now", "recall"):
            assert self.client.get(address(name, broadcast.pk)).status_code == 403
        assert self.client.post(address("count"), {"include_names": ["everyone"]}).status_code == 403
        assert self.client.get(address("add")).status_code == 403

    def test_visitors_are_asked_to_sign_in(self) -> None:
        self.client.logout()
        for name in ("review", "results", "live", "now", "recall"):
            assert self.client.get(address(name, 1)).status_code == 302


class ComposerTests(StaffTests):
    """One who may compose broadcasts, and may not view users."""

    def setUp(self) -> None:
        super().setUp()
        composer = User.objects.create_user("composer", is_staff=True)
        names = ["add_broadcast", "view_broadcast", "change_broadcast"]
        composer.user_permissions.set(Permission.objects.filter(codename__in=names))
        self.client.force_login(composer)

    def test_the_address_of_the_form_tells_nobodys_name(self) -> None:
        page = self.client.get(f"{address('add')}?users={self.bob.pk}&include_users={self.bob.pk}").content.decode()
        assert "bob" not in page
        assert "include_users" not in page

    def test_neither_the_form_nor_the_count_say_whether_there_is_such_a_user(self) -> None:
        everybody = self.client.post(address("count"), {"include_names": ["everyone"]}).json()
        for name in ("bob", "nobody"):
            for part in ("include_users", "exclude_users"):
                counted = self.client.post(address("count"), {"include_names": ["everyone"], part: name})
                assert counted.json() == everybody
            assert self.add(include_users=name).status_code == 302

    def test_a_duplicate_leaves_out_an_audience_that_names_users(self) -> None:
        named = self.draft(audience=Audience.of("everyone", users=[self.bob.pk]).dump())
        page = self.client.get(address("add"), {"copy": named.pk}).content.decode()
        assert "bob" not in page
        assert not re.search(r'value="everyone"[^>]* checked', page)
        page = self.client.get(address("add"), {"copy": self.draft().pk}).content.decode()
        assert re.search(r'value="everyone"[^>]* checked', page)

    def test_who_was_chosen_by_another_stays_chosen_and_unnamed(self) -> None:
        chosen = Audience.of("everyone", users=[self.bob.pk])
        broadcast = self.draft(audience=chosen.dump())
        assert "bob" not in self.client.get(address("change", broadcast.pk)).content.decode()
        assert self.change(broadcast, title="Another").status_code == 302
        broadcast.refresh_from_db()
        assert (broadcast.title, broadcast.audience_of()) == ("Another", chosen)

    def test_with_the_right_to_view_users_they_can_be_chosen(self) -> None:
        composer = User.objects.get(username="composer")
        composer.user_permissions.add(Permission.objects.get(codename="view_user"))
        self.add(include_names=[], include_users=[self.bob.pk])
        assert Broadcast.objects.get().audience_of().include.users == (self.bob.pk,)
