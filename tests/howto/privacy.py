"""How to choose names, and to delete and hand out what is stored about a person."""

import json

from django.contrib.auth import get_user_model
from django.test import TransactionTestCase
from people.addresses import forget_addresses
from people.erasure import erase
from people.export import export

from notifications.models import Delivery, Message, Notification
from notifications.services import create_room, notify, post_message, remove_member


class PrivacyTests(TransactionTestCase):
    def setUp(self):
        users = get_user_model().objects
        self.alice = users.create_user("alice@example.org", first_name="Alice")
        self.bob = users.create_user("bob@example.org")

    def test_others_read_the_chosen_name(self):
        notify(self.bob, "A comment", actor=self.alice)
        notify(self.bob, "An answer", actor=self.bob)
        self.client.force_login(self.bob)
        items = self.client.get("/notifications/api/inbox/").json()["items"]
        self.assertEqual([item["actor"]["name"] for item in items], ["A customer", "Alice"])

    def test_what_a_person_has_written_is_erased_with_them(self):
        here = create_room("Here", by=self.bob, members=[self.alice])
        left = create_room("Left", by=self.bob, members=[self.alice])
        for room in (here, left):
            post_message(room, "my secret", by=self.alice)
        remove_member(left, self.alice, by=self.bob)
        notify(self.alice, "For Alice")
        erase(self.alice)
        self.assertFalse(Message.objects.filter(body__contains="secret").exists())
        self.assertFalse(Notification.objects.exclude(recipient=self.bob).exists())
        self.assertFalse(get_user_model().objects.filter(pk=self.alice.pk).exists())

    def test_the_addresses_of_a_person_are_forgotten_and_those_of_others_stay(self):
        notice = notify([self.alice, self.bob], "Hello")
        for user in (self.alice, self.bob):
            whose = {"recipient": user, "address": user.username, "error": f"550 {user.username}"}
            Delivery.objects.create(notice=notice, channel="email", created_at=notice.created_at, **whose)
        forget_addresses(self.alice)
        left = set(Delivery.objects.values_list("address", "error"))
        self.assertEqual(left, {("", ""), ("bob@example.org", "550 bob@example.org")})

    def test_a_person_gets_what_is_stored(self):
        post_message(create_room("Here", by=self.alice), "my words", by=self.alice)
        notify(self.alice, "For Alice", body="more")
        data = json.loads(json.dumps(export(self.alice)))
        self.assertEqual([row["title"] for row in data["notifications"]], ["For Alice"])
        self.assertEqual(data["messages"], [{"room__name": "Here", "body": "my words"}])
