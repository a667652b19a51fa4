"""How a program connects: by a token, with a CSRF token that it has made up."""

from django.contrib.auth import get_user_model
from django.test import Client, TestCase
from shop.middleware import digest
from shop.models import ApiToken

from notifications.services import notify

CSRF = "0123456789abcdef" * 2
READ_ALL = "/notifications/api/inbox/read-all/"


class ApiClientTests(TestCase):
    def setUp(self):
        self.alice = get_user_model().objects.create_user("alice")
        ApiToken.objects.create(user=self.alice, digest=digest("a token"))
        notify(self.alice, "Hello")
        self.client = Client(enforce_csrf_checks=True, headers={"authorization": "Bearer a token"})

    def test_a_token_polls(self):
        (first,) = self.client.get("/notifications/api/changes/").json()["frames"]
        self.assertEqual((first["type"], first["items"][0]["title"]), ("reset", "Hello"))
        (second,) = self.client.get("/notifications/api/changes/", {"since": first["cursor"]}).json()["frames"]
        self.assertEqual(second["type"], "heartbeat")

    def test_another_token_is_refused(self):
        answer = self.client.get("/notifications/api/changes/", headers={"authorization": "Bearer another"})
        self.assertEqual(answer.status_code, 401)

    def test_a_change_needs_the_three_headers(self):
        sent = {"origin": "https://testserver", "cookie": f"csrftoken={CSRF}", "x-csrftoken": CSRF}
        for missing in sent:
            headers = {name: value for name, value in sent.items() if name != missing}
            self.assertEqual(self.client.post(READ_ALL, secure=True, headers=headers).status_code, 403, missing)
        answer = self.client.post(READ_ALL, secure=True, headers=sent)
        self.assertEqual((answer.json()["changed"], answer.json()["unread"]), (1, 0))
