"""The inbox page, as a browser without JavaScript uses it."""

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from django.contrib.auth.models import User
from django.test import Client, TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from notifications.inbox.reading import summary
from notifications.models import Notification
from notifications.services import archive, mark_read

from .factories import make_user, tell
from .kinds.notices import Odd

ADDRESS = "/notifications/"


class PageTestCase(TestCase):
    alice: User
    bob: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.alice = make_user("alice")
        cls.bob = make_user("bob")

    def setUp(self) -> None:
        self.client.force_login(self.alice)

    def page(self, query: str = "") -> str:
        response = self.client.get(ADDRESS + query)
        self.assertEqual(response.status_code, 200)
        return response.content.decode()

    def titles(self, query: str = "") -> list[str]:
        return re.findall(r"<bdi>(Number \d+)</bdi>", self.page(query))

    def post(self, **fields: Any) -> Any:
        return self.client.post(ADDRESS, fields)

    def one(self, pk: int) -> Notification:
        return Notification.objects.get(pk=pk)


class ReadingTests(PageTestCase):
    def test_newest_first(self) -> None:
        tell(self.alice, "Number 1", "Number 2")
        self.assertEqual(self.titles(), ["Number 2", "Number 1"])

    def test_each_filter_shows_its_own(self) -> None:
        read, stored, _unread = tell(self.alice, "Number 1", "Number 2", "Number 3")
        mark_read(self.alice, [read])
        archive(self.alice, [stored])
        self.assertEqual(self.titles(), ["Number 3", "Number 1"])
        self.assertEqual(self.titles("?state=unread"), ["Number 3"])
        self.assertEqual(self.titles("?state=archived"), ["Number 2"])

    def test_older_links_lead_to_the_end_without_a_gap_or_a_repeat(self) -> None:
        tell(self.alice, *(f"Number {number}" for number in range(45)))
        found: list[str] = []
        query = ""
        for _ in range(3):
            page = self.page(query)
            found += re.findall(r"<bdi>(Number \d+)</bdi>", page)
            following = re.search(r'href="/notifications/(\?[^"]+)" rel="next"', page)
            query = following.group(1).replace("&amp;", "&") if following else ""
        self.assertEqual(found, [f"Number {number}" for number in range(44, -1, -1)])
        self.assertEqual(query, "")

    def test_filter_and_category_stay_in_the_links(self) -> None:
        tell(self.alice, *(f"Number {number}" for number in range(21)), category="a & b")
        self.assertIn(
            "?state=unread&amp;category=a+%26+b&amp;before=", self.page(f"?state=unread&category={quote('a & b')}")
        )

    def test_nobody_sees_what_is_anothers(self) -> None:
        tell(self.bob, "Number 1")
        self.assertEqual(self.titles(), [])

    def test_text_is_text(self) -> None:
        tell(self.alice, "<img src=x onerror=alert(1)>", body="<b>bold</b>\nsecond line")
        page = self.page()
        self.assertIn("&lt;img src=x onerror=alert(1)&gt;", page)
        self.assertIn("&lt;b&gt;bold&lt;/b&gt;<br>second line", page)

    def test_who_has_caused_it_is_pictured(self) -> None:
        def faces() -> list[str]:
            return re.findall(r'notifications-face"[^>]*>(.*?)</span>', self.page())

        ann = make_user("ann", first_name="ann", last_name="de Vries")
        tell(self.alice, "Hers", actor=ann)
        tell(self.alice, "Nobody's")
        self.assertEqual(faces(), ["", "a\u200cV"])
        with override_settings(NOTIFICATIONS_AVATAR=lambda user: f"/faces/{user.pk}.png?a=1&b=<"):
            [nobodys, hers] = faces()
        self.assertEqual(nobodys, "")
        self.assertIn(f'src="/faces/{ann.pk}.png?a=1&amp;b=&lt;"', hers)

    def test_a_kind_has_its_picture_where_nobody_has_caused_it(self) -> None:
        self.addCleanup(Odd.answers.clear)
        Odd.answers["icon"] = "/static/parcel.svg"
        tell(self.alice, Odd())
        self.assertIn('<img src="/static/parcel.svg" alt=""', self.page())
        tell(self.alice, Odd(), actor=self.bob)
        self.assertEqual(self.page().count("parcel.svg"), 1)

    def test_nothing_of_it_needs_a_style_or_a_script_that_a_policy_refuses(self) -> None:
        tell(self.alice, "Hers", actor=self.bob)
        page = self.page()
        self.assertNotIn("style=", page)
        self.assertNotRegex(page, r"\son[a-z]+=")

    def test_who_has_made_an_item_grow_is_named(self) -> None:
        for actor in (make_user("ann"), make_user("ben"), make_user("cem"), self.bob):
            tell(self.alice, "commented", actor=actor, group="post:7")
        page = self.page().replace("\u2068", "").replace("\u2069", "")
        self.assertIn("<bdi>bob, cem and 2 others</bdi>", page)

    def test_who_is_named_in_the_title_is_not_named_again(self) -> None:
        tell(self.alice, "ann commented", actor=make_user("ann"), group="post:7")
        tell(self.alice, "bob and ann commented", actor=self.bob, group="post:7")
        self.assertNotIn("<bdi>bob", self.page().replace("<bdi>bob and ann commented</bdi>", ""))

    def test_a_page_costs_the_same_whatever_its_length(self) -> None:
        tell(self.alice, "Number 0")
        with self.assertNumQueries(10):  # session, user, three of inbox.page(), two to narrow it, three of the tags
            self.page()
        tell(self.alice, *(f"Number {number}" for number in range(1, 20)), actor=self.bob)
        with self.assertNumQueries(10):
            self.page()

    def test_reading_changes_nothing(self) -> None:
        (pk,) = tell(self.alice, "Number 1")
        self.page()
        self.client.head(ADDRESS)
        row = self.one(pk)
        self.assertEqual((row.seen_at, row.read_at), (None, None))

    def test_what_makes_no_sense_is_not_found(self) -> None:
        for query in (
            "?state=all&before=x",
            "?before=-1",
            "?before=0",
            f"?before={10**30}",
            "?state=nothing",
            "?before=١",
        ):
            with self.subTest(query):
                self.assertEqual(self.client.get(ADDRESS + query).status_code, 404)

    def test_anonymous_visitors_are_sent_to_sign_in_and_back(self) -> None:
        self.client.logout()
        response = self.client.get(f"{ADDRESS}?state=unread")
        self.assertRedirects(
            response, f"/admin/login/?next={quote('/notifications/?state=unread')}", fetch_redirect_response=False
        )

    def test_the_page_is_never_cached(self) -> None:
        self.assertIn("no-store", self.client.get(ADDRESS).headers["Cache-Control"])

    def test_the_element_is_left_out_on_later_pages_so_that_nothing_jumps_to_the_first(self) -> None:
        first, *_ = tell(self.alice, "Number 1", "Number 2")
        self.assertIn("<notification-list", self.page())
        self.assertNotIn("<notification-list", self.page(f"?before={first + 1}"))

    def test_it_speaks_the_visitors_language(self) -> None:
        with override_settings(LANGUAGE_CODE="ar"):
            page = self.page()
        self.assertIn('<html lang="ar" dir="rtl">', page)
        self.assertIn("لا جديد لديك", page)


class ChangingTests(PageTestCase):
    def test_an_item_is_read_and_unread_archived_and_brought_back(self) -> None:
        (pk,) = tell(self.alice, "Number 1")
        self.post(action="read", id=pk)
        self.assertIsNotNone(self.one(pk).read_at)
        self.post(action="unread", id=pk)
        self.assertIsNone(self.one(pk).read_at)
        self.post(action="archive", id=pk)
        self.assertIsNotNone(self.one(pk).archived_at)
        self.post(action="unarchive", id=pk)
        self.assertIsNone(self.one(pk).archived_at)

    def test_all_are_read_up_to_what_the_page_showed(self) -> None:
        (shown,) = tell(self.alice, "Number 1")
        cursor = summary(self.alice).cursor
        (later,) = tell(self.alice, "Number 2")
        self.assertIn(f'name="up_to" value="{summary(self.alice).cursor}"', self.page())
        self.post(action="read-all", up_to=cursor)
        self.assertIsNotNone(self.one(shown).read_at)
        self.assertIsNone(self.one(later).read_at)

    def test_of_a_list_that_is_narrowed_what_is_listed_alone_is_read(self) -> None:
        (news,) = tell(self.alice, "Number 1", category="news")
        (other,) = tell(self.alice, "Number 2", category="other", kind="a.kind")
        for query in ("?category=news", "?category=news&state=unread", "?kind=another"):
            page = self.page(query)
            form = page[: page.index('value="read-all"')].rpartition("<form")[2]
            self.post(action="read-all", **dict(re.findall(r'name="(up_to|category|kind)" value="([^"]*)"', form)))
            self.assertIsNone(self.one(other).read_at, query)
        self.assertIsNotNone(self.one(news).read_at)
        for query in ("?q=number", "?state=archived", "?state=snoozed"):
            self.assertNotIn('value="read-all"', self.page(query))

    def test_it_returns_to_where_the_form_was(self) -> None:
        (pk,) = tell(self.alice, "Number 1")
        response = self.post(action="read", id=pk, next="/notifications/?state=unread")
        self.assertRedirects(response, "/notifications/?state=unread")

    def test_it_never_leaves_the_site(self) -> None:
        (pk,) = tell(self.alice, "Number 1")
        for address in ("https://example.org/", "//example.org/", "javascript:alert(1)", "", r"\\example.org"):
            with self.subTest(address):
                self.assertRedirects(self.post(action="read", id=pk, next=address), ADDRESS)

    def test_where_it_returns_to_is_an_address_and_not_the_name_of_a_view(self) -> None:
        (pk,) = tell(self.alice, "Number 1")
        for address in ("hour", "index", "?state=unread"):
            with self.subTest(address):
                self.assertEqual(self.post(action="read", id=pk, next=address).headers["Location"], address)

    def test_why_a_time_is_refused_is_said_on_the_page(self) -> None:
        (pk,) = tell(self.alice, "Number 1")
        morning, night = (timezone.now().replace(hour=hour) + timedelta(days=1) for hour in (10, 19))
        with patch("django.utils.timezone.now", return_value=morning):
            self.assertIn('value="evening"', self.page())
        with patch("django.utils.timezone.now", return_value=night):
            answer = self.post(action="snooze", id=pk, until="evening")  # of a page that was left open
        self.assertContains(answer, "Choose a time in the future", status_code=400)
        self.assertContains(answer, "Number 1", status_code=400)

    def test_what_is_anothers_stays_as_it_is(self) -> None:
        (pk,) = tell(self.bob, "Number 1")
        self.post(action="read", id=pk)
        self.assertIsNone(self.one(pk).read_at)

    def test_what_makes_no_sense_is_not_found(self) -> None:
        (pk,) = tell(self.alice, "Number 1")
        nonsense: list[dict[str, Any]] = [
            {"action": "delete", "id": pk}, {"id": pk}, {"action": "read"}, {"action": "read", "id": "x"},
            {"action": "read", "id": "9" * 30}, {"action": "read-all", "up_to": "nonsense"},
        ]  # fmt: skip
        for fields in nonsense:
            with self.subTest(fields):
                self.assertEqual(self.post(**fields).status_code, 404)

    def test_a_form_of_another_site_is_refused(self) -> None:
        (pk,) = tell(self.alice, "Number 1")
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.alice)
        self.assertEqual(strict.post(ADDRESS, {"action": "read", "id": pk}).status_code, 403)
        page = strict.get(ADDRESS).content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        fields = {"action": "read", "id": pk, "csrfmiddlewaretoken": token.group(1)}
        self.assertRedirects(strict.post(ADDRESS, fields), ADDRESS)

    def test_other_methods_are_refused(self) -> None:
        self.assertEqual(self.client.put(ADDRESS).status_code, 405)
        self.assertEqual(reverse("notifications:inbox"), ADDRESS)
