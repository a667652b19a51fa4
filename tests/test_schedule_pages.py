"""The form of the schedule, what waits for a digest, and "send it now", without JavaScript."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from notifications.models import Delivery, Schedule
from notifications.services import deliver_due, notify, schedule, set_schedule

from .factories import make_user
from .sending import Carrier, Post, carrying

pytestmark = pytest.mark.django_db

PAGE, FORM, ASK = (
    "/notifications/preferences/",
    "/notifications/preferences/schedule/",
    "/notifications/preferences/digest/",
)


@pytest.fixture(autouse=True)
def site(settings: Any) -> Any:
    """Send digests to everybody, in a category and in none."""
    settings.NOTIFICATIONS_CATEGORIES = {"news": "News & more"}
    Carrier.post = Post()
    with carrying(DEFAULT="digest"):
        yield


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def client(alice: Any) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def page(client: Client) -> str:
    return client.get(PAGE).content.decode()


def fields(text: str) -> dict[str, Any]:
    """Return what the form of the schedule sends as it is."""
    [form] = re.findall(rf'<form[^>]*action="{FORM}".*?</form>', text, re.DOTALL)
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        said = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if said["name"] == "category":
            found.setdefault("category", []).append(said["value"])
        elif said["type"] != "checkbox":
            found[said["name"]] = said["value"]
        elif " checked" in tag:
            found.setdefault(said["name"], []).append(said["value"])
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        [found[name]] = re.findall(r'value="([^"]+)"[^>]* selected', options)
    return found


def test_what_is_sent_unchanged_changes_nothing(client: Client) -> None:
    answer = client.post(FORM, fields(page(client)))
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?saved")
    assert not Schedule.objects.exists()


def test_what_is_changed_is_stored_and_shown(client: Client, alice: Any) -> None:
    form = fields(page(client))
    form |= {"time_zone": "Asia/Kolkata", "not_before": "2099-01-04T09:00", "digest-start": "18:30"}
    form |= {"quiet-0-start": "22:00", "quiet-0-end": "07:00", "quiet-1-start": "00:00", "quiet-1-end": "00:00"}
    form |= {"quiet-1-days": ["5", "6"], "digest-news-days": ["6"], "digest-news-start": "09:00"}
    assert client.post(FORM, form).status_code == 302
    found = schedule(alice)
    assert (found.time_zone, found.digest) == ("Asia/Kolkata", "18:30")
    assert found.quiet_hours == ["22:00-07:00", "sat,sun 00:00-24:00"]
    assert found.digests == {"category:news": "sun 09:00"}
    assert found.not_before is not None
    assert found.not_before.isoformat() == "2099-01-04T03:30:00+00:00"
    again = fields(page(client))
    for name, value in form.items():
        if not name.startswith(("shown-", "csrf")):
            assert again[name] == value, name
    assert "quiet-2-start" in again  # a blank row more


def test_what_is_emptied_is_as_the_site_says_or_none(client: Client, alice: Any, settings: Any) -> None:
    settings.NOTIFICATIONS_QUIET_HOURS = ["22:00-07:00"]
    set_schedule(alice, digest="sun 09:00", category="news", not_before=timezone.now() + timedelta(days=1))
    form = fields(page(client))
    assert form["quiet-0-start"] == "22:00"
    form |= {"quiet-0-start": "", "quiet-0-end": "", "digest-news-start": "", "not_before": ""}
    client.post(FORM, form)
    found = schedule(alice)
    assert (found.quiet_hours, found.digests, found.not_before, found.own) == ([], {}, None, ("quiet_hours",))


def test_a_page_that_was_left_open_changes_only_what_it_changed(client: Client, alice: Any) -> None:
    form = fields(page(client))
    set_schedule(alice, time_zone="Asia/Kolkata", digest="07:00")
    form["quiet-0-start"], form["quiet-0-end"] = "22:00", "07:00"
    client.post(FORM, form)
    found = schedule(alice)
    assert (found.time_zone, found.digest, found.quiet_hours) == ("Asia/Kolkata", "07:00", ["22:00-07:00"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"time_zone": "Mars/Phobos"}, "Unknown time zone"),
        ({"language": "xx"}, "Unknown language"),
        ({"quiet-0-start": "22:00"}, "a beginning and an end"),
        ({"quiet-0-start": "22:00", "quiet-0-end": "07:00", "quiet-0-days": []}, "at least one day"),
        ({"quiet-0-start": "00:00", "quiet-0-end": "00:00"}, "leave a minute"),
        ({"quiet-0-start": "ten", "quiet-0-end": "<b>"}, "cannot be"),
        ({"digest-start": "noon"}, "cannot come then"),
        ({"not_before": "tomorrow"}, "a date and a time"),
        ({"not_before": "0001-01-01T00:00", "time_zone": "Asia/Tokyo"}, "a date and a time"),
        ({"not_before": "9999-12-31T23:59", "time_zone": "America/New_York"}, "9998"),
    ],
)
def test_what_is_refused_is_told_and_nothing_is_stored(client: Client, change: dict[str, Any], says: str) -> None:
    answer = client.post(FORM, fields(page(client)) | {"digest-news-start": "09:00"} | change)
    text = answer.content.decode()
    assert (answer.status_code, says in text) == (400, True)
    assert "<b>" not in text
    assert not Schedule.objects.exists()


def test_what_was_refused_is_shown_again(client: Client) -> None:
    form = fields(page(client)) | {"time_zone": "Asia/Kolkata", "quiet-0-start": "00:00", "quiet-0-end": "00:00"}
    again = fields(client.post(FORM, form).content.decode())
    assert (again["time_zone"], again["quiet-0-start"], again["shown-time_zone"]) == ("Asia/Kolkata", "00:00", "UTC")


def test_it_changes_only_the_signed_in_users(client: Client, alice: Any) -> None:
    bob = make_user("bob")
    client.post(FORM, fields(page(client)) | {"time_zone": "Asia/Kolkata", "user": bob.pk})
    assert list(Schedule.objects.values_list("user_id", flat=True)) == [alice.pk]


@pytest.mark.parametrize("url", [FORM, ASK])
def test_it_asks_for_a_sign_in_a_post_and_the_csrf_token(client: Client, alice: Any, url: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(url, {}).status_code == 403
    assert Client().post(url, {})["Location"].startswith("/")
    assert client.get(url).status_code == 405


def test_a_site_that_sends_nothing_shows_no_form(client: Client) -> None:
    with carrying(BACKEND=""):
        assert FORM not in page(client)


def test_what_waits_is_shown_and_sent_at_once_but_once_a_minute(client: Client, alice: Any) -> None:
    assert ASK not in page(client)
    notify(alice, "Hello <b>you</b>")
    text = page(client)
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in text
    assert client.post(ASK)["Location"] == f"{PAGE}?digest"
    assert "on its way" in client.get(f"{PAGE}?digest").content.decode()
    deliver_due()
    assert Carrier.post.titles() == ["Hello <b>you</b>"]
    notify(alice, "Again")
    answer = client.post(ASK)
    assert (answer.status_code, "moment ago" in answer.content.decode()) == (429, True)
    assert Delivery.objects.filter(notice__title="Again").get().state == "waiting"
