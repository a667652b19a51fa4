"""Watching objects: who hears of what, for how long, and a button that names no other object than its own."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ValidationError
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from notifications.inbox.watch_views import ending, reference
from notifications.models import Notification, Watch
from notifications.services import (
    amute,
    awatch,
    awatching,
    mute,
    notify,
    prune,
    unwatch,
    watch,
    watchers,
    watching,
)
from tests.factories import make_user, written
from tests.threads import together

pytestmark = pytest.mark.django_db

API = "/notifications/api/watch/"
SOON = timedelta(hours=1)


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="Order <7>")


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


def names(about: Group, level: Any = "all") -> set[str]:
    return {user.get_username() for user in watchers(about, level)}


def later(**delta: float) -> Any:
    return patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(**delta))


def to_alice(alice: Any) -> int:
    """Return how many notifications somebody has got, and forget them."""
    return Notification.objects.of(alice).delete()[0]


class TestWho:
    """`watchers` says whom an event reaches."""

    def test_each_level_reaches_its_own(self, group: Group) -> None:
        for level in ("all", "participating", "mentions", "none"):
            watch(make_user(level), group, level)
        watch(make_user("other"), Group.objects.create(name="other"))
        assert names(group) == {"all"}
        assert names(group, "participating") == {"all", "participating"}
        assert names(group, "mentions") == {"all", "participating", "mentions"}

    def test_they_are_recipients(self, group: Group, alice: Any) -> None:
        watch(alice, group)
        notify(watchers(group), "Shipped")
        assert written() == (1, 1)
        unwatch(alice, group)
        notify(watchers(group), "Shipped")
        assert written() == (2, 1)

    def test_the_last_word_holds(self, group: Group, alice: Any) -> None:
        watch(alice, group)
        watch(alice, group, "mentions")
        assert (watching(alice, group), Watch.objects.count()) == ("mentions", 1)
        assert unwatch(alice, group)
        assert not unwatch(alice, group)
        assert watching(alice, group) is None

    def test_a_mute_for_good_and_one_with_an_end(self, group: Group, alice: Any) -> None:
        watch(alice, group, "participating")
        mute(alice, group, until=timezone.now() + SOON)
        assert (names(group, "mentions"), watching(alice, group)) == (set(), "none")
        with later(hours=2):
            assert (names(group, "mentions"), watching(alice, group)) == ({"alice"}, "participating")
        mute(alice, group)
        with later(hours=2):
            assert (names(group, "mentions"), watching(alice, group)) == (set(), "none")

    def test_who_mutes_what_they_do_not_watch_does_not_watch_it_afterwards(self, group: Group, alice: Any) -> None:
        mute(alice, group, until=timezone.now() + SOON)
        assert watching(alice, group) == "none"
        with later(hours=2):
            assert (names(group, "mentions"), watching(alice, group)) == (set(), None)

    @pytest.mark.parametrize(("first", "second"), [(1, 4), (4, 1), (None, 1)])
    def test_a_later_mute_takes_the_place_of_an_earlier_one(
        self, group: Group, alice: Any, first: int | None, second: int
    ) -> None:
        now = timezone.now()
        mute(alice, group, until=now + timedelta(hours=first) if first else None)
        mute(alice, group, until=now + timedelta(hours=second))
        for hours in (0.5, 2, 5):
            with later(hours=hours):
                muted = hours < second
                assert watching(alice, group) == ("none" if muted else None)
                notify(alice, "By name", about=group)
                assert to_alice(alice) == (0 if muted else 1)

    def test_a_mute_outlasts_the_watch_that_it_has_muted(self, group: Group, alice: Any) -> None:
        watch(alice, group, until=timezone.now() + SOON)
        mute(alice, group, until=timezone.now() + 4 * SOON)
        with later(hours=2):
            prune()
            assert (names(group), watching(alice, group)) == (set(), "none")
            notify(alice, "By name", about=group)
            assert to_alice(alice) == 0
            mute(alice, group, until=timezone.now() + SOON)
            assert Watch.objects.count() == 1
        with later(hours=5):
            assert (names(group), watching(alice, group)) == (set(), None)
            prune()
            assert not Watch.objects.exists()

    def test_watching_may_end(self, group: Group, alice: Any) -> None:
        watch(alice, group, until=timezone.now() + SOON)
        assert names(group) == {"alice"}
        with later(hours=2):
            assert (names(group), watching(alice, group)) == (set(), None)

    def test_to_watch_ends_a_mute(self, group: Group, alice: Any) -> None:
        mute(alice, group, until=timezone.now() + SOON)
        watch(alice, group)
        assert names(group) == {"alice"}

    @pytest.mark.parametrize("level", ["loud", "", None, 7])
    def test_an_unknown_level_is_refused_with_those_there_are(self, group: Group, alice: Any, level: Any) -> None:
        with pytest.raises(ValidationError, match="all, participating, mentions"):
            watch(alice, group, level)
        with pytest.raises(ValidationError, match="all, participating, mentions"):
            watchers(group, level)

    @pytest.mark.parametrize("until", [datetime(2001, 1, 1, tzinfo=UTC), datetime(2101, 1, 1)])  # noqa: DTZ001
    def test_an_end_that_is_past_or_naive_is_refused(self, group: Group, alice: Any, until: Any) -> None:
        for verb in (watch, mute):
            with pytest.raises(ValidationError) as refused:
                verb(alice, group, until=until)
            assert "until" in refused.value.message_dict

    def test_what_is_no_saved_object_is_refused(self, alice: Any) -> None:
        wrong: Any = "order 7"
        with pytest.raises(TypeError, match="about"):
            watch(alice, wrong)
        with pytest.raises(ValueError, match="save"):
            watchers(Group(name="new"))

    def test_pruning_forgets_what_is_over_and_what_is_gone(self, group: Group, alice: Any) -> None:
        gone, old = Group.objects.create(name="gone"), Group.objects.create(name="old")
        for about in (group, gone, old):
            watch(alice, about, until=timezone.now() + SOON if about is old else None)
        Watch.objects.create(user=alice, about_model="no.such", about_key="1")
        gone.delete()
        with later(hours=2):
            prune()
        assert set(Watch.objects.values_list("about_model", "about_key")) == {
            ("auth.group", str(group.pk)),
            ("no.such", "1"),
        }


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_leave_one_watch() -> None:
    alice, group = make_user(), Group.objects.create(name="7")
    together(*[lambda level=level: watch(alice, group, level) for level in ("all", "mentions") * 3])
    assert Watch.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_twins_do_the_same() -> None:
    alice, group = make_user(), Group.objects.create(name="7")

    async def act() -> Any:
        await awatch(alice, group, "mentions")
        await amute(alice, group, until=timezone.now() + SOON)
        return await awatching(alice, group)

    assert async_to_sync(act)() == "none"


@pytest.mark.parametrize(
    ("zone", "now", "end"),
    [
        ("Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-29T07:00:00+00:00"),  # the clock goes forward at night
        ("Europe/Berlin", "2026-10-24T12:00:00+02:00", "2026-10-25T08:00:00+00:00"),  # and back
        ("Pacific/Kiritimati", "2026-11-26T01:00:00+14:00", "2026-11-26T19:00:00+00:00"),
        ("America/New_York", "2026-11-26T23:59:59-05:00", "2026-11-27T14:00:00+00:00"),
    ],
)
def test_until_tomorrow_ends_in_the_morning_by_the_users_clock(zone: str, now: str, end: str) -> None:

    with (
        timezone.override(ZoneInfo(zone)),
        patch("django.utils.timezone.now", return_value=datetime.fromisoformat(now)),
    ):
        assert ending("tomorrow") == datetime.fromisoformat(end)
        assert ending("hour") - timezone.now() == SOON


class TestButton:
    """The button's reference is for one user and one object."""

    def render(self, user: Any, about: Any) -> str:
        request = RequestFactory().get("/orders/7/")
        request.user = user
        template = engines["django"].from_string("{% load notifications %}{% watch_button about %}")
        return template.render({"about": about}, request)

    def sign_in(self, user: Any) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def post(self, client: Client, **values: Any) -> Any:
        return client.post(API, json.dumps(values), content_type="application/json")

    def test_it_shows_what_holds_and_says_what_it_is_about(self, group: Group, alice: Any) -> None:
        watch(alice, group, "mentions")
        shown = self.render(alice, group)
        assert 'aria-label="Watch “Order &lt;7&gt;”"' in shown
        assert re.findall(r'<option value="(\w*)" selected', shown) == ["mentions"]

    def test_nobody_and_nothing_have_none(self, group: Group, alice: Any) -> None:
        assert self.render(AnonymousUser(), group) == ""
        assert self.render(alice, Group(name="new")) == ""
        assert self.render(alice, "rubbish") == ""

    @pytest.mark.parametrize(
        ("choice", "level"), [("all", "all"), ("participating", "participating"), ("none", "none"), ("hour", "none")]
    )
    def test_a_choice_holds(self, group: Group, alice: Any, choice: str, level: str) -> None:
        client = self.sign_in(alice)
        answer = self.post(client, ref=reference(alice, group), choice=choice, zone="Asia/Tokyo").json()
        assert watching(alice, group) == level
        assert answer["choice"] == ("muted" if choice == "hour" else choice)
        assert client.get(API, {"ref": reference(alice, group)}).json()["choice"] == answer["choice"]
        self.post(client, ref=reference(alice, group), choice="")
        assert watching(alice, group) is None

    def test_without_javascript_a_form_leads_back_to_where_it_was(self, group: Group, alice: Any) -> None:
        form = {"ref": reference(alice, group), "choice": "all"}
        client = self.sign_in(alice)
        assert client.post(API, {**form, "next": "/orders/7/"})["Location"] == "/orders/7/"
        assert client.post(API, {**form, "next": "https://evil.example/"})["Location"] == "/notifications/"
        assert client.post(API, {**form, "next": "index"})["Location"] == "index"
        assert client.get(API, {**form, "next": "/orders/7/"}).status_code == 200

    def test_a_reference_of_another_user_or_site_or_of_long_ago_is_refused(self, group: Group, alice: Any) -> None:
        client = self.sign_in(alice)
        mine = reference(alice, group)
        with override_settings(SECRET_KEY="another site's"):
            foreign = reference(alice, group)
        for ref in (reference(make_user("bob"), group), foreign, mine[:-1], "", None, [mine], "a:b:c", "x" * 5_000):
            answer = self.post(client, ref=ref, choice="all")
            assert (answer.status_code, answer.json()["field"]) == (400, "ref")
        with patch("time.time", return_value=timezone.now().timestamp() + 8 * 86_400):
            assert self.post(client, ref=mine, choice="all").status_code in (400, 401)
        assert Watch.objects.count() == 0

    @pytest.mark.parametrize("values", [{"choice": "loud"}, {"choice": None}, {"choice": []}, {}])
    def test_an_unknown_choice_is_refused(self, group: Group, alice: Any, values: Any) -> None:
        assert self.post(self.sign_in(alice), ref=reference(alice, group), **values).status_code == 400
        assert Watch.objects.count() == 0

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "x" * 500, [], "\x00", "."])
    def test_an_unknown_time_zone_is_refused(self, group: Group, alice: Any, zone: Any) -> None:
        answer = self.post(self.sign_in(alice), ref=reference(alice, group), choice="tomorrow", zone=zone)
        assert answer.status_code == (200 if zone == [] else 400)

    def test_an_object_that_is_gone_can_only_be_unwatched(self, group: Group, alice: Any) -> None:
        watch(alice, group)
        ref, client = reference(alice, group), self.sign_in(alice)
        group.delete()
        assert self.post(client, ref=ref, choice="mentions").json()["field"] == "ref"
        assert self.post(client, ref=ref, choice="").status_code == 200
        assert Watch.objects.count() == 0

    def test_it_asks_for_a_sign_in_and_for_the_csrf_token(self, group: Group, alice: Any) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(alice)
        assert strict.post(API, {"ref": reference(alice, group), "choice": "all"}).status_code == 403
        assert Client().get(API).status_code == 401
