"""What one transaction changes is sequenced once, and told to other processes in one message."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from notifications.live import broker, commit
from notifications.live.messages import Hints, Message
from notifications.models import Notification
from notifications.services import notify
from tests.factories import make_users

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """Return the messages that go to other processes."""
    messages: list[Message] = []
    monkeypatch.setattr(broker, "_send_from_here", messages.extend)
    return messages


def streams(messages: list[Message]) -> list[list[str]]:
    return [sorted(pk for _name, pk, _to in message.moved) for message in messages if isinstance(message, Hints)]


def pending() -> int:
    return Notification.objects.filter(modseq=None).count()


def test_one_commit_is_one_message(told: list[Message]) -> None:
    users = make_users(3)
    with transaction.atomic():
        for user in users:
            notify(user, "One")
        notify(users, "All")
    assert streams(told) == [sorted(str(user.pk) for user in users)]
    assert pending() == 0


def test_many_recipients_are_one_message_while_that_is_quick(
    told: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "STREAM_CHUNK", 2)
    monkeypatch.setattr(broker, "HOLD", 60.0)
    users = make_users(5)
    notify(users, "All")
    assert streams(told) == [sorted(str(user.pk) for user in users)]


def test_what_takes_longer_is_told_as_it_goes(told: list[Message], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "STREAM_CHUNK", 2)
    monkeypatch.setattr(broker, "HOLD", 0.0)
    notify(make_users(5), "All")
    assert [len(pks) for pks in streams(told)] == [2, 2, 1]


def test_a_second_notification_in_a_transaction_costs_no_second_pass(told: list[Message]) -> None:
    def statements(number: int) -> int:
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            for _ in range(number):
                notify(alice, "Hello")
        return sum("carillon_inbox" in query["sql"] for query in queries)

    (alice,) = make_users(1)
    notify(alice, "The first")
    assert statements(5) == statements(1)


def test_a_savepoint_that_is_rolled_back_takes_nothing_else_along(told: list[Message]) -> None:
    alice, bob = make_users(2)
    with transaction.atomic():
        with transaction.atomic():
            notify(alice, "Rolled back")
            transaction.set_rollback(True)
        notify(bob, "Committed")
        with transaction.atomic():
            notify(alice, "Rolled back too")
            transaction.set_rollback(True)
    assert streams(told) == [[str(bob.pk)]]
    assert pending() == 0


def test_a_transaction_that_was_rolled_back_leaves_nothing_to_the_next(told: list[Message]) -> None:
    alice, bob = make_users(2)
    with transaction.atomic():
        notify(alice, "Rolled back")
        transaction.set_rollback(True)
    with transaction.atomic():
        notify(bob, "Committed")
        changes: Any = commit._changes("default")
        assert [list(pks) for pks in changes._streams.values()] == [[bob.pk]]


def test_a_failure_in_one_kind_of_stream_leaves_the_others_theirs(
    told: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifications.chat.stream import ROOM
    from notifications.inbox.stream import INBOX

    done: list[str] = []

    def sequence(stream_type: Any, pks: Any) -> None:
        if stream_type is ROOM:
            raise OSError("no")
        done.append(stream_type.name)

    monkeypatch.setattr(commit, "sequence_now", sequence)
    with transaction.atomic():
        commit.sequence_after_commit(ROOM, [1])
        commit.sequence_after_commit(INBOX, [1])
    assert done == [INBOX.name]
