"""Pruning deletes what nobody needs, and whoever missed it gets a fresh snapshot."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test import TestCase
from django.utils import timezone

from notifications.chat.stream import ROOM
from notifications.live.cursor import Position
from notifications.live.pruning import PRUNE_CHUNK
from notifications.live.replay import changes_since
from notifications.live.sequencer import sequence
from notifications.models import Inbox, Message, Notice, Notification, Room
from notifications.services import (
    aprune,
    aprune_messages,
    archive,
    create_room,
    mark_read,
    notify,
    post_message,
    prune,
    prune_messages,
    toggle_reaction,
)
from tests.factories import make_user, make_users, reason, stamp, tell

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=100)
RECENTLY = NOW - timedelta(days=10)


def left() -> set[str]:
    return set(Notification.objects.values_list("notice__title", flat=True))


def archived(user: Any, *titles: str, at: datetime = LONG_AGO) -> list[int]:
    """Store notifications that were archived at a time; each has a position of its own."""
    told = tell(user, *titles)
    Notification.objects.filter(pk__in=told).update(archived_at=at)
    Notice.objects.filter(title__in=titles).update(created_at=at)
    return told


@pytest.mark.parametrize(
    ("copy", "notice"),
    [
        pytest.param({"archived_at": LONG_AGO}, {}, id="archived"),
        pytest.param({}, {"expires_at": LONG_AGO}, id="expired"),
        pytest.param({}, {"recalled_at": LONG_AGO}, id="recalled"),
    ],
)
def test_what_is_over_for_long_is_deleted(copy: dict[str, Any], notice: dict[str, Any]) -> None:
    tell(make_user(), "Old", "Kept")
    Notification.objects.filter(notice__title="Old").update(**copy)
    Notice.objects.filter(title="Old").update(**notice)
    assert prune() == 1
    assert left() == {"Kept"}


@pytest.mark.parametrize(
    ("copy", "notice"),
    [
        pytest.param({}, {}, id="unread"),
        pytest.param({"read_at": LONG_AGO, "seen_at": LONG_AGO}, {}, id="read"),
        pytest.param({"archived_at": RECENTLY}, {}, id="archived recently"),
        pytest.param({}, {"expires_at": RECENTLY}, id="expired recently"),
        pytest.param({}, {"recalled_at": RECENTLY}, id="recalled recently"),
        pytest.param({"archived_at": LONG_AGO, "modseq": None}, {}, id="waiting for its position"),
    ],
)
def test_everything_else_is_kept(copy: dict[str, Any], notice: dict[str, Any]) -> None:
    tell(make_user(), "Kept")
    Notification.objects.update(**copy)
    Notice.objects.update(created_at=LONG_AGO, **notice)
    assert prune() == 0
    assert left() == {"Kept"}


def test_the_age_is_a_setting_and_an_argument(settings: Any) -> None:
    archived(make_user(), "Old", at=RECENTLY)
    settings.NOTIFICATIONS_RETENTION = timedelta(days=11)
    assert prune() == 0
    settings.NOTIFICATIONS_RETENTION = timedelta(days=9)
    assert prune(RECENTLY - timedelta(seconds=1)) == 0
    assert prune() == 1


def test_a_reader_that_missed_a_deletion_gets_a_snapshot_and_others_are_continued() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    archived(alice, "One", "Two")
    tell(alice, "Three")
    tell(bob, "One of his")
    prune()
    assert [reason(alice, modseq) for modseq in (0, 1, 2, 3)] == ["pruned", "pruned", "", ""]
    assert reason(bob, 0) == ""


def test_the_floor_rises_to_what_a_row_has_become_while_it_was_found() -> None:
    alice = make_user()
    [row] = archived(alice, "One")
    changed: list[int] = []

    def change(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("SELECT") and "archived_at" in sql and not changed:
            changed.append(Notification.objects.filter(pk=row).update(modseq=F("modseq") + 1))
        return result

    with connection.execute_wrapper(change):
        assert prune() == 1
    assert changed == [1]
    assert Inbox.objects.get(user=alice).floor == 2


def test_it_keeps_what_got_another_end_while_it_looked() -> None:
    alice = make_user()
    [row] = tell(alice, "One")
    Notice.objects.update(expires_at=LONG_AGO)
    changed: list[int] = []

    def change(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("SELECT") and "expires_at" in sql and not changed:
            changed.append(Notice.objects.update(expires_at=timezone.now() + timedelta(days=7)))
        return result

    with connection.execute_wrapper(change):
        assert prune() == 0
    assert changed == [1]
    assert Notification.objects.get().pk == row


def test_the_floor_never_sinks() -> None:
    alice = make_user()
    archived(alice, "One", "Two")
    Inbox.objects.update(floor=2)
    Notification.objects.filter(notice__title="Two").delete()
    assert prune() == 1
    assert Inbox.objects.get().floor == 2


def test_a_notice_goes_with_its_last_copy_and_not_before() -> None:
    alice, bob = make_user("alice"), make_user("bob")
    notice = notify([alice, bob], "Shared")
    bare = notify([], "For nobody")
    stamp(alice, bob)
    Notice.objects.update(created_at=LONG_AGO)
    recent = notify([], "For nobody yet")
    for user in (alice, bob):
        assert Notice.objects.filter(pk=notice.pk).exists()
        Notification.objects.of(user).update(archived_at=LONG_AGO)
        prune()
    assert set(Notice.objects.all()) == {recent}
    assert bare.pk != recent.pk


def test_any_number_is_deleted_in_short_transactions(django_assert_max_num_queries: Any) -> None:
    alice = make_user()
    notices = Notice.objects.bulk_create(
        [Notice(title=str(n), created_at=LONG_AGO) for n in range(2 * PRUNE_CHUNK + 1)]
    )
    Notification.objects.bulk_create(
        [Notification(recipient=alice, notice=notice, archived_at=LONG_AGO) for notice in notices]
    )
    stamp(alice)
    with django_assert_max_num_queries(73):  # four less where rows need no locks
        assert prune() == 2 * PRUNE_CHUNK + 1
    assert not Notice.objects.exists()


def test_the_copies_of_a_notice_are_deleted_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.live.pruning.PRUNE_CHUNK", 3)
    users = make_users(8)
    notices = Notice.objects.bulk_create([Notice(title=title, created_at=LONG_AGO) for title in ("over", "here")])
    Notification.objects.bulk_create([Notification(recipient=user, notice=one) for user in users for one in notices])
    stamp(*users)
    Notice.objects.filter(title="over").update(expires_at=LONG_AGO)
    assert prune() == 8
    assert Notification.objects.filter(notice__title="here").count() == 8
    assert left() == {"here"}


def test_a_change_after_pruning_is_told_as_ever() -> None:
    alice = make_user()
    archived(alice, "Old")
    [pk] = tell(alice, "Here")
    prune()
    mark_read(alice, [pk])
    stamp(alice)
    assert reason(alice, 2) == ""


def command(*arguments: str) -> str:
    output = StringIO()
    call_command("prune_notifications", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_deletes_and_says_how_many() -> None:
    archived(make_user(), "Old")
    assert command() == "Notifications deleted: 1\n"
    assert left() == set()


def test_the_command_takes_the_age_in_days() -> None:
    archived(make_user(), "Old", at=RECENTLY)
    assert command("--days", "11") == "Notifications deleted: 0\n"
    assert command("--days=9") == "Notifications deleted: 1\n"


def test_a_dry_run_deletes_nothing() -> None:
    archived(make_user(), "Old")
    assert command("--dry-run") == "Notifications that would be deleted: 1\n"
    assert left() == {"Old"}


@pytest.mark.parametrize("days", ["-1", "1.5", "many", "999999", ""])
def test_the_command_refuses_what_is_no_number_of_days(days: str) -> None:
    with pytest.raises(CommandError, match="whole number of days"):
        command(f"--days={days}")


def test_archiving_is_what_makes_it_old() -> None:
    alice = make_user()
    [pk] = tell(alice, "One")
    Notice.objects.update(created_at=LONG_AGO)
    archive(alice, [pk])
    stamp(alice)
    assert prune() == 0


class MessageTests(TestCase):
    """Messages are deleted by age alone, and only where the site says so."""

    def setUp(self) -> None:
        self.alice = make_user("alice")
        self.room = create_room("Project", by=self.alice)
        self.other = create_room("Other", by=self.alice)
        for body in ("Old", "Old too", "Recent"):
            post_message(self.room, body, by=self.alice)
        post_message(self.other, "Recent", by=self.alice)
        stamp_rooms(self.room, self.other)
        toggle_reaction(self.room, 1, "👍", by=self.alice)
        stamp_rooms(self.room)
        Message.objects.update(created_at=RECENTLY)
        Message.objects.exclude(body="Recent").filter(room=self.room).update(created_at=LONG_AGO)

    def reason(self, room: Room, modseq: int) -> str:
        [batch] = changes_since(ROOM, {room.pk: Position(room.epoch, modseq)}).values()
        first = json.loads(batch.frames[0].data) if batch.frames else {}
        return str(first.get("reason", ""))

    def test_they_are_kept_for_ever_unless_the_site_says_otherwise(self) -> None:
        assert prune_messages() == 0
        assert "Messages" not in command()
        assert Message.objects.filter(body="Old").exists()

    def test_the_age_is_a_setting_and_an_argument(self) -> None:
        assert prune_messages(LONG_AGO - timedelta(seconds=1)) == 0
        with self.settings(NOTIFICATIONS_MESSAGE_RETENTION=timedelta(days=99)):
            assert command("--dry-run").endswith("Messages that would be deleted: 2\n")
            assert command().endswith("Messages deleted: 2\n")
        assert set(Message.objects.values_list("body", flat=True)) == {"Recent"}

    def test_a_reader_that_missed_a_deletion_gets_a_snapshot_and_others_are_continued(self) -> None:
        last = Message.objects.filter(created_at=LONG_AGO).latest("modseq").modseq or 0
        assert prune_messages(RECENTLY) == 2
        assert [self.reason(self.room, modseq) for modseq in (0, last - 1, last)] == ["pruned", "pruned", ""]
        assert self.reason(self.other, 0) == ""

    def test_a_pending_one_waits(self) -> None:
        Message.objects.update(modseq=None)
        assert prune_messages(NOW) == 0

    def test_numbers_go_on(self) -> None:
        prune_messages(NOW)
        message = post_message(self.room, "New", by=self.alice)
        stamp_rooms(self.room)
        message.refresh_from_db()
        assert message.number == 4


def stamp_rooms(*rooms: Room) -> None:
    sequence(ROOM, [room.pk for room in rooms])


class AsyncTests(TestCase):
    async def test_the_async_twins_delete_the_same(self) -> None:
        assert await aprune() == 0
        assert await aprune_messages() == 0
