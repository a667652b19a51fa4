"""How to send from signals, tasks and async code."""

from unittest import mock

from django.contrib.auth import get_user_model
from django.core import serializers
from django.db import transaction
from django.test import TestCase, TransactionTestCase
from django.utils.translation import get_language
from shop import languages, orders
from shop.models import Order, Profile

from notifications.models import Notification


def titles():
    return [row.notice.title for row in Notification.objects.with_content().order_by("pk")]


class SignalTests(TestCase):
    def test_a_new_order_notifies_its_customer_once(self):
        order = Order.objects.create(customer=get_user_model().objects.create_user("alice"))
        order.save()
        self.assertEqual(titles(), [f"Thank you for order {order.pk}"])

    def test_a_fixture_notifies_nobody(self):
        order = Order(pk=1, customer=get_user_model().objects.create_user("alice"))
        for loaded in serializers.deserialize("json", serializers.serialize("json", [order])):
            loaded.save()
        self.assertEqual(titles(), [])

    def test_a_rollback_takes_the_notification_with_it(self):
        alice = get_user_model().objects.create_user("alice")
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            Order.objects.create(customer=alice)
            raise ZeroDivisionError
        self.assertEqual(titles(), [])


class LanguageTests(TestCase):
    def test_each_customer_reads_their_own_language(self):
        customers = [get_user_model().objects.create_user(name) for name in ("alice", "bob", "carl")]
        for customer, language in zip(customers, ["de", "en", "de"], strict=True):
            Profile.objects.create(user=customer, language=language)

        def translated(text):
            return f"{text} [{get_language()}]"

        with mock.patch.object(languages, "gettext", translated):  # the shop has no catalogue
            languages.announce_closing(customers)
        told = {row.recipient.username: row.notice.title[-4:] for row in Notification.objects.with_content()}
        self.assertEqual(told, {"alice": "[de]", "bob": "[en]", "carl": "[de]"})
        self.assertEqual(len({row.notice_id for row in Notification.objects.all()}), 2)


class AsyncTests(TransactionTestCase):
    async def test_a_view_awaits_the_twin(self):
        alice = await get_user_model().objects.acreate_user("alice")
        await self.async_client.aforce_login(alice)
        self.assertEqual((await self.async_client.post("/help/")).status_code, 204)
        self.assertEqual(await Notification.objects.acount(), 1)

    async def test_rows_and_notification_are_one_transaction(self):
        alice = await get_user_model().objects.acreate_user("alice")
        order = await Order.objects.acreate(customer=alice)
        with mock.patch.object(orders, "notify", side_effect=ZeroDivisionError), self.assertRaises(ZeroDivisionError):
            await orders.acancel(order)
        await order.arefresh_from_db()
        self.assertFalse(order.cancelled)
        await orders.acancel(order)
        await order.arefresh_from_db()
        self.assertTrue(order.cancelled)
