"""Triage: what people put off, keep on top, archive at once and undo, and how they find it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client, TestCase, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from notifications import services
from notifications.inbox import due, filters, searching
from notifications.inbox.counts import Counts, counts
from notifications.inbox.filters import Facet, facets
from notifications.inbox.reading import page
from notifications.inbox.snoozing import presets
from notifications.inbox.stream import INBOX
from notifications.models import Notification
from notifications.services import (
    archive,
    archive_all,
    mark_all_read,
    mark_read,
    mark_unread,
    notify,
    pin,
    prune,
    release_due,
    snooze,
    unarchive,
    undo,
    unpin,
    unsnooze,
)

from .factories import make_user, make_users, stamp, tell
from .kinds.notices import Joined, Named
from .test_contention import application
from .threads import together

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def titles(user: Any, state: Any = "all", **query: Any) -> list[str]:
    return [item.title for item in page(user, state, **query).items]


def later(hours: float = 1) -> datetime:
    return timezone.now() + hours * HOUR


def past(*pks: int) -> None:
    """Let snoozed items be due."""
    Notification.objects.filter(pk__in=pks).update(snoozed_until=timezone.now() - HOUR)


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


class TestSnoozing:
    """What is put off is out of the inbox until its time."""

    def test_it_leaves_the_inbox_and_its_counts_and_is_listed_by_itself(self, alice: Any) -> None:
        [one, _two] = tell(alice, "One", "Two")
        until = later()
        assert snooze(alice, [one], until) == 1
        assert (titles(alice), titles(alice, "snoozed"), titles(alice, "archived")) == (["Two"], ["One"], [])
        assert counts([alice.pk])[alice.pk] == Counts(1, 1)
        [item] = page(alice, "snoozed").items
        assert item.snoozed_until == until

    def test_it_comes_back_unread_and_on_top_exactly_once(self, alice: Any) -> None:
        [one, _two] = tell(alice, "One", "Two")
        mark_read(alice, [one])
        snooze(alice, [one], later())
        assert release_due() == 0
        assert titles(alice) == ["Two"]
        past(one)
        assert release_due() == 1
        [first, _second] = page(alice).items
        assert (first.title, first.read_at, first.seen_at, first.snoozed_until) == ("One", None, None, None)
        archive(alice, [one])
        assert release_due() == 0
        assert titles(alice) == ["Two"]

    def test_it_comes_back_pinned_if_it_was(self, alice: Any) -> None:
        [one, two] = tell(alice, "One", "Two")
        pin(alice, [one])
        snooze(alice, [one], later())
        past(one)
        release_due()
        assert page(alice).items[0].pinned
        unpin(alice, [one])
        assert titles(alice) == ["One", "Two"]
        assert two

    def test_who_wakes_it_finds_it_as_it_was(self, alice: Any) -> None:
        [one, _two] = tell(alice, "One", "Two")
        mark_read(alice, [one])
        before = page(alice).items[1]
        snooze(alice, [one], later())
        assert unsnooze(alice, [one]) == 1
        stamp(alice)
        after = page(alice).items[1]
        assert (after.id, after.read_at, after.rank) == (before.id, before.read_at, before.rank)

    def test_a_second_snooze_moves_the_time(self, alice: Any) -> None:
        [one] = tell(alice, "One")
        snooze(alice, [one], later(1))
        again = later(2)
        assert (snooze(alice, [one], again), snooze(alice, [one], again)) == (1, 0)
        assert page(alice, "snoozed").items[0].snoozed_until == again

    @pytest.mark.parametrize("leave", [archive, unarchive])
    def test_it_may_be_archived_or_brought_back_by_the_other_verbs(self, alice: Any, leave: Any) -> None:
        [one] = tell(alice, "One")
        snooze(alice, [one], later())
        assert leave(alice, [one]) == 1
        assert titles(alice, "snoozed") == []
        assert titles(alice, "archived" if leave is archive else "all") == ["One"]

    def test_it_comes_back_earlier_when_it_grows(self, alice: Any) -> None:
        notify(alice, "First", group="g")
        stamp(alice)
        [item] = page(alice).items
        snooze(alice, [item.id], later())
        stamp(alice)
        notify(alice, "Second", group="g")
        stamp(alice)
        [grown] = page(alice).items
        assert (grown.id, grown.title, grown.snoozed_until) == (item.id, "Second", None)
        assert grown.group
        assert grown.group.events == 2

    def test_pruning_keeps_it(self, alice: Any) -> None:
        [one] = tell(alice, "One")
        snooze(alice, [one], later())
        stamp(alice)
        assert prune(later(100)) == 0

    @pytest.mark.parametrize(
        "until",
        [timezone.now() - HOUR, timezone.now() + timedelta(days=400), datetime(2099, 1, 1)],  # noqa: DTZ001
    )
    def test_the_time_lies_in_the_future_within_a_year(self, alice: Any, until: Any) -> None:
        [one] = tell(alice, "One")
        with pytest.raises(ValidationError) as refused:
            snooze(alice, [one], until)
        assert list(refused.value.error_dict) == ["until"]
        assert titles(alice) == ["One"]

    def test_what_is_anothers_or_recalled_is_left_alone(self, alice: Any) -> None:
        [his] = tell(make_user("bob"), "His")
        assert snooze(alice, [his], later()) == 0
        notice = notify(alice, "Wrong")
        services.withdraw(notice)
        assert snooze(alice, [Notification.objects.get(notice=notice).pk], later()) == 0

    def test_a_thousand_come_back_in_steps_by_a_constant_number_of_queries_each(
        self, alice: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        users = make_users(20)
        for _ in range(3):
            notify(users, "Later")
        stamp(*users)
        Notification.objects.update(archived_at=timezone.now(), snoozed_until=timezone.now() - HOUR)
        monkeypatch.setattr(due, "STREAM_CHUNK", 15)
        with CaptureQueriesContext(connection) as queries:
            assert due._release_rows(timezone.now()) != []
        assert len(queries) <= 5
        release_due()
        assert Notification.objects.filter(snoozed_until=None, archived_at=None, read_at=None).count() == 60

    def test_a_turn_says_when_the_next_is_due(self, alice: Any) -> None:
        [one] = tell(alice, "One")
        assert due.take_turn() == due.DUE_SWEEP
        snooze(alice, [one], timezone.now() + timedelta(seconds=5))
        assert 3 < (due.take_turn() or 0) <= 5

    @pytest.mark.parametrize(
        ("now", "names", "tomorrow", "monday"),
        [
            ("2026-11-26T08:30", ["hour", "evening", "tomorrow", "week"], "2026-11-27T09:00", "2026-11-30T09:00"),
            ("2026-11-30T18:00", ["hour", "tomorrow", "week"], "2026-12-01T09:00", "2026-12-07T09:00"),
            ("2026-03-28T12:00", ["hour", "evening", "tomorrow", "week"], "2026-03-29T09:00", "2026-03-30T09:00"),
        ],
        ids=["thursday", "monday evening", "before the clock changes"],
    )
    def test_presets_are_times_of_the_readers_wall_clock(
        self, monkeypatch: pytest.MonkeyPatch, now: str, names: list[str], tomorrow: str, monday: str
    ) -> None:
        zone = ZoneInfo("Europe/Berlin")
        monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(now).replace(tzinfo=zone).astimezone(UTC))
        with timezone.override(zone):
            found = presets()
        assert list(found) == names
        shown = {name: time.astimezone(zone).strftime("%Y-%m-%dT%H:%M") for name, (_label, time) in found.items()}
        assert (shown["tomorrow"], shown["week"]) == (tomorrow, monday)


class TestPinning:
    """What is pinned stays on top."""

    def test_it_stays_on_top_of_what_comes_and_goes_back_to_its_place(self, alice: Any) -> None:
        one, _two = tell(alice, "One", "Two")
        assert (pin(alice, [one]), pin(alice, [one])) == (1, 0)
        tell(alice, "Three")
        assert titles(alice) == ["One", "Three", "Two"]
        assert [item.pinned for item in page(alice).items] == [True, False, False]
        assert (unpin(alice, [one]), unpin(alice, [one])) == (1, 0)
        assert titles(alice) == ["Three", "Two", "One"]

    def test_its_rank_is_exact_in_javascript(self, alice: Any) -> None:
        [one] = tell(alice, "One")
        pin(alice, [one])
        assert page(alice).items[0].rank < 2**53

    def test_it_grows_and_stays_pinned(self, alice: Any) -> None:
        notify(alice, "First", group="g")
        stamp(alice)
        pin(alice, [page(alice).items[0].id])
        stamp(alice)
        notify(alice, "Second", group="g")
        notify(alice, "Other")
        stamp(alice)
        assert titles(alice) == ["Second", "Other"]


class TestBulk:
    """Much at once, and back."""

    def test_everything_that_is_listed_is_archived_and_undo_restores_just_that(self, alice: Any) -> None:
        for number in range(240):
            notify(alice, f"Number {number}")
        stamp(alice)
        kept = Notification.objects.of(alice).order_by("pk").values_list("pk", flat=True)[0]
        archive(alice, [kept])
        done = archive_all(alice)
        assert done == 239
        tell(alice, "Meanwhile")
        assert undo(alice, done.undo) == 239
        assert Notification.objects.of(alice).archived().get().pk == kept
        assert undo(alice, done.undo) == 0

    def test_what_somebody_has_changed_since_is_left_as_it_is(self, alice: Any) -> None:
        one, two = tell(alice, "One", "Two")
        done = archive_all(alice)
        unarchive(alice, [one])
        archive(alice, [one])
        assert undo(alice, done.undo) == 1
        assert Notification.objects.of(alice).archived().get().pk == one
        assert two

    def test_reading_is_undone_with_the_seeing_that_it_brought(self, alice: Any) -> None:
        one, two, three = tell(alice, "One", "Two", "Three")
        mark_read(alice, [one])
        mark_read(alice, [two])
        mark_unread(alice, [two])  # seen
        done = mark_all_read(alice)
        assert undo(alice, done.undo) == done == 2
        rows = {row.pk: (row.read_at is not None, row.seen_at is not None) for row in Notification.objects.of(alice)}
        assert rows == {one: (True, True), two: (False, True), three: (False, False)}

    def test_a_scope_is_what_the_list_shows(self, alice: Any) -> None:
        for category, kind in (("orders", "shipped"), ("orders", "paid"), ("news", "paid")):
            tell(alice, f"{category} {kind}", category=category, kind=kind)
        tell(make_user("bob"), "His", category="orders")
        cursor = page(alice).cursor
        tell(alice, "Meanwhile", category="orders", kind="shipped")
        assert archive_all(alice, cursor, category="orders", kind="shipped") == 1
        assert mark_all_read(alice, cursor, kind="paid") == 2
        assert archive_all(alice, state="unread") == 1
        assert sorted(titles(alice)) == ["news paid", "orders paid"]
        assert archive_all(alice, category="nothing").undo == ""

    def test_what_expired_or_was_recalled_is_not_counted(self, alice: Any) -> None:
        tell(alice, "Here")
        services.withdraw(notify(alice, "Wrong"))
        assert archive_all(alice) == 1

    @pytest.mark.parametrize("token", ["", "archive", "archive.x", "delete.1", "archive.-1", f"read.{10**40}", None])
    def test_what_is_no_token_is_refused(self, alice: Any, token: Any) -> None:
        with pytest.raises(ValidationError):
            undo(alice, token)

    def test_nobody_undoes_what_another_has_done(self, alice: Any) -> None:
        tell(alice, "One")
        done = archive_all(alice)
        assert undo(make_user("bob"), done.undo) == 0

    def test_undo_takes_no_event_out_of_its_item(self, alice: Any) -> None:
        for _ in range(2):
            notify(alice, "Event", group="g")
            stamp(alice)
        hidden = Notification.objects.get(folded_into__gt=0)
        done = archive_all(alice)
        Notification.objects.filter(pk=hidden.pk).update(
            archived_at=Notification.objects.get(folded_into=None).archived_at
        )
        assert undo(alice, done.undo) == 1
        hidden.refresh_from_db()
        assert hidden.archived_at is not None


class TestFinding:
    """A list is narrowed to a category, a kind, or a text."""

    def test_categories_and_kinds_are_counted_in_one_query(self, alice: Any) -> None:
        for category, kind in (("orders", "shipped"), ("orders", "paid"), ("news", "paid"), ("", "")):
            tell(alice, "Title", category=category, kind=kind)
        mark_read(alice, [page(alice, category="news").items[0].id])
        with CaptureQueriesContext(connection) as queries:
            found = facets(alice)
        assert len(queries) == 2
        assert (found.total, found.unread, found.more) == (4, 3, False)
        assert found.categories == [Facet("orders", 2, 2, "orders"), Facet("news", 1, 0, "news")]
        assert found.kinds == [Facet("paid", 2, 1, "paid"), Facet("shipped", 1, 1, "shipped")]
        assert facets(alice, "archived") == filters.Facets(0, 0, False, [], [])

    def test_what_is_declared_goes_by_what_people_call_it(self, alice: Any, settings: Any) -> None:
        settings.NOTIFICATIONS_CATEGORIES = {"news": gettext_lazy("Notifications")}
        tell(alice, Joined(key="7"))
        tell(alice, "Title", category="news")
        with translation.override("de"):
            found = facets(alice)
        assert {one.name: one.label for one in found.categories} == {"people": "People", "news": "Benachrichtigungen"}
        assert {one.name: one.label for one in found.kinds} == {"tests.joined": "Joined"}

    def test_the_totals_hold_also_where_there_are_too_many_names(
        self, alice: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(filters, "FACETS_LIMIT", 2)
        for number in range(4):
            tell(alice, "Title", category=f"c{number}")
        found = facets(alice)
        assert (found.total, found.unread, len(found.categories)) == (4, 4, 2)

    def test_of_a_long_list_only_the_beginning_is_counted(self, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(filters, "SEARCHED", 3)
        tell(alice, *"1234", category="news")
        found = facets(alice)
        assert (found.total, found.more) == (3, True)
        assert found.categories == [Facet("news", 3, 3, "news")]

    def test_a_title_is_found_whatever_its_case(self, alice: Any) -> None:
        tell(alice, "Order 7 has shipped", "100%_sure", "Order 8 is paid")
        assert titles(alice, search="order") == ["Order 8 is paid", "Order 7 has shipped"]
        assert titles(alice, search=" SHIPPED ") == ["Order 7 has shipped"]
        assert titles(alice, search="%_") == ["100%_sure"]
        assert titles(alice, search="nothing") == []
        first = page(alice, limit=1, search="order")
        assert titles(alice, search="order", before=first.next) == ["Order 7 has shipped"]

    def test_a_search_goes_back_so_far_and_no_further(self, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searching, "SEARCHED", 3)
        tell(alice, *(f"Number {n}" for n in range(5)))
        assert titles(alice, search="number") == ["Number 4", "Number 3", "Number 2"]

    def test_a_kind_is_found_by_what_its_reader_is_shown(self, alice: Any) -> None:
        tell(alice, Joined(key="7"), Joined(key="8"), "plain 7")
        with translation.override("de"):
            assert titles(alice, search="BENUTZER") == ["Benutzer 8", "Benutzer 7"]
            assert titles(alice, search="nutzer 7") == ["Benutzer 7"]
            assert titles(alice, search="user") == ["Benutzer 8", "Benutzer 7"]  # as it was stored
            assert titles(alice, search="nutzer 7", kind="tests.named") == []
            assert titles(alice, search="7") == ["plain 7", "Benutzer 7"]
        with translation.override("ar"):
            assert titles(alice, search="المستخدم 8") == ["المستخدم 8"]
        assert titles(alice, search="benutzer") == []

    def test_an_instance_is_found_by_the_name_that_it_has_now(self, alice: Any) -> None:
        group = Group.objects.create(name="Bells")
        tell(alice, Named(group=group))
        Group.objects.update(name="Übungen")
        assert titles(alice, search="übungen") == ["User Übungen"]

    def test_what_is_rendered_for_a_search_has_a_bound_that_a_filter_does_not_use_up(
        self, alice: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(searching, "RENDERED", 2)
        tell(alice, Joined(key="1"))
        tell(alice, *(Named(group=Group.objects.create(name=name)) for name in ("a", "b", "c")))
        with translation.override("de"):
            assert titles(alice, search="benutzer") == ["Benutzer c", "Benutzer b"]
            assert titles(alice, search="benutzer", kind="tests.joined") == ["Benutzer 1"]

    def test_a_search_costs_the_same_however_much_is_rendered_for_it(self, alice: Any) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                page(alice, search="benutzer")
            return len(queries)

        group = Group.objects.create(name="Bells")
        tell(alice, Named(group=group))
        before = cost()
        tell(alice, *(Named(group=group) for _n in range(20)))
        with translation.override("de"):
            assert cost() == before + 1  # those that are found are shown, with their group

    def test_a_page_is_of_a_kind(self, alice: Any) -> None:
        tell(alice, "One", kind="a")
        tell(alice, "Two", kind="b")
        assert titles(alice, kind="a") == ["One"]


class AtOnceTests(TransactionTestCase):
    def test_several_processes_bring_each_back_once(self) -> None:
        users = make_users(30)
        notify(users, "Later")
        Notification.objects.update(archived_at=timezone.now(), snoozed_until=timezone.now() - HOUR)
        heads = dict(INBOX.streams().values_list("pk", "head"))
        assert sum(together(*[release_due] * 4)) >= 30
        assert not Notification.objects.filter(snoozed_until__isnull=False).exists()
        after = dict(INBOX.streams().values_list("pk", "head"))
        assert {pk: after[pk] - head for pk, head in heads.items()} == {user.pk: 1 for user in users}

    def test_it_waits_for_no_application_that_holds_a_row(self) -> None:
        if not connection.features.has_select_for_update:
            return  # SQLite lets one transaction write at a time
        alice, bob = make_users(2)
        notify([alice, bob], "Later")
        Notification.objects.update(archived_at=timezone.now(), snoozed_until=timezone.now() - HOUR)
        held = Notification.objects.of(alice).get().pk
        with application(lambda: Notification.objects.select_for_update().get(pk=held)) as end:
            release_due()
            assert (titles(alice), titles(bob)) == ([], ["Later"])
            end()
        release_due()
        assert titles(alice) == ["Later"]


class ApiTests(TestCase):
    def setUp(self) -> None:
        self.alice = make_user("alice")
        self.client.force_login(self.alice)

    def post(self, url: str, **values: Any) -> Any:
        return self.client.post(url, json.dumps(values), content_type="application/json")

    def act(self, pk: int, name: str, **values: Any) -> Any:
        return self.post(reverse("notifications:item-action", args=[pk, name]), **values)

    def test_an_item_is_snoozed_woken_pinned_and_unpinned(self) -> None:
        [one] = tell(self.alice, "One")
        until = later().astimezone(UTC)
        item = self.act(one, "snooze", until=until.isoformat()).json()["item"]
        assert datetime.fromisoformat(item["snoozed_until"]) == until
        assert self.act(one, "unsnooze").json()["item"]["snoozed_until"] is None
        assert self.act(one, "pin").json()["item"]["pinned"] is True
        assert self.act(one, "unpin").json()["item"]["pinned"] is False
        assert self.act(one, "snooze", until="tomorrow").status_code == 200

    def test_a_snooze_without_a_time_that_makes_sense_is_refused(self) -> None:
        [one] = tell(self.alice, "One")
        for until in (None, "", "never", 7, "2020-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2099-01-01T00:00:00"):
            with self.subTest(until=until):
                answer = self.act(one, "snooze", until=until)
                assert (answer.status_code, answer.json()["field"]) == (400, "until")
        assert titles(self.alice) == ["One"]

    def test_many_are_snoozed_at_once(self) -> None:
        pks = tell(self.alice, "One", "Two")
        answer = self.post(reverse("notifications:bulk"), action="snooze", ids=pks, until="tomorrow").json()
        assert answer.pop("undo").startswith("snooze.")
        assert answer == {"changed": 2, "unread": 0, "unseen": 0}

    def test_everything_is_archived_and_brought_back(self) -> None:
        tell(self.alice, "One", "Two", category="a")
        tell(self.alice, "Three", category="b")
        answer = self.post(reverse("notifications:archive-all"), category="a", state="unread").json()
        assert (answer["changed"], answer["unread"]) == (2, 1)
        back = self.post(reverse("notifications:undo"), undo=answer["undo"]).json()
        assert back == {"changed": 2, "unread": 3, "unseen": 3}

    def test_what_makes_no_sense_is_refused(self) -> None:
        for name, values, status in (
            ("archive-all", {"category": 7}, 400),
            ("archive-all", {"state": "archived"}, 400),
            ("archive-all", {"kind": "\x00"}, 400),
            ("archive-all", {"up_to": "inbox=00000000.1"}, 400),
            ("undo", {}, 400),
            ("undo", {"undo": "nothing"}, 400),
        ):
            with self.subTest(name=name, **values):
                assert self.post(reverse(f"notifications:{name}"), **values).status_code == status

    def test_the_list_is_narrowed_and_says_to_what_it_can_be(self) -> None:
        tell(self.alice, "Order 7", category="orders", kind="paid")
        tell(self.alice, "News")
        address = reverse("notifications:inbox-list")
        for query in ({"q": "ORDER"}, {"kind": "paid"}, {"category": "orders", "q": "7"}):
            assert [item["title"] for item in self.client.get(address, query).json()["items"]] == ["Order 7"]
        for query in ({"q": "x" * 101}, {"q": "\x00"}, {"kind": "\x00"}, {"state": "asleep"}):
            assert self.client.get(address, query).status_code == 400
        assert self.client.get(reverse("notifications:filters")).json() == {
            "total": 2,
            "unread": 2,
            "more": False,
            "categories": [{"name": "orders", "total": 1, "unread": 1, "label": "orders"}],
            "kinds": [{"name": "paid", "total": 1, "unread": 1, "label": "paid"}],
        }
        assert self.client.get(reverse("notifications:filters"), {"state": "x"}).status_code == 400

    def test_nothing_changes_by_get_or_without_a_token(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.alice)
        [one] = tell(self.alice, "One")
        item = [
            reverse("notifications:item-action", args=[one, name]) for name in ("snooze", "pin", "unsnooze", "unpin")
        ]
        for url in [*item, reverse("notifications:archive-all"), reverse("notifications:undo")]:
            assert self.client.get(url).status_code == 405
            assert strict.post(url).status_code == 403


class PageTests(TestCase):
    """The page without JavaScript."""

    address = "/notifications/"

    def setUp(self) -> None:
        self.alice = make_user("alice")
        self.client.force_login(self.alice)

    def page(self, query: str = "") -> str:
        answer = self.client.get(self.address + query)
        assert answer.status_code == 200
        return answer.content.decode()

    def post(self, **values: Any) -> Any:
        return self.client.post(self.address, values)

    def test_the_button_says_how_many_it_archives_and_undo_is_offered(self) -> None:
        tell(self.alice, *(f"Number {n}" for n in range(24)), category="a")
        tell(self.alice, "Other")
        assert "Archive 25</button>" in self.page()
        assert "Archive 24</button>" in self.page("?category=a")
        assert 'value="archive-all"' not in self.page("?q=number")
        answer = self.post(action="archive-all", category="a", next="/notifications/?category=a")
        assert answer.url.startswith("/notifications/?category=a&undo=archive.")
        shown = self.client.get(answer.url).content.decode()
        token = answer.url.rpartition("=")[2]
        assert f'name="undo" value="{token}"' in shown
        assert 'name="next" value="/notifications/?category=a"' in shown
        self.post(action="undo", undo=token)
        assert "Archive 25</button>" in self.page()

    def test_an_item_is_snoozed_and_pinned(self) -> None:
        [one] = tell(self.alice, "One")
        self.post(action="pin", id=one)
        assert 'value="unpin"' in self.page()
        self.post(action="snooze", id=one, until="tomorrow")
        assert 'value="snooze"' not in self.page()
        assert 'value="unsnooze"' in self.page("?state=snoozed")
        self.post(action="unsnooze", id=one)
        assert 'value="snooze"' in self.page()

    def test_it_searches_and_narrows(self) -> None:
        tell(self.alice, "Order 7", category="orders & more")
        tell(self.alice, "News")
        assert "<bdi>News</bdi>" not in self.page("?q=order")
        assert "Nothing found" in self.page("?q=nothing")
        assert 'href="/notifications/?category=orders+%26+more"' in self.page()
        assert 'href="/notifications/" aria-current="true"' in self.page("?category=orders+%26+more")

    def test_what_makes_no_sense_is_not_found(self) -> None:
        tell(self.alice, "One")
        for values in (
            {"action": "undo", "undo": "x"},
            {"action": "archive-all", "state": "archived"},
        ):
            with self.subTest(**values):
                assert self.post(**values).status_code == 404
        assert self.client.get(self.address + "?q=" + "x" * 101).status_code == 404


def test_each_verb_has_a_twin() -> None:
    for name in ("snooze", "unsnooze", "pin", "unpin", "archive_all", "undo", "release_due"):
        assert getattr(services, f"a{name}").__wrapped__ is getattr(services, name)
