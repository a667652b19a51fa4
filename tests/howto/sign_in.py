"""How to sign in and out where htmx swaps parts of pages."""

from django.contrib.auth import get_user_model
from django.test import TestCase


class SignInTests(TestCase):
    def setUp(self):
        get_user_model().objects.create_user("alice", password="alice")

    def test_htmx_is_told_to_load_a_page(self):
        answer = self.client.post("/in/", {"username": "alice", "password": "alice"}, headers={"hx-request": "true"})
        self.assertEqual((answer.status_code, answer.headers["HX-Redirect"]), (200, "/accounts/profile/"))
        self.assertNotIn("Location", answer.headers)
        self.assertEqual(self.client.get("/notifications/api/counts/").status_code, 200)
        answer = self.client.post("/out/?next=/", headers={"hx-request": "true"})
        self.assertEqual(answer.headers["HX-Redirect"], "/")
        self.assertEqual(self.client.get("/notifications/api/counts/").status_code, 401)

    def test_without_htmx_it_redirects(self):
        answer = self.client.post("/in/", {"username": "alice", "password": "alice"})
        self.assertRedirects(answer, "/accounts/profile/", fetch_redirect_response=False)
