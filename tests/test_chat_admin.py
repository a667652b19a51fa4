"""Moderation in the admin: search, a constant number of queries, and hiding that is live and permitted."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications import services
from notifications.chat import reading
from notifications.chat.stream import message_item
from notifications.models import Message, Notice
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
