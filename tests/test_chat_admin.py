"""Moderation in the admin: search, a constant number of queries, and hiding that is live and permitted."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from unittest.mock import patch

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from notifications import services
from notifications.admin import rooms
from notifications.chat import reading
from notifications.chat.stream import message_item
from notifications.models import Membership, Message, Notice
from tests.factories import make_user, make_users

MESSAGES = reverse("admin:carillon_message_changelist")


class ModerationTest(TransactionTestCase):
    def setUp(self) -> None:
        self.admin = get_user_model().objects.create_superuser("admin", password="admin")
        self.alice = make_user("alice")
        self.room = services.create_room("Project", by=self.alice)
        services.post_message(self.room, "something rude", by=self.alice)
        self.client.force_login(self.admin)

    def act(self, action: str) -> Any:
        return self.client.post(MESSAGES, {"action": action, "_selected_action": Message.objects.get().pk})

    def item(self) -> Any:
        return message_item(Message.objects.with_people().get())

    def test_a_message_is_hidden_and_shown_again(self) -> None:
        self.act("hide")
        assert (self.item().deleted, self.item().body) == ("moderator", "")
        assert self.item().version == 2
        assert Message.objects.get().hidden_by == self.admin
        self.act("unhide")
        assert (self.item().deleted, self.item().body) == (None, "something rude")

    def test_many_are_hidden_and_shown_with_the_queries_of_one(self) -> None:
        rooms = [services.create_room(f"Room {n}", by=self.alice, members=make_users(2, f"in {n} ")) for n in range(12)]
        for room in rooms:
            services.post_message(room, "rude", by=self.alice)
        pks = list(Message.objects.order_by("pk").values_list("pk", flat=True))
        costs: dict[str, list[int]] = {"hide": [], "unhide": []}
        for chosen in (pks[1:2], pks[1:]):
            for action, found in costs.items():
                with CaptureQueriesContext(connection) as queries:
                    self.client.post(MESSAGES, {"action": action, "_selected_action": chosen})
                found.append(len(queries))
                gone = Notice.objects.filter(recalled_at__isnull=False).count()
                assert gone == (len(chosen) if action == "hide" else 0)
                assert Message.objects.filter(hidden_by=self.admin).count() == (len(chosen) if action == "hide" else 0)
        assert LogEntry.objects.count() == 2 + 2 * len(pks[1:])
        for one, many in costs.values():
            assert many <= one + 3  # where there is one room alone, its readers here are served at once

    def test_more_than_can_be_hidden_at_a_time_stay_as_they_are(self) -> None:
        with patch("notifications.admin.chat.ACTED_LIMIT", 2):
            for body in ("rude", "rude again"):
                services.post_message(self.room, body, by=self.alice)
            every = {"action": "hide", "_selected_action": Message.objects.get(number=1).pk, "select_across": "1"}
            response = self.client.post(MESSAGES, every, follow=True)
            self.assertContains(response, "At most 2 messages can be hidden or shown at a time.")
            assert not Message.objects.filter(hidden_at__isnull=False).exists()
            Message.objects.update(hidden_at=timezone.now())
            response = self.client.post(MESSAGES, every | {"action": "unhide"}, follow=True)
            self.assertContains(response, "At most 2 messages can be hidden or shown at a time.")
            assert not Message.objects.filter(hidden_at=None).exists()

    def page(self, model: str, pk: int) -> str:
        response = self.client.get(reverse(f"admin:carillon_{model}_change", args=[pk]))
        assert response.status_code == 200
        return re.sub(r"\s+", " ", unescape(strip_tags(response.content.decode().replace("<", " <"))))

    def test_a_message_is_shown_with_its_time_among_its_neighbours_and_with_the_members(self) -> None:
        bob = make_user("bob")
        services.add_member(self.room, bob)
        for number in range(20):
            services.post_message(self.room, f"number {number}.", by=bob)
        message = Message.objects.get(body="number 10.")
        Message.objects.filter(pk=message.pk).update(created_at=datetime(2026, 5, 17, 8, 30, tzinfo=UTC))
        text = self.page("message", message.pk)
        assert "May 17, 2026, 8:30 a.m." in text
        assert "Project" in text
        for number in range(5, 16):
            assert f"bob number {number}." in text
        assert "number 4." not in text
        assert "number 16." not in text
        assert "alice Moderator" in text
        assert "bob Member" in text

    def test_what_is_erased_or_hidden_says_so_among_its_neighbours(self) -> None:
        services.post_message(self.room, "erased", by=self.alice)
        services.delete_message(self.room, 2, by=self.alice)
        message = Message.objects.get(number=1)
        services.hide_message(message, by=self.admin)
        text = self.page("message", message.pk)
        assert "alice something rude hidden" in text
        assert "alice (deleted)" in text

    def test_a_direct_room_is_named_by_its_members_wherever_it_stands(self) -> None:
        bob = make_user("bob")
        room = services.open_direct_room(self.alice, bob)
        message = services.post_message(room, "psst", by=bob)
        place = Membership.objects.get(room=room, user=bob)
        for model, pk in (("room", room.pk), ("message", message.pk), ("membership", place.pk)):
            with self.subTest(model=model):
                assert "alice · bob" in self.client.get(reverse(f"admin:carillon_{model}_changelist")).content.decode()
                assert "alice · bob" in self.page(model, pk)
        bob.delete()
        assert "alice · –" in self.page("room", room.pk)

    def test_a_room_is_shown_with_its_members_and_its_latest_messages_at_one_price(self) -> None:
        def cost() -> tuple[int, str]:
            with CaptureQueriesContext(connection) as queries:
                text = self.page("room", self.room.pk)
            return len(queries), text

        cost()  # what is cached for the process
        before, text = cost()
        assert "alice something rude" in text
        for user in make_users(rooms.MEMBERS_SHOWN + 5):
            services.add_member(self.room, user)
        after, text = cost()
        assert after == before
        assert "Joined: user3 " not in text
        assert f"Joined: user{rooms.MEMBERS_SHOWN}" in text
        assert "There are more members." in text

    def test_staff_without_the_permission_can_look_and_not_hide(self) -> None:
        looker = get_user_model().objects.create_user("looker", is_staff=True)
        looker.user_permissions.add(Permission.objects.get(codename="view_message"))
        self.client.force_login(looker)
        assert b"something rude" in self.client.get(MESSAGES).content
        self.act("hide")
        assert self.item().deleted is None

    def test_messages_rooms_and_members_are_found_by_what_people_remember(self) -> None:
        for model in ("message", "room", "membership"):
            address = reverse(f"admin:carillon_{model}_changelist")
            with self.subTest(model=model):
                assert self.client.get(address, {"q": "alice"}).context["cl"].result_count == 1
                assert self.client.get(address, {"q": "nobody"}).context["cl"].result_count == 0

    def test_a_longer_list_costs_no_more_queries(self) -> None:
        def cost(address: str) -> int:
            with CaptureQueriesContext(connection) as queries:
                assert self.client.get(address).status_code == 200
            return len(queries)

        addresses = [reverse(f"admin:carillon_{model}_changelist") for model in ("message", "room", "membership")]
        before = [cost(address) for address in addresses]
        for n, user in enumerate(make_users(10)):
            room = services.create_room(f"Room {n}", by=user)
            services.post_message(room, "hello", by=user)
        assert [cost(address) for address in addresses] == before
        assert len(reading.list_rooms(self.alice).rooms) == 1

    def test_nothing_is_added_changed_or_deleted_by_hand(self) -> None:
        for model in ("message", "room", "membership"):
            assert self.client.get(reverse(f"admin:carillon_{model}_add")).status_code == 403
