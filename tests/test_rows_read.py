"""What MariaDB reads of its tables: what is asked for, and not the table or all that somebody has.

SQLite and PostgreSQL have tests of their own in ``test_growth``; each says what it reads in another way.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from notifications.chat.stream import history
from notifications.deliveries.sending import next_due
from notifications.inbox.due import take_turn
from notifications.inbox.prune import _bare_notices
from notifications.inbox.reading import summary
from notifications.inbox.stream import INBOX
from notifications.models import Delivery, Message, Notice, Notification, Room
from notifications.services import create_room, mark_all_read, mark_read, notify, post_message

from .factories import make_user, make_users

pytestmark = [
    pytest.mark.django_db(transaction=True),  # for ANALYZE commits
    pytest.mark.skipif(connection.vendor != "mysql", reason="Only MariaDB counts what its sessions read."),
]

NOW = timezone.now()


def rows_read(run: Callable[[], Any]) -> int:
    """Return how many rows and entries of indexes a function reads."""

    def read() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%%'")
            return sum(int(value) for _name, value in cursor.fetchall())

    read()
    before = read()
    nothing = read() - before  # the lines of the answer are rows, too
    before = read()
    run()
    return read() - before - nothing


def analyze(*tables: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {', '.join(model._meta.db_table for model in tables)}")


def copies(number: int, *users: Any, **fields: Any) -> None:
    """Give users copies of so many notices, in turns."""
    notices = Notice.objects.bulk_create([Notice(title=str(n)) for n in range(number)])
    Notification.objects.bulk_create(
        Notification(recipient=users[n % len(users)], notice=notice, modseq=1, arrival=1, **fields)
        for n, notice in enumerate(notices)
    )


def test_a_statement_about_some_streams_reads_those_alone() -> None:
    users = make_users(300)
    notify(users, "Hello")
    alice, bob = users[:2]
    assert rows_read(lambda: INBOX.positions.run([alice.pk, bob.pk], INBOX.alias)) < 10
    assert rows_read(lambda: INBOX.pending.run([alice.pk, bob.pk], INBOX.alias)) < 20
    runs: list[Callable[[], Any]] = [
        lambda: summary(alice),
        lambda: notify(alice, "Hello again"),
        lambda: mark_read(alice, [Notification.objects.of(alice).earliest("pk").pk]),
    ]
    for run in runs:
        assert rows_read(run) < 100


def test_the_middle_of_a_history_is_read_from_there() -> None:
    alice = make_user()
    room = create_room("Room", by=alice)
    Message.objects.all().delete()
    Message.objects.bulk_create(
        Message(room=room, number=n, author=alice, body="Hello", modseq=n, content_modseq=n) for n in range(1, 2_001)
    )
    analyze(Message)
    page = history(room.pk, before=1_001, limit=30)
    assert [msgspec.json.decode(message)["number"] for message in page.messages] == [*range(971, 1_001)]
    assert rows_read(lambda: history(room.pk, before=1_001, limit=30)) < 200


def test_whom_a_message_is_to_alert_is_not_asked_of_all_that_they_have() -> None:
    alice, bob, carol = make_users(3)
    room = create_room("Room", by=alice, members=[bob, carol])
    copies(3_000, bob, carol)
    post_message(room, "The first", by=alice)
    mark_all_read(carol)
    analyze(Notification, Notice)
    assert rows_read(lambda: post_message(room, "The second", by=alice)) < 300
    told = Notification.objects.filter(notice__kind="chat.message").order_by("pk")
    assert list(told.values_list("recipient", flat=True)) == [bob.pk, carol.pk, carol.pk]


def test_when_something_falls_due_is_asked_of_the_first_alone() -> None:
    alice = make_user()
    copies(500, alice, archived_at=NOW, snoozed_until=NOW + timedelta(days=1))
    Delivery.objects.bulk_create(
        Delivery(recipient=alice, channel="email", key=str(n), created_at=NOW, due_at=NOW + timedelta(minutes=n))
        for n in range(500)
    )
    analyze(Notification, Delivery)
    assert next_due(["push", "email"]) is not None
    assert rows_read(lambda: next_due(["push", "email"])) < 10
    assert rows_read(take_turn) < 10


def test_pruning_does_not_read_all_copies_to_find_notices_without_one() -> None:
    copies(3_000, *make_users(30))
    analyze(Notification, Notice)
    assert "MATERIALIZED" not in _bare_notices(timezone.now()).explain()
    assert not _bare_notices(timezone.now()).exists()


@pytest.mark.parametrize("name", ["notification", "message"])
def test_a_list_in_the_admin_reads_no_more_than_it_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.admin.bounds.LISTED_LIMIT", 100)
    alice = make_user()
    copies(3_000, *make_users(30))
    rooms = Room.objects.bulk_create(Room(name=f"Room {n}") for n in range(30))
    Message.objects.bulk_create(
        Message(room=rooms[n % 30], number=n, author=alice, body="Hello", modseq=n) for n in range(3_000)
    )
    analyze(Notification, Notice, Message, Room)
    client = Client()
    client.force_login(make_user("staff", is_staff=True, is_superuser=True))
    assert rows_read(lambda: client.get(f"/admin/carillon/{name}/")) < 2_000
