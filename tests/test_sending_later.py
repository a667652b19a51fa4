"""Send later, cancel, and edit: what waits is out of reach of every reader, and what was sent changes where it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.inbox import due
from notifications.inbox.counts import Counts, counts
from notifications.inbox.reading import page
from notifications.inbox.stream import INBOX
from notifications.kinds import Kind, kind, registry
from notifications.live import messages
from notifications.live.cursor import Position
from notifications.live.relay import Relay, serving
from notifications.live.replay import changes_since
from notifications.live.sequencer import sequence
from notifications.models import Inbox, Notice, Notification
from notifications.services import (
    archive,
    broadcast,
    edit_notice,
    mark_read,
    notify,
    prune,
    release_due,
    snooze,
    unarchive,
    unsnooze,
    withdraw,
)
from notifications.signals import notification_stored

from .factories import make_user, make_users, stamp, tell
from .threads import together

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def later() -> datetime:
    return timezone.now() + HOUR


def let_pass() -> None:
    """Let the time come of all that waits."""
    Notification.objects.filter(snoozed_until__isnull=False).update(snoozed_until=timezone.now() - HOUR)


def titles(user: Any, state: Any = "all") -> list[str]:
    return [item.title for item in page(user, state).items]


def changes(user: Any, after: int) -> list[Any]:
    [batch] = changes_since(INBOX, {user.pk: Position(Inbox.objects.get(user=user).epoch, after)}).values()
    return [item for frame in batch.frames for item in json.loads(frame.data).get("items", [])]


def head(user: Any) -> int:
    return Inbox.objects.get(user=user).head


def told_of_turns(work: Callable[[], object]) -> int:
    """Do something in a process, and return how often it has told its own tasks, and all others, to take a turn."""

    async def play() -> int:
        one = Relay(asyncio.get_running_loop(), alone=True)
        async with serving(one):
            with patch.object(one.periodic, "wake") as wake, patch.object(one.broker, "post") as post:
                await sync_to_async(work)()
                await asyncio.sleep(0)
            told = [call for call in post.mock_calls if isinstance(call.args[0], messages.Turn)]
            assert len(told) == wake.call_count
            return len(told)

    return async_to_sync(play)()


@pytest.fixture
def alice() -> Any:
    alice = make_user("alice")
    tell(alice, "Before")
    return alice


class TestLater:
    """What waits for its time."""

    def test_nobody_has_it_before_and_it_comes_on_top_and_live(self, alice: Any) -> None:
        at = later()
        notify(alice, "Later", send_at=at)
        stamp(alice)
        tell(alice, "Meanwhile")
        before = head(alice)
        for state in ("all", "unread", "archived", "snoozed"):
            assert "Later" not in titles(alice, state)
        assert counts([alice.pk])[alice.pk] == Counts(2, 2)
        assert release_due() == 0
        let_pass()
        assert (release_due(), release_due()) == (1, 0)
        assert titles(alice) == ["Later", "Meanwhile", "Before"]
        [told] = changes(alice, before)
        assert told["title"] == "Later"
        assert [told[name] for name in ("read_at", "archived_at", "snoozed_until")] == [None] * 3
        assert datetime.fromisoformat(told["created_at"]) == at

    def test_what_lies_in_the_past_is_sent_at_once(self, alice: Any) -> None:
        notify(alice, "Now", send_at=timezone.now() - HOUR)
        assert titles(alice) == ["Now", "Before"]

    @pytest.mark.django_db(transaction=True)
    def test_every_process_is_told_of_what_is_due_before_it_would_look(self, alice: Any) -> None:
        soon = timezone.now() + timedelta(seconds=5)
        assert told_of_turns(lambda: notify(alice, "Soon", send_at=soon)) == 1
        assert told_of_turns(lambda: notify(alice, "Later", send_at=later())) == 0
        [one] = tell(alice, "One")
        assert told_of_turns(lambda: snooze(alice, [one], later())) == 0
        assert told_of_turns(lambda: snooze(alice, [one], soon)) == 1
        assert told_of_turns(lambda: snooze(alice, [one + 1], soon)) == 0, "there is no such notification"

    def test_it_can_be_cancelled_and_is_pruned_then(self, alice: Any) -> None:
        notice = notify([alice, make_user("bob")], "Later", send_at=later())
        before = head(alice)
        assert (withdraw(notice), withdraw(notice)) == (2, 0)
        let_pass()
        assert release_due() == 0
        stamp(alice)
        assert changes(alice, before) == []
        Notice.objects.filter(pk=notice.pk).update(created_at=timezone.now() - HOUR)
        prune(timezone.now() + HOUR)
        assert not Notice.objects.filter(pk=notice.pk).exists()

    def test_pruning_keeps_what_waits(self, alice: Any) -> None:
        notice = notify(alice, "Later", send_at=later())
        prune(timezone.now() + 100 * HOUR)
        assert Notification.objects.filter(notice=notice).exists()

    def test_its_recipient_cannot_change_it(self, alice: Any) -> None:
        notify(alice, "Later", send_at=later())
        row = Notification.objects.get(notice__title="Later")
        for verb in (mark_read, archive, unarchive, unsnooze):
            assert verb(alice, [row.pk]) == 0
        assert snooze(alice, [row.pk], later()) == 0

    def test_it_joins_its_group_when_its_time_comes(self, alice: Any) -> None:
        notify(alice, "First", group="g")
        stamp(alice)
        notify(alice, "Second", group="g", send_at=later())
        stamp(alice)
        assert titles(alice) == ["First", "Before"]
        let_pass()
        release_due()
        [item, _before] = page(alice).items
        assert item.group
        assert (item.title, item.group.events) == ("Second", 2)

    def test_a_dedupe_key_is_taken_from_the_beginning(self, alice: Any) -> None:
        notice = notify(alice, "Later", dedupe_key="once", send_at=later())
        assert notify(alice, "Later", dedupe_key="once") == notice
        let_pass()
        release_due()
        assert titles(alice) == ["Later", "Before"]

    @pytest.mark.parametrize("send_at", [datetime(2099, 1, 1)])  # noqa: DTZ001
    def test_a_time_needs_a_zone(self, alice: Any, send_at: Any) -> None:
        with pytest.raises(ValidationError) as refused:
            notify(alice, "Later", send_at=send_at)
        assert list(refused.value.error_dict) == ["send_at"]

    def test_a_thousand_cost_what_a_thousand_do_that_are_sent_now(self) -> None:
        users = make_users(300)

        def price(**fields: Any) -> int:
            with CaptureQueriesContext(connection) as queries:
                notify(users, "Title", **fields)
            return len(queries)

        assert price(send_at=later()) <= price()
        let_pass()
        assert release_due() == 300

    def test_a_turn_knows_when_it_is_due(self, alice: Any) -> None:
        notify(alice, "Later", send_at=timezone.now() + timedelta(seconds=5))
        assert 3 < (due.take_turn() or 0) <= 5


class SignalTests(TransactionTestCase):
    def test_applications_are_told_when_it_is_sent_and_in_one_process_of_several(self) -> None:
        users = make_users(3)
        heard: list[tuple[str, list[Any]]] = []

        def hear(sender: Any, notice: Notice, recipients: Any, **_more: Any) -> None:
            heard.append((notice.title, sorted(recipients)))

        notification_stored.connect(hear)
        try:
            notify(users, "Later", send_at=later())
            assert heard == []
            let_pass()
            release_due()
        finally:
            notification_stored.disconnect(hear)
        assert heard == [("Later", sorted(user.pk for user in users))]

    def test_several_processes_send_each_once(self) -> None:
        users = make_users(20)
        notify(users, "Later", send_at=later())
        let_pass()
        together(*[release_due] * 4)
        assert {head(user) for user in users} == {1}
        assert [titles(user) for user in users] == [["Later"]] * 20


@pytest.fixture
def shipped() -> Iterator[Any]:
    """Declare a kind."""
    before = dict(registry)

    @kind("tests.shipped", category="orders")
    class Shipped(Kind):
        order: int

        def title(self) -> str:
            return f"Order {self.order}"

    yield Shipped
    registry.clear()
    registry.update(before)


class TestEditing:
    """What was sent changes where it is."""

    def test_every_field_changes_live_and_what_is_read_stays_read(self, alice: Any) -> None:
        notice = notify(alice, "Titel", level="info")
        stamp(alice)
        mark_read(alice, [page(alice).items[0].id])
        stamp(alice)
        before = head(alice)
        assert edit_notice(notice, "Title", body="More", url="/7/", level="error", category="c", data={"a": 1}) == 1
        stamp(alice)
        [told] = changes(alice, before)
        assert [told[name] for name in ("title", "body", "url", "level", "category", "data")] == [
            "Title", "More", "/7/", "error", "c", {"a": 1},
        ]  # fmt: skip
        assert told["read_at"]
        assert notice.title == "Title"

    def test_facts_change_and_the_fallback_with_them(self, alice: Any, shipped: Any) -> None:
        notice = notify(alice, shipped(order=7))
        assert edit_notice(notice, shipped(order=8)) == 1
        assert titles(alice) == ["Order 8", "Before"]
        notice.refresh_from_db()
        assert (notice.title, notice.category, notice.facts) == ("Order 8", "orders", {"order": 8})

    def test_what_does_not_fit_is_refused_and_nothing_changes(self, alice: Any, shipped: Any) -> None:
        plain, made = notify(alice, "Plain"), notify(alice, shipped(order=7))

        @kind("tests.other")
        class Other(Kind):
            title = "Other"

        refused: list[tuple[type[Exception], Notice, Any, dict[str, Any]]] = [
            (ValidationError, plain, "x" * 201, {}),
            (ValidationError, plain, None, {"url": "javascript:alert(1)"}),
            (TypeError, plain, shipped(order=1), {}),
            (TypeError, made, "Title", {}),
            (TypeError, made, None, {"body": "More"}),
            (TypeError, made, shipped(order=1), {"body": "More"}),
            (ValueError, made, Other(), {}),
        ]
        for error, notice, what, fields in refused:
            with pytest.raises(error):
                edit_notice(notice, what, **fields)
        assert titles(alice) == ["Order 7", "Plain", "Before"]

    def test_a_broadcast_has_a_verb_of_its_own(self, alice: Any) -> None:
        sent = broadcast("To all", to="everyone")
        assert sent.notice
        with pytest.raises(ValueError, match="edit_broadcast"):
            edit_notice(sent.notice, "Title")

    def test_what_was_withdrawn_stays_so(self, alice: Any) -> None:
        notice = notify(alice, "Wrong")
        withdraw(notice)
        assert edit_notice(notice, "Right") == 0

    def test_what_waits_is_edited_before_it_is_sent(self, alice: Any) -> None:
        notice = notify(alice, "Wrong", send_at=later())
        assert edit_notice(notice, "Right", expires_at=timezone.now() + 3 * HOUR) == 1
        stamp(alice)
        assert titles(alice) == ["Before"]
        let_pass()
        release_due()
        assert titles(alice) == ["Right", "Before"]

    def test_an_item_shows_the_change_of_the_event_that_it_shows(self, alice: Any) -> None:
        events = []
        for title in ("1", "2"):
            events.append(notify(alice, title, group="g"))
            stamp(alice)
        before = head(alice)
        edit_notice(events[0], "One")
        stamp(alice)
        assert changes(alice, before) == []
        edit_notice(events[1], "Two")
        stamp(alice)
        assert [told["title"] for told in changes(alice, before)] == ["Two"]
        with CaptureQueriesContext(connection) as queries:
            sequence(INBOX, [alice.pk])
        assert len(queries) == 1
