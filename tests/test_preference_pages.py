"""The page and the API of preferences, and muting the kind of an item."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from django.test import Client, TestCase, override_settings
from django.urls import reverse

from notifications.models import Notification, Preference
from notifications.services import notify, set_preference
from tests.factories import make_user, tell
from tests.preference_kinds import Alarm, Comment, Like

PAGE = "/notifications/preferences/"
API = "/notifications/api/preferences/"
CONTROL = re.compile(r'<input type="checkbox" name="([^"]+)"[^>]*aria-label="([^"]+)"( checked)?( disabled)?>')
SELECT = re.compile(r'<select name="([^"]+)"(?![^>]*disabled)[^>]*>(.*?)</select>', re.DOTALL)
ODD = 'Ünïcode “&<" =,x'


def rows() -> set[tuple[str, str, str]]:
    return set(Preference.objects.values_list("scope", "channel", "value"))


class PreferencesTestCase(TestCase):
    alice: Any
    bob: Any

    @classmethod
    def setUpTestData(cls) -> None:
        cls.alice, cls.bob = make_user("alice"), make_user("bob")

    def setUp(self) -> None:
        self.client.force_login(self.alice)


@override_settings(NOTIFICATIONS_CATEGORIES={"talk": "Talks & more", ODD: ""}, NOTIFICATIONS_CHANNELS={"email": ""})
class PageTests(PreferencesTestCase):
    """The page works without JavaScript."""

    def page(self) -> str:
        response = self.client.get(PAGE)
        self.assertEqual(response.status_code, 200)
        return response.content.decode()

    def form(self, page: str) -> dict[str, Any]:
        """Return what the form sends as it is."""
        found: dict[str, Any] = {"row": [html.unescape(row) for row in re.findall(r'name="row" value="([^"]+)"', page)]}
        for name, _label, checked, disabled in CONTROL.findall(page):
            if checked and not disabled:
                found[html.unescape(name)] = "on"
        for name, options in re.findall(
            r'<select name="([^"]+)"(?![^>]*disabled)[^>]*>(.*?)</select>', page, re.DOTALL
        ):
            [value] = re.findall(r'value="(\w+)" selected', options)
            found[html.unescape(name)] = value
        return found

    def send(self, form: dict[str, Any]) -> Any:
        return self.client.post(PAGE, form)

    def test_each_choice_has_a_name_of_its_own_and_what_is_required_is_locked_with_the_reason(self) -> None:
        page = self.page()
        labels = [html.unescape(label) for _name, label, *_rest in CONTROL.findall(page)]
        self.assertEqual(len(labels), len(set(labels)))
        self.assertIn("Everything in “Talks & more”: Inbox", labels)
        self.assertIn("Like: Pop-up", labels)
        [alarm] = [control for control in CONTROL.findall(page) if control[0] == "bell kind:prefs.alarm"]
        self.assertEqual(alarm[2:], (" checked", " disabled"))
        self.assertIn("You must know of this.", page)

    def test_what_is_sent_unchanged_changes_nothing(self) -> None:
        response = self.send(self.form(self.page()))
        self.assertRedirects(response, f"{PAGE}?saved")
        self.assertEqual(rows(), set())
        self.assertContains(self.client.get(f"{PAGE}?saved"), 'role="status"')

    def test_what_is_changed_is_stored(self) -> None:
        form = self.form(self.page())
        del form["bell kind:prefs.comment"]
        form["toast kind:prefs.like"] = "on"
        form["email kind:prefs.like"] = "on"
        del form[f"bell category:{ODD}"]
        self.send(form)
        self.assertEqual(
            rows(),
            {
                ("kind:prefs.comment", "bell", "off"),
                ("kind:prefs.like", "toast", "on"),
                ("kind:prefs.like", "email", "on"),
                (f"category:{ODD}", "bell", "off"),
            },
        )
        self.assertEqual(
            {k: v for k, v in self.form(self.page()).items() if k != "row"},
            {k: v for k, v in form.items() if k != "row"},
        )

    def test_a_page_that_was_left_open_changes_only_what_it_changed(self) -> None:
        form = self.form(self.page())
        set_preference(self.alice, "bell", "off", kind=Comment)  # in another tab meanwhile
        del form["bell kind:prefs.like"]
        self.send(form)
        self.assertEqual(rows(), {("kind:prefs.comment", "bell", "off"), ("kind:prefs.like", "bell", "off")})

    def test_a_kind_that_is_chosen_with_its_category_keeps_its_own_choice(self) -> None:
        form = self.form(self.page())
        for name in ("bell category:talk", "toast kind:prefs.like"):
            form.pop(name, None)
        form["bell kind:prefs.like"] = "on"
        form["row"] = [row.replace("bell=on", "bell=off") if "prefs.like" in row else row for row in form["row"]]
        self.send(form)
        self.assertEqual(rows(), {("category:talk", "bell", "off"), ("kind:prefs.like", "bell", "on")})

    def test_what_is_required_cannot_be_sent_either_and_nothing_else_is_stored_with_it(self) -> None:
        form = self.form(self.page())
        del form["bell kind:prefs.comment"]
        form["row"].append("bell=on kind:prefs.alarm")
        response = self.send(form)
        self.assertContains(response, "You must know of this.", status_code=400)
        self.assertEqual(rows(), set())

    def test_rubbish_is_refused_on_a_page_that_says_why(self) -> None:
        for row in (
            "",
            "bell=off",
            "smoke=on kind:prefs.like",
            "bell=on kind:no.such",
            "bell=on category:none",
            "=x x:y",
        ):
            with self.subTest(row):
                response = self.send({"row": [row, *["bell=on kind:prefs.like"] * 3], "bell kind:prefs.like": "maybe"})
                self.assertContains(response, 'role="alert"', status_code=400)
        self.assertEqual(rows(), set())

    def test_it_changes_only_the_signed_in_users(self) -> None:
        form = self.form(self.page())
        del form["bell kind:prefs.comment"]
        self.send({**form, "user": self.bob.pk})
        self.assertEqual(set(Preference.objects.values_list("user_id", flat=True)), {self.alice.pk})

    def test_it_asks_for_a_sign_in_and_for_the_csrf_token(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.alice)
        self.assertEqual(strict.post(PAGE, {}).status_code, 403)
        self.assertEqual(Client().get(PAGE).status_code, 302)

    def test_the_inbox_leads_there(self) -> None:
        self.assertContains(self.client.get("/notifications/"), f'href="{PAGE}"')


class ApiTests(PreferencesTestCase):
    """The JSON API."""

    def post(self, url: str = API, **body: Any) -> Any:
        return self.client.post(url, json.dumps(body), content_type="application/json")

    def kinds(self, answer: Any) -> dict[str, Any]:
        return {kind["kind"]: kind for category in answer.json()["categories"] for kind in category["kinds"]}

    def test_it_says_what_may_be_chosen_and_what_holds(self) -> None:
        answer = self.client.get(API)
        self.assertEqual(answer.json()["channels"][0], {"name": "bell", "label": "Inbox", "values": ["on", "off"]})
        self.assertEqual(
            self.kinds(answer)["prefs.like"],
            {
                "kind": "prefs.like",
                "label": "Like",
                "required": None,
                "channels": {"bell": {"value": "on", "rule": "channel"}, "toast": {"value": "off", "rule": "code"}},
            },
        )

    def test_a_choice_is_stored_and_forgotten(self) -> None:
        answer = self.post(channel="bell", value="off", kind="prefs.like")
        self.assertEqual(self.kinds(answer)["prefs.like"]["channels"]["bell"], {"value": "off", "rule": "kind"})
        answer = self.post(channel="bell", value=None, kind="prefs.like")
        self.assertEqual(self.kinds(answer)["prefs.like"]["channels"]["bell"], {"value": "on", "rule": "channel"})
        self.post(channel="toast", value=False, category="talk")
        self.assertEqual(rows(), {("category:talk", "toast", "off")})

    def test_what_is_wrong_is_refused_by_field(self) -> None:
        for body, field in (
            ({"channel": "smoke", "value": "on"}, "channel"),
            ({"channel": "bell", "value": "loud"}, "value"),
            ({"channel": "bell"}, "value"),
            ({"channel": "bell", "value": "off", "kind": "no.such"}, "kind"),
            ({"channel": "bell", "value": "off", "kind": "prefs.alarm"}, "kind"),
            ({"channel": "bell", "value": "off", "category": "x" * 5_000}, "category"),
            ({"channel": 7, "value": "off"}, None),
            ({"channel": "bell", "value": [], "kind": {}}, None),
        ):
            with self.subTest(body):
                answer = self.post(**body)
                self.assertEqual((answer.status_code, answer.json().get("field")), (400, field))
                self.assertLess(len(answer.content), 1_000)
        self.assertEqual(rows(), set())

    def test_other_methods_are_refused(self) -> None:
        answer = self.client.put(API)
        self.assertEqual((answer.status_code, answer["Allow"]), (405, "GET, POST"))

    def test_it_asks_for_a_sign_in_and_for_the_csrf_token(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.alice)
        self.assertEqual(strict.post(API, {}).json()["code"], "csrf")
        self.assertEqual(Client().get(API).status_code, 401)

    def mute(self, pk: int) -> Any:
        return self.post(reverse("notifications:mute", args=[pk]))

    def test_muting_an_item_switches_off_its_kind_and_hides_what_is_there(self) -> None:
        notify(self.alice, Comment())
        notify(self.alice, Like())
        pk = Notification.objects.get(notice__kind="prefs.comment").pk
        self.assertEqual(self.mute(pk).json(), {"kind": "prefs.comment", "category": "", "label": "Message"})
        self.assertEqual(rows(), {("kind:prefs.comment", "bell", "off")})
        self.assertEqual(
            [item["kind"] for item in self.client.get("/notifications/api/inbox/").json()["items"]], ["prefs.like"]
        )

    @override_settings(NOTIFICATIONS_CATEGORIES={"news": "The news"})
    def test_muting_a_plain_item_switches_off_its_category(self) -> None:
        [pk] = tell(self.alice, "News", category="news")
        self.assertEqual(self.mute(pk).json(), {"kind": "", "category": "news", "label": "The news"})
        self.assertEqual(rows(), {("category:news", "bell", "off")})

    def test_what_cannot_be_switched_off_cannot_be_muted(self) -> None:
        notify(self.alice, Alarm())
        tell(self.alice, "Plain")
        for pk in Notification.objects.of(self.alice).values_list("pk", flat=True):
            self.assertEqual(self.mute(pk).status_code, 400)
        self.assertEqual(rows(), set())

    def test_an_item_says_whether_it_can_be_muted(self) -> None:
        for made in (Comment(), Alarm()):
            notify(self.alice, made)
        tell(self.alice, "Plain", category="talk")
        tell(self.alice, "Plain")
        items = self.client.get("/notifications/api/inbox/").json()["items"]
        self.assertEqual([item["mutable"] for item in items], [False, True, False, True])

    def test_another_users_item_is_not_found(self) -> None:
        [pk] = tell(self.bob, "News", category="talk")
        self.assertEqual(self.mute(pk).status_code, 404)
        self.assertEqual(rows(), set())
