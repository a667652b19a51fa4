"""The template tags: what they print, for whom, and what it costs."""

import json
import re
import shutil
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import django
import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.http import HttpResponse
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory, TestCase, override_settings
from django.utils import translation

from notifications.inbox.reading import summary
from notifications.inbox.strings import STRINGS
from notifications.live.broker import site_key
from notifications.services import notify

from .factories import make_user

HEAD = Template("{% load notifications %}{% notifications_head %}")
BELL = Template("{% load notifications %}{% notification_bell %}")
BOTH = Template("{% load notifications %}{% notifications_head %}{% notification_bell %}{% notification_bell %}")
ELEMENTS = Path(finders.find("notifications/src/elements") or "")


class Tags(HTMLParser):
    """Collect a page's start tags and the text of its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.scripts[-1] += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def config(html: str) -> dict[str, Any]:
    """Return the configuration that `html` carries."""
    found: dict[str, Any] = json.loads(next(script for script in Tags(html).scripts if script.strip()))
    return found


class TemplateTagTests(TestCase):
    alice: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.alice = make_user("alice")

    def render(self, template: Template, user: Any = None, **more: Any) -> str:
        request = RequestFactory().get("/")
        request.user = self.alice if user is None else user
        for name, value in more.items():
            setattr(request, name, value)
        return template.render(RequestContext(request, {}))

    def test_the_head_carries_the_position_and_the_counts_of_the_first_paint(self) -> None:
        for number in range(3):
            notify(self.alice, f"Number {number}")
        found = config(self.render(HEAD))
        self.assertEqual(found["v"], 1)
        self.assertEqual((found["unread"], found["unseen"]), (3, 3))
        self.assertEqual(found["cursor"], summary(self.alice).cursor)
        self.assertEqual(found["urls"]["stream"], "/notifications/stream/")
        self.assertEqual(found["urls"]["item"], "/notifications/api/inbox/{id}/{action}/")
        self.assertEqual(found["csrf"]["header"].lower(), "x-csrftoken")

    def test_the_key_of_a_user_says_nothing_and_is_each_users_own(self) -> None:
        alice, bob = (config(self.render(HEAD, user))["user"] for user in (self.alice, make_user("bob")))
        self.assertNotEqual(alice, bob)
        self.assertNotIn("alice", alice)
        self.assertEqual(alice, config(self.render(HEAD))["user"])

    def test_anonymous_visitors_get_a_script_that_forgets_and_cost_no_query(self) -> None:
        with self.assertNumQueries(0):
            html = self.render(BOTH, AnonymousUser())
        source = '<script type="module" src="/static/notifications/signed-out.js"'
        self.assertEqual(html, f'{source} data-carillon-site="{site_key()}"></script>')

    def test_the_page_says_where_the_bells_panel_is(self) -> None:
        self.assertEqual(config(self.render(HEAD))["urls"]["panel"], "/static/notifications/panel.js")

    def test_a_browser_keeps_what_is_of_each_site_by_the_sites_own_name(self) -> None:
        pages = [config(self.render(HEAD))["site"]]
        for other in ({"NOTIFICATIONS_SITE": "annex"}, {"SECRET_KEY": "of another site"}):
            with override_settings(**other):
                pages.append(config(self.render(HEAD))["site"])
                self.assertIn(f'data-carillon-site="{pages[-1]}"', self.render(HEAD, AnonymousUser()))
        self.assertEqual(len(set(pages)), 3)
        self.assertEqual(config(self.render(HEAD))["site"], pages[0])

    def test_all_tags_of_a_page_together_cost_two_queries(self) -> None:
        with self.assertNumQueries(2):
            self.render(BOTH)

    def test_a_page_without_sessions_has_no_bell(self) -> None:
        request = RequestFactory().get("/")
        self.assertNotIn("notification-bell", BOTH.render(RequestContext(request, {})))

    def test_there_is_no_script_within_the_page(self) -> None:
        scripts = Tags(self.render(BOTH)).all("script")
        self.assertEqual({script["type"] for script in scripts if not script.get("src")}, {"application/json"})
        self.assertEqual(
            {script.get("src") for script in scripts if script["type"] == "module"},
            {"/static/notifications/notifications.js"},
        )

    def test_the_configuration_cannot_end_its_block(self) -> None:
        with override_settings(CSRF_COOKIE_NAME="</script><script>alert(1)</script>"):
            html = self.render(HEAD)
        self.assertEqual(html.count("</script>"), 2)
        self.assertEqual(config(html)["csrf"]["cookie"], "</script><script>alert(1)</script>")

    def test_the_smaller_bundle_can_be_chosen(self) -> None:
        html = self.render(Template('{% load notifications %}{% notifications_head bundle="bell" title=False %}'))
        self.assertIn('src="/static/notifications/bell.js"', html)
        self.assertIs(config(html)["title"], False)

    def test_an_unknown_bundle_is_refused_with_the_legal_values(self) -> None:
        with self.assertRaisesMessage(TemplateSyntaxError, "must be one of notifications, bell"):
            self.render(Template('{% load notifications %}{% notifications_head bundle="chat" %}'))

    def test_a_missing_request_is_an_error_that_says_the_fix(self) -> None:
        for template in (HEAD, BELL):
            with self.assertRaisesMessage(TemplateSyntaxError, "django.template.context_processors.request"):
                template.render(Context({}))

    def test_a_token_that_scripts_cannot_read_in_the_cookie_is_in_the_page(self) -> None:
        for setting in ("CSRF_USE_SESSIONS", "CSRF_COOKIE_HTTPONLY"):
            with self.subTest(setting), override_settings(**{setting: True}):
                found = config(self.render(HEAD, session={}))["csrf"]
                self.assertIsNone(found["cookie"])
                self.assertGreater(len(found["token"]), 30)

    def test_the_nonce_of_django_csp_is_on_style_and_script(self) -> None:
        tags = Tags(self.render(HEAD, csp_nonce="a-nonce"))
        self.assertEqual(tags.all("link")[0]["nonce"], "a-nonce")
        self.assertEqual(tags.all("script")[1]["nonce"], "a-nonce")

    @pytest.mark.skipif(django.VERSION < (6, 0), reason="Django's own policy came with 6.0")
    def test_the_nonce_of_djangos_own_policy_is_on_style_and_script(self) -> None:
        from django.middleware.csp import ContentSecurityPolicyMiddleware, get_nonce
        from django.template.context_processors import csp

        request = RequestFactory().get("/")
        request.user = self.alice
        ContentSecurityPolicyMiddleware(lambda request: HttpResponse()).process_request(request)
        html = HEAD.render(RequestContext(request, csp(request)))
        nonce = str(get_nonce(request))
        self.assertGreater(len(nonce), 10)
        self.assertEqual(html.count(f'nonce="{nonce}"'), 2)

    def test_the_bell_is_a_link_with_the_count_in_it(self) -> None:
        notify(self.alice, "One")
        html = self.render(BELL)
        self.assertIn('><a href="/notifications/" aria-label="Notifications, 1 new">', html)
        self.assertIn("<span>1</span></a></notification-bell>", html)

    def test_the_bell_says_whose_it_is_and_brings_what_a_swapped_body_needs(self) -> None:
        tags = '{% load notifications %}{% notifications_head bundle="bell" %}{% notification_bell %}'
        html = self.render(Template(tags))
        script = '<script type="module" src="/static/notifications/bell.js"></script>'
        self.assertTrue(html.endswith(f"</notification-bell>{script}"))
        [bell] = Tags(html).all("notification-bell")
        self.assertEqual(bell["user"], config(html)["user"])
        self.client.force_login(self.alice)
        fetched = self.client.get(str(bell["config"]), headers={"Carillon-User": str(bell["user"])}).json()
        self.assertEqual(fetched["user"], bell["user"])
        self.assertEqual(set(fetched) | {"title"}, set(config(html)))
        chat = self.client.get(fetched["urls"]["chat"]).json()
        self.assertEqual((chat["user"], chat["me"]["id"]), (bell["user"], self.alice.pk))

    def test_the_configuration_is_for_its_own_user_and_for_pages_of_this_site_alone(self) -> None:
        self.client.force_login(make_user("bob"))
        [bell] = Tags(self.render(BELL)).all("notification-bell")
        address = str(bell["config"])
        answer = self.client.get(address, headers={"Carillon-User": str(bell["user"])})
        self.assertEqual((answer.status_code, answer.json()["code"]), (401, "other-user"))
        self.assertEqual(self.client.get(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code, 403)

    def test_a_bell_with_nothing_new_shows_no_number(self) -> None:
        html = self.render(BELL)
        self.assertIn('aria-label="Notifications">', html)
        self.assertNotIn("<span>", html)

    def test_large_counts_are_cut(self) -> None:
        for number in range(100):
            notify(self.alice, f"Number {number}")
        self.assertIn("<span>99+</span>", self.render(BELL))

    def test_texts_are_in_the_active_language(self) -> None:
        with translation.override("de"):
            found = config(self.render(HEAD))
        self.assertEqual(found["language"], "de")
        self.assertEqual(found["strings"]["markAllRead"], "Alle gelesen")
        self.assertEqual(set(found["strings"]), set(STRINGS))

    def test_every_language_has_every_text(self) -> None:
        for language in ("de", "ar"):
            with translation.override(language):
                for english in STRINGS.values():
                    text = translation.gettext(english)
                    if (language, text) != ("de", "Live") and re.search(r"[a-z]", re.sub(r"{\w+}", "", english)):
                        self.assertNotEqual(text, english, language)
                    self.assertEqual(set(re.findall(r"{\w+}", text)), set(re.findall(r"{\w+}", english)))


def test_the_elements_ask_for_no_text_that_is_not_there() -> None:
    sources = "\n".join(path.read_text() for path in ELEMENTS.glob("*.js"))
    asked = set(re.findall(r'(?:\.text|action)\("([\w-]+)"', sources))
    assert len(asked) > 15  # the pattern finds them
    asked |= {"warning", "error"}  # levels, which rows ask for by their names
    assert asked - set(STRINGS) == set()


@pytest.mark.parametrize(
    "storage",
    [
        "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
        "whitenoise.storage.CompressedManifestStaticFilesStorage",
    ],
)
@pytest.mark.django_db
def test_hashed_static_files_are_complete(storage: str) -> None:
    """Every address that a page gets exists, also where WhiteNoise keeps nothing but the hashed files."""
    root = tempfile.mkdtemp()
    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": storage},
    }
    try:
        with override_settings(STORAGES=storages, STATIC_ROOT=root, WHITENOISE_KEEP_ONLY_HASHED_FILES=True):
            call_command("collectstatic", verbosity=0, interactive=False)
            request = RequestFactory().get("/")
            request.user = make_user("alice")
            html = HEAD.render(RequestContext(request, {}))
            tags = Tags(html)
            found = [link["href"] for link in tags.all("link")] + [tags.all("script")[1]["src"]]
            found += [config(html)["urls"][name] for name in ("baseStyle", "style", "panel")]
            for address in found:
                name = (address or "").removeprefix("/static/")
                assert re.search(r"\.[0-9a-f]{12}\.(css|js)$", name), name
                assert (Path(root) / name).is_file(), name
    finally:
        shutil.rmtree(root)
