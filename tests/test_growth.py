"""What does not grow with the tables, nor with what a user has: counted in statements and in rows that are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.inbox.stream import INBOX
from notifications.live.cursor import Position
from notifications.live.replay import changes_since
from notifications.models import Inbox, Notice, Notification
from notifications.services import archive_all, mark_all_read, mark_seen, notify, undo

from .factories import make_user
from .threads import together

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


def fill(user: Any, number: int, **fields: Any) -> None:
    """Give a user many notifications at once, as the sequencer leaves them."""
    notify(user, "The first")
    notices = Notice.objects.bulk_create([Notice(title=str(n)) for n in range(number - 1)])
    rows = [Notification(recipient=user, notice=notice, modseq=1, arrival=1, **fields) for notice in notices]
    Notification.objects.bulk_create(rows)


def statements(run: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        run()
    return len(queries)


@pytest.mark.parametrize("verb", [mark_all_read, archive_all, mark_seen])
def test_a_verb_on_all_notifications_costs_as_many_statements_for_ten_as_for_ten_thousand(verb: Any) -> None:
    few, many = make_user("few"), make_user("many")
    fill(few, 10)
    fill(many, 10_000)
    head = Inbox.objects.get(pk=many.pk).head
    assert statements(lambda: verb(many)) == statements(lambda: verb(few)) < 15
    assert set(Notification.objects.of(many).values_list("modseq", flat=True)) == {head + 1}


def test_so_does_undoing_it() -> None:
    alice = make_user()
    fill(alice, 2_000)
    changed = archive_all(alice)
    assert changed == 2_000
    assert statements(lambda: undo(alice, changed.undo)) < 15
    assert Notification.objects.of(alice).not_archived().count() == 2_000


def test_whoever_reads_along_is_told_what_it_has_changed() -> None:
    alice = make_user()
    fill(alice, 3)
    inbox = Inbox.objects.get()
    mark_all_read(alice)
    batch = changes_since(INBOX, {alice.pk: Position(inbox.epoch, inbox.head)})[alice.pk]
    assert batch.to.modseq == inbox.head + 1
    assert b"".join(frame.data for frame in batch.frames).count(b'"read_at":"') == 3


def test_it_gives_no_position_where_it_changes_nothing() -> None:
    alice = make_user()
    fill(alice, 3)
    mark_all_read(alice)
    head = Inbox.objects.get().head
    assert mark_all_read(alice) == 0
    assert Inbox.objects.get().head == head


def test_what_waits_for_its_position_is_changed_too_and_gets_it() -> None:
    alice = make_user()
    fill(alice, 3)
    Notification.objects.filter(notice__title="1").update(modseq=None, arrival=None)
    assert mark_all_read(alice) == 3
    assert not Notification.objects.unread().exists()
    assert not Notification.objects.filter(modseq=None).exists()


def test_in_a_transaction_it_holds_no_inbox() -> None:
    alice = make_user()
    fill(alice, 3)
    with transaction.atomic():
        mark_all_read(alice)
        assert Notification.objects.filter(modseq=None).count() == 3
    assert not Notification.objects.filter(modseq=None).exists()


def test_of_two_at_once_each_change_gets_a_position() -> None:
    alice = make_user()
    fill(alice, 300)
    together(lambda: mark_all_read(alice), lambda: mark_seen(alice), lambda: archive_all(alice))
    assert not Notification.objects.unread().exists()
    assert not Notification.objects.not_archived().exists()
    assert not Notification.objects.filter(modseq=None).exists()
    assert Notification.objects.filter(modseq__gt=Inbox.objects.get().head).count() == 0
