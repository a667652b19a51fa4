"""The test kit's `captured`: what was sent while a block ran."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase
from django.utils import timezone
from django.utils.translation import gettext_lazy

from notifications.kinds import Kind, kind, registry
from notifications.models import Broadcast, Notice, Outbox
from notifications.services import abroadcast, anotify, broadcast, mark_all_read, notify, recall_broadcast, withdraw
from notifications.testing import captured, make
from tests.factories import make_user, make_users, stamp
from tests.kinds.notices import Joined, Named

if TYPE_CHECKING:
    Case = SimpleTestCase
else:
    Case = object  # what is derived from it runs on several of Django's test cases


class Rollback(Exception):
    """Somebody's change of mind."""


def notify_and_fail(user: Any, title: str) -> None:
    notify(user, title)
    raise Rollback


class WhereverItRuns(Case):
    """What holds with and without commits."""

    def setUp(self) -> None:
        self.alice, self.bob = make_users(2)

    def test_what_was_sent_in_the_block_is_there_and_nothing_else(self) -> None:
        notify(self.alice, "before")
        with captured() as sent:
            notify([self.alice, self.bob], "within", url="/orders/7/")
        notify(self.alice, "after")
        assert [notice.title for notice in sent.notices] == ["within"]
        assert [notice.url for notice in sent.to(self.bob)] == ["/orders/7/"]
        sent.assert_notified(self.alice, "within")
        sent.assert_notified(self.alice, url="/orders/7/", level="info")

    def test_what_is_rolled_back_was_not_sent(self) -> None:
        with captured() as sent, transaction.atomic():
            notify(self.alice, "kept")
            with pytest.raises(Rollback), transaction.atomic():
                notify_and_fail(self.alice, "dropped")
        assert [notice.title for notice in sent.notices] == ["kept"]

    def test_blocks_may_be_nested(self) -> None:
        with captured() as outer:
            notify(self.alice, "one")
            with captured() as inner:
                notify(self.alice, "two")
            notify(self.alice, "three")
        assert [notice.title for notice in inner.notices] == ["two"]
        assert [notice.title for notice in outer.notices] == ["one", "two", "three"]

    def test_it_can_be_asked_within_the_block(self) -> None:
        with captured() as sent:
            sent.assert_nothing_notified()
            notify(self.alice, "within")
            sent.assert_notified(self.alice, "within")

    def test_a_block_that_raises_can_be_asked_too(self) -> None:
        with pytest.raises(Rollback), captured() as sent:
            notify_and_fail(self.alice, "sent before it failed")
        sent.assert_notified(self.alice, "sent before it failed")

    async def test_the_asynchronous_verbs_are_collected_and_asked_without_a_query(self) -> None:
        async with captured() as sent:
            await anotify(self.alice, "within")
            await abroadcast("to all", to="everyone")
        sent.assert_notified(self.alice, "within")
        sent.assert_notified(self.bob, "to all")


class WithoutCommitTests(WhereverItRuns, TestCase):
    pass


class SimpleTests(WhereverItRuns, SimpleTestCase):
    databases = {"default"}

    def tearDown(self) -> None:
        for model in (Broadcast, Notice, Outbox, get_user_model()):
            model._default_manager.all().delete()


class WithCommitTests(WhereverItRuns, TransactionTestCase):
    def test_what_a_thread_has_stored_is_collected(self) -> None:
        def work() -> None:
            notify(self.alice, "from a thread")
            connection.close()

        with captured() as sent:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        sent.assert_notified(self.alice, "from a thread")


class WhatCountsTests(TestCase):
    def setUp(self) -> None:
        self.alice, self.bob = make_users(2)

    def test_what_is_withdrawn_in_the_block_was_not_sent_in_the_end(self) -> None:
        with captured() as sent:
            withdraw(notify(self.alice, "a mistake"))
        sent.assert_nothing_notified()

    def test_what_is_withdrawn_later_was_sent(self) -> None:
        with captured() as sent:
            notice = notify(self.alice, "a mistake")
        withdraw(notice)
        sent.assert_notified(self.alice, "a mistake")

    def test_what_a_dedupe_key_holds_back_was_not_sent(self) -> None:
        notify(self.alice, "once", dedupe_key="order:7")
        with captured() as sent:
            notify(self.alice, "once", dedupe_key="order:7")
        sent.assert_nothing_notified()

    def test_each_event_of_an_item_that_grows_was_sent(self) -> None:
        with captured() as sent:
            for actor in (self.alice, self.bob):
                notify(self.alice, f"{actor} commented", kind="comment", group="post:7", actor=actor)
                stamp(self.alice)
        sent.assert_notified(self.alice, kind="comment", count=2)

    def test_what_reaches_nobody_was_not_sent(self) -> None:
        with captured() as sent:
            notify([], "to nobody")
        sent.assert_nothing_notified()

    def test_a_broadcast_counts_for_its_audience_which_need_not_have_visited(self) -> None:
        with captured() as sent:
            broadcast("for alice", to=self.alice)
            recall_broadcast(broadcast("recalled", to="everyone"))
            broadcast("later", to="everyone", publish_at=timezone.now() + timedelta(hours=1))
        assert [notice.title for notice in sent.to(self.alice)] == ["for alice"]
        sent.assert_nothing_notified(self.bob)

    def test_reading_what_was_sent_changes_nothing(self) -> None:
        with captured() as sent:
            notify(self.alice, "read")
            mark_all_read(self.alice)
        sent.assert_notified(self.alice, "read")

    def test_it_costs_few_queries_however_much_was_sent(self) -> None:
        for number in range(20):
            notify([self.alice, self.bob], f"{number}", actor=self.alice)
        broadcast("to all", to="everyone")
        with self.assertNumQueries(2):  # the newest notice, and what waits for its time
            block = captured()
            sent = block.__enter__()
        sent._after = 0
        with self.assertNumQueries(5):  # notices, copies, broadcasts, the audience of the one, names
            block.__exit__(None, None, None)
        with self.assertNumQueries(0):
            assert len(sent.to(self.bob)) == 21


class MessageTests(TestCase):
    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")
        with captured() as self.sent:
            notify(self.alice, "Order 7 has shipped", url="/orders/7/", kind="order.shipped")
            notify([self.alice, self.bob], "Order 8 is late", level="warning")

    def fails(self, *arguments: Any, **expected: Any) -> str:
        with pytest.raises(AssertionError) as failure:
            self.sent.assert_notified(*arguments, **expected)
        return str(failure.value)

    def test_it_says_what_was_sent_instead_and_how_the_nearest_differs(self) -> None:
        assert self.fails(self.alice, "Order 7 has shipped", url="/orders/8/", kind="order.shipped") == (
            "alice was notified 0 times, not once, of "
            "title='Order 7 has shipped', url='/orders/8/', kind='order.shipped'.\n"
            "In all, alice was notified of:\n"
            "  1. 'Order 7 has shipped', kind='order.shipped', url='/orders/7/'\n"
            "  2. 'Order 8 is late'\n"
            "The nearest is 1, but:\n"
            "  its url is '/orders/7/', not '/orders/8/'"
        )

    def test_it_says_who_was_notified_in_place_of_the_user(self) -> None:
        assert self.fails(make_user("carol"), "Order 8 is late") == (
            "carol was notified 0 times, not once, of title='Order 8 is late'.\n"
            "carol was notified of nothing. To others were sent:\n"
            "  1. 'Order 7 has shipped', kind='order.shipped', url='/orders/7/', to alice\n"
            "  2. 'Order 8 is late', to alice, bob"
        )

    def test_once_too_often_is_a_failure(self) -> None:
        with captured() as self.sent:
            for _ in range(2):
                notify(self.bob, "Twice")
        assert self.fails(self.bob, "Twice") == (
            "bob was notified twice, not once, of title='Twice'.\n"
            "In all, bob was notified of:\n  1. 'Twice'\n  2. 'Twice'"
        )
        self.sent.assert_notified(self.bob, "Twice", count=2)

    def test_nothing_at_all_is_said_so(self) -> None:
        with captured() as self.sent:
            pass
        assert self.fails(self.bob) == "bob was notified 0 times, not once, of anything.\nNothing was sent to anybody."

    def test_what_should_not_have_been_sent_is_listed(self) -> None:
        with pytest.raises(AssertionError) as failure:
            self.sent.assert_nothing_notified(self.bob)
        assert str(failure.value) == "bob was notified of:\n  1. 'Order 8 is late'"
        with pytest.raises(AssertionError, match=r"Somebody was notified of:\n.*to alice\n.*to alice, bob"):
            self.sent.assert_nothing_notified()

    def test_of_many_recipients_some_are_named(self) -> None:
        with captured() as sent:
            notify(make_users(30), "To many")
        with pytest.raises(AssertionError, match=r"user0, .* and 10 more$"):
            sent.assert_nothing_notified()

    def test_lazy_titles_and_data_compare_by_what_they_say(self) -> None:
        title: Any = gettext_lazy("Notification")
        with captured() as sent:
            notify(self.bob, title, data={"at": timedelta(1)}, actor=self.alice)
        sent.assert_notified(self.bob, title, data={"at": "P1DT00H00M00S"}, actor=self.alice)

    def test_a_field_that_there_is_not_is_named_with_those_that_there_are(self) -> None:
        with pytest.raises(TypeError, match=r"A notification has no 'link'; it has actor, body, category, .*url"):
            self.sent.assert_notified(self.alice, link="/orders/7/")

    async def test_asking_within_an_asynchronous_block_says_when_to_ask(self) -> None:
        async with captured() as sent:
            with pytest.raises(SynchronousOnlyOperation, match="after the block"):
                sent.assert_nothing_notified()


class KindTests(TestCase):
    def setUp(self) -> None:
        self.alice, self.bob = make_user("alice"), make_user("bob")
        self.group = Group.objects.create(name="Editors")
        with captured() as self.sent:
            notify(self.alice, Joined(key="bob"))
            notify(self.alice, Named(group=self.group, user=self.bob))
            notify(self.alice, "User bob")

    def fails(self, *arguments: Any, **expected: Any) -> str:
        with pytest.raises(AssertionError) as failure:
            self.sent.assert_notified(self.alice, *arguments, **expected)
        return str(failure.value)

    def test_a_kind_is_expected_by_its_class_some_facts_or_all(self) -> None:
        self.sent.assert_notified(self.alice, Joined)
        self.sent.assert_notified(self.alice, Joined, key="bob", url="/users/bob/", level="success")
        self.sent.assert_notified(self.alice, Joined(key="bob"))
        self.sent.assert_notified(self.alice, Named, group=self.group, user=self.bob.pk)
        self.sent.assert_notified(self.alice, Joined, key="carol", count=0)

    def test_a_title_is_that_of_a_kind_too(self) -> None:
        self.sent.assert_notified(self.alice, "User bob", count=2)

    def test_what_is_deleted_since_is_still_what_was_sent(self) -> None:
        with captured() as self.sent:
            notify(self.alice, Named(group=self.group))
            pk = self.group.pk
            Group.objects.all().delete()
        self.sent.assert_notified(self.alice, Named, group=pk)
        self.sent.assert_notified(self.alice, Named, group=Group(pk=pk))
        self.sent.assert_notified(self.alice, Named, group=pk + 1, count=0)

    def test_an_instance_that_is_none_is_no_key(self) -> None:
        self.sent.assert_notified(self.alice, Named, user=None, count=0)

    def test_the_message_names_facts(self) -> None:
        assert self.fails(Joined, key="carol") == (
            "alice was notified 0 times, not once, of Joined(key='carol').\n"
            "In all, alice was notified of:\n"
            "  1. Joined(key='bob', at=None), which says 'User bob'\n"
            f"  2. Named(group=<Group: Editors>, user={self.bob!r}, others=[]), which says 'User Editors'\n"
            "  3. 'User bob'\n"
            "The nearest is 1, but:\n"
            "  its key is 'bob', not 'carol'"
        )

    def test_another_kind_is_farther_than_any_fact(self) -> None:
        with captured() as self.sent:
            notify(self.alice, "User bob")
        assert self.fails(Joined, key="carol").endswith("its kind is '', not Joined")

    def test_a_fact_that_there_is_not_is_named_with_those_that_there_are(self) -> None:
        with pytest.raises(TypeError, match=r"Joined has no 'name'; it has .*, at, .*key"):
            self.sent.assert_notified(self.alice, Joined, name="bob")

    async def test_facts_are_read_with_the_block(self) -> None:
        async with captured() as sent:
            await anotify(self.alice, Named(group=self.group))
        sent.assert_notified(self.alice, Named, group=self.group)


@dataclass
class Parcel:
    weight: Decimal
    notes: list[str]


class Size(Enum):
    SMALL = "small"


class MakeTests(TestCase):
    def test_only_the_facts_that_matter_are_given(self) -> None:
        assert make(Joined) == Joined(key="key")
        assert make(Joined, key="bob") == Joined(key="bob")

    def test_there_is_an_example_of_each_type_that_is_stored(self) -> None:
        @kind("tests.made")
        class Made(Kind):
            flag: bool
            ratio: Annotated[float, "between"]
            word: Literal["a", "b"]
            when: datetime
            day: date
            pause: timedelta
            number: UUID
            size: Size
            parcel: Parcel
            counts: dict[str, int]
            perhaps: Group | None
            either: int | str
            title = "Made"

        self.addCleanup(registry.pop, "tests.made")
        alice = make_user("alice")
        with captured() as sent:
            notify(alice, make(Made))
        sent.assert_notified(alice, make(Made))

    def test_a_kinds_own_sample_gives_the_examples(self) -> None:
        @kind("tests.sampled")
        class Sampled(Kind):
            number: int
            word: str
            title = "Sampled"

            @classmethod
            def sample(cls) -> Self:
                return cls(number=7, word="seven")

        self.addCleanup(registry.pop, "tests.sampled")
        assert make(Sampled, word="VII") == Sampled(number=7, word="VII")

    def test_a_model_instance_has_to_be_given(self) -> None:
        with pytest.raises(TypeError, match=r"Named.group has no example of its own: make\(Named, group=…\)"):
            make(Named)
        group = Group.objects.create(name="Editors")
        assert make(Named, group=group).group == group

    def test_a_fact_that_there_is_not_is_named_with_those_that_there_are(self) -> None:
        with pytest.raises(TypeError, match="Joined has no fact 'name'; it has key, at"):
            make(Joined, name="bob")
