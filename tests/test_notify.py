"""`notify` stores one notice and one copy for each recipient, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse_lazy
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from notifications.models import Inbox, Notice, Notification
from notifications.services import anotify, notify
from tests.factories import make_user, make_users, written
from tests.threads import together

pytestmark = pytest.mark.django_db


def recipients(notice: Notice) -> set[Any]:
    return set(Notification.objects.filter(notice=notice).values_list("recipient_id", flat=True))


def notify_with(user: Any, field: str, value: Any) -> Notice:
    """Notify a user of something whose title or other field has a value."""
    return notify(user, value) if field == "title" else notify(user, "Hello", **{field: value})


def users(*chosen: Any) -> set[Any]:
    return {user.pk for user in chosen}


class TestRecipients:
    """Who is meant by `to`."""

    def test_a_user(self) -> None:
        alice, _bob = make_user("alice"), make_user("bob")
        assert recipients(notify(alice, "Hello")) == users(alice)

    def test_the_lazy_user_of_a_request(self) -> None:
        alice = make_user()
        lazy: Any = SimpleLazyObject(lambda: alice)
        assert recipients(notify(lazy, "Hello", actor=lazy))

    @pytest.mark.parametrize("kind", [list, tuple, set, iter])
    def test_an_iterable_of_users(self, kind: Callable[[list[Any]], Any]) -> None:
        chosen = make_users(3)
        assert recipients(notify(kind(chosen), "Hello")) == users(*chosen)

    def test_a_generator(self) -> None:
        chosen = make_users(3)

        def some() -> Iterator[Any]:
            yield from chosen[:2]

        assert recipients(notify(some(), "Hello")) == users(*chosen[:2])

    def test_a_queryset(self) -> None:
        chosen = make_users(3)
        found = get_user_model()._default_manager.exclude(pk=chosen[0].pk)
        assert recipients(notify(found, "Hello")) == users(*chosen[1:])

    def test_a_sliced_queryset(self) -> None:
        chosen = make_users(5)
        name = get_user_model().USERNAME_FIELD
        assert recipients(notify(get_user_model()._default_manager.order_by(name)[1:3], "Hello")) == users(*chosen[1:3])

    def test_a_group(self) -> None:
        group = Group.objects.create(name="staff")
        chosen = make_users(3)
        group.user_set.add(*chosen[:2])
        assert recipients(notify(group, "Hello")) == users(*chosen[:2])

    def test_one_who_is_named_twice_gets_one_copy(self) -> None:
        alice = make_user()
        notify([alice, alice], "Hello")
        assert written() == (1, 1)

    def test_one_whom_a_join_finds_twice_gets_one_copy(self) -> None:
        alice = make_user()
        groups = [Group.objects.create(name=name) for name in ("one", "two")]
        alice.groups.add(*groups)
        notify(get_user_model()._default_manager.filter(groups__in=groups), "Hello")
        assert written() == (1, 1)

    @pytest.mark.parametrize("to", [[], (), iter(())])
    def test_nobody_is_no_mistake(self, to: Any) -> None:
        assert notify(to, "Hello").pk is not None
        assert written() == (1, 0)

    @pytest.mark.parametrize(
        "to",
        [
            None,
            7,
            "alice",
            b"alice",
            {"alice": 1},
            pytest.param(object(), id="an object"),
            pytest.param(AnonymousUser(), id="nobody"),
            [7],
            [None],
            ["alice"],
            pytest.param([AnonymousUser()], id="[nobody]"),
        ],
        ids=repr,
    )
    def test_anything_else_is_refused_and_nothing_is_written(self, to: Any) -> None:
        with pytest.raises(TypeError, match=r"`to` (must be|holds)"):
            notify(to, "Hello")
        assert written() == (0, 0)

    def test_a_queryset_of_something_else_is_refused(self) -> None:
        with pytest.raises(TypeError, match="queryset of Group"):
            notify(Group.objects.all(), "Hello")  # type: ignore[arg-type]

    @pytest.mark.parametrize("wrap", [lambda user: user, lambda user: [make_user(), user]], ids=["alone", "in a list"])
    def test_a_user_that_was_not_saved_is_refused(self, wrap: Callable[[Any], Any]) -> None:
        unsaved = get_user_model()()
        unsaved.pk = None
        with pytest.raises(ValueError, match=r"save\(\)"):
            notify(wrap(unsaved), "Hello")
        assert written() == (0, 0)

    @pytest.mark.parametrize("actor", [7, "alice", AnonymousUser()], ids=str)
    def test_an_actor_that_is_no_user_is_refused(self, actor: Any) -> None:
        with pytest.raises(TypeError, match="`actor` must be"):
            notify(make_user(), "Hello", actor=actor)


class TestFields:
    """What a notification may hold; beyond it the field is named and nothing is written."""

    def test_every_field_is_stored(self) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        soon = timezone.now() + timedelta(hours=1)
        fields: dict[str, Any] = {
            "body": "Two lines.\nThe second.",
            "url": "/posts/7/?page=2#last",
            "level": "warning",
            "kind": "comment.created",
            "category": "comments",
            "data": {"post": 7, "tags": ["a", None, 1.5], "ключ": "✓"},
            "expires_at": soon,
        }
        notice = notify(alice, "A comment", actor=bob, **fields)
        notice.refresh_from_db()
        assert (notice.title, notice.actor) == ("A comment", bob)
        assert {name: getattr(notice, name) for name in fields} == fields

    def test_lazy_text_is_stored_as_text_in_the_senders_language(self) -> None:
        lazy: Any = gettext_lazy("Notifications")
        address: Any = reverse_lazy("admin:index")
        with translation.override("de"):
            notice = notify(make_user(), lazy, body=lazy, url=address, data={"title": lazy})
        notice.refresh_from_db()
        german = "Benachrichtigungen"
        assert (notice.title, notice.body, notice.data) == (german, german, {"title": german})
        assert notice.url == "/admin/"

    @pytest.mark.parametrize("field", ["title", "kind", "category"])
    @pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\n", "a\u2028b", "a\x85b", "a\x0bb"])
    def test_a_title_and_a_name_are_of_one_line(self, field: str, text: str) -> None:
        with pytest.raises(ValidationError, match="single line") as refusal:
            notify_with(make_user(), field, text)
        assert list(refusal.value.message_dict) == [field]

    def test_data_is_stored_as_djangos_encoder_writes_it(self) -> None:
        name = UUID("7a0e5bbd-0000-4000-8000-000000000000")
        moment = datetime(2030, 1, 2, 3, 4, 5, 6_000, tzinfo=UTC)
        data = {
            "price": Decimal("9.90"),
            "name": name,
            "day": moment.date(),
            "at": [moment],
            "took": timedelta(hours=1),
        }
        notice = notify(make_user(), "Sold", data=data)
        plain = {
            "price": "9.90",
            "name": str(name),
            "day": "2030-01-02",
            "at": ["2030-01-02T03:04:05.006Z"],
            "took": "P0DT01H00M00S",
        }
        assert notice.data == plain
        notice.refresh_from_db()
        assert notice.data == plain
        assert Notice.objects.create(title="Sold", data=data).data is data  # so too for those who write rows themselves

    def test_markup_is_stored_as_the_text_that_it_is(self) -> None:
        notice = notify(make_user(), "<b>bold</b> & more")
        notice.refresh_from_db()
        assert notice.title == "<b>bold</b> & more"

    @pytest.mark.parametrize(
        ("field", "longest", "too_long"),
        [
            ("title", "é" * 200, "é" * 201),
            ("body", "é" * 4_000, "é" * 4_001),
            ("url", "/" + "x" * 1_999, "/" + "x" * 2_000),
            ("kind", "x" * 100, "x" * 101),
            ("category", "x" * 100, "x" * 101),
            ("dedupe_key", "x" * 200, "x" * 201),
            ("data", {"x": "x" * (8 * 1024 - 8)}, {"x": "x" * (8 * 1024 - 7)}),
        ],
    )
    def test_each_field_holds_its_limit_and_not_more(self, field: str, longest: Any, too_long: Any) -> None:
        alice = make_user()
        notify_with(alice, field, longest)
        with pytest.raises(ValidationError) as refusal:
            notify_with(alice, field, too_long)
        assert list(refusal.value.message_dict) == [field]
        assert written() == (1, 1)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", ""),
            ("title", None),
            ("body", None),
            ("url", None),
            ("level", "fatal"),
            ("level", ""),
            ("level", None),
            ("kind", None),
            ("category", None),
            ("dedupe_key", ""),
            ("dedupe_key", 7),
            ("expires_at", datetime(2030, 1, 1)),  # noqa: DTZ001  # naive on purpose
            ("expires_at", datetime.fromisoformat("9999-12-31T23:59-08:00")),  # beyond the calendar in UTC
            ("expires_at", "tomorrow"),
            ("expires_at", "2030-01-01T12:00:00"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, field: str, value: Any) -> None:
        with pytest.raises(ValidationError) as refusal:
            notify_with(make_user(), field, value)
        assert list(refusal.value.message_dict) == [field]
        assert written() == (0, 0)

    @pytest.mark.parametrize("field", ["title", "body", "url", "kind", "category", "dedupe_key"])
    @pytest.mark.parametrize("text", ["/nul\x00", "/half \ud800"], ids=["null character", "half a surrogate pair"])
    def test_text_that_no_database_holds_is_refused(self, field: str, text: str) -> None:
        with pytest.raises(ValidationError) as refusal:
            notify_with(make_user(), field, text)
        assert list(refusal.value.message_dict) == [field]
        assert written() == (0, 0)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "/",
            "/posts/7/?q=a+b#c",
            "/posts/ü/",
            "https://example.org",
            "HTTPS://example.org/a?b=c#d",
            "http://[::1]:8000/",
        ],
    )
    def test_a_web_address_or_a_path_is_a_link(self, url: str) -> None:
        assert notify(make_user(), "Hello", url=url).url == url

    @pytest.mark.parametrize(
        "url",
        [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            " javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "//example.org/",
            "/\\example.org/",
            "\\\\example.org",
            "/a b",
            "/a\nb",
            "/\x7f",
            "https:example.org",
            "https:///path",
            "https://[::1/",
            "ftp://example.org/",
            "mailto:bob@example.org",
            "posts/7/",
            "?page=2",
            "#top",
        ],
    )
    def test_anything_else_is_no_link(self, url: str) -> None:
        with pytest.raises(ValidationError) as refusal:
            notify(make_user(), "Hello", url=url)
        assert list(refusal.value.message_dict) == ["url"]


CIRCLE: dict[str, Any] = {}
CIRCLE["again"] = CIRCLE


class TestData:
    """`data` is a JSON object for the project's own front end."""

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(None, id="nothing"),
            pytest.param({}, id="an empty one"),
            pytest.param({"n": 2**70, "f": -1.5e-7}, id="numbers beyond the usual"),
            pytest.param({"text": "back\\u0000slash"}, id="a backslash"),
            pytest.param(json.loads('{"a":' * 30 + "1" + "}" * 30), id="a deep one"),
        ],
    )
    def test_a_json_object_is_read_back_as_it_was(self, data: Any) -> None:
        notice = notify(make_user(), "Hello", data=data)
        notice.refresh_from_db()
        assert notice.data == (data or {})

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param([], id="an empty list"),
            pytest.param([1], id="a list"),
            pytest.param("", id="an empty text"),
            pytest.param("text", id="a text"),
            pytest.param(7, id="a number"),
            pytest.param(False, id="false"),
            pytest.param({"at": time(12, tzinfo=UTC)}, id="a time of day with a zone"),
            pytest.param({"of": object()}, id="an object"),
            pytest.param({"n": float("nan")}, id="not a number"),
            pytest.param({"n": float("inf")}, id="infinity"),
            pytest.param({(1, 2): 3}, id="a key that is no text"),
            pytest.param({"text": "\x00"}, id="a null character"),
            pytest.param({"\x00": 1}, id="a null character in a key"),
            pytest.param({"text": "\\\x00"}, id="a null character after a backslash"),
            pytest.param({"text": "\ud800"}, id="half a surrogate pair"),
            pytest.param(CIRCLE, id="a circle"),
            pytest.param(json.loads('{"a":' * 31 + "1" + "}" * 31), id="an abyss"),
        ],
    )
    def test_what_is_none_is_refused(self, data: Any) -> None:
        with pytest.raises(ValidationError) as refusal:
            notify(make_user(), "Hello", data=data)
        assert list(refusal.value.message_dict) == ["data"]
        assert written() == (0, 0)


class TestDedupe:
    """A `dedupe_key` makes a send idempotent for each recipient."""

    def test_a_repeated_send_returns_the_first_notice_and_writes_nothing(self) -> None:
        alice = make_user()
        first = notify(alice, "Hello", dedupe_key="hello")
        assert notify(alice, "Hello again", dedupe_key="hello") == first
        assert written() == (1, 1)

    def test_another_key_and_no_key_are_other_sends(self) -> None:
        alice = make_user()
        for key in ("one", "two", None, None):
            notify(alice, "Hello", dedupe_key=key)
        assert written() == (4, 4)

    def test_a_send_repeated_with_more_recipients_reaches_only_the_new_ones(self) -> None:
        alice, bob, carol = make_user("alice"), make_user("bob"), make_user("carol")
        first = notify([alice, bob], "Hello", dedupe_key="hello")
        second = notify([alice, bob, carol], "Hello", dedupe_key="hello")
        assert (recipients(first), recipients(second)) == (users(alice, bob), users(carol))

    def test_nobody_to_notify_is_no_mistake_with_a_key_either(self) -> None:
        assert notify([], "Hello", dedupe_key="hello").pk is not None

    @pytest.mark.django_db(transaction=True)
    def test_two_sends_at_once_store_one_copy_and_agree_on_the_notice(self) -> None:
        chosen = make_users(20)
        notices = together(*[lambda: notify(chosen, "Hello", dedupe_key="hello")] * 4)
        assert written() == (1, 20)
        assert len({notice.pk for notice in notices}) == 1


class TestTransaction:
    """The rows join the caller's transaction, and nothing is announced before it commits."""

    def test_positions_come_after_the_commit(self, django_capture_on_commit_callbacks: Any) -> None:
        alice = make_user()
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            notify(alice, "Hello")
            assert Notification.objects.get().modseq is None
        assert len(callbacks) == 1
        assert Notification.objects.get().modseq == Inbox.objects.get(user=alice).head == 1

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing_behind(self) -> None:
        alice = make_user()
        with transaction.atomic():
            notify(alice, "Hello")
            transaction.set_rollback(True)
        assert written() == (0, 0)
        assert not Inbox.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_recipient_that_is_wrong_in_the_middle_undoes_the_whole_send(self) -> None:
        wrong = [*make_users(1_001), "bob"]
        with transaction.atomic():
            with pytest.raises(TypeError):
                notify(wrong, "Hello")
            make_user("after")  # the caller's transaction goes on
        assert written() == (0, 0)
        assert get_user_model()._default_manager.count() == 1_002

    @pytest.mark.django_db(transaction=True)
    def test_a_failure_after_the_commit_does_not_reach_the_caller(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*args: Any) -> None:
            raise OSError("the database went away")

        monkeypatch.setattr("notifications.live.commit.sequence_now", fail)
        notify(make_user(), "Hello")
        assert written() == (1, 1)
        assert "the database went away" in caplog.text

    def test_many_recipients_cost_a_constant_number_of_queries_per_thousand(self) -> None:
        make_users(3_000)
        everybody = get_user_model()._default_manager.order_by("pk")
        costs = []
        for number in (1_000, 2_000, 3_000):
            with CaptureQueriesContext(connection) as queries:
                notify(everybody[:number], "Hello")
            costs.append(len(queries))
        # One for what they have chosen, and 20 inserts: SQLite takes 999 values at once, which are 52 copies.
        assert costs[2] - costs[1] == costs[1] - costs[0] <= 21


class AsyncTests(TestCase):
    async def test_the_async_twin_stores_the_same(self) -> None:
        alice = await get_user_model()._default_manager.acreate(**{get_user_model().USERNAME_FIELD: "alice"})
        notice = await anotify(alice, "Hello", body="World", level="success")
        stored = await Notification.objects.select_related("notice").aget(recipient=alice)
        assert (stored.notice, stored.notice.body, stored.notice.level) == (notice, "World", "success")

    async def test_the_async_twin_refuses_the_same(self) -> None:
        with pytest.raises(TypeError):
            await anotify("alice", "Hello")  # type: ignore[arg-type]
