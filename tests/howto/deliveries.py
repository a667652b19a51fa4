"""Text messages are sent as the page says."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models import F
from django.test import TestCase
from django.utils import timezone
from shop.gateway import Answer, gateway
from shop.models import Profile

from notifications.models import Delivery
from notifications.services import deliver_due, notify, set_preference


class TextMessageTests(TestCase):
    def setUp(self):
        gateway.sent.clear()
        gateway.answer = Answer(200)
        self.ann = get_user_model().objects.create_user("ann")
        Profile.objects.create(user=self.ann, phone="+431")
        set_preference(self.ann, "sms", True)

    def send(self):
        notify(self.ann, "Order 7 has shipped")
        deliver_due()
        return Delivery.objects.get()

    def test_the_settings_are_right(self):
        call_command("check", "--tag", "notifications")

    def test_a_message_goes_to_the_phone(self):
        delivery = self.send()
        [(sender, number, text, _reference)] = gateway.sent
        self.assertEqual((sender, number, text), ("Shop", "+431", "Order 7 has shipped"))
        self.assertEqual((delivery.state, delivery.address), ("sent", "+431"))

    def test_nobody_gets_one_who_has_not_asked_for_it(self):
        notify(get_user_model().objects.create_user("bob"), "Order 7 has shipped")
        self.assertEqual(deliver_due(), 0)

    def test_a_busy_gateway_is_left_alone_for_as_long_as_it_says(self):
        gateway.answer = Answer(429, retry_after=600)
        delivery = self.send()
        self.assertEqual(delivery.state, "waiting")
        self.assertGreater(delivery.due_at, timezone.now() + timedelta(minutes=9))
        gateway.answer = Answer(200)
        Delivery.objects.update(due_at=F("due_at") - timedelta(hours=1))
        deliver_due()
        self.assertEqual(len({reference for *_rest, reference in gateway.sent}), 1)
        self.assertEqual(Delivery.objects.get().state, "sent")

    def test_a_number_that_does_not_exist_is_given_up(self):
        gateway.answer = Answer(404)
        delivery = self.send()
        self.assertEqual((delivery.state, delivery.reason), ("skipped", "bounced"))
