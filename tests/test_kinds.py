"""Kinds: facts are stored, and told in the language of whoever reads them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connection, models
from django.test import Client, override_settings
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.inbox.frames import Item
from notifications.inbox.reading import page
from notifications.kinds import Kind, Ref, kind, registry, rendering
from notifications.models import Notice
from notifications.services import notify
from tests.factories import make_user, make_users, stamp, tell, written
from tests.kinds.notices import Joined, Named, Odd

pytestmark = pytest.mark.django_db

LOCALE = "django.middleware.locale.LocaleMiddleware"


@pytest.fixture(autouse=True)
def no_language() -> Iterator[None]:
    """Leave the next test the language that it expects: a request with `LocaleMiddleware` activates one."""
    yield
    translation.deactivate()


@pytest.fixture
def alice() -> Any:
    return make_user("alice")


@pytest.fixture
def own_kinds() -> Iterator[None]:
    """Let a test declare kinds, and remove them again; and let it read in the log what was said once before."""
    before = dict(registry)
    rendering._told.clear()
    yield
    registry.clear()
    registry.update(before)


@pytest.fixture
def answers(own_kinds: None) -> Iterator[dict[str, Any]]:
    """Return what `Odd` says; a test may change it after sending."""
    yield Odd.answers
    Odd.answers.clear()


def shown(user: Any, language: str = "en") -> Item:
    """Return the newest notification as a user reads it in a language."""
    with translation.override(language):
        return page(user).items[0]


def leave_in_arabic() -> str:
    """Do what a method should not."""
    translation.activate("ar")
    return "Odd"


class TestReading:
    """What is shown of a kind, and in which language."""

    def test_each_reads_it_in_the_language_of_the_moment(self, alice: Any) -> None:
        notify(alice, Joined(key="7"))
        assert [shown(alice, language).title for language in ("en", "de", "ar", "de")] == [
            "User 7",
            "Benutzer 7",
            "المستخدم 7",
            "Benutzer 7",
        ]

    def test_lazy_attributes_are_told_in_that_language_too(self, alice: Any) -> None:
        notify(alice, Joined(key="7"))
        assert shown(alice, "de").body == "Benachrichtigungen"
        assert shown(alice, "ar").body == "الإشعارات"

    def test_link_level_and_category_are_those_of_the_kind(self, alice: Any) -> None:
        notify(alice, Joined(key="7"))
        item = shown(alice)
        assert (item.kind, item.url, item.level, item.category) == ("tests.joined", "/users/7/", "success", "people")

    def test_the_language_of_the_sender_does_not_matter(self, alice: Any) -> None:
        with translation.override("ar"):
            notice = notify(alice, Joined(key="7"))
        assert notice.title == "User 7"  # what is stored is the site's
        assert shown(alice, "de").title == "Benutzer 7"

    def test_rendering_leaves_the_active_language_as_it_was(self, alice: Any, answers: dict[str, Any]) -> None:
        notify(alice, Odd())
        answers["title"] = leave_in_arabic
        notify(alice, Joined(key="7"))
        with translation.override("de"):
            assert [item.title for item in page(alice).items] == ["Benutzer 7", "Odd"]
            assert translation.get_language() == "de"

    @pytest.mark.parametrize(
        ("language", "title"), [("de-at", "Benutzer 7"), ("xx", "User 7"), ("zz-invalid", "User 7")]
    )
    def test_a_language_that_the_site_does_not_have_is_the_nearest_or_the_sites_own(
        self, alice: Any, language: str, title: str
    ) -> None:
        notify(alice, Joined(key="7"))
        assert shown(alice, language).title == title

    def test_no_language_at_all_is_the_sites_own(self, alice: Any) -> None:
        notify(alice, Joined(key="7"))
        with translation.override(None):
            assert page(alice).items[0].title == "User 7"

    def test_plain_notifications_stay_as_they_were_sent(self, alice: Any) -> None:
        notify(alice, "Hello", kind="tests.joined")  # the name of a kind alone makes none
        assert shown(alice, "de").title == "Hello"

    def test_the_api_and_the_page_speak_the_language_of_the_request(self, client: Client, alice: Any) -> None:
        notify(alice, Joined(key="7"))
        client.force_login(alice)
        with override_settings(MIDDLEWARE=[*_middleware(), LOCALE]):
            answer = client.get("/notifications/api/inbox/", headers={"accept-language": "de"}).json()
            body = client.get("/notifications/", headers={"accept-language": "ar"}).content.decode()
        assert [item["title"] for item in answer["items"]] == ["Benutzer 7"]
        assert "المستخدم 7" in body

    def test_a_changed_state_is_answered_in_the_language_of_the_request(self, client: Client, alice: Any) -> None:
        [pk] = tell(alice, Joined(key="7"))
        client.force_login(alice)
        with override_settings(MIDDLEWARE=[*_middleware(), LOCALE]):
            answer = client.post(f"/notifications/api/inbox/{pk}/read/", headers={"accept-language": "de"}).json()
        assert answer["item"]["title"] == "Benutzer 7"

    def test_following_it_leads_where_the_kind_says_now(
        self, client: Client, alice: Any, answers: dict[str, Any]
    ) -> None:
        [pk] = tell(alice, Odd())
        answers["url"] = "/now/"
        client.force_login(alice)
        response = client.post("/notifications/", {"action": "click", "id": pk})
        assert response["Location"] == "/now/"


def _middleware() -> list[str]:
    from django.conf import settings

    return list(settings.MIDDLEWARE)


class TestReferences:
    """Model instances among the facts."""

    def test_methods_see_the_instance_as_it_is_now(self, alice: Any) -> None:
        group = Group.objects.create(name="Bells")
        notify(alice, Named(group=group, user=alice))
        group.name = "Ropes"
        group.save()
        item = shown(alice)
        assert (item.title, item.body) == ("User Ropes", alice.get_username())

    def test_one_that_is_gone_still_has_its_name(self, alice: Any) -> None:
        group, other = (Group.objects.create(name=name) for name in ("Bells", "Ropes"))
        notify(alice, Named(group=group, others=[other, group]))
        group.delete()
        assert shown(alice, "de").title == "Benutzer Bells, Ropes, Bells"

    def test_a_lazy_user_is_the_user_it_stands_for(self, alice: Any) -> None:
        group = Group.objects.create(name="Bells")
        lazy: Any = SimpleLazyObject(lambda: alice)
        notify(alice, Named(group=group, user=lazy))
        assert shown(alice).body == alice.get_username()

    def test_a_page_costs_one_query_more_for_each_model(self, alice: Any, django_assert_num_queries: Any) -> None:
        people = make_users(5)
        groups = [Group.objects.create(name=f"Group {n}") for n in range(5)]
        for n in range(5):
            for mixed in ("Plain", Joined(key="7"), Odd(), Named(group=groups[n], user=people[n], others=groups)):
                notify(alice, mixed)
        stamp(alice)
        with django_assert_num_queries(3 + 2):
            found = page(alice)
        assert len(found.items) == 20
        assert found.items[0].title == "User Group 4, Group 0, Group 1, Group 2, Group 3, Group 4"

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (lambda: make_user("bob"), "Expected Group"),
            (Group, "not been saved"),
            (lambda: 7, "Expected"),
            (lambda: None, "Expected"),
            (AnonymousUser, "cannot be stored"),
        ],
        ids=["another model", "unsaved", "a key", "nothing", "nobody"],
    )
    def test_what_is_no_such_instance_is_refused(self, alice: Any, value: Callable[[], Any], problem: str) -> None:
        with pytest.raises(ValidationError, match=problem) as refusal:
            notify(alice, Named(group=value()))
        assert list(refusal.value.message_dict) == ["group"]
        assert written() == (0, 0)


class Far(models.Model):
    """Rows of another database, which is down: it has a table nowhere."""

    id = models.UUIDField(primary_key=True)

    class Meta:
        app_label = "far"
        managed = False

    def __str__(self) -> str:
        return "Far away"


class Nowhere:
    """A router that knows of no database for them."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "nowhere" if model is Far else None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("routers", [[], ["tests.test_kinds.Nowhere"]], ids=["no table", "no database"])
def test_what_cannot_be_fetched_costs_its_own_notifications_their_language_alone(
    alice: Any, own_kinds: None, caplog: pytest.LogCaptureFixture, routers: list[str]
) -> None:
    @kind("tests.far")
    class Distant(Kind):
        far: Far

        def title(self) -> str:
            return _("User %(key)s") % {"key": self.far}

    notify(alice, Distant(far=Far(pk=UUID(int=7))))
    notify(alice, Joined(key="7"))
    with override_settings(DATABASE_ROUTERS=routers), translation.override("de"):
        assert [item.title for item in page(alice).items] == ["Benutzer 7", "User Far away"]
    assert "Could not read far.Far" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_what_fails_on_the_page_ends_no_transaction_of_the_site(
    alice: Any, own_kinds: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    @kind("tests.counting")
    class Counting(Kind):
        number: int = 0

        def title(self) -> str:
            seen.append(connection.in_atomic_block)
            return f"Number {Far._base_manager.count() if self.number else 0}"

    notice = notify(alice, Counting())
    Notice.objects.filter(pk=notice.pk).update(facts={"number": 1})
    seen.clear()
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    client.force_login(alice)
    assert "<bdi>Number 0</bdi>" in client.get("/notifications/").content.decode()
    assert seen == [False]


def test_a_key_of_text_finds_its_instance(alice: Any, own_kinds: None) -> None:
    @kind("tests.session")
    class Opened(Kind):
        session: Session

        def title(self) -> str:
            return str(self.session.session_data)

    session = Session.objects.create(session_key="a key", session_data="before", expire_date=timezone.now())
    notify(alice, Opened(session=session))
    Session.objects.update(session_data="after")
    assert shown(alice).title == "after"


class TestFacts:
    """What may be a fact: it is refused before anything is written, or comes back as it was."""

    def test_come_back_with_their_types(self, alice: Any, own_kinds: None) -> None:
        seen: list[Any] = []

        class Colour(Enum):
            RED = "red"

        @kind("tests.typed")
        class Typed(Kind):
            values: dict[str, Any]
            number: Decimal
            name: UUID
            at: datetime
            day: date
            pairs: list[tuple[int, str]]
            maybe: int | None
            by_number: dict[int, str]

            def title(self) -> str:
                seen.append(self)
                return "Typed"

        made = Typed(
            values={"a": [1, None]},
            number=Decimal("9.90"),
            name=UUID(int=7),
            at=datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
            day=date(2030, 1, 2),
            pairs=[(1, "ключ")],
            maybe=None,
            by_number={7: "seven"},
        )
        notify(alice, made)
        shown(alice)
        assert seen == [made, made]  # the one that was sent, and the one that was read

    @pytest.mark.parametrize("value", ["7", True, 1.5, None, [7], b"7"], ids=repr)
    def test_of_another_type_are_refused_by_name(self, alice: Any, value: Any) -> None:
        with pytest.raises(ValidationError) as refusal:
            notify(alice, Odd(number=value))
        assert list(refusal.value.message_dict) == ["number"]
        assert written() == (0, 0)

    def test_lazy_text_is_refused_for_it_would_stay_in_one_language(self, alice: Any) -> None:
        lazy: Any = gettext_lazy("Notifications")
        with pytest.raises(ValidationError, match="one language"):
            notify(alice, Joined(key=lazy))

    def test_text_that_is_marked_as_safe_is_text(self, alice: Any) -> None:
        notify(alice, Joined(key=mark_safe("<b>")))
        assert shown(alice).title == "User <b>"

    @pytest.mark.parametrize(("key", "problem"), [("x" * 9_000, "limit"), ("nul\x00", "[Nn]ull")])
    def test_too_much_and_what_no_database_holds_are_refused(self, alice: Any, key: str, problem: str) -> None:
        with pytest.raises(ValidationError, match=problem) as refusal:
            notify(alice, Joined(key=key))
        assert list(refusal.value.message_dict) == ["facts"]
        assert written() == (0, 0)

    def test_are_given_by_name_and_do_not_change(self) -> None:
        with pytest.raises(TypeError):
            Joined("7")  # type: ignore[call-arg]
        with pytest.raises(AttributeError):
            Joined(key="7").key = "8"  # type: ignore[misc]

    def test_nothing_else_may_be_given_beside_a_kind(self, alice: Any) -> None:
        with pytest.raises(TypeError, match="says its body itself"):
            notify(alice, Joined(key="7"), body="More")
        assert written() == (0, 0)


def test_a_kind_may_have_a_picture(alice: Any, answers: dict[str, Any]) -> None:
    answers["icon"] = "/static/parcel.svg"
    notify(alice, Odd())
    notify(alice, "Plain")
    assert [item.icon for item in page(alice).items] == ["", "/static/parcel.svg"]


class TestFallback:
    """What is shown when a kind cannot be rendered: what was stored at sending."""

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param({"title": lambda: 1 / 0}, id="raises"),
            {"title": None},
            {"title": 7},
            {"title": " \u200b"},
            {"url": "javascript:alert(1)"},
            {"url": "/" + "x" * 3_000},
            {"level": "fatal"},
            {"icon": "data:image/svg+xml,<svg/>"},
            {"body": b"bytes"},
        ],
        ids=repr,
    )
    def test_a_rendering_that_fails_when_it_is_read(
        self, alice: Any, answers: dict[str, Any], caplog: pytest.LogCaptureFixture, broken: dict[str, Any]
    ) -> None:
        answers |= {"title": "As it was", "url": "/then/"}
        notify(alice, Odd())
        notify(alice, Joined(key="7"))
        answers |= broken
        with caplog.at_level(logging.ERROR, "notifications"), translation.override("de"):
            for _turn in range(2):
                assert [item.title for item in page(alice).items] == ["Benutzer 7", "As it was"]
        assert page(alice).items[1].url == "/then/"
        assert [record.args for record in caplog.records] == [("tests.odd",)]  # said once

    @pytest.mark.parametrize(
        ("broken", "field"), [({"title": None}, "title"), ({"url": "//elsewhere"}, "url"), ({"level": 7}, "level")]
    )
    def test_a_rendering_that_fails_when_it_is_sent_is_refused(
        self, alice: Any, answers: dict[str, Any], broken: dict[str, Any], field: str
    ) -> None:
        answers |= broken
        with pytest.raises(ValidationError) as refusal:
            notify(alice, Odd())
        assert list(refusal.value.message_dict) == [field]
        assert written() == (0, 0)

    def test_a_kind_that_no_code_has_any_more(
        self, alice: Any, own_kinds: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        notify(alice, Joined(key="7"))
        del registry["tests.joined"]
        assert shown(alice, "de").title == "User 7"
        assert [record.args for record in caplog.records] == [("tests.joined",)]

    def test_what_is_too_long_is_cut_and_lines_are_joined(self, alice: Any, answers: dict[str, Any]) -> None:
        answers |= {"title": "two\nlines " + "x" * 300, "body": "y" * 5_000}
        notify(alice, Odd())
        item = shown(alice)
        assert (len(item.title), item.title[:10], item.title[-1]) == (200, "two lines ", "…")
        assert (len(item.body), item.body[-1]) == (4_000, "…")

    def test_markup_stays_the_text_that_it_is(self, alice: Any, answers: dict[str, Any], client: Client) -> None:
        answers["title"] = mark_safe("<script>alert(1)</script>")
        notify(alice, Odd())
        client.force_login(alice)
        assert client.get("/notifications/api/inbox/").json()["items"][0]["title"] == "<script>alert(1)</script>"
        assert b"<script>alert" not in client.get("/notifications/").content


class TestVersions:
    """Facts that an older version of the kind has stored."""

    @pytest.fixture
    def old(self, alice: Any, answers: dict[str, Any]) -> Notice:
        """Store one of version 1, and declare version 2."""
        notice = notify(alice, Odd(number=7))
        kind("tests.odd", version=2)(Odd)
        return notice

    @pytest.fixture(autouse=True)
    def first_version(self) -> Iterator[None]:
        yield
        kind("tests.odd")(Odd)

    def test_are_brought_up_when_they_are_read(self, alice: Any, old: Notice, answers: dict[str, Any]) -> None:
        asked: list[Any] = []

        def upgrade(*given: Any) -> dict[str, Any]:
            asked.append(given)
            return {"number": 8, "gone": 1}

        answers |= {"title": "New", "upgrade": upgrade}
        assert shown(alice).title == "New"
        assert asked == [(1, {"number": 7})]
        old.refresh_from_db()
        assert (old.version, old.facts) == (1, {"number": 7})

    @pytest.mark.parametrize("upgrade", [lambda *_given: 1 / 0, lambda *_given: None, lambda *_given: {"number": "x"}])
    def test_that_cannot_be_brought_up_show_what_was_stored(
        self, alice: Any, old: Notice, answers: dict[str, Any], upgrade: Any
    ) -> None:
        answers |= {"title": "New", "upgrade": upgrade}
        assert shown(alice).title == "Odd"


class TestDeclaring:
    """What a kind may be called and have; anything else is said when the code is loaded."""

    pytestmark = pytest.mark.usefixtures("own_kinds")

    @pytest.mark.parametrize(
        "key", ["", "Order.Shipped", "größe", "a b", "a.", "x" * 101, "progress", "chat.message", 7], ids=repr
    )
    def test_a_key_is_plain_and_not_ours(self, key: Any) -> None:
        with pytest.raises(ImproperlyConfigured, match="key"):
            kind(key)(type("Some", (Kind,), {"title": "Some"}))

    def test_two_classes_do_not_share_a_key(self) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"tests\.kinds\.notices\.Joined has this key already"):

            @kind("tests.joined")
            class Other(Kind):
                title = "Other"

        assert registry["tests.joined"].cls is Joined

    def test_a_class_that_is_loaded_again_replaces_itself(self) -> None:
        kind("tests.joined", category="again")(Joined)
        assert registry["tests.joined"].category == "again"
        kind("tests.joined", category="people", level="success")(Joined)

    @pytest.mark.parametrize(
        ("rules", "problem"),
        [
            ({"version": 0}, "version"),
            ({"version": "2"}, "version"),
            ({"level": "fatal"}, "level"),
            ({"channels": {"email": "sometimes"}}, "channels"),
        ],
    )
    def test_rules_have_the_values_that_they_may_have(self, rules: dict[str, Any], problem: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=problem):
            kind("tests.some", **rules)(type("Some", (Kind,), {"title": "Some"}))

    def test_a_kind_has_a_title(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="no title"):
            kind("tests.some")(type("Some", (Kind,), {}))

    def test_what_it_says_is_not_asynchronous(self) -> None:
        async def title(self: Any) -> str:
            return "Some"

        with pytest.raises(ImproperlyConfigured, match="asynchronous"):
            kind("tests.some")(type("Some", (Kind,), {"title": title}))

    def test_a_class_that_is_no_kind_is_refused(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="derive"):
            kind("tests.some")(type("Some", (), {"title": "Some"}))

    def test_a_kind_that_is_not_declared_is_not_sent(self, alice: Any) -> None:
        class Derived(Joined):
            pass

        with pytest.raises(TypeError, match="decorate"):
            notify(alice, Derived(key="7"))
        assert written() == (0, 0)

    def test_an_abstract_model_is_no_reference_but_that_of_the_users(self, alice: Any) -> None:
        @kind("tests.some")
        class Some(Kind):
            session: Ref[AbstractBaseSession] | None = None
            title = "Some"

        with pytest.raises(ImproperlyConfigured, match="abstract"):
            notify(alice, Some())
