"""How to write kinds: one that refers, one that grows and one that offers something."""

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.test import TransactionTestCase
from shop import notices
from shop.models import Leave, Order, Post

from notifications.models import Notification
from notifications.services import notify, perform_action


class KindTests(TransactionTestCase):
    def setUp(self):
        self.alice = get_user_model().objects.create_user("alice")
        self.client.force_login(self.alice)

    def items(self):
        return self.client.get("/notifications/api/inbox/").json()["items"]

    def test_an_order_has_shipped(self):
        order = Order.objects.create(customer=self.alice)
        notify(self.alice, notices.OrderShipped(order=order, carrier="DHL"))
        [item] = self.items()
        self.assertEqual(item["title"], f"Order object ({order.pk}) has shipped with DHL")
        self.assertEqual(item["url"], f"/orders/{order.pk}/")

    def test_comments_are_one_item(self):
        post = Post.objects.create(title="Tea")
        for name in ("ann", "ben"):
            notify(self.alice, notices.PostCommented(post=post), actor=get_user_model().objects.create_user(name))
        self.assertEqual([item["title"] for item in self.items()], ["ben and ann commented on Tea"])

    def test_leave_is_approved_by_who_may(self):
        boss = get_user_model().objects.create_superuser("boss")
        leave = Leave.objects.create()
        notify([self.alice, boss], notices.LeaveRequested(leave=leave))
        ids = dict(Notification.objects.values_list("recipient__username", "pk"))
        with self.assertRaises(PermissionDenied):
            perform_action(self.alice, ids["alice"], "approve")
        perform_action(boss, ids["boss"], "approve")
        leave.refresh_from_db()
        self.assertEqual(leave.approved_by, boss)
        self.assertEqual(self.items()[0]["outcome"]["text"], "Approved")

    def test_they_are_listed(self):
        call_command("carillon_kinds")
