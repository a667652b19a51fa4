"""`{% chat_head %}`: what it prints, for whom, and that the texts are those that the elements ask for."""

import json
import re
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.staticfiles import finders
from django.template import RequestContext, Template
from django.test import RequestFactory, TestCase
from django.utils import translation

from notifications.chat.strings import CHAT_STRINGS, chat_texts
from notifications.inbox.strings import STRINGS

from .factories import make_user

SOURCES = Path(finders.find("notifications/src") or "")
TEXT = re.compile(r"""\btext\(\s*"([\w-]+)\"""")
PLACEHOLDER = re.compile(r"{(\w+)}")


def rendered(user: Any, tag: str = "{% chat_head %}") -> str:
    request = RequestFactory().get("/")
    request.user = user
    return Template("{% load notifications %}" + tag).render(RequestContext(request, {"request": request}))


class ChatHead(TestCase):
    user: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user()

    def config(self, tag: str = "{% chat_head %}") -> dict[str, Any]:
        found = re.search(r'<script id="chat-config"[^>]*>(.*?)</script>', rendered(self.user, tag), re.DOTALL)
        assert found
        block: dict[str, Any] = json.loads(found[1])
        return block

    def test_a_stranger_gets_nothing(self) -> None:
        assert rendered(AnonymousUser()) == ""

    def test_it_costs_no_query(self) -> None:
        with self.assertNumQueries(0):
            rendered(self.user)

    def test_it_names_the_socket_beside_the_apps_addresses(self) -> None:
        urls = self.config()["urls"]
        assert urls["socket"] == "/notifications/ws/"
        assert urls["rooms"] == "/notifications/api/rooms/"

    def test_it_says_who_the_reader_is(self) -> None:
        assert self.config()["me"] == {"id": self.user.pk, "name": self.user.get_username()}

    def test_the_socket_may_be_elsewhere(self) -> None:
        assert self.config('{% chat_head socket="/live/ws/" %}')["urls"]["socket"] == "/live/ws/"

    def test_it_loads_one_module_and_nothing_inline(self) -> None:
        html = rendered(self.user)
        assert html.count("<script") == 2
        assert '<script type="module" src="/static/notifications/chat.js"' in html
        assert "<style" not in html


def test_every_text_that_the_chat_asks_for_is_in_a_catalogue() -> None:
    files = [*SOURCES.glob("chat/*.js"), *SOURCES.glob("elements/chat/*.js")]
    asked = {key for file in files for key in TEXT.findall(file.read_text())}
    assert len(asked) > 40
    assert asked <= set(CHAT_STRINGS) | set(STRINGS)


def test_no_key_stands_in_both_catalogues() -> None:
    assert not set(CHAT_STRINGS) & set(STRINGS)


def test_every_text_is_translated_and_keeps_its_placeholders() -> None:
    for language in ("de", "ar"):
        with translation.override(language):
            texts = chat_texts()
        for key, english in CHAT_STRINGS.items():
            assert sorted(PLACEHOLDER.findall(texts[key])) == sorted(PLACEHOLDER.findall(english)), (language, key)
        same = [key for key, english in CHAT_STRINGS.items() if texts[key] == english]
        assert same in ([], ["reactionCount"]), (language, same)


def test_no_rule_stands_in_two_style_sheets_of_the_elements() -> None:
    sheets = ("base", "elements", "chat")
    texts = [Path(finders.find(f"notifications/{name}.css") or "").read_text() for name in sheets]
    rules = [rule for text in texts for rule in set(re.findall(r"^[^\s@/}][^{}]*{[^{}]*}", text, re.MULTILINE))]
    assert len(rules) > 150
    assert sorted(rules) == sorted(set(rules))
