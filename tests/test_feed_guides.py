"""The guides to feeds do what they say: their code is run as it stands on the page."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.test import RequestFactory, override_settings
from django.views.generic import TemplateView

import project.feeds  # noqa: F401  # declares what the demo follows
from notifications.compat import eventstream
from notifications.exceptions import UnknownFeed
from notifications.feeds import Latest, Log, feed
from notifications.feeds.registry import find
from notifications.feeds.stream import FEED, remember
from notifications.inbox.reading import page as inbox_page
from notifications.models import Message
from notifications.services import add_member, create_room, present_events, publish
from tests import walkthrough
from tests.factories import make_user
from tests.servers.process import ServerProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_feeds")]

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def alice() -> Any:
    return make_user("alice", is_staff=True)


def code(page: str, **names: Any) -> dict[str, Any]:
    """Run the Python code of a page, one block after the other, and return what it has defined."""
    for language, text in walkthrough.blocks((DOCS / page).read_text()):
        if language == "python":
            exec(compile(text, page, "exec"), names)
    return names


def template(page: str) -> str:
    """Return the page's last template."""
    return [text for language, text in walkthrough.blocks((DOCS / page).read_text()) if language == "html+django"][-1]


def render(name: str, text: str, view: Callable[..., Any], user: Any, **more: str) -> str:
    """Return what a view makes of a template that stands in no file."""
    loader = ("django.template.loaders.locmem.Loader", {name: text, **more})
    context = ["django.template.context_processors.request"]
    options = {"loaders": [loader], "context_processors": context}
    request = RequestFactory().get("/")
    request.user = user
    with override_settings(
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": options}]
    ):
        response = view(request)
        return str(getattr(response, "rendered_content", None) or response.content.decode())


def told(name: str) -> list[Any]:
    """Return the data of what a new reader of a feed is told, with the texts that have grown."""
    return [msgspec.json.decode(event.data) for event in FEED.present(remember(name))]


def test_the_dashboard_has_the_present_values_before_any_script_runs() -> None:
    made = code("how-to/live-dashboard.md")
    made["tick"]([("ACME", 12.5), ("GLOBEX", 7)])
    made["tick"]([("ACME", 13)])
    html = render("dashboard.html", template("how-to/live-dashboard.md"), made["dashboard"], AnonymousUser())
    assert 'key="ACME" field="price" format="number minimumFractionDigits=2">13</live-value>' in html
    assert 'key="GLOBEX"' in html
    assert "feeds.js" in html


def test_the_log_of_a_build_is_its_output(alice: User) -> None:
    made = code("how-to/live-log.md")
    made["run"](7, ["sh", "-c", "echo one; echo two >&2"])
    assert [(text["text"], text["state"]) for text in told("build:7")] == [("one\ntwo\n", "done")]
    made["report"]([("info", "a"), ("error", "b")])
    assert present_events("deploys") == [{"level": "info", "text": "a"}, {"level": "error", "text": "b"}]
    assert find("deploys").allows(alice)
    assert not find("deploys").allows(AnonymousUser())


def test_the_import_ends_as_one_notification_with_a_link(alice: User) -> None:
    made = code("how-to/live-progress.md", user=alice, notice=0)
    made["import_rows"](alice, range(5_000))
    (item,) = inbox_page(alice).items
    assert (item.title, item.url) == ("Import", "/imports/")
    assert item.data["progress"] == {
        "percent": 100.0,
        "text": "5,000 of 5,000",
        "state": "done",
        "cancellable": False,
    }


def test_the_answer_is_written_and_handed_on(alice: User) -> None:
    made = code("how-to/live-answer.md")
    room = create_room("Questions", by=alice)
    add_member(room, bob := make_user("bob"))
    async_to_sync(made["write"])(alice, "What is the price?", made["into_room"](room, bob))
    (text,) = told(f"assistant:{alice.pk}")
    assert (text["question"], text["state"]) == ("What is the price?", "done")
    assert text["text"].split() == made["RULES"]["price"].split()
    assert Message.objects.get(author=bob).body.split() == made["RULES"]["price"].split()
    assert not find(f"assistant:{alice.pk}").allows(bob)


def test_the_part_shows_what_its_context_says_to_those_who_may_see_it(alice: User) -> None:
    made = code("how-to/live-parts.md")
    made["change"](alice.pk, {"lines": 1})
    page = template("how-to/live-parts.md").replace("baskets:7", f"baskets:{alice.pk}")
    part = {"shop/_basket.html": "{% for line in lines %}{{ line.count }} × {{ line.name }}{% endfor %}"}

    view = TemplateView.as_view(template_name="page.html")
    assert "2 × Bell rope</live-part>" in render("page.html", page, view, alice, **part)
    assert "<live-part" not in render("page.html", page, view, AnonymousUser(), **part)


def test_the_reference_declares_and_publishes() -> None:
    feed("prices", keep=Latest(key="symbol"))(lambda user: True)
    code("reference/feeds.md")
    assert isinstance(find("orders:42").rules.keep, Log)
    assert present_events("orders:42") == [{"state": "packed"}]
    assert [row["symbol"] for row in present_events("prices")] == ["ACME", "GLOBEX"]


@pytest.mark.servers
def test_a_program_follows_a_feed_by_the_lines_of_the_guide(asgi_server: Callable[..., ServerProcess]) -> None:
    feed("prices", keep=Latest(key="symbol"), public=True)(lambda user: True)
    server = asgi_server()
    for price in (1, 2):
        publish("prices", {"symbol": "ACME", "price": price})
    follow = code("how-to/plain-eventsource.md")["follow"]
    events = follow(f"{server.url}/notifications/stream/?feeds=prices&inbox=0")
    assert next(events)["data"] == {"symbol": "ACME", "price": 2}
    publish("prices", {"symbol": "ACME", "price": 3})
    assert [event["data"]["price"] for event in itertools.islice(events, 1)] == [3]


class TestComingFromDjangoEventstream:
    def test_an_event_is_sent_as_before(self, alice: User) -> None:
        made = code("how-to/migrate-from-django-eventstream.md")
        assert find("test").allows(AnonymousUser())
        assert not find("room-7").allows(AnonymousUser())
        made["send_event"]("room-7", "message", {"text": "hello"})
        made["send_event"]("room-7", "message", '{"text": "world"}', json_encode=False, async_publish=False)
        assert [event.event for event in FEED.present(remember("room-7"))] == ["message", "message"]
        assert present_events("room-7") == [{"text": "hello"}, {"text": "world"}]
        eventstream.channel_permission_changed(alice, "room-7")

    def test_what_cannot_be_sent_as_before_is_an_error_that_says_what_to_do(self) -> None:
        code("how-to/migrate-from-django-eventstream.md")
        with pytest.raises(NotImplementedError, match="skip_user_ids"):
            eventstream.send_event("room-7", "message", {}, skip_user_ids=["7"])
        with pytest.raises(ValidationError, match="JSON object"):
            eventstream.send_event("room-7", "message", ["a", "list"])
        with pytest.raises(UnknownFeed, match=r"room-\{pk:int\}"):
            eventstream.send_event("undeclared", "message", {})
        assert present_events("room-7") == []
