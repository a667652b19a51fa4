"""`{% feeds_head %}`: what it prints, for whom, and what a cache may keep of it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import Client, RequestFactory, TestCase
from django.utils import translation

from notifications.feeds.strings import FEED_STRINGS

from .factories import make_user
from .test_templatetags import HEAD, Tags, config

FEEDS = Template("{% load notifications %}{% feeds_head %}")
WITHOUT = Template("{% load notifications %}{% feeds_head elements=False %}")


class FeedsHeadTests(TestCase):
    def render(self, template: Template, user: Any, **more: Any) -> str:
        self.request = RequestFactory().get("/")
        self.request.user = user
        for name, value in more.items():
            setattr(self.request, name, value)
        return template.render(RequestContext(self.request, {}))

    def test_it_says_where_everything_is_and_costs_no_query(self) -> None:
        alice = make_user("alice")
        with self.assertNumQueries(0):
            html = self.render(FEEDS, alice)
        found = config(html)
        self.assertEqual(found["urls"]["feeds"], "/notifications/api/feeds/")
        self.assertEqual(found["urls"]["stop"], "/notifications/api/feeds/stop/")
        self.assertEqual(found["urls"]["cancel"], "/notifications/api/inbox/{id}/cancel/")
        self.assertEqual(found["urls"]["elements"], "/static/notifications/feeds-elements.js")
        self.assertEqual(found["user"], config(self.render(HEAD, alice))["user"])
        self.assertIn('src="/static/notifications/feeds.js"', html)

    def test_what_visitors_get_has_nothing_of_theirs_so_that_a_cache_may_keep_it(self) -> None:
        found = config(self.render(FEEDS, AnonymousUser()))
        self.assertEqual(found["user"], "")
        self.assertIsNone(found["csrf"])
        self.assertFalse(self.request.META.get("CSRF_COOKIE_NEEDS_UPDATE", False))

    def test_a_page_that_was_made_for_nobody_may_ask_for_what_is_public_whoever_signs_in(self) -> None:
        browser = Client()
        browser.force_login(make_user("alice"))
        url = "/notifications/api/changes/?feeds=&inbox=0"
        self.assertEqual(browser.get(url, headers={"Carillon-User": ""}).status_code, 200)
        self.assertEqual(browser.get(url, headers={"Carillon-User": "somebody-else"}).status_code, 401)

    def test_a_page_that_shows_no_elements_gets_neither_their_script_nor_their_style(self) -> None:
        html = self.render(WITHOUT, make_user("alice"))
        self.assertIsNone(config(html)["urls"]["elements"])
        self.assertEqual(Tags(html).all("link"), [])

    def test_the_bell_says_which_bundle_brings_the_connection(self) -> None:
        alice = make_user("alice")
        small = Template('{% load notifications %}{% notifications_head bundle="bell" %}')
        self.assertEqual(config(self.render(HEAD, alice))["urls"]["client"], "/static/notifications/notifications.js")
        self.assertEqual(config(self.render(small, alice))["urls"]["client"], "/static/notifications/bell.js")

    def test_the_nonce_is_on_style_and_script(self) -> None:
        tags = Tags(self.render(FEEDS, make_user("alice"), csp_nonce="a-nonce"))
        self.assertEqual(tags.all("link")[0]["nonce"], "a-nonce")
        self.assertEqual(tags.all("script")[1]["nonce"], "a-nonce")

    def test_the_texts_are_in_the_readers_language(self) -> None:
        with translation.override("de"):
            found = config(self.render(FEEDS, make_user("alice")))
        self.assertEqual(found["strings"]["stop"], "Anhalten")
        self.assertEqual(found["language"], "de")
        self.assertEqual(set(found["strings"]), set(FEED_STRINGS))

    def test_a_missing_request_is_an_error_that_says_the_fix(self) -> None:
        with self.assertRaisesMessage(TemplateSyntaxError, "django.template.context_processors.request"):
            FEEDS.render(Context({}))
