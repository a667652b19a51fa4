"""How to let people choose: what holds by default, and the page on which they change that."""

from django.contrib.auth import get_user_model
from django.test import TestCase
from shop.channels import choice
from shop.models import Seller
from shop.notices import OrderShipped

from notifications.services import preferences, set_preference


class PreferencesTests(TestCase):
    def setUp(self):
        self.alice = get_user_model().objects.create_user("alice")

    def held(self, kind):
        kinds = (one for category in preferences(self.alice).categories for one in category.kinds)
        choices = next(one for one in kinds if one.kind == kind).channels
        return {name: choice.value for name, choice in choices.items()}

    def test_what_holds_is_as_the_code_says(self):
        self.assertEqual(self.held("order.shipped"), {"bell": "on", "toast": "on", "email": "digest", "sms": "off"})
        self.assertEqual(self.held("order.viewed")["toast"], "off")
        Seller.objects.create(user=self.alice)
        self.assertEqual(self.held("order.viewed")["toast"], "on")

    def test_code_may_ask_for_it(self):
        self.assertEqual(choice(self.alice, OrderShipped, "email"), "digest")
        set_preference(self.alice, "email", "off", kind=OrderShipped)
        self.assertEqual(choice(self.alice, OrderShipped, "email"), "off")

    def test_the_page_has_them_all(self):
        self.client.force_login(self.alice)
        page = self.client.get("/notifications/preferences/")
        for text in ("News", "Orders", "Account", "Text message", "So that you learn of attacks on your account."):
            self.assertContains(page, text)
        self.client.post("/notifications/preferences/", {"row": f"email=digest kind:{OrderShipped.rules.key}"})
        self.assertEqual(self.held("order.shipped")["email"], "off")
