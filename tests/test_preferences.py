"""Preferences: what people switch off is not stored for them, and what is required reaches them anyway."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.broadcasts.publishing import post
from notifications.inbox.outbox import collect
from notifications.inbox.preference_list import KindPreferences
from notifications.inbox.reading import page
from notifications.inbox.stream import INBOX
from notifications.kinds import Kind, kind, registry
from notifications.models import Notification, Preference
from notifications.preferences import PreferenceChoice
from notifications.services import (
    apreferences,
    archive,
    aset_preference,
    broadcast,
    clear_preference,
    import_preferences,
    notify,
    preferences,
    release_due,
    set_preference,
    snooze,
    unarchive,
)
from tests.factories import make_user, make_users, stamp
from tests.preference_kinds import Alarm, Comment, Like, Loose
from tests.threads import together

pytestmark = pytest.mark.django_db

CATEGORIES = override_settings(NOTIFICATIONS_CATEGORIES={"news": "News", "talk": "", "Ünïcode “&<": ""})
CHANNELS = override_settings(NOTIFICATIONS_CHANNELS={"email": "", "sms": "Text message", "webhook:crm": "CRM"})


def got(user: Any) -> list[str]:
    """Return the titles in a user's list."""
    stamp(user)
    return [item.title for item in page(user).items]


def kept(user: Any) -> list[str]:
    """Return the titles in a user's archive."""
    stamp(user)
    return [item.title for item in page(user, "archived").items]


def shown(user: Any, key: str) -> KindPreferences:
    """Return what holds for a kind."""
    listed = (kind for category in preferences(user).categories for kind in category.kinds)
    return next(kind for kind in listed if kind.kind == key)


def rows() -> set[tuple[str, str, str]]:
    return set(Preference.objects.values_list("scope", "channel", "value"))


class TestWhatIsStored:
    """`notify` obeys the bell, and an item says whether it is shown as a toast."""

    def test_a_kind_that_is_switched_off_is_stored_for_the_others_only(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        set_preference(alice, "bell", "off", kind=Comment)
        notify([alice, bob], Comment())
        assert (got(alice), got(bob)) == ([], ["Hello"])
        assert Notification.objects.of(alice).count() == 0

    def test_other_kinds_of_the_category_still_come(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", False, kind="prefs.comment")
        notify(alice, Like())
        assert got(alice) == ["Like"]

    def test_a_silent_kind_goes_to_the_archive_unannounced(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", "off", kind=Like)
        notify(alice, Like())
        assert (got(alice), kept(alice), page(alice).unread) == ([], ["Like"], 0)

    def test_a_silent_event_of_a_group_joins_no_item_and_still_is_in_the_archive(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", "off", kind=Like)
        for _number in range(2):
            notify(alice, Like(), group="post:7")
        assert (got(alice), kept(alice)) == ([], ["Like", "Like"])

    def test_a_required_kind_reaches_also_those_who_have_switched_everything_off(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", "off")
        Preference.objects.create(user=alice, scope="kind:prefs.alarm", channel="bell", value="off")  # behind our back
        notify(alice, Alarm())
        notify(alice, Comment())
        assert got(alice) == ["Alarm"]

    def test_a_kind_that_is_off_in_the_code_comes_to_those_who_want_it(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        set_preference(alice, "bell", "on", kind=Loose)
        notify([alice, bob], Loose())
        assert (got(alice), got(bob)) == (["Loose"], [])

    def test_toasts_are_as_the_kind_says_and_as_the_user_wants(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        set_preference(alice, "toast", "on", kind=Like)
        set_preference(alice, "toast", "off", kind=Comment)
        for made in (Comment(), Like()):
            notify([alice, bob], made)
        stamp(alice, bob)
        assert [(item.title, item.toast) for item in page(alice).items] == [("Like", True), ("Hello", False)]
        assert [(item.title, item.toast) for item in page(bob).items] == [("Like", False), ("Hello", True)]

    def test_a_plain_notification_obeys_its_category(self) -> None:
        with CATEGORIES:
            alice = make_user()
            set_preference(alice, "bell", "off", category="news")
            notify(alice, "News", category="news")
            notify(alice, "Other")
            assert got(alice) == ["Other"]

    def test_a_dedupe_key_and_a_switched_off_kind_store_nothing_twice(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        set_preference(alice, "bell", "off", kind=Comment)
        first = notify([alice, bob], Comment(), dedupe_key="once")
        assert notify([alice, bob], Comment(), dedupe_key="once").pk == first.pk
        assert (got(alice), got(bob)) == ([], ["Hello"])

    def test_progress_is_shown_whatever_is_switched_off(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", "off")
        notify(alice, "Import", kind="progress")
        assert got(alice) == ["Import"]

    def test_a_broadcast_obeys_the_category_when_it_is_collected(self) -> None:
        with CATEGORIES:
            alice, bob = make_user("alice"), make_user("bob")
            set_preference(alice, "bell", "off", category="news")
            set_preference(bob, "toast", "off", category="news")
            for title, category in (("News", "news"), ("Other", "")):
                broadcast(title, to=[alice, bob], category=category)
            post()
            collect(INBOX, [alice.pk, bob.pk])
            assert (got(alice), got(bob)) == (["Other"], ["Other", "News"])
            assert [item.toast for item in page(bob).items] == [True, False]

    @pytest.mark.parametrize("number", [1, 300])
    def test_a_thousand_recipients_cost_one_query_more_however_many_have_preferences(self, number: int) -> None:
        users = make_users(number)

        def asked() -> int:
            with CaptureQueriesContext(connection) as captured:
                notify(users, Comment())
            return sum(query["sql"].startswith("SELECT") for query in captured)

        before = asked()
        import_preferences(PreferenceChoice(user, "bell", "off", Comment) for user in users[:100])
        import_preferences(PreferenceChoice(user, "toast", "off", category="talk") for user in users[100:200])
        assert asked() == before


class TestSentLater:
    """What is sent later obeys what holds when it is sent."""

    def test_what_was_switched_off_meanwhile_is_not_sent_and_what_was_switched_on_is(self) -> None:
        alice, bob, carol = make_user("alice"), make_user("bob"), make_user("carol")
        set_preference(bob, "bell", "off", kind=Comment)
        at = timezone.now() + timedelta(hours=1)
        for made in (Comment(), Like()):
            notify([alice, bob, carol], made, send_at=at)
        notify([alice, bob, carol], Comment(text="grows"), send_at=at, group="post:7")
        set_preference(alice, "bell", "off", kind=Comment)
        set_preference(alice, "bell", "off", kind=Like)
        set_preference(bob, "bell", "on", kind=Comment)
        set_preference(carol, "toast", "off", kind=Comment)
        assert (got(alice), kept(alice)) == ([], [])
        with patch("django.utils.timezone.now", return_value=at + timedelta(seconds=1)):
            release_due()
            assert (got(alice), kept(alice)) == ([], ["Like"])
            assert (sorted(got(bob)), kept(bob)) == (["Hello", "Like", "grows"], [])
            assert {item.title: item.toast for item in page(carol).items} == {
                "Hello": False,
                "Like": False,
                "grows": False,
            }
        assert not Notification.objects.filter(recipient=alice, notice__kind="prefs.comment").exists()


class TestOrder:
    """The kind goes before the category, that before everything, and the site's function before the code."""

    def values(self, user: Any, channel: str = "bell") -> tuple[str, str]:
        choice = shown(user, "prefs.comment").channels[channel]
        return choice.value, choice.rule

    def test_the_closest_rule_decides(self) -> None:
        alice = make_user()
        assert self.values(alice) == ("on", "channel")
        with override_settings(NOTIFICATIONS_PREFERENCE_DEFAULTS=lambda pks, kind: {pk: {"bell": False} for pk in pks}):
            assert self.values(alice) == ("off", "site")
            set_preference(alice, "bell", "on")
            assert self.values(alice) == ("on", "everything")
            set_preference(alice, "bell", "off", category="talk")
            assert self.values(alice) == ("off", "category")
            set_preference(alice, "bell", "on", kind=Comment)
            assert self.values(alice) == ("on", "kind")
            clear_preference(alice)
            assert self.values(alice) == ("off", "site")

    def test_what_code_says_of_a_kind_goes_before_what_the_channel_is(self) -> None:
        with CHANNELS:
            found = shown(make_user(), "prefs.like").channels
        assert {name: choice.value for name, choice in found.items()} == {
            "bell": "on",
            "toast": "off",
            "email": "digest",
            "sms": "off",
            "webhook:crm": "off",
        }

    def test_what_is_no_value_of_the_channel_is_passed_over(self) -> None:
        alice = make_user()
        Preference.objects.create(user=alice, scope="kind:prefs.comment", channel="bell", value="digest")
        assert self.values(alice) == ("on", "channel")


class TestSitesFunction:
    """`NOTIFICATIONS_PREFERENCE_DEFAULTS` is asked in bulk, and harms nobody where it fails."""

    def test_it_is_asked_once_for_all_recipients(self) -> None:
        users = make_users(3)
        asked = []

        def defaults(pks: list[Any], kind: Any) -> Mapping[Any, Any]:
            asked.append((sorted(pks), kind.key))
            return {users[0].pk: {"bell": "off"}, 0: {"bell": "off"}}

        with override_settings(NOTIFICATIONS_PREFERENCE_DEFAULTS=defaults):
            notify(users, Comment())
        assert asked == [(sorted(user.pk for user in users), "prefs.comment")]
        assert [got(user) for user in users] == [[], ["Hello"], ["Hello"]]

    @pytest.mark.parametrize(
        "answer",
        [None, [1], {"": 1}, {"bell": "loud"}, {"smoke": True}],
        ids=["None", "list", "number", "value", "name"],
    )
    def test_rubbish_is_logged_and_the_codes_defaults_hold(self, answer: Any, caplog: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr("notifications.preferences.site._told", set())
        alice = make_user()
        said: Any = {alice.pk: answer} if isinstance(answer, dict) else answer
        with override_settings(NOTIFICATIONS_PREFERENCE_DEFAULTS=lambda pks, kind: said):
            notify(alice, Comment())
            notify(alice, Comment())
        assert got(alice) == ["Hello", "Hello"]
        assert len([record for record in caplog.records if "PREFERENCE_DEFAULTS" in record.message]) == 1

    def test_a_query_that_fails_in_it_leaves_the_callers_transaction_whole(self) -> None:
        alice = make_user()

        def defaults(pks: list[Any], kind: Any) -> Any:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column FROM carillon_preference")

        with override_settings(NOTIFICATIONS_PREFERENCE_DEFAULTS=defaults):
            notify(alice, Comment())
        assert got(alice) == ["Hello"]


class TestChoosing:
    """What is legal, what is stored, and what it says otherwise."""

    @pytest.mark.parametrize(
        ("arguments", "about", "says"),
        [
            (("smoke", "on"), {}, "bell, toast, email, push"),
            (("bell", "loud"), {}, "on, off"),
            (("bell", "digest"), {}, "on, off"),
            (("bell", 1), {}, "on, off"),
            (("bell", "on"), {"kind": "no.such"}, "prefs.alarm, prefs.comment"),
            (("bell", "on"), {"category": "no such"}, "talk"),
            (("bell", "on"), {"kind": "prefs.like", "category": "talk"}, "not both"),
            (("bell", "off"), {"kind": Alarm}, "You must know of this."),
        ],
    )
    def test_what_is_unknown_is_refused_with_what_there_is(
        self, arguments: Any, about: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(ValidationError) as refused:
            set_preference(make_user(), *arguments, **about)
        assert says in " ".join(refused.value.messages)
        assert rows() == set()

    def test_only_what_differs_from_the_default_is_stored(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", "on", kind=Comment)
        assert rows() == set()
        set_preference(alice, "bell", "off", kind=Comment)
        assert rows() == {("kind:prefs.comment", "bell", "off")}
        set_preference(alice, "bell", "on", kind=Comment)
        assert rows() == set()

    def test_a_choice_for_a_category_takes_the_place_of_those_for_its_kinds(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", "off", kind=Comment)
        set_preference(alice, "bell", "off", kind=Loose)
        set_preference(alice, "toast", "off", kind=Comment)
        set_preference(alice, "bell", "off", category="talk")
        assert rows() == {("kind:prefs.comment", "toast", "off"), ("category:talk", "bell", "off")}
        set_preference(alice, "bell", "on", category="talk")
        assert rows() == {("kind:prefs.comment", "toast", "off")}

    def test_names_of_categories_may_be_odd(self) -> None:
        with CATEGORIES:
            alice = make_user()
            set_preference(alice, "bell", "off", category="Ünïcode “&<")
            notify(alice, "Odd", category="Ünïcode “&<")
            notify(alice, "Even", category="Unicode")
            assert got(alice) == ["Even"]

    def test_another_users_choices_are_not_touched(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        set_preference(bob, "bell", "off", kind=Comment)
        set_preference(alice, "bell", "off")
        clear_preference(alice)
        assert shown(bob, "prefs.comment").channels["bell"].value == "off"

    def test_a_kind_that_no_code_has_any_more_is_ignored_and_can_be_cleared(self) -> None:
        alice = make_user()
        Preference.objects.create(user=alice, scope="kind:gone.kind", channel="bell", value="off")
        notify(alice, Comment())
        assert got(alice) == ["Hello"]
        assert "gone.kind" not in str(preferences(alice))
        assert clear_preference(alice, kind="gone.kind") == 1

    def test_a_users_choices_go_with_the_user(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", "off", kind=Comment)
        get_user_model()._default_manager.filter(pk=alice.pk).delete()
        assert rows() == set()

    def test_required_kinds_say_why(self) -> None:
        assert shown(make_user(), "prefs.alarm").required == "You must know of this."
        assert shown(make_user("bob"), "prefs.comment").required is None

    def test_the_list_costs_one_query(self, django_assert_num_queries: Any) -> None:
        alice = make_user()
        with CHANNELS, CATEGORIES, django_assert_num_queries(1):
            found = preferences(alice)
        assert [channel.label for channel in found.channels] == ["Inbox", "Pop-up", "E-mail", "Text message", "CRM"]
        assert {one.label: one.channels is not None for one in found.categories}.items() >= {
            ("News", True),
            ("Talk", True),
            ("", False),
        }


class TestHiding:
    """Switching off the bell hides what is there, and switching it on again brings that back."""

    def test_what_is_there_goes_to_the_archive_and_comes_back(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        for user in (alice, bob):
            for made in (Comment(text="one"), Like(), Comment(text="two")):
                notify(user, made)
        set_preference(alice, "bell", "off", kind=Comment)
        assert (got(alice), page(alice).unread, kept(alice)) == (["Like"], 1, ["two", "one"])
        assert len(got(bob)) == 3
        set_preference(alice, "bell", "on", kind=Comment)
        assert (got(alice), kept(alice)) == (["two", "Like", "one"], [])

    def test_what_was_archived_by_hand_stays_archived(self) -> None:
        alice = make_user()
        by_hand, unarchived = (notify(alice, Comment(text=text)) for text in ("by hand", "unarchived"))
        ids = dict(Notification.objects.of(alice).values_list("notice_id", "pk"))
        archive(alice, [ids[by_hand.pk]])
        set_preference(alice, "bell", "off", kind=Comment)
        unarchive(alice, [ids[unarchived.pk]])
        archive(alice, [ids[unarchived.pk]])
        set_preference(alice, "bell", "on", kind=Comment)
        assert (got(alice), kept(alice)) == ([], ["unarchived", "by hand"])

    def test_what_was_stored_silently_comes_with_it(self) -> None:
        alice = make_user()
        set_preference(alice, "bell", "off", kind=Like)
        notify(alice, Like())
        set_preference(alice, "bell", "on", kind=Like)
        assert (got(alice), kept(alice)) == (["Like"], [])

    def test_required_kinds_and_other_categories_stay(self) -> None:
        with CATEGORIES:
            alice = make_user()
            for made in (Alarm(), Comment(), Loose()):
                notify(alice, made)
            notify(alice, "News", category="news")
            notify(alice, "Plain")
            set_preference(alice, "bell", "off", category="talk")
            assert got(alice) == ["Plain", "News", "Alarm"]
            set_preference(alice, "bell", "off")
            assert got(alice) == ["Alarm"]
            clear_preference(alice)
            assert got(alice) == ["Plain", "News", "Hello", "Alarm"]

    def test_an_item_that_has_grown_is_hidden_whole(self) -> None:
        alice = make_user()
        for text in ("one", "two"):
            notify(alice, Comment(text=text), group="post:7")
        assert got(alice) == ["two"]
        set_preference(alice, "bell", "off", kind=Comment)
        assert (got(alice), kept(alice)) == ([], ["two"])
        set_preference(alice, "bell", "on", kind=Comment)
        assert (got(alice), kept(alice)) == (["two"], [])

    def test_what_is_snoozed_is_hidden_too_and_sleeps_on_when_it_is_back(self) -> None:
        alice = make_user()
        notify(alice, Comment())
        stamp(alice)
        pk = Notification.objects.get().pk
        until = timezone.now() + timedelta(hours=1)
        snooze(alice, [pk], until)
        set_preference(alice, "bell", "off", kind=Comment)
        assert (Notification.objects.get().snoozed_until, kept(alice)) == (None, ["Hello"])
        set_preference(alice, "bell", "on", kind=Comment)
        assert (Notification.objects.get().snoozed_until, got(alice)) == (until, [])

    def test_the_toast_hides_nothing(self) -> None:
        alice = make_user()
        notify(alice, Comment())
        set_preference(alice, "toast", "off", kind=Comment)
        assert got(alice) == ["Hello"]


class TestImport:
    """Choices are imported in bulk."""

    def test_they_are_stored_for_users_who_are_there(self) -> None:
        alice = make_user()
        given = [
            PreferenceChoice(alice, "bell", False, Comment),
            PreferenceChoice(alice.pk, "toast", "off", category="talk"),
            PreferenceChoice(alice.pk, "toast", "on", category="talk"),
            PreferenceChoice(make_user("bob").pk, "bell", "off"),
        ]
        get_user_model()._default_manager.filter(pk=given[-1].user).delete()
        assert import_preferences(given) == 2
        assert import_preferences(given) == 2
        assert rows() == {("kind:prefs.comment", "bell", "off"), ("category:talk", "toast", "on")}

    def test_a_thousand_cost_a_constant_number_of_queries(self) -> None:
        users = make_users(100)
        counted = []
        for number in (10, 100):
            with CaptureQueriesContext(connection) as captured:
                import_preferences(PreferenceChoice(user, "bell", "off", Comment) for user in users[:number])
            counted.append(len(captured))
        assert counted[0] == counted[1]

    def test_one_that_is_wrong_is_named_and_nothing_is_stored(self) -> None:
        alice = make_user()
        wrong = [PreferenceChoice(alice, "bell", "off", Comment), PreferenceChoice(alice, "bell", "off", "no.such")]
        with pytest.raises(ValidationError, match=r"Choice 2: .*no\.such"):
            import_preferences(wrong)
        assert rows() == set()


class TestChecks:
    """System checks find what code says wrong."""

    def found(self) -> list[tuple[str | None, str]]:
        return [(message.id, message.msg) for message in run_checks(tags=["notifications"])]

    @pytest.fixture
    def declared(self) -> Any:
        before = dict(registry)
        yield
        registry.clear()
        registry.update(before)

    def test_wrong_channels_of_kinds(self, declared: None) -> None:
        @kind("prefs.wrong", channels={"smoke": True, "bell": "digest", "sms": True}, category="TALK")
        class Wrong(Kind):
            def title(self) -> str:
                return "Wrong"

        with override_settings(NOTIFICATIONS_CHANNELS={"sms": ""}):
            found = dict(self.found())
        assert sorted(map(str, found)) == ["carillon.E041", "carillon.E050", "carillon.W050"]
        assert "'smoke'" in found["carillon.E041"]
        assert "'TALK', 'talk'" in found["carillon.W050"]

    @pytest.mark.parametrize(
        "settings",
        [
            {"NOTIFICATIONS_CHANNELS": ["sms"]},
            {"NOTIFICATIONS_CHANNELS": {"SMS": "Text"}},
            {"NOTIFICATIONS_CHANNELS": {"sms": 7}},
            {"NOTIFICATIONS_CATEGORIES": {"a\nb": ""}},
            {"NOTIFICATIONS_CATEGORIES": {"a" * 101: ""}},
            {"NOTIFICATIONS_PREFERENCE_DEFAULTS": "no.such.module"},
            {"NOTIFICATIONS_PREFERENCE_DEFAULTS": 7},
        ],
    )
    def test_wrong_settings(self, settings: dict[str, Any]) -> None:
        with override_settings(**settings):
            assert [one for one, _text in self.found()] == ["carillon.E001"]


@pytest.mark.django_db(transaction=True)
def test_the_twins_do_the_same() -> None:
    alice = make_user()

    async def choose() -> Any:
        await aset_preference(alice, "bell", "off", kind=Comment)
        return await apreferences(alice)

    kinds = {kind.kind: kind for category in async_to_sync(choose)().categories for kind in category.kinds}
    assert kinds["prefs.comment"].channels["bell"].value == "off"


@pytest.mark.django_db(transaction=True)
def test_many_tabs_at_once_leave_one_choice_and_what_it_says() -> None:
    alice = make_user()
    notify(alice, Comment())
    together(*[lambda value=value: set_preference(alice, "bell", value, kind=Comment) for value in ("off", "on") * 3])
    chosen = shown(alice, "prefs.comment").channels["bell"].value
    assert len(rows()) == (chosen == "off")
    set_preference(alice, "bell", chosen, kind=Comment)  # the last word, again: nothing but what it says
    assert (got(alice), kept(alice)) == (([], ["Hello"]) if chosen == "off" else (["Hello"], []))


@pytest.mark.django_db(transaction=True)
def test_a_user_who_was_deleted_meanwhile_leaves_nothing() -> None:
    alice = make_user()
    get_user_model()._default_manager.filter(pk=alice.pk).delete()
    with pytest.raises(IntegrityError):
        set_preference(alice, "bell", "off", kind=Comment)
    assert rows() == set()
